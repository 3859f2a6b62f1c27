"""What is wrong with the member rules of a feed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import combinations

from spark_jobs.rules.columns import check_columns
from spark_jobs.rules.model import Feed, Finding, Member, TargetTable
from spark_jobs.rules.names import check_name, findings, repeated
from spark_jobs.rules.sources import check_namespaces, check_record_path

# Codecs that Python calls text encodings, but in which no file is written.
NO_ENCODINGS = {
    "idna",
    "punycode",
    "undefined",
    "unicode-escape",
    "unicode_escape",
    "raw_unicode_escape",
    "mbcs",
    "oem",
}


def check_members(feed: Feed, targets: Mapping[str, TargetTable], where: str) -> Iterator[Finding]:
    """Findings on the member rules and their columns."""
    if not feed.readers:
        yield Finding(where, "it has no member rule that reads", "Add one with a target table and columns.")
    names = repeated(member.member for member in feed.members)
    yield from findings(where, (f"member rule {name} is there twice" for name in names))
    positions = repeated(str(member.position) for member in feed.members)
    yield from findings(where, (f"two member rules have position {position}" for position in positions))
    yield from findings(where, _check_order(feed))
    for member in feed.members:
        place = f"{where}, member {member.member}"
        yield from findings(place, check_name(member.member))
        yield from findings(place, _check_ignored(member) if member.action == "ignore" else _check_reader(member, feed))
        if member.action == "read":
            yield from findings(place, _check_target(member, targets))
            yield from check_columns(member, feed, place)


def _check_order(feed: Feed) -> Iterator[str]:
    """Rules that an earlier one leaves nothing to."""
    globs = [(m.member, m.pattern.lower()) for m in sorted(feed.members, key=lambda m: m.position) if m.pattern]
    for (early, wide), (late, narrow) in combinations(globs, 2):
        # A glob of literals and * matches the text of another only if it matches all that the other does.
        covers = wide == narrow or (not set(wide) & set("?[") and fnmatchcase(narrow, wide))
        if covers:
            yield f"member rule {late} never gets a member: {early}, tried before it, takes all that match {narrow}"


def _check_ignored(member: Member) -> Iterator[str]:
    if not member.pattern:
        yield "it ignores members but has no pattern that says which"
    given = {"parent": member.parent, "target": member.target, "format": member.format, "columns": member.columns}
    for name in (name for name, value in given.items() if value):
        yield f"it ignores members, so it needs no {name}: leave it out, or say action read"


def _check_reader(member: Member, feed: Feed) -> Iterator[str]:
    if not member.columns:
        yield "it reads members but has no columns"
    if member.parent is not None:
        yield from _check_child(member, feed)
        return
    if not member.pattern:
        yield "it has no pattern that says which members it reads"
    if member.format is None:
        yield "it has no format: say xml, csv, delimited or fixed"
    elif member.format == "xml":
        yield from check_record_path(member, feed)
        yield from check_namespaces(member)
    else:
        yield from _check_text(member)
    yield from _check_encoding(member.encoding)


def _check_child(member: Member, feed: Feed) -> Iterator[str]:
    parent = next((other for other in feed.members if other.member == member.parent), None)
    if parent is None:
        yield f"there is no member rule {member.parent} to be its parent"
    elif parent.parent:
        yield f"its parent {parent.member} is a child itself: name {parent.parent}, with a longer record_path"
    elif parent.format != "xml" or parent.action != "read":
        yield f"its parent {parent.member} does not read XML: only XML records have children"
    if member.pattern:
        yield "it has both a parent and a pattern: a child has the members of its parent"
    if member.format not in (None, "xml"):
        yield f"it has a parent, so its format is xml, not {member.format}"
    yield from check_record_path(member, feed)
    yield from check_namespaces(member)


def _check_text(member: Member) -> Iterator[str]:
    if member.record_path or member.namespaces:
        yield f"record_path and namespaces are for XML, and its format is {member.format}"
    if member.format == "fixed":
        return
    given = {"delimiter": member.delimiter, "quote": member.quote, "escape": member.escape}
    for name, text in given.items():
        if text is not None and (len(text) != 1 or text in "\r\n\0"):
            yield f"its {name} {text!r} is not one character" + ("; for a tab write chr(9)" if text == r"\t" else "")
        elif text is not None and not text.isascii():
            yield f"its {name} {text!r} is not ASCII, which the reader of delimited text can't split at"
    if member.delimiter in (member.quote, member.escape):
        yield f"its delimiter {member.delimiter!r} is its quote or escape too"


def _check_encoding(encoding: str) -> Iterator[str]:
    try:
        "".encode(encoding)
        known = encoding.lower() not in NO_ENCODINGS
    except (LookupError, ValueError):
        known = False
    if not known:
        yield f"the encoding {encoding!r} is not known: write utf-8, cp1252, iso-8859-1 or the like"


def _check_target(member: Member, targets: Mapping[str, TargetTable]) -> Iterator[str]:
    if not member.target:
        yield "it reads members but names no target table to fill"
    elif member.target not in targets:
        yield f"no revision of target table {member.target} is in force: apply it first"
