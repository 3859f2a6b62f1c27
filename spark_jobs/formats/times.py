"""Dates and timestamps by pattern, strictly: rewritten as ISO 8601 by one regular expression, then cast."""

from __future__ import annotations

import re
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

DIRECTIVES = {
    "%Y": "(?P<Y>[0-9]{4})",
    "%m": "(?P<m>[0-9]{2})",
    "%d": "(?P<d>[0-9]{2})",
    "%H": "(?P<H>[0-9]{2})",
    "%M": "(?P<M>[0-9]{2})",
    "%S": "(?P<S>[0-9]{2})",
    "%f": "(?P<f>[0-9]{1,6})",
    "%z": "(?P<z>Z|[+-][0-9]{2}:?[0-9]{2})",
}
DEFAULTS = {"Y": "1970", "m": "01", "d": "01", "H": "00", "M": "00", "S": "00", "f": "0"}
ISO_DATE = "%Y-%m-%d"
ISO_LOCAL = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?))?$"
ISO_OFFSET = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)(Z|[+-][0-9]{2}:?[0-9]{2})$"
)

LOCAL = pa.timestamp("us")
UTC = pa.timestamp("us", "UTC")
# Zones change their offset at full quarters of an hour since 1970; before, at odd seconds.
QUARTER_MICROS = 900_000_000


def to_date(text: pa.Array, pattern: str | None) -> pa.Array:
    """Dates; null where the text is null, not as the pattern says, or no day of the calendar."""
    expression, order = _regex(pattern or ISO_DATE)
    iso = "-".join(f"\\{order[name]}" if name in order else DEFAULTS[name] for name in "Ymd")
    return _cast_or_null(_rewritten(text, expression, iso), pa.date32())


def to_timestamp(text: pa.Array, pattern: str | None, zone: str | None) -> pa.Array:
    """Moments in UTC; text without offset is local time in `zone` (UTC if None). Null as for `to_date`."""
    if pattern is None:
        moments = _cast_or_null(_rewritten(text, ISO_OFFSET, r"\1T\2\3"), UTC)
        days = pc.replace_substring_regex(_rewritten(text, ISO_LOCAL, r"\1T\2"), r"T$", "T00:00:00")
        return pc.coalesce(moments, _in_zone(_cast_or_null(days, LOCAL), zone))
    expression, order = _regex(pattern)
    part = {name: f"\\{order[name]}" if name in order else default for name, default in DEFAULTS.items()}
    iso = f"{part['Y']}-{part['m']}-{part['d']}T{part['H']}:{part['M']}:{part['S']}.{part['f']}"
    if "z" in order:
        return _cast_or_null(_rewritten(text, expression, iso + f"\\{order['z']}"), UTC)
    return _in_zone(_cast_or_null(_rewritten(text, expression, iso), LOCAL), zone)


@lru_cache
def _regex(pattern: str) -> tuple[str, dict[str, int]]:
    """The pattern as an RE2 expression, and the number of each directive's group."""
    pieces = re.split(r"(%.)", pattern)
    groups = [piece for piece in pieces if piece in DIRECTIVES]
    body = "".join(DIRECTIVES.get(piece) or re.escape(piece.replace("%%", "%")) for piece in pieces)
    return f"^{body}$", {directive[1]: number for number, directive in enumerate(groups, 1)}


def _rewritten(text: pa.Array, expression: str, template: str) -> pa.Array:
    fits = pc.match_substring_regex(text, expression)
    iso = pc.replace_substring_regex(pc.if_else(fits, text, pa.scalar(None, pa.string())), expression, template)
    # The calendar has no year 0, though Arrow's has.
    return pc.if_else(pc.starts_with(iso, "0000"), pa.scalar(None, pa.string()), iso)


def _cast_or_null(text: pa.Array, kind: pa.DataType) -> pa.Array:
    """Casts as a whole; on failure in halves, so that few bad values among many cost little."""
    try:
        return text.cast(kind)
    except pa.ArrowInvalid:
        if len(text) == 1:
            return pa.nulls(1, kind)
        half = len(text) // 2
        return pa.concat_arrays([_cast_or_null(text[:half], kind), _cast_or_null(text[half:], kind)])


def _in_zone(local: pa.Array, zone: str | None) -> pa.Array:
    """Local times as moments: the earlier one where the hour occurs twice, the gap's end where it is skipped."""
    if zone in (None, "UTC"):
        return local.cast(pa.int64()).cast(UTC)
    micros = local.cast(pa.int64())
    oldest = pc.min(micros).as_py()
    if oldest is None or oldest < 0:
        return _moments(local, zone).cast(UTC)
    # Looking a zone up costs microseconds a value: it is done once a quarter of an hour that occurs.
    quarter = pc.multiply(pc.divide(micros, QUARTER_MICROS), QUARTER_MICROS)
    coded = pc.dictionary_encode(quarter)
    keys = coded.dictionary
    after = _moments(keys.cast(LOCAL), zone).cast(pa.int64())
    skipped = pc.not_equal(after, _moments(keys.cast(LOCAL), zone, nonexistent="earliest").cast(pa.int64()))
    shifted = pc.add(micros, pc.take(pc.subtract(after, keys), coded.indices))
    moments = pc.if_else(pc.take(skipped, coded.indices), pc.take(after, coded.indices), shifted)
    return moments.cast(UTC)


def _moments(local: pa.Array, zone: str | None, nonexistent: str = "latest") -> pa.Array:
    return pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent=nonexistent)
