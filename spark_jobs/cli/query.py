"""`lake sql`: questions to every table of the lake."""

from __future__ import annotations

from typing import Annotated

import typer
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.tables.lake import open_lake

EXAMPLES = """Examples:

lake sql "SHOW TABLES IN lake"

lake sql "SELECT region, count(*) FROM lake.encounter GROUP BY region"

lake sql "SELECT rule, count(*) FROM ops.quarantine GROUP BY rule" --json"""


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog=EXAMPLES)(sql)


def sql(
    statement: Annotated[str, typer.Argument(help="One SQL statement.")],
    limit: Annotated[int, typer.Option(help="Show at most so many rows.", min=1)] = 1000,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Runs SQL on the lake: target tables (lake), ledger and quarantine (ops), rule tables (rules)."""
    output = Output(json)
    with open_lake(site(home), "lake sql") as lake:
        try:
            show_query(output, lake.session.sql(statement), limit)
        except PySparkException as error:
            raise LakeError(
                "lake sql", _first_lines(error), "Tables are listed by: lake sql 'SHOW TABLES IN lake'"
            ) from None


def show_query(output: Output, rows: DataFrame, limit: int, title: str = "") -> None:
    """Shows at most `limit` rows of a query, and says if there are more."""
    found = rows.limit(limit + 1).collect()
    if rows.columns:
        output.table(title, rows.columns, found[:limit])
    if len(found) > limit:
        output.say(f"The first {limit} rows are shown; --limit shows more.")
    output.result({"columns": rows.columns, "rows": [list(row) for row in found[:limit]], "more": len(found) > limit})


def _first_lines(error: PySparkException) -> str:
    text = error.getMessage() if hasattr(error, "getMessage") else str(error)
    return (text or str(error)).split("\nJVM stacktrace")[0].strip()[:2000]
