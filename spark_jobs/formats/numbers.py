"""Numbers from text, strictly: checked by one regular expression, then cast."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from spark_jobs.formats.nulls import NO_TEXT

WIDE = pa.decimal128(38, 0)
INTEGER = r"^[+-]?0*[0-9]{1,19}$"
DOUBLE = r"^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"


def to_integer(text: pa.Array, kind: pa.DataType) -> pa.Array:
    """int32 or int64: an optional sign and digits; null where the text is null, no such, or out of range."""
    text = _matching(text, INTEGER)
    try:
        return text.cast(kind)
    except pa.ArrowInvalid:
        bound = 1 << (kind.bit_width - 1)
        wide = _plain(text).cast(WIDE)
        fits = pc.and_(pc.greater_equal(wide, _wide(-bound)), pc.less(wide, _wide(bound)))
        return pc.if_else(fits, wide, pa.scalar(None, WIDE)).cast(kind)


def to_decimal(text: pa.Array, kind: pa.DataType) -> pa.Array:
    """A decimal of `kind`: an optional sign, digits, optionally a point and digits; null unless it fits exactly."""
    whole, scale = kind.precision - kind.scale, kind.scale
    digits = f"0*[0-9]{{1,{whole}}}" if whole else "0+"
    fraction = f"[0-9]{{1,{scale}}}0*" if scale else "0+"
    text = _matching(text, rf"^[+-]?{digits}(\.{fraction})?$")
    try:
        return text.cast(kind)
    except pa.ArrowInvalid:
        return pc.replace_substring_regex(_plain(text), r"(\.[0-9]*?)0+$", r"\1").cast(kind)


def to_double(text: pa.Array) -> pa.Array:
    """A double: as a decimal, optionally with an exponent; null where it would be infinite."""
    values = _matching(text, DOUBLE).cast(pa.float64())
    finite = pc.is_finite(values)
    return values if pc.all(finite).as_py() else pc.if_else(finite, values, pa.scalar(None, pa.float64()))


def _plain(text: pa.Array) -> pa.Array:
    """Without plus and leading zeros, which PyArrow's casts do not all take."""
    return pc.replace_substring_regex(text, r"^\+?(-?)0*([0-9])", r"\1\2")


def _wide(value: int) -> pa.Scalar:
    return pa.scalar(value, pa.int64()).cast(WIDE) if abs(value) < 1 << 63 else pa.scalar(str(value)).cast(WIDE)


def _matching(text: pa.Array, expression: str) -> pa.Array:
    """The texts that match, null for others."""
    fits = pc.match_substring_regex(text, expression)
    return text if pc.all(fits).as_py() else pc.if_else(fits, text, NO_TEXT)
