"""Raw text to typed columns, whole columns at a time; what is no value of its type is told row by row, never raised."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from spark_jobs.formats.results import FAILURES
from spark_jobs.formats.times import to_date, to_timestamp
from spark_jobs.rules.model import DECIMAL, Column

INT32 = (-(1 << 31), (1 << 31) - 1)
SIGNED = r"^\+?(-?)0*([0-9]+)$"
NUMBER = r"^\+?(-?)0*([0-9]+?)(?:\.([0-9]+?)0*)?$"
FLOAT = r"^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"

SIMPLE_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
}


def arrow_type(column: Column) -> pa.DataType:
    """Arrow's type of a column; raises ValueError for a type that the rules do not know."""
    if match := DECIMAL.fullmatch(column.type):
        return pa.decimal128(int(match[1]), int(match[2]))
    if column.type not in SIMPLE_TYPES:
        raise ValueError(f"column {column.name}: no such type")
    return SIMPLE_TYPES[column.type]


def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """The typed columns of a member rule; derived ones are left out."""
    return pa.schema([pa.field(c.name, arrow_type(c)) for c in columns if c.expression is None])


def type_columns(raw: pa.Table, columns: tuple[Column, ...]) -> pa.Table:
    """`raw` text (see `raw_schema`; further columns pass through) with the rule's columns typed.

    Derived columns are left out. What is wrong with a row is added to its `_failures`, a line `<rule>: <reason>` each.
    """
    count = len(raw)
    whole = pc.is_null(raw.column(FAILURES).combine_chunks())
    typed: dict[str, pa.Array] = {}
    failures: list[pa.Array] = [raw.column(FAILURES).combine_chunks()]
    for column in columns:
        if column.expression is not None:
            continue
        text = _text(raw, column, count)
        values = _convert(text, column)
        bad = pc.and_(pc.is_valid(text), pc.is_null(values))
        typed[column.name] = values
        failures += _lines(bad, f"type.{column.name}: no {column.type} as the rule says")
        if column.required:
            absent = pc.and_(pc.is_null(text), whole)
            failures += _lines(absent, f"required.{column.name}: there is no value")
    kept = {name: raw.column(name) for name in raw.column_names if name not in typed and name != FAILURES}
    return pa.table({**kept, FAILURES: _joined(failures), **typed})


def _text(raw: pa.Table, column: Column, count: int) -> pa.Array:
    """The column's text: trimmed, null tokens and empty text as null, null as the default."""
    if column.source is None:
        text = pa.nulls(count, pa.string())
    else:
        text = raw.column(column.name).combine_chunks()
        text = pc.utf8_trim_whitespace(text) if column.trim else text
        nulls = pa.array(["", *column.null_tokens])
        text = pc.if_else(pc.is_in(text, value_set=nulls), pa.scalar(None, pa.string()), text)
    return text if column.default is None else pc.fill_null(text, column.default)


def _convert(text: pa.Array, column: Column) -> pa.Array:
    """Typed values; null where the text is null or no value of the type."""
    if column.type == "string":
        return text
    if column.type == "boolean":
        return _to_boolean(text, column.format or "true/false")
    if column.type == "date":
        return to_date(text, column.format)
    if column.type == "timestamp":
        return to_timestamp(text, column.format, column.zone)
    if column.type == "double":
        return _to_double(text)
    return _to_decimal(text, arrow_type(column)) if DECIMAL.fullmatch(column.type) else _to_integer(text, column.type)


def _to_integer(text: pa.Array, kind: str) -> pa.Array:
    # 19 digits may or may not fit into 64 bits: only a cast can tell, so it is made where it cannot overflow.
    plain = _matching(pc.replace_substring_regex(text, SIGNED, r"\1\2"), r"^-?[0-9]{1,19}$")
    wide = plain.cast(pa.decimal128(19, 0))
    low, high = INT32 if kind == "int" else (-(1 << 63), (1 << 63) - 1)
    fits = pc.and_(
        pc.greater_equal(wide, pa.scalar(low).cast(pa.decimal128(19, 0))),
        pc.less_equal(wide, pa.scalar(high).cast(pa.decimal128(19, 0))),
    )
    return pc.if_else(fits, wide, pa.scalar(None, wide.type)).cast(SIMPLE_TYPES[kind])


def _to_decimal(text: pa.Array, kind: Any) -> pa.Array:
    plain = pc.utf8_rtrim(pc.replace_substring_regex(text, NUMBER, r"\1\2.\3"), ".")
    whole_digits = kind.precision - kind.scale
    whole = f"[0-9]{{1,{whole_digits}}}" if whole_digits else "0"
    fraction = rf"(\.[0-9]{{1,{kind.scale}}})?" if kind.scale else ""
    return _matching(plain, f"^-?{whole}{fraction}$").cast(kind)


def _to_double(text: pa.Array) -> pa.Array:
    values = _matching(text, FLOAT).cast(pa.float64())
    return pc.if_else(pc.is_finite(values), values, pa.scalar(None, pa.float64()))


def _to_boolean(text: pa.Array, tokens: str) -> pa.Array:
    yes, no = (pa.array([token.strip().lower() for token in part.split(",")]) for part in tokens.split("/"))
    lower = pc.utf8_lower(text)
    is_yes, is_no = pc.is_in(lower, value_set=yes), pc.is_in(lower, value_set=no)
    return pc.if_else(is_yes, True, pc.if_else(is_no, False, pa.scalar(None, pa.bool_())))


def _matching(text: pa.Array, pattern: str) -> pa.Array:
    return pc.if_else(pc.match_substring_regex(text, pattern), text, pa.scalar(None, pa.string()))


def _lines(mask: pa.Array, line: str) -> list[pa.Array]:
    """`line` where the mask is true; nothing at all for the usual column, with which nothing is wrong."""
    if not pc.any(mask).as_py():
        return []
    return [pc.if_else(mask, pa.scalar(line), pa.scalar(None, pa.string()))]


def _joined(failures: list[pa.Array]) -> pa.Array:
    def join(a: pa.Array, b: pa.Array) -> pa.Array:
        # Both sides filled: joined with nulls left out, Arrow 26 returns an array of another length.
        both = pc.binary_join_element_wise(pc.fill_null(a, ""), pc.fill_null(b, ""), "\n")
        return pc.if_else(pc.is_null(a), b, pc.if_else(pc.is_null(b), a, both))

    return reduce(join, failures)
