"""Raw text to typed columns, whole columns at a time; what is no value of its type is told row by row, never raised."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from spark_jobs.formats.nulls import NO_TEXT
from spark_jobs.formats.numbers import to_decimal, to_double, to_integer
from spark_jobs.formats.results import FAILURES
from spark_jobs.formats.times import to_date, to_timestamp
from spark_jobs.rules.model import DECIMAL, Column

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
    """The typed columns of a member rule, constants among them; derived ones are left out."""
    return pa.schema([pa.field(c.name, arrow_type(c)) for c in columns if c.expression is None])


def type_columns(raw: pa.Table, columns: tuple[Column, ...]) -> pa.Table:
    """`raw` text (see `raw_schema`; further columns pass through) with the columns of `arrow_schema` typed.

    What is wrong with a row is added to its `_failures`, a line `<rule>: <reason>` each. Rows that could not be read
    at all (`row.…`) have that failure alone. Fast on thousands of rows: join the tables of several zips first.
    """
    raw = raw.combine_chunks()
    earlier = _array(raw.column(FAILURES))
    readable = pc.is_null(earlier)
    typed: dict[str, pa.Array] = {}
    failures = [earlier]
    for column in columns:
        if column.expression is None:
            text = _text(raw, column)
            values = typed[column.name] = _typed(text, column)
            if values.null_count != text.null_count:
                wrong = pc.and_(pc.is_null(values), pc.is_valid(text))
                failures.append(_lines(pc.and_(wrong, readable), f"type.{column.name}: no {_described(column)}"))
            if column.required and text.null_count:
                absent = pc.and_(pc.is_null(text), readable)
                failures.append(_lines(absent, f"required.{column.name}: it is null"))
    kept = {name: raw.column(name) for name in raw.column_names if name not in typed and name != FAILURES}
    return pa.table({**kept, FAILURES: _joined(failures), **typed})


def _text(raw: pa.Table, column: Column) -> pa.Array:
    """The column's text: trimmed, with empty text and null tokens as null, and null as the default."""
    if column.source is None:
        text = pa.nulls(len(raw), pa.string())
    else:
        text = _array(raw.column(column.name))
        text = pc.utf8_trim_whitespace(text) if column.trim else text
        nothing = pc.is_in(text, value_set=pa.array(["", *column.null_tokens]))
        if pc.any(nothing).as_py():
            text = pc.if_else(nothing, NO_TEXT, text)
    return text if column.default is None else pc.fill_null(text, column.default)


def _typed(text: pa.Array, column: Column) -> pa.Array:
    """Typed values; null where the text is null or no value of the type."""
    if column.type == "string":
        return text
    if column.type == "date":
        return to_date(text, column.format)
    if column.type == "timestamp":
        return to_timestamp(text, column.format, column.zone)
    if column.type == "boolean":
        return _to_boolean(text, column.format or "true/false")
    return to_double(text) if column.type == "double" else _to_exact(text, arrow_type(column))


def _to_exact(text: pa.Array, kind: pa.DataType) -> pa.Array:
    return to_integer(text, kind) if pa.types.is_integer(kind) else to_decimal(text, kind)


def _to_boolean(text: pa.Array, tokens: str) -> pa.Array:
    yes, no = (pa.array([token.strip().lower() for token in side.split(",")]) for side in tokens.split("/"))
    lower = pc.utf8_lower(text)
    is_yes, is_no = pc.is_in(lower, value_set=yes), pc.is_in(lower, value_set=no)
    return pc.if_else(pc.or_(is_yes, is_no), is_yes, pa.scalar(None, pa.bool_()))


def _described(column: Column) -> str:
    return f"{column.type} of the format {column.format}" if column.format else column.type


def _array(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _lines(mask: pa.Array, line: str) -> pa.Array:
    return pc.if_else(mask, pa.scalar(line), NO_TEXT)


def _joined(failures: list[pa.Array]) -> pa.Array:
    """The failures of each row, a line each."""
    result = failures[0]
    for lines in failures[1:]:
        # Not with null_handling="skip": PyArrow 26 then returns an array of another length.
        both = pc.binary_join_element_wise(result, lines, "\n")
        result = pc.coalesce(both, result, lines)
    return result
