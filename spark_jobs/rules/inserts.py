"""Rows of the rule tables as INSERT statements, for Spark and its Thrift Server or for Presto, for tools and for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import sqlglot

from spark_jobs.rules.layout import TABLES

# What gives the others force comes last: half a rule set is never used.
ORDER = ("feed_column", "feed_check", "feed_member", "target_table", "report", "feed")

# No text may end a line: tools part statements where a line ends in a semicolon.
ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r"})

Dialect = Literal["spark", "presto"]
Insert = Mapping[str, Sequence[Mapping[str, Any]]]


def insert_statements(inserts: Sequence[Insert], dialect: Dialect = "spark") -> list[str]:
    """One statement a table for the rows of several rules, in the order to run them; columns that are NULL are left out."""
    rows = {table: [row for insert in inserts for row in insert.get(table, ())] for table in ORDER}
    statements = [_statement(table, rows[table]) for table in ORDER if rows[table]]
    if dialect == "spark":
        return statements
    return [told for statement in statements for told in sqlglot.transpile(statement, read="spark", write=dialect)]


def literal(value: object) -> str:
    """A value of a rule row as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"array({', '.join(map(literal, value))})" if value else "cast(array() as array<string>)"
    if isinstance(value, dict):
        pairs = (literal(part) for pair in value.items() for part in pair)
        return f"map({', '.join(pairs)})" if value else "cast(map() as map<string,string>)"
    return "'" + str(value).translate(ESCAPES) + "'"


def _statement(table: str, rows: Sequence[Mapping[str, Any]]) -> str:
    names = [column.name for column in TABLES[table] if any(row.get(column.name) is not None for row in rows)]
    values = ",\n".join(f"  ({', '.join(literal(row.get(name)) for name in names)})" for row in rows)
    return f"INSERT INTO rules.{table} ({', '.join(f'`{name}`' for name in names)}) VALUES\n{values}"
