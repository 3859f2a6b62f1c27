"""Reads a zip by the rules of its feed: members to readers, readers to tables, every member to one outcome."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from fnmatch import translate
from functools import lru_cache

from spark_jobs.archives import Entry, open_zip
from spark_jobs.errors import ArchiveError, MemberError
from spark_jobs.formats.delimited import read_delimited
from spark_jobs.formats.fixed import read_fixed
from spark_jobs.formats.results import Rows, Tally, ZipSummary
from spark_jobs.formats.text import is_large, utf8_bytes, utf8_stream
from spark_jobs.formats.xml import read_xml
from spark_jobs.rules.model import Feed, Member


def read_zip(content: bytes, feed: Feed, constants: Mapping[str, str | None]) -> Iterator[Rows | ZipSummary]:
    """Tables of raw text as they come, and at last the summary; `constants` holds `$name.<part>` and `$extract_time`.

    Raises ZipError where the zip as a whole is refused, before anything is yielded. Memory holds one XML member, or
    16 MB of a text member, and the rows read from it.
    """
    entries = open_zip(content, feed.limits)
    tally = Tally(len(entries))
    for rule, taken in _by_rule(entries, feed, tally):
        if rule.format == "xml":
            yield from read_xml(content, taken, rule, feed, constants, tally)
        else:
            for entry in taken:
                yield from _read_text(content, entry, rule, feed, {**constants, "$member": entry.name}, tally)
    yield tally.summary()


def _by_rule(entries: list[Entry], feed: Feed, tally: Tally) -> Iterator[tuple[Member, list[Entry]]]:
    """The members each reading rule takes; ignored and unmatched ones are noted."""
    taken: dict[str, list[Entry]] = defaultdict(list)
    rules = sorted((m for m in feed.members if m.parent is None), key=lambda m: m.position)
    for entry in entries:
        rule = next((m for m in rules if m.pattern and _glob(m.pattern).match(entry.name)), None)
        if rule is None:
            tally.refuse(entry, "member.unmatched", "no member rule takes its name")
        elif rule.action == "ignore":
            tally.ignored += 1
        else:
            taken[rule.member].append(entry)
    return ((rule, taken[rule.member]) for rule in rules if rule.member in taken)


@lru_cache
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern), re.IGNORECASE)


def _read_text(
    content: bytes, entry: Entry, rule: Member, feed: Feed, constants: Mapping[str, str | None], tally: Tally
) -> Iterator[Rows]:
    count = 0
    try:
        for rows in _rows(content, entry, rule, feed, constants, tally):
            count += len(rows.table)
            yield rows
    except (ArchiveError, MemberError) as error:
        tally.refuse(entry, error.rule, error.problem)
        return
    if not count and rule.allow_empty:
        tally.ignored += 1
    elif not count:
        tally.refuse(entry, "member.empty", "it holds no row")


def _rows(
    content: bytes, entry: Entry, rule: Member, feed: Feed, constants: Mapping[str, str | None], tally: Tally
) -> Iterator[Rows]:
    if is_large(entry):
        stream = utf8_stream(content, entry, rule.encoding, feed.limits)
        unpaired = False
    else:
        data = utf8_bytes(content, entry, rule.encoding, feed.limits)
        stream = io.BytesIO(data if data.endswith(b"\n") or not data else data + b"\n")
        unpaired = _unpaired(data, rule)
    if rule.format == "fixed":
        yield from read_fixed(stream, entry, rule, constants)
    else:
        yield from read_delimited(stream, entry, rule, constants, tally, unpaired)


def _unpaired(data: bytes, rule: Member) -> bool:
    """Whether the quotes of a delimited text do not pair, so that one of them is never closed."""
    if rule.quote is None:
        return False
    quote = rule.quote.encode()
    escaped = data.count(rule.escape.encode() + quote) if rule.escape else 0
    return (data.count(quote) - escaped) % 2 == 1
