"""The CREATE statements in `hive_ddl/`, and what they say of each table and column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlglot
from sqlglot import exp

FOLDER = Path(__file__).parents[2] / "hive_ddl"


@dataclass(frozen=True)
class ColumnDoc:
    """A column as its CREATE statement declares it."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class TableDoc:
    """A table as its CREATE statement declares it; `notes` are the paragraphs of the file's header."""

    name: str
    comment: str
    notes: tuple[str, ...]
    columns: tuple[ColumnDoc, ...]


def statements() -> list[str]:
    """Every statement needed to create the schemas and tables, in order; each may be run again."""
    schemas = sorted({path.parent.name for path in _files()})
    return [f"CREATE SCHEMA IF NOT EXISTS {schema}" for schema in schemas] + [_bare(path) for path in _files()]


def tables() -> list[TableDoc]:
    """What the statements declare, in the order of the file names."""
    return [_table(path) for path in _files()]


@cache
def documented() -> dict[str, TableDoc]:
    """The tables by name; reading the statements takes a moment."""
    return {table.name: table for table in tables()}


def _files() -> Iterator[Path]:
    yield from sorted(FOLDER.glob("*/*.sql"))


def _bare(path: Path) -> str:
    """The statement without the header: a client that splits its input would stumble over it."""
    return "".join(line for line in path.read_text(encoding="utf-8").splitlines(True) if not line.startswith("--"))


def _table(path: Path) -> TableDoc:
    create = sqlglot.parse_one(_bare(path), dialect="spark")
    table, comment = create.find(exp.Table), create.find(exp.SchemaCommentProperty)
    assert table and comment
    lines = path.read_text(encoding="utf-8").splitlines()
    notes = _paragraphs(line.removeprefix("-- ") for line in lines if line.startswith("--"))
    columns = tuple(_column(definition) for definition in create.find_all(exp.ColumnDef))
    return TableDoc(f"{table.db}.{table.name}", comment.this.name, notes, columns)


def _paragraphs(lines: Iterable[str]) -> tuple[str, ...]:
    """The header's lines, with those that are indented joined to the one above."""
    joined: list[str] = []
    for line in lines:
        if line.startswith(" ") and joined:
            joined[-1] += f" {line.strip()}"
        else:
            joined.append(line)
    return tuple(joined)


def _column(definition: exp.ColumnDef) -> ColumnDoc:
    comment = definition.find(exp.CommentColumnConstraint)
    sql_type = definition.kind.sql(dialect="hive").lower() if definition.kind else ""
    return ColumnDoc(definition.name, sql_type.replace(", ", ","), comment.this.name if comment else "")
