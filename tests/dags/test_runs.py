"""Runs of the DAGs on a lake that takes in deliveries meanwhile: what they leave, and what they say."""

from datetime import UTC, datetime, timedelta

from airflow.models.asset import AssetEvent, AssetModel
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from sqlalchemy import select

from tests import privacy

NIGHTS = [datetime(2026, 2, day, 1, tzinfo=UTC) for day in (12, 13)]


def states(run):
    return {one.task_id: one.state for one in run.get_task_instances()}


def said(airflow, caplog, capfd):
    """All that a run has said: on the terminal, to logging, in files."""
    files = [path.read_text(errors="replace") for path in (airflow.home / "logs").rglob("*") if path.is_file()]
    return "".join([*files, caplog.text, *capfd.readouterr()])


def events(table=None):
    with create_session() as session:
        found = select(AssetModel.name).join(AssetEvent, AssetEvent.asset_id == AssetModel.id)
        return [name for name in session.scalars(found) if table in (None, name)]


def test_report_is_made_for_two_nights_and_again_with_the_same_bytes(site, airflow):
    def made():
        for night in NIGHTS:
            airflow.succeeds("report_bed_availability", logical_date=night)
        folder = site.home / "reports" / "bed_availability"
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    first = made()
    for day in ("2026-02-11", "2026-02-12"):
        assert {f"{day}/bed_availability-{day}.{kind}" for kind in ("html", "pdf", "xlsx", "csv")} <= set(first)
    assert made() == first
    [[days]] = site.ask("sql", "SELECT count(DISTINCT report_date) FROM reports.bed_availability")["rows"]
    assert days == 2


def test_run_with_a_day_makes_the_edition_of_that_day(site, airflow):
    airflow.succeeds("report_admissions", logical_date=NIGHTS[0], run_conf={"day": "2026-02-05"})
    assert [path.name for path in (site.home / "reports" / "admissions").iterdir()] == ["2026-02-05"]


def test_task_gives_counts_alone(site, airflow):
    run = airflow.succeeds("report_bed_availability", logical_date=NIGHTS[0])
    [task] = run.get_task_instances()
    told = task.xcom_pull(task_ids="edition")
    assert told["editions"] == 1
    assert told["editions.rows"] > 1
    assert all(isinstance(value, int | float) for value in told.values())


def test_report_that_fails_on_the_data_tells_no_value(site, airflow, caplog, capfd):
    site.insert_report("broken", "SELECT count(raise_error(family_name)) AS names FROM lake.patient")
    airflow.succeeds("rule_snapshot")
    run = airflow.run("report_broken", logical_date=NIGHTS[0])
    assert run.state == DagRunState.FAILED
    text = said(airflow, caplog, capfd)
    assert "report_broken" in text
    assert "its SQL fails on the data" in text
    identifiers = privacy.identifiers(site.deliveries / "truth")
    assert len(identifiers) > 50
    assert not [one for one in identifiers if one in text]


def test_report_names_the_feed_that_is_late(site, airflow, caplog, capfd):
    run = airflow.run("report_bed_availability", logical_date=datetime.now(UTC) + timedelta(days=4))
    assert run.state == DagRunState.FAILED
    assert "late: bed_census" in said(airflow, caplog, capfd)


def test_tables_that_changed_are_told_once(site, airflow):
    airflow.succeeds("table_changes")
    tables = sorted(site.ask("airflow", "changes")["commits"])
    assert sorted(events()) == tables
    airflow.succeeds("table_changes")
    assert sorted(events()) == tables


def test_report_that_follows_a_table_waits_for_its_asset(site, airflow):
    site.insert_report("beds_now", "SELECT count(*) AS beds FROM lake.bed", ", schedule", ", 'on lake.bed'")
    airflow.succeeds("rule_snapshot")
    dag = airflow.dags()["report_beds_now"]
    assert [asset.name for _, asset in dag.timetable.asset_condition.iter_assets()] == ["lake.bed"]
    airflow.succeeds("report_beds_now", logical_date=None)
    today = datetime.now(UTC).date().isoformat()
    assert (site.home / "reports" / "beds_now" / today / f"beds_now-{today}.html").exists()


def test_compaction_is_left_to_the_ingest_that_runs(site, airflow):
    assert states(airflow.run("table_services")) == {"compact": TaskInstanceState.SKIPPED}


def test_vault_is_verified(site, airflow):
    assert states(airflow.succeeds("vault_check")) == {"verify": TaskInstanceState.SUCCESS}
