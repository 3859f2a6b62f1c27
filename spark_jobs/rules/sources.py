"""Where a column's text comes from, checked against the format of its member rule."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from spark_jobs.rules.model import Column, Feed, Member
from spark_jobs.rules.paths import ABSOLUTE, PREFIX, RELATIVE, SOURCE, parse_path

RANGE = re.compile(r"([1-9]\d*)-([1-9]\d*)")
PLACE = re.compile(r"#[1-9]\d*")
KNOWN = "known are $name.<part>, $extract_time, $member, $row and, for children, $parent.<column>"
STREAMED = (
    "documents are read as streams, so no step from the root has a predicate; end the path before it, and read the rest"
    " by a child rule, whose record_path may have predicates"
)
QUOTES = "a predicate is [@code='v'], [path/@code='v'] or [path='v'], in single quotes, which SQL text must escape"
COUNTS = ("int", "long")


def name_parts(feed: Feed) -> set[str]:
    """The named parts of a feed's name pattern."""
    return set(re.findall(r"\(\?P<(\w+)>", feed.name_pattern))


def check_source(column: Column, member: Member, feed: Feed) -> list[str]:
    """What is wrong with the source of a column."""
    source = column.source or ""
    if source.startswith("$"):
        return _check_from_outside(column, member, feed)
    if member.parent or member.format == "xml":
        return _check_path(source, member, feed)
    if member.format == "fixed":
        return _check_range(source)
    if member.header:
        return [] if source.strip() else ["the source is empty: name a column of the header"]
    return [] if PLACE.fullmatch(source) else [f"the source {source!r} is no place: without a header write #1, #2, ..."]


def check_ranges(member: Member) -> list[str]:
    """Ranges of a fixed-width line that overlap or are out of order."""
    matches = [(column.name, RANGE.fullmatch(column.source or "")) for column in member.columns]
    ranges = [(name, int(match[1]), int(match[2])) for name, match in matches if match]
    return [
        f"{name} starts at {start}, before {earlier} ends at {end}: list ranges in order, without overlap"
        for (earlier, _, end), (name, start, _) in pairwise(ranges)
        if start <= end
    ]


def check_record_path(member: Member, feed: Feed) -> list[str]:
    """What is wrong with the path of an XML rule's records."""
    path = member.record_path or ""
    if member.parent and not RELATIVE.fullmatch(path):
        return [f"record_path is {member.record_path!r}: write the way from the parent's record, such as Vitals/Vital"]
    if not member.parent and not ABSOLUTE.fullmatch(path):
        return [f"record_path is {member.record_path!r}: write the way from the root, such as /Encounter"]
    if not member.parent and parse_path(path).has_predicates():
        return [f"record_path is {path}: {STREAMED}"]
    return _check_prefixes(path, member, feed)


def check_namespaces(member: Member) -> list[str]:
    """Prefixes that no path can use, and prefixes without a namespace."""
    odd = [prefix for prefix in member.namespaces if prefix and not PREFIX.fullmatch(prefix)]
    empty = [prefix for prefix, space in member.namespaces.items() if not space.strip()]
    return [
        *(f"namespaces has {prefix!r}, which is no prefix: write h, or empty text for the default" for prefix in odd),
        *(f"namespaces has {prefix!r} without a namespace: write one such as urn:hl7-org:v3" for prefix in empty),
    ]


def namespaces_of(member: Member, feed: Feed) -> dict[str, str]:
    """The prefixes that a member rule may use: its own, and a child's those of its parent."""
    parent = next((other for other in feed.members if other.member == member.parent), None)
    return {**(parent.namespaces if parent else {}), **member.namespaces}


def _check_path(source: str, member: Member, feed: Feed) -> list[str]:
    if SOURCE.fullmatch(source):
        return _check_prefixes(source, member, feed)
    hint = f"; {QUOTES}" if "[" in source else ""
    return [
        f"the source {source!r} is no path: write Patient/@mrn, Patient/Name, id[@root='1.2']/@extension or .{hint}"
    ]


def _check_prefixes(path: str, member: Member, feed: Feed) -> list[str]:
    """Prefixes that are used but not declared."""
    used = {name.partition(":")[0] for name in parse_path(path).names() if ":" in name}
    unknown = sorted(used - set(namespaces_of(member, feed)))
    return [f"the prefix {prefix} in {path} is not declared in namespaces" for prefix in unknown]


def _check_range(source: str) -> list[str]:
    match = RANGE.fullmatch(source)
    if match is None or int(match[1]) > int(match[2]):
        return [f"the source {source!r} is no range of characters: write 11-20, counted from 1, both included"]
    return []


def _check_from_outside(column: Column, member: Member, feed: Feed) -> list[str]:
    kind, _, part = (column.source or "").partition(".")
    check = _OUTSIDE.get(kind)
    if check is None or bool(part) != (kind in ("$name", "$parent")):
        return [f"the source {column.source} is not known: {KNOWN}"]
    return check(column, part, member, feed)


def _check_name(column: Column, part: str, member: Member, feed: Feed) -> list[str]:
    if part in name_parts(feed):
        return []
    return [f"name_pattern has no part named {part}: write (?P<{part}>...) around it"]


def _check_parent(column: Column, part: str, member: Member, feed: Feed) -> list[str]:
    if member.parent is None:
        return [f"the source {column.source} needs a parent, and member {member.member} has none"]
    parent = next((other for other in feed.members if other.member == member.parent), None)
    sourced = {other.name for other in parent.columns if other.source} if parent else set()
    return [] if part in sourced else [f"{member.parent} has no column {part} that is read from a source"]


def _check_extract_time(column: Column, part: str, member: Member, feed: Feed) -> list[str]:
    if column.type != "timestamp" or column.format or column.zone:
        return ["$extract_time fills a column of type timestamp, without format and zone: the feed says those"]
    return []


def _check_member(column: Column, part: str, member: Member, feed: Feed) -> list[str]:
    return []


def _check_row(column: Column, part: str, member: Member, feed: Feed) -> list[str]:
    if column.type not in COUNTS or column.format:
        return ["$row fills a column of type int or long: it is the number of the row"]
    return []


_OUTSIDE: dict[str, Callable[[Column, str, Member, Feed], list[str]]] = {
    "$name": _check_name,
    "$parent": _check_parent,
    "$extract_time": _check_extract_time,
    "$member": _check_member,
    "$row": _check_row,
}
