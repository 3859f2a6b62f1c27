"""Dates and timestamps by pattern, strictly: checked by one regular expression, written as ISO 8601, then cast."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from spark_jobs.formats.nulls import NO_TEXT
from spark_jobs.formats.zones import in_zone

# The ranges are part of the expressions, so that the calendar alone is left to be checked.
DIRECTIVES = {
    "%Y": "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])",  # there is no year 0
    "%m": "(0[1-9]|1[0-2])",
    "%d": "(0[1-9]|[12][0-9]|3[01])",
    "%H": "([01][0-9]|2[0-3])",
    "%M": "([0-5][0-9])",
    "%S": "([0-5][0-9])",
    "%f": "([0-9]{1,6})",
    "%z": "(Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])",
}
MISSING = {"%Y": "1970", "%m": "01", "%d": "01", "%H": "00", "%M": "00", "%S": "00"}
ISO_DATE, ISO_LOCAL = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"
ISO_TIMES = (ISO_LOCAL, f"{ISO_LOCAL}.%f", f"{ISO_LOCAL}%z", f"{ISO_LOCAL}.%f%z")
# What PyArrow's cast reads as it stands.
CASTABLE = {ISO_DATE, *ISO_TIMES, *(pattern.replace("T", " ") for pattern in ISO_TIMES)}
PIECE = re.compile(r"%.|[^%]+|%", re.DOTALL)

LOCAL = pa.timestamp("us")
UTC = pa.timestamp("us", "UTC")


@dataclass(frozen=True)
class _Pattern:
    """A pattern as an RE2 expression; `iso` rewrites what it matches as ISO 8601, None where that's not needed."""

    expression: str
    iso: str | None
    has_offset: bool


def to_date(text: pa.Array, pattern: str | None) -> pa.Array:
    """Dates; null where the text is null, not as the pattern says, or no day of the calendar."""
    return _cast(_as_iso(text, _compiled(pattern or ISO_DATE, dates=True)), pa.date32())


def to_timestamp(text: pa.Array, pattern: str | None, zone: str | None) -> pa.Array:
    """Moments in UTC; text without offset is local time in `zone` (UTC if None). Null as for `to_date`."""
    if pattern is None:
        return _iso_timestamp(text, zone)
    compiled = _compiled(pattern, dates=False)
    iso = _as_iso(text, compiled)
    return _cast(iso, UTC) if compiled.has_offset else in_zone(_cast(iso, LOCAL), zone)


def _iso_timestamp(text: pa.Array, zone: str | None) -> pa.Array:
    day = _compiled(ISO_DATE, dates=True).expression.removesuffix("$")
    local = f"{day}[T ]{_compiled('%H:%M:%S', dates=False).expression[1:-1]}" + r"(?:\.[0-9]{1,6})?"
    moments = _matching(text, f"{local}{DIRECTIVES['%z']}$")
    if moments.null_count == text.null_count:
        return _cast(moments, UTC)
    return pc.coalesce(_cast(moments, UTC), in_zone(_cast(_matching(text, f"(?:{local}|{day})$"), LOCAL), zone))


@lru_cache
def _compiled(pattern: str, dates: bool) -> _Pattern:
    pieces = PIECE.findall(pattern)
    directives = [piece for piece in pieces if piece in DIRECTIVES]
    expression = "".join(DIRECTIVES.get(piece) or re.escape(piece) for piece in pieces)
    group = {piece: f"\\{number}" for number, piece in enumerate(directives, 1)}
    iso = "{%Y}-{%m}-{%d}" if dates else "{%Y}-{%m}-{%d}T{%H}:{%M}:{%S}"
    for piece, value in MISSING.items():
        iso = iso.replace(f"{{{piece}}}", group.get(piece, value))
    if not dates:
        iso += (f".{group['%f']}" if "%f" in group else "") + group.get("%z", "")
    return _Pattern(f"^{expression}$", None if pattern in CASTABLE else iso, "%z" in group and not dates)


def _as_iso(text: pa.Array, pattern: _Pattern) -> pa.Array:
    fitting = _matching(text, pattern.expression)
    return fitting if pattern.iso is None else pc.replace_substring_regex(fitting, pattern.expression, pattern.iso)


def _matching(text: pa.Array, expression: str) -> pa.Array:
    """The texts that match, null for others."""
    fits = pc.match_substring_regex(text, expression)
    return text if pc.all(fits).as_py() else pc.if_else(fits, text, NO_TEXT)


def _cast(iso: pa.Array, kind: pa.DataType) -> pa.Array:
    try:
        return iso.cast(kind)
    except pa.ArrowInvalid:
        return pc.if_else(_in_calendar(iso), iso, NO_TEXT).cast(kind)


def _in_calendar(iso: pa.Array) -> pa.Array:
    """Whether the month at the start of a text has the day."""
    year, month, day = (pc.utf8_slice_codeunits(iso, *span).cast(pa.int32()) for span in ((0, 4), (5, 7), (8, 10)))
    by_4, by_100, by_400 = (pc.equal(pc.multiply(pc.divide(year, n), n), year) for n in (4, 100, 400))
    leap = pc.or_(pc.and_(by_4, pc.invert(by_100)), by_400)
    short = pc.is_in(month, value_set=pa.array([4, 6, 9, 11], pa.int32()))
    february = pc.if_else(leap, 29, 28)
    last = pc.if_else(pc.equal(month, 2), february, pc.if_else(short, 30, 31))
    return pc.less_equal(day, last)
