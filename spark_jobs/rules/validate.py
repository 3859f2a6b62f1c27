"""Whether a feed, target table or report can be used, in words a data engineer can act on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import product

from spark_jobs.rules.expressions import check_expression
from spark_jobs.rules.fit import check_agreement, check_fit
from spark_jobs.rules.formats import check_pattern
from spark_jobs.rules.held import FIXED, NEW_TABLE
from spark_jobs.rules.members import check_members
from spark_jobs.rules.model import Feed, Finding, TargetTable
from spark_jobs.rules.names import check_name, check_zone, findings, repeated
from spark_jobs.rules.regexes import check_regex
from spark_jobs.rules.sources import name_parts

FOLDER = re.compile(r"[a-z0-9_-]+")
# Hive sync makes <target>_ro and <target>_rt, full history <target>_history.
TAKEN_ENDINGS = ("_ro", "_rt", "_history")


def check_feed(feed: Feed, targets: Mapping[str, TargetTable], others: Iterable[Feed] = ()) -> list[Finding]:
    """What is wrong with a feed, given the target tables and the other feeds in force."""
    where = f"feed {feed.feed}, revision {feed.revision}"
    found = [*findings(where, _check_intake(feed)), *check_members(feed, targets, where), *_check_checks(feed, where)]
    for name in feed.targets:
        if name in targets:
            found += check_fit(feed, targets[name])
    for other in others:
        if other.feed != feed.feed:
            found += check_pair(feed, other, targets)
    return found


def check_pair(feed: Feed, other: Feed, targets: Mapping[str, TargetTable]) -> list[Finding]:
    """Where two feeds cannot both be in force."""
    found: list[Finding] = []
    if (feed.landing_folder, feed.name_pattern) == (other.landing_folder, other.name_pattern):
        problem = f"feed {other.feed} takes the same zips: its landing_folder and name_pattern are the same"
        found.append(
            Finding(f"feed {feed.feed}, revision {feed.revision}", problem, "Tell them apart by name_pattern.")
        )
    for name in sorted(set(feed.targets) & set(other.targets) & set(targets)):
        mine = [(feed, member) for member in feed.readers if member.target == name]
        theirs = [(other, member) for member in other.readers if member.target == name]
        found += check_agreement(list(product(mine, theirs)), targets[name])
    return found


def check_target(target: TargetTable) -> list[Finding]:
    """What is wrong with a target table by itself."""
    where = f"target {target.target}, revision {target.revision}"
    return [*findings(where, _check_target(target)), *findings(where, _doubts_about(target), fatal=False)]


def check_change(target: TargetTable, earlier: TargetTable) -> list[Finding]:
    """What a revision changes that the table, should it exist, cannot take."""
    where = f"target {target.target}, revision {target.revision}"
    changed = [name for name in FIXED if getattr(target, name) != getattr(earlier, name)]
    hint = f"If it holds rows, {NEW_TABLE}"
    problems = (
        f"{name} is not that of revision {earlier.revision}: it is fixed once rows are there" for name in changed
    )
    return [*findings(where, problems, hint, fatal=False)]


def _check_intake(feed: Feed) -> Iterator[str]:
    yield from check_name(feed.feed)
    if not FOLDER.fullmatch(feed.landing_folder):
        yield f"landing_folder {feed.landing_folder!r} is not one folder of lower case letters, digits, _ and -"
    yield from (f"name_pattern: {problem}" for problem in check_regex(feed.name_pattern))
    yield from _check_extract_time(feed)
    numbers = {"revision": feed.revision, "batch_zips": feed.batch_zips, "batch_bytes": feed.batch_bytes}
    for name, value in (numbers | asdict(feed.limits)).items():
        if value < 1:
            yield f"{name} is {value}, it must be 1 or more"


def _check_extract_time(feed: Feed) -> Iterator[str]:
    if feed.extract_part is None:
        if feed.extract_format or feed.extract_zone:
            yield "extract_format and extract_zone need extract_part, which says what part of the name they read"
        return
    if feed.extract_part not in name_parts(feed):
        yield f"name_pattern has no part for extract_part: write (?P<{feed.extract_part}>...) around the time"
    if feed.extract_format is not None:
        yield from (f"extract_format: {problem}" for problem in check_pattern(feed.extract_format))
    yield from (f"extract_zone: {problem}" for problem in check_zone(feed.extract_zone))


def _check_checks(feed: Feed, where: str) -> Iterator[Finding]:
    twice = repeated(check.check for check in feed.checks)
    yield from findings(where, (f"check {name} is there twice" for name in twice))
    columns = {member.member: [column.name for column in member.columns] for member in feed.readers}
    for check in feed.checks:
        place = f"{where}, check {check.check}"
        yield from findings(place, check_name(check.check))
        if check.member not in columns:
            yield Finding(
                place, f"there is no member rule {check.member} that reads", f"There are {', '.join(columns)}."
            )
        else:
            problems = check_expression(check.expression, columns[check.member], condition=True)
            yield from findings(place, (f"its expression: {problem}" for problem in problems))


def _check_target(target: TargetTable) -> Iterator[str]:
    yield from check_name(target.target)
    if target.target.endswith(TAKEN_ENDINGS):
        yield f"its name ends in one of {', '.join(TAKEN_ENDINGS)}, which Hudi and the lake give to tables of their own"
    if not target.record_key:
        yield "record_key names no column: say what makes a row the same row"
    yield from (f"record_key names {name} twice" for name in repeated(target.record_key))
    columns = (*target.record_key, target.order_by, target.delete_column, target.partition_by)
    yield from (problem for name in dict.fromkeys(columns) if name is not None for problem in check_name(name))
    if (target.delete_column is None) != (not target.delete_values):
        yield "delete_column and delete_values belong together: give both or neither"
    for name in ("revision", "buckets", "compact_after"):
        if getattr(target, name) < 1:
            yield f"{name} is {getattr(target, name)}, it must be 1 or more"


def _doubts_about(target: TargetTable) -> Iterator[str]:
    if target.order_by in target.record_key:
        yield f"order_by {target.order_by} is in the record key, so versions of a row are rows of their own"
    if target.index == "global" and target.partition_by is None:
        yield "index global costs more than bucket, and without partition_by no row can move"
