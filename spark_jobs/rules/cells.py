"""One cell of a rule row to a value of the model and back; NULL reads as the default that the DDL states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from spark_jobs.errors import RuleError
from spark_jobs.rules.layout import TABLES, RuleColumn

Row = Mapping[str, Any]


def write_cells(table: str, item: object) -> dict[str, Any]:
    """The columns of `table` that `item`, a dataclass of the model, fills."""
    held = getattr(item, "__dataclass_fields__", {})
    return {
        c.name: _to_cell(c, getattr(item, c.attribute)) for c in TABLES[table] if c.attribute and c.attribute in held
    }


def read_cells(table: str, row: Row, where: str) -> dict[str, Any]:
    """The values of a row that the model keeps, by the model's names; columns it does not keep are checked too."""
    values = [(column.attribute, read_cell(table, column, row, where)) for column in TABLES[table]]
    return {attribute: value for attribute, value in values if attribute}


def read_cell(table: str, column: RuleColumn, row: Row, where: str) -> Any:
    """The value of one cell; raises `RuleError` naming table, revision and column."""
    value, place = row.get(column.name), f"rules.{table}, {where}"
    if value is None and column.required:
        raise RuleError(place, f"column {column.name} is NULL", "It is required: insert a higher revision that has it.")
    if value is None:
        return copy(column.default)  # a mapping is not to be shared
    if column.empty_is_none and value == "":
        return None
    try:
        value = _CONVERT[column.type](value)
    except (TypeError, ValueError):
        found = type(value).__name__
        raise RuleError(place, f"column {column.name} must be {column.type}, not {found}") from None
    if column.choices and value not in column.choices:
        raise RuleError(place, f"column {column.name} is {value!r}, expected one of {', '.join(column.choices)}")
    return value


def _to_cell(column: RuleColumn, value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, dict):
        return dict(value)
    return "" if value is None and column.empty_is_none else value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError
    return tuple(_text(item) for item in value)


def _mapping(value: Any) -> dict[str, str]:
    # Arrow hands a map over as pairs, Spark as a dict.
    return {_text(key): _text(item) for key, item in dict(value).items()}


_CONVERT: dict[str, Callable[[Any], object]] = {
    "string": _text,
    "int": _whole,
    "bigint": _whole,
    "boolean": _flag,
    "array<string>": _texts,
    "map<string,string>": _mapping,
}
