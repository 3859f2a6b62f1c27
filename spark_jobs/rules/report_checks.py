"""Whether a report can be used."""

from __future__ import annotations

import re
from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from spark_jobs.rules.model import Finding, Report
from spark_jobs.rules.names import check_name, findings

SCHEMAS = ("lake", "ops", "rules")
OUTPUTS = ("html", "csv", "json", "parquet")
NAMED_SCHEDULES = ("@hourly", "@daily", "@weekly", "@monthly")
CRON = re.compile(r"[\d*/,-]+( [\d*/,-]+){3} [\d*/,A-Z-]+")


def check_report(report: Report) -> list[Finding]:
    """What is wrong with a report."""
    where = f"report {report.report}, revision {report.revision}"
    return [*findings(where, _check_report(report)), *findings(where, _check_sql(report.sql))]


def _check_report(report: Report) -> Iterator[str]:
    yield from check_name(report.report)
    if report.revision < 1:
        yield f"revision is {report.revision}, it must be 1 or more"
    if not report.title.strip():
        yield "it has no title"
    if report.schedule not in NAMED_SCHEDULES and not CRON.fullmatch(report.schedule):
        yield f"schedule {report.schedule!r} is not one of {', '.join(NAMED_SCHEDULES)} nor five cron fields"
    for output in report.outputs:
        if output not in OUTPUTS:
            yield f"the output {output} is not known: known are {', '.join(OUTPUTS)}"
    if not report.outputs:
        yield f"it has no outputs: name some of {', '.join(OUTPUTS)}"


def _check_sql(sql: str) -> Iterator[str]:
    try:
        statements = [statement for statement in sqlglot.parse(sql, dialect="spark") if statement]
    except SqlglotError as error:
        yield f"its sql cannot be parsed: {str(error).splitlines()[0]}"
        return
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        yield "its sql is not one SELECT: a report only reads"
        return
    named = {cte.alias for cte in statements[0].find_all(exp.CTE)}
    for table in statements[0].find_all(exp.Table):
        if table.db not in SCHEMAS and not (table.name in named and not table.db):
            yield f"its sql reads {table.sql()}: write lake.<target table>, ops.<table> or rules.<table>"
