"""`lake sql`: questions to every table of the lake."""

from __future__ import annotations

from typing import Annotated

import typer

from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.tables.access import Answer, QueryError, open_access

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
    with open_access(site(home), "lake sql") as access:
        try:
            answer = access.ask(statement, limit + 1)
        except QueryError as error:
            raise LakeError("lake sql", error.problem, "Tables are listed by: lake sql 'SHOW TABLES IN lake'") from None
    show_answer(output, answer, limit)


def show_answer(output: Output, answer: Answer, limit: int) -> None:
    """Shows at most `limit` rows, and says if there are more."""
    rows, more = answer.rows[:limit], len(answer.rows) > limit
    if answer.columns:
        output.table("", answer.columns, rows)
    if more:
        output.say(f"The first {limit} rows are shown; --limit shows more.")
    output.result({"columns": list(answer.columns), "rows": [list(row) for row in rows], "more": more})
