"""Which columns each rule table has: derived from the model, so that the two cannot drift apart.

The CREATE statements in `hive_ddl/` say the same for people and engines; a test holds them equal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, get_args

from spark_jobs.rules import model

SQL_TYPES = {
    "str": "string",
    "str | None": "string",
    "int": "int",
    "bool": "boolean",
    "tuple[str, ...]": "array<string>",
    "dict[str, str]": "map<string,string>",
}
CHOICES = {
    "Action": get_args(model.Action),
    "Format | None": get_args(model.Format),
    "Index": get_args(model.Index),
    "Severity": get_args(model.Severity),
    "Phi": get_args(model.Phi),
}
BIGINTS = {"max_member_bytes", "max_zip_bytes", "batch_bytes"}
# ESCAPE is a reserved word in Presto: an INSERT that names the column would need quotes around it.
RENAMED = {"escape": "escape_char"}


@dataclass(frozen=True)
class RuleColumn:
    """A column of a rule table; `attribute` is where the model keeps it, None if the model does not.

    NULL means `default`; a required column may not be NULL. `empty_is_none` marks the columns whose default is not
    None though None has a meaning: empty text says it.
    """

    name: str
    type: str
    required: bool = False
    default: object = None
    choices: tuple[str, ...] = ()
    attribute: str | None = None
    empty_is_none: bool = False


def default_of(field: Field[Any]) -> Any:
    """What a field is if it is not given; `MISSING` if it must be."""
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _from_model(cls: type, leave_out: Iterable[str] = ()) -> tuple[RuleColumn, ...]:
    return tuple(_rule_column(f) for f in fields(cls) if f.name not in leave_out)


def _rule_column(field: Field[Any]) -> RuleColumn:
    hint = str(field.type)
    default = default_of(field)
    sql_type = "bigint" if field.name in BIGINTS else "string" if hint in CHOICES else SQL_TYPES[hint]
    return RuleColumn(
        name=RENAMED.get(field.name, field.name),
        type=sql_type,
        required=default is MISSING,
        default=None if default is MISSING else default,
        choices=CHOICES.get(hint, ()),
        attribute=field.name,
        empty_is_none=hint.endswith("| None") and default is not None,
    )


def _plain(name: str, sql_type: str = "string", required: bool = True) -> RuleColumn:
    return RuleColumn(name, sql_type, required)


_REVISION = (_plain("feed"), _plain("revision", "int"))
_POSITION = (_plain("position", "int"),)
_COUNTS = tuple(_plain(name, "int") for name in ("members", "columns", "checks"))
_AUDIT = tuple(_plain(name, required=False) for name in ("applied_at", "applied_by"))
_FEED = _from_model(model.Feed, {"members", "checks", "limits"})
_SEVEN = 7  # the columns from feed to extract_zone stand before the limits

TABLES: dict[str, tuple[RuleColumn, ...]] = {
    "feed": (*_FEED[:_SEVEN], *_from_model(model.Limits), *_FEED[_SEVEN:], *_COUNTS, *_AUDIT),
    "feed_member": (*_REVISION, *_from_model(model.Member, {"columns"})),
    "feed_column": (*_REVISION, _plain("member"), *_POSITION, *_from_model(model.Column)),
    "feed_check": (*_REVISION, *_POSITION, *_from_model(model.Check)),
    "target_table": (*_from_model(model.TargetTable), *_AUDIT),
    "report": (*_from_model(model.Report), *_AUDIT),
}
