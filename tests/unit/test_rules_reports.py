from dataclasses import replace
from pathlib import Path

import pytest
import sqlglot
from sqlglot.optimizer.qualify import qualify

from spark_jobs.rules.model import Report
from spark_jobs.rules.report_checks import check_report
from spark_jobs.rules.yaml_files import load

RULES = load(Path(__file__).parents[2] / "metadata_tables")
REPORT = Report("beds", 1, "Beds", "SELECT count(*) AS beds FROM lake.bed")
LEDGER = "feed state members members_loaded members_duplicate members_ignored members_quarantined rows_loaded"
LEDGER += " rows_quarantined landed_at committed_at"


def said_of(**changes):
    return " ".join(finding.problem for finding in check_report(replace(REPORT, **changes)))


def columns_of(target):
    return {c.name: c.type for f in RULES.feeds.values() for m in f.readers if m.target == target for c in m.columns}


@pytest.mark.parametrize("name", RULES.reports)
def test_a_committed_report_reads_columns_that_are_there(name):
    report = RULES.reports[name]
    tables = {target: columns_of(target) for target in RULES.targets}
    known = {"lake": tables, "ops": {"ledger": dict.fromkeys(LEDGER.split(), "string")}}
    assert check_report(report) == []
    qualify(sqlglot.parse_one(report.sql, dialect="spark"), schema=known, dialect="spark")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"title": " "}, "it has no title"),
        ({"report": "Beds"}, "the name 'Beds' is not"),
        ({"revision": 0}, "revision is 0"),
        ({"outputs": ()}, "it has no outputs"),
        ({"outputs": ("fax",)}, "the output fax is not known"),
        ({"schedule": "daily"}, "schedule 'daily' is not one of"),
        ({"schedule": "0 6 * *"}, "nor five cron fields"),
        ({"sql": "DROP TABLE lake.bed"}, "not one SELECT"),
        ({"sql": "INSERT INTO lake.bed SELECT 1"}, "not one SELECT"),
        ({"sql": "SELECT 1; SELECT 2"}, "not one SELECT"),
        ({"sql": ""}, "not one SELECT"),
        ({"sql": "SELECT FROM WHERE"}, "cannot be parsed"),
        ({"sql": "SELECT 1 FROM bed"}, "write lake.<target table>"),
        ({"sql": "SELECT 1 FROM default.bed"}, "its sql reads default.bed"),
    ],
)
def test_a_report_that_cannot_be_run_is_refused(changes, says):
    assert says in said_of(**changes)


@pytest.mark.parametrize("schedule", ["@hourly", "0 6 * * *", "*/15 0-6 1,15 * MON-FRI"])
def test_a_schedule_is_a_name_or_five_cron_fields(schedule):
    assert said_of(schedule=schedule) == ""


def test_a_report_may_name_parts_of_its_question():
    assert said_of(sql="WITH b AS (SELECT * FROM lake.bed) SELECT count(*) FROM b JOIN ops.ledger ON true") == ""
