"""Runs of the DAGs on a lake that takes in deliveries meanwhile: what they leave, and what they say."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from airflow.models.asset import AssetEvent, AssetModel
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from sqlalchemy import select

from include.reports import edition_day
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


def test_report_is_made_for_two_nights_and_again_with_the_same_bytes_and_tells_counts_alone(site, airflow):
    folder = site.home / "reports" / "bed_availability"

    def files():
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    for night in NIGHTS:
        run = airflow.succeeds("report_bed_availability", logical_date=night)
    first = files()
    for day in ("2026-02-11", "2026-02-12"):
        assert {f"{day}/bed_availability-{day}.{kind}" for kind in ("html", "pdf", "xlsx", "csv")} <= set(first)
    told = run.get_task_instances()[0].xcom_pull(task_ids="edition")
    assert told["editions"] == 1
    assert told["editions.rows"] > 1
    assert all(isinstance(value, int | float) for value in told.values())
    airflow.succeeds("report_bed_availability", logical_date=NIGHTS[0])
    assert files() == first
    [[days]] = site.ask("sql", "SELECT count(DISTINCT report_date) FROM reports.bed_availability")["rows"]
    assert days == 2


def test_day_of_an_edition_is_that_before_the_moment_or_that_of_the_change_or_the_one_asked_for():
    moment = datetime(2026, 3, 2, 5, 30, tzinfo=UTC)
    planned, followed = SimpleNamespace(logical_date=moment), SimpleNamespace(logical_date=None, run_after=moment)
    assert edition_day(planned, {"day": None}) == "2026-03-01"
    assert edition_day(followed, {"day": None}) == "2026-03-02"
    assert edition_day(planned, {"day": "2026-01-31"}) == "2026-01-31"


def test_report_that_fails_on_the_data_tells_no_value(site, airflow, caplog, capfd):
    run = airflow.run("report_broken", logical_date=NIGHTS[0])
    assert run.state == DagRunState.FAILED
    text = said(airflow, caplog, capfd)
    assert "its SQL fails on the data" in text
    assert "failed: DAG report_broken, task edition, run of 2026-02-12 01:00" in text
    identifiers = privacy.identifiers(site.deliveries / "truth")
    assert len(identifiers) > 50
    assert not [one for one in identifiers if one in text]


def test_report_names_the_feed_that_is_late(site, airflow, caplog, capfd):
    run = airflow.run("report_bed_availability", logical_date=datetime.now(UTC) + timedelta(days=4))
    assert run.state == DagRunState.FAILED
    assert "late: bed_census" in said(airflow, caplog, capfd)


def test_tables_that_changed_are_told_once(site, airflow):
    airflow.succeeds("table_changes")
    tables = sorted(f"lake.{path.name}" for path in (site.home / "warehouse" / "raw").iterdir())
    assert sorted(events()) == tables
    airflow.succeeds("table_changes")
    assert sorted(events()) == tables


def test_report_that_follows_a_table_is_made_for_the_day_of_the_change(site, airflow):
    airflow.succeeds("report_beds_now", logical_date=None)
    today = datetime.now(UTC).date().isoformat()
    assert (site.home / "reports" / "beds_now" / today / f"beds_now-{today}.html").exists()


def test_compaction_is_left_to_the_ingest_that_runs_and_orphans_are_removed_beside_it(site, airflow):
    some = next((site.home / "warehouse" / "raw" / "bed").rglob("*.parquet"))
    never = datetime.now(UTC).strftime("%Y%m%d%H%M%S000")  # an instant that no commit has
    orphan = some.with_name(f"{some.name.rpartition('_')[0]}_{never}.parquet")
    orphan.write_bytes(b"half a file")
    expected = {"compact": TaskInstanceState.SKIPPED, "orphans": TaskInstanceState.SUCCESS}
    assert states(airflow.run("table_services")) == expected
    assert not orphan.exists()
    assert some.exists()


def test_vault_is_verified(site, airflow):
    assert states(airflow.succeeds("vault_check")) == {"verify": TaskInstanceState.SUCCESS}


def test_statistics_are_left_out_where_there_is_no_presto(site, airflow):
    assert states(airflow.run("table_statistics")) == {"analyze": TaskInstanceState.SKIPPED}
