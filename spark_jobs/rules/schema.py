"""The JSON Schemas of rule files, and their findings in words: where, what was expected, how to mend it."""

from __future__ import annotations

import json
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator, ValidationError

from spark_jobs.errors import RuleError

FOLDER = Path(__file__).parents[2] / "metadata_tables" / "schema"
KINDS = ("feed", "target", "report")
MOST = 10  # beyond so many findings the file needs a look anyway


def refuse_misfits(kind: str, data: Any, where: str) -> None:
    """Raise `RuleError` listing what in `data` does not fit the schema of its kind."""
    errors = sorted(_validator(kind).iter_errors(data), key=_place)
    found = list(dict.fromkeys(line for error in errors for line in _say(error)))
    if found:
        hint = f"What may stand where: metadata_tables/schema/{kind}.schema.json"
        raise RuleError(where, "\n  ".join(["it is no valid rule", *found[:MOST]]), hint)


@cache
def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of a kind of rule file."""
    loaded: dict[str, Any] = json.loads((FOLDER / f"{kind}.schema.json").read_text(encoding="utf-8"))
    return loaded


@cache
def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(schema(kind))


def _place(error: ValidationError) -> list[str]:
    # Numbers are padded, so that the tenth column does not come before the second.
    return [f"{step:06}" if isinstance(step, int) else step for step in error.absolute_path]


def _path(error: ValidationError) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    return path.lstrip(".")


def _say(error: ValidationError) -> list[str]:
    path, given = _path(error), error.instance
    holder: Any = error.schema
    if error.validator == "additionalProperties":
        known = list(holder["properties"])
        unknown = [key for key in cast("dict[str, Any]", given) if key not in known]
        return [f"{_join(path, key)}: unknown key{_nearest(key, known)}" for key in unknown]
    if error.validator == "required":
        missing = [key for key in holder["required"] if key not in cast("dict[str, Any]", given)]
        return [f"{_join(path, key)}: missing, it is required" for key in missing]
    return [f"{path}: expected {_expected(error)}, found {given!r}{_mend(error)}"]


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _nearest(key: str, known: list[str]) -> str:
    near = get_close_matches(key, known, 1)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"


def _expected(error: ValidationError) -> str:
    value: Any = error.validator_value
    if error.validator == "type":
        return " or ".join(value if isinstance(value, list) else [value])
    if error.validator == "enum":
        return "one of " + ", ".join("null" if choice is None else str(choice) for choice in value)
    return {
        "pattern": f"text like {value}",
        "minimum": f"{value} or more",
        "minItems": f"{value} or more items",
    }.get(str(error.validator), f"{error.validator} {value}")


def _mend(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    is_scalar = not isinstance(error.instance, dict | list)
    return "; put quotes around it" if error.validator == "type" and "string" in wanted and is_scalar else ""
