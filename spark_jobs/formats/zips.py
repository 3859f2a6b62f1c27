"""Reads a zip by the rules of its feed: members to readers, readers to tables, every member to one outcome."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import translate
from functools import lru_cache

from spark_jobs.archives import Entry, open_zip
from spark_jobs.errors import ArchiveError, MemberError
from spark_jobs.formats.delimited import read_delimited
from spark_jobs.formats.fixed import read_fixed
from spark_jobs.formats.results import Rows, Tally, ZipSummary
from spark_jobs.formats.rows import Constants, TextMember
from spark_jobs.formats.text import text_blocks
from spark_jobs.formats.xml import read_xml
from spark_jobs.rules.model import Feed, Limits, Member

# What operating systems leave in zips of their own accord, in any folder: ignored before any rule is asked.
LITTER = re.compile(r"(?:.*[/\\])?(?:__MACOSX[/\\].*|\.DS_Store|Thumbs\.db|desktop\.ini)", re.IGNORECASE | re.DOTALL)

LONGEST_NAME = 1024  # every row repeats the name of its member


def read_zip(content: bytes, feed: Feed, constants: Constants) -> Iterator[Rows | ZipSummary]:
    """Tables of raw text as they come, and at last the summary; `constants` holds `$name.<part>` and `$extract_time`.

    Raises ZipError where the zip as a whole is refused, before anything is yielded. Memory holds some megabytes of
    members at a time and the rows read from them, however large the zip is.
    """
    entries = open_zip(content, feed.limits)
    tally = Tally(len(entries))
    for rule, taken in _by_rule(entries, feed, tally):
        if rule.format == "xml":
            yield from read_xml(content, taken, rule, feed, constants, tally)
        else:
            for entry in taken:
                yield from _read_text(content, TextMember(entry, rule, constants), feed.limits, tally)
    yield tally.summary()


def _by_rule(entries: list[Entry], feed: Feed, tally: Tally) -> list[tuple[Member, list[Entry]]]:
    """The members each reading rule takes; litter, ignored and unmatched ones are noted."""
    rules = sorted((rule for rule in feed.members if rule.pattern is not None), key=lambda rule: rule.position)
    globs = _globs(tuple(rule.pattern or "" for rule in rules))
    taken: list[list[Entry]] = [[] for _ in rules]
    for entry in entries:
        if LITTER.fullmatch(entry.name):
            tally.ignored += 1
            continue
        if len(entry.name) > LONGEST_NAME:
            tally.refuse(entry, "member.name", f"its name is longer than {LONGEST_NAME} characters")
            continue
        match = globs.match(entry.name)
        if match is None:
            tally.refuse(entry, "member.unmatched", "no member rule takes its name")
        else:
            taken[(match.lastindex or 1) - 1].append(entry)
    tally.ignored += sum(len(some) for rule, some in zip(rules, taken, strict=True) if rule.action == "ignore")
    return [(rule, some) for rule, some in zip(rules, taken, strict=True) if some and rule.action == "read"]


@lru_cache
def _globs(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One expression; the number of its group that matches is that of the first glob that does."""
    return re.compile("|".join(f"({translate(pattern)})" for pattern in patterns) or "(?!)", re.IGNORECASE)


def _read_text(content: bytes, member: TextMember, limits: Limits, tally: Tally) -> Iterator[Rows]:
    empty = True
    try:
        for rows in _text_rows(content, member, limits, tally):
            empty = False
            yield rows
    except (ArchiveError, MemberError) as error:
        tally.refuse(member.entry, error.rule, error.problem)
        return
    if empty:
        tally.note_empty(member.entry, member.rule)


def _text_rows(content: bytes, member: TextMember, limits: Limits, tally: Tally) -> Iterator[Rows]:
    blocks = text_blocks(content, member.entry, member.rule.encoding, limits)
    return read_fixed(blocks, member) if member.rule.format == "fixed" else read_delimited(blocks, member, tally)
