from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from spark_jobs.errors import RuleError
from spark_jobs.rules.model import Report
from spark_jobs.rules.report_checks import check_report, feeds_of, sql_for, tables_of
from spark_jobs.rules.report_sql import bind
from spark_jobs.rules.schedules import Schedule, last_moment, parse_schedule
from spark_jobs.rules.yaml_files import load

RULES = load(Path(__file__).parents[2] / "metadata_tables")
REPORT = Report("beds", 1, "Beds", "SELECT unit, count(*) AS beds FROM lake.bed GROUP BY unit")
NOW = datetime(2026, 11, 25, 11, 30, tzinfo=UTC)  # a Wednesday


def said_of(**changes):
    return " ".join(finding.problem for finding in check_report(replace(REPORT, **changes), RULES.feeds))


@pytest.mark.parametrize("name", RULES.reports)
def test_nothing_is_wrong_with_a_committed_report(name):
    report = RULES.reports[name]
    assert check_report(report, RULES.feeds) == []
    assert {*report.totals, *report.headings} <= set(report.columns)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"title": " "}, "it has no title"),
        ({"report": "Beds"}, "the name 'Beds' is not"),
        ({"revision": 0}, "revision is 0"),
        ({"outputs": ()}, "it has no outputs"),
        ({"outputs": ("fax",)}, "the output fax is not known"),
        ({"folder": "../elsewhere"}, "the folder '../elsewhere' is not of"),
        ({"min_rows": 5, "max_rows": 4}, "found 5 and 4"),
        ({"columns": ("unit", "beds", "unit")}, "column unit is named twice"),
        ({"columns": ("unit", "beds"), "totals": ("bed",)}, "a total names column bed, which is not"),
        ({"columns": ("unit", "beds"), "headings": {"ward": "Ward"}}, "a heading names column ward"),
        ({"columns": ("unit", "beds"), "charts": ("bars beds by ward",)}, "names column ward"),
        ({"charts": ("pie beds by unit",)}, "the chart 'pie beds by unit' is not understood"),
        ({"charts": ("bars a, b, c, d, e by unit",)}, "draws 5 columns"),
        ({"parameters": {"date": "1"}}, "the parameter date is the day"),
        ({"parameters": {"days": "1"}}, "the parameter days is not used"),
        ({"schedule": "daily"}, "the schedule 'daily' is not one of"),
        ({"schedule": "0 6 * *"}, "five cron fields"),
        ({"schedule": "61 6 * * *"}, "61 is no minute"),
        ({"schedule": "0 5-2 * * *"}, "it names nothing"),
        ({"schedule": "0 6 30 2 *"}, "a day that never comes"),
        ({"schedule": "on lake.encounter"}, "waits for lake.encounter, which is not"),
        ({"sql": "DROP TABLE lake.bed"}, "not one SELECT"),
        ({"sql": "INSERT INTO lake.bed SELECT 1"}, "not one SELECT"),
        ({"sql": "SELECT 1; SELECT 2"}, "not one SELECT"),
        ({"sql": ""}, "not one SELECT"),
        ({"sql": "SELECT FROM WHERE"}, "cannot be parsed"),
        ({"sql": "SELECT 1 FROM bed"}, "write lake.<target table>"),
        ({"sql": "SELECT 1 FROM default.bed"}, "its sql reads default.bed"),
        ({"sql": "SELECT count(*) FROM parquet.`/etc`"}, "its sql reads parquet"),
        ({"sql": "SELECT count(*) FROM lake.bed WHERE as_of < :day"}, "the marker :day has no value. There are :date."),
        (
            {"sql": "SELECT count(*) FROM lake.bed WHERE as_of < current_date()"},
            "so that no edition could be made again",
        ),
        ({"sql": "SELECT TRANSFORM(unit) USING 'cat' AS (unit) FROM lake.bed"}, "runs a program"),
        ({"sql": "SELECT reflect('java.lang.System', 'exit')"}, "calls reflect, which a report may not"),
    ],
)
def test_a_report_that_cannot_be_run_is_refused(changes, says):
    assert says in said_of(**changes)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT unit, bed_state FROM lake.bed",
        "SELECT unit, count(*) OVER (PARTITION BY unit) AS beds FROM lake.bed",
        "WITH b AS (SELECT * FROM lake.bed) SELECT unit FROM b UNION ALL SELECT unit FROM lake.bed GROUP BY unit",
    ],
)
def test_rows_of_single_patients_are_refused_unless_the_report_says_so(sql):
    assert "its rows are not aggregated" in said_of(sql=sql)
    assert said_of(sql=sql, shows_patients=True) == ""


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT patient_id, count(*) AS n FROM lake.bed GROUP BY patient_id",
        "SELECT unit, max(patient_id) AS anyone FROM lake.bed GROUP BY unit",
        "SELECT unit, collect_list(struct(patient_id, acuity)) AS all_of_them FROM lake.bed GROUP BY unit",
        "SELECT b.* FROM (SELECT max(patient_id) AS p FROM lake.bed) b",
        "WITH b(p) AS (SELECT max(patient_id) FROM lake.bed) SELECT p AS q FROM b",
        "SELECT 1 AS p UNION SELECT p FROM (SELECT max(upper(patient_id)) AS p FROM lake.bed)",
        "SELECT (SELECT max(patient_id) FROM lake.bed) AS p",
        "SELECT max(p) AS p FROM lake.bed LATERAL VIEW explode(array(patient_id)) t AS p",
        "SELECT max(_member) AS m FROM lake.bed",
        "SELECT name FROM ops.ledger",
        "SELECT member, count(*) AS n FROM ops.quarantine GROUP BY member",
    ],
)
def test_what_identifies_a_patient_is_not_shown(sql):
    assert "which may identify a patient" in said_of(sql=sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT unit, count(DISTINCT patient_id) AS patients FROM lake.bed GROUP BY unit",
        "SELECT unit, count_if(patient_id IS NULL) AS free FROM lake.bed WHERE patient_id <> 'x' GROUP BY unit",
        "WITH b AS (SELECT * FROM lake.bed) SELECT count(*) AS n FROM b JOIN ops.ledger l ON b._zip_id = l.zip_id",
        "WITH p AS (SELECT patient_id, count(*) AS stays FROM lake.bed GROUP BY patient_id) SELECT stays, count(*) AS n FROM p GROUP BY stays",
    ],
)
def test_patients_may_be_counted(sql):
    assert said_of(sql=sql) == ""


def test_markers_get_their_values_and_nothing_else_is_touched():
    sql = "SELECT ':days', cast(s AS struct<a:int>), x -- :days\n FROM lake.bed WHERE d > :date AND n < :days AND z = :zone"
    bound = bind(sql, {"date": "2026-03-01", "days": "-1.5", "zone": "it's \\ here"})
    assert bound == sql.replace(":date", "DATE'2026-03-01'").replace("n < :days", "n < -1.5").replace(
        "= :zone", "= 'it\\'s \\\\ here'"
    )
    with pytest.raises(RuleError, match="the marker :days has no value"):
        bind(sql, {"date": "2026-03-01"})


def test_the_edition_of_a_day_is_asked_with_that_day():
    sql = sql_for(RULES.reports["bed_availability"], date(2026, 2, 11))
    assert "date_add(DATE'2026-02-11', 1)" in sql


def test_a_report_waits_for_the_feeds_that_fill_its_tables():
    assert tables_of(RULES.reports["health_metrics"]) == ("lake.lab_result", "lake.vital_sign")
    assert feeds_of(RULES.reports["health_metrics"], RULES.feeds) == ["encounters", "lab_results"]
    assert feeds_of(RULES.reports["ingest_quality"], RULES.feeds) == []


@pytest.mark.parametrize(
    ("schedule", "last"),
    [
        ("nightly", "2026-11-25 01:00"),
        ("weekly", "2026-11-23 02:00"),
        ("*/15 0-6 1,15 * MON-FRI", "2026-11-25 06:45"),
        ("5/20 * * * *", "2026-11-25 11:25"),
        ("31 11 * * *", "2026-11-24 11:31"),
        ("0 0 29 2 *", "2024-02-29 00:00"),
        ("0 12 1 * 7", "2026-11-22 12:00"),
        ("0 12 1 * *", "2026-11-01 12:00"),
    ],
)
def test_last_moment_of_a_schedule(schedule, last):
    assert last_moment(parse_schedule(schedule).cron, NOW) == datetime.fromisoformat(last).replace(tzinfo=UTC)
    assert said_of(schedule=schedule) == ""


def test_a_schedule_may_be_the_change_of_tables():
    assert parse_schedule("on lake.bed, lake.encounter") == Schedule(tables=("lake.bed", "lake.encounter"))
    assert said_of(schedule="on lake.bed") == ""
