"""`lake sql`: questions to every table of the lake."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.tables.access import Access, Answer, QueryError, open_access

EXAMPLES = """Examples:

lake sql "SHOW TABLES IN lake"

lake sql "SELECT region, count(*) FROM lake.encounter GROUP BY region"

lake sql "SELECT rule, count(*) FROM ops.quarantine GROUP BY rule" --json

lake sql --file my_rules.sql"""


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog=EXAMPLES)(sql)


def sql(
    statement: Annotated[str | None, typer.Argument(help="One SQL statement.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="Run the statements of a file, each ending in a semicolon at the end of a line.")
    ] = None,
    limit: Annotated[int, typer.Option(help="Show at most so many rows.", min=1)] = 1000,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Runs SQL on the lake: target tables (lake), ledger and quarantine (ops), rule tables (rules)."""
    output = Output(json)
    if (statement is None) == (file is None):
        raise LakeError("lake sql", "expected one statement, or --file with a file of them", "See: lake sql --help")
    statements = [statement] if file is None else read_statements(file)
    with open_access(site(home), "lake sql") as access:
        for number, one in enumerate(statements, 1):
            where = "lake sql" if file is None else f"{file}, statement {number} of {len(statements)}"
            answer = _ask(access, one or "", limit + 1, where)
    if file is not None:
        output.say(f"{len(statements)} statements were run.")
    show_answer(output, answer, limit)


def read_statements(file: Path) -> list[str]:
    """The statements of a file. A line that ends in a semicolon ends one, unless it is a comment."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise LakeError(str(file), "it can't be read as UTF-8 text", "Give a file of SQL statements.") from None
    statements: list[list[str]] = [[]]
    for line in lines:
        says_nothing = line.strip().startswith("--") or not line.strip()
        if says_nothing and not statements[-1]:
            continue
        statements[-1].append(line)
        if line.rstrip().endswith(";") and not says_nothing:
            statements.append([])
    found = ["\n".join(some).strip().rstrip(";") for some in statements]
    if not any(found):
        raise LakeError(str(file), "there is no statement in it", "End each with a semicolon at the end of a line.")
    return [text for text in found if text]


def _ask(access: Access, statement: str, most: int, where: str) -> Answer:
    try:
        return access.ask(statement, most)
    except QueryError as error:
        hint = "Tables are listed by: lake sql 'SHOW TABLES IN lake'"
        raise LakeError(where, error.problem, hint) from None


def show_answer(output: Output, answer: Answer, limit: int) -> None:
    """Shows at most `limit` rows, and says if there are more."""
    rows, more = answer.rows[:limit], len(answer.rows) > limit
    if answer.columns:
        output.table("", answer.columns, rows)
    if more:
        output.say(f"The first {limit} rows are shown; --limit shows more.")
    output.result({"columns": list(answer.columns), "rows": [list(row) for row in rows], "more": more})
