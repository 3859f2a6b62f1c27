"""Writes docs/reference/rule-tables.md from the CREATE statements: `python -m spark_jobs.rules.reference`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from spark_jobs.rules.ddl import TableDoc, tables

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "rule-tables.md"
INTRODUCTION = """\
# Rule tables

Made from `hive_ddl/` by `python -m spark_jobs.rules.reference`: change the statements, not this page.

Plain Hive tables, filled by `INSERT` from Spark, the Thrift Server or Presto, or from reviewed YAML with
`lake feed apply`. Rows are only ever added. Each change of a feed, target table or report is a higher **revision**:
its whole set of rows anew.

- Of each feed, target table and report, the highest enabled revision that is whole and valid is in force. What is wrong
  with a higher one is said by `lake feed check`, and the last good one stays in force.
- A column left out of an `INSERT` is NULL, and NULL means what its comment says. Columns marked `(required)` may not be
  NULL.
- Insert columns, checks and member rules first, and the row of `rules.feed` last. It states how many of each there are,
  so half a set is never used. A set that was left half done stays unused: start again with a higher revision.
- Two rows with one revision are refused, since neither can be told to be meant.
- `enabled = false` is a draft. `paused = true` is in force, but takes in no zips.
"""


def page() -> str:
    """The reference page as it should be."""
    return "\n".join([INTRODUCTION, *(line for table in tables() for line in _section(table))])


def _section(table: TableDoc) -> Iterator[str]:
    yield f"## {table.name}"
    yield f"{table.comment}\n"
    for note in table.notes[1:]:
        yield f"- {note}"
    yield "\n| column | type | meaning |\n|---|---|---|"
    for column in table.columns:
        comment = column.comment.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
        yield f"| `{column.name}` | {column.type.replace('<', '&lt;')} | {comment} |"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
