"""What is wrong with the columns of a member rule, each by itself and in their order."""

from __future__ import annotations

from collections.abc import Iterator

from spark_jobs.rules.expressions import check_expression
from spark_jobs.rules.formats import check_default, check_pattern, check_tokens, check_type
from spark_jobs.rules.model import Column, Feed, Finding, Member
from spark_jobs.rules.names import check_name, check_zone, findings, repeated
from spark_jobs.rules.sources import check_ranges, check_source

INSTANTS = ("date", "timestamp")


def check_columns(member: Member, feed: Feed, where: str) -> Iterator[Finding]:
    """Findings on the columns of a member rule that reads."""
    twice = repeated(column.name for column in member.columns)
    yield from findings(where, (f"column {name} is there twice" for name in twice))
    if member.format == "fixed":
        yield from findings(where, check_ranges(member))
    sourced = [column.name for column in member.columns if column.expression is None]
    derived: list[str] = []
    for column in member.columns:
        place = f"{where}, column {column.name}"
        yield from findings(place, _check_column(column, member, feed))
        yield from findings(place, _check_zone_use(column), fatal=False)
        if column.expression is not None:
            yield from findings(place, _check_derived(column, [*sourced, *derived]))
            derived.append(column.name)


def _check_column(column: Column, member: Member, feed: Feed) -> Iterator[str]:
    yield from check_name(column.name)
    unknown = check_type(column.type)
    yield from unknown
    if column.source is None and column.expression is None and column.default is None:
        yield "it has no source, no expression and no default: say where it comes from"
    if column.source is not None:
        yield from check_source(column, member, feed)
    if not unknown:
        wrong = list(_check_format(column))
        yield from wrong or check_default(column)
    if any(token == "" for token in column.null_tokens):
        yield "an empty null token is not needed: empty text is null anyway"


def _check_format(column: Column) -> Iterator[str]:
    if column.zone is not None and column.type != "timestamp":
        yield f"a zone is for timestamps, and its type is {column.type}"
    yield from check_zone(column.zone)
    if column.format is None:
        return
    if column.type in INSTANTS:
        yield from check_pattern(column.format)
        if column.type == "date" and "%z" in column.format:
            yield "a date has no offset: read it as a timestamp, and derive the date with to_date(...)"
    elif column.type == "boolean":
        yield from check_tokens(column.format)
    else:
        yield f"a format is for dates, timestamps and booleans, and its type is {column.type}"


def _check_zone_use(column: Column) -> Iterator[str]:
    if column.zone and "%z" in (column.format or ""):
        yield f"its zone {column.zone} is never used: the format has the offset, %z"


def _check_derived(column: Column, known: list[str]) -> Iterator[str]:
    """A derived column sees every sourced one, but of the derived ones those before it only."""
    if column.source is not None:
        yield "it has both a source and an expression: derive it in a column of its own"
    if column.format or column.zone or column.null_tokens:
        yield "format, zone and null_tokens are for columns read from a source, and this one has an expression"
    hint = "; derived columns may refer to sourced ones and to derived ones listed before"
    for problem in check_expression(column.expression or "", known):
        yield f"its expression: {problem}" + (hint if "no column" in problem else "")
