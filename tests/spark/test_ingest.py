"""Zips in, tables out: held against the simulator's truth, row by row. Tests run in the order they stand in."""

import pytest

from spark_jobs.jobs.compact import all_tables, compact_all
from spark_jobs.jobs.ingest import ingest_once
from spark_jobs.jobs.status import feed_status
from spark_jobs.landing import vault
from spark_jobs.landing.agent import land_folder
from spark_jobs.tables.access import access_of
from tests import privacy, reconcile

pytestmark = pytest.mark.spark


def commits(lake):
    return {table.name: table.commits[-1] for table in all_tables(lake)}


def test_every_batch_ran_to_its_end(filled):
    assert [report.failed for report in filled.reports] == [{}] * len(filled.reports)
    assert not any(path.is_file() for path in filled.lake.site.claimed.rglob("*"))
    assert not any(filled.lake.site.landing.glob("*/*.zip"))


def test_every_zip_member_and_row_is_as_the_truth_says_in_unmerged_tables(filled):
    assert reconcile.differences(filled.lake.session, filled.truth) == []


def test_late_and_deleted_rows_are_still_in_log_files_when_compared(filled):
    logs = [path for path in filled.lake.site.warehouse.glob("raw/encounter/**/.*.log.*") if path.suffix != ".crc"]
    assert logs


def test_landing_the_same_deliveries_again_changes_nothing(filled):
    before = commits(filled.lake)
    list(land_folder(filled.lake.site.landing, filled.deliveries / "drop" / "1", keep=True))
    report = ingest_once(filled.lake)
    assert sum(report.zips.values()) == 0
    assert commits(filled.lake) == before
    assert not any(filled.lake.site.landing.glob("*/*"))


def test_every_row_leads_to_its_zip_and_batch(filled):
    session = filled.lake.session
    for name in ("encounter", "claim_line"):
        lost = session.sql(
            f"SELECT 1 FROM lake.{name} t LEFT ANTI JOIN ops.ledger l"
            " ON t._zip_id = l.zip_id AND t._batch = l.batch AND l.state = 'loaded'"
        )
        assert lost.count() == 0


def test_zip_that_was_loaded_is_in_the_vault_and_one_that_was_refused_in_quarantine(filled):
    site = filled.lake.site
    for row in filled.lake.session.table("ops.ledger").collect():
        if row.rule is None:
            assert len(vault.find(site.vault, row.zip_id)) == row.bytes
        else:
            assert (site.quarantine / f"{row.zip_id}.zip").stat().st_size == row.bytes


def test_status_counts_what_the_ledger_counts(filled):
    status = {feed["feed"]: feed for feed in feed_status(access_of(filled.lake))}
    expected = {"loaded": 0, "duplicate": 0, "ignored": 0, "quarantined": 0}
    for report in filled.reports:
        for state, count in report.zips.items():
            expected[state] += count
    assert {state: sum(feed[state] for feed in status.values()) for state in expected} == expected
    assert all(feed["landed"] == 0 and feed["backlog_age_s"] is None for feed in status.values())


def test_sql_answers_on_every_schema(filled):
    session = filled.lake.session
    for table in ("rules.feed_column", "ops.ledger", "ops.quarantine", "raw.bed", "lake.bed"):
        assert session.table(table).count() > 0


def test_column_comments_reach_the_reader(filled):
    comments = {row.col_name: row.comment for row in filled.lake.session.sql("DESCRIBE lake.encounter").collect()}
    assert comments["admitted_at"] == "Admission"


def test_compaction_changes_no_row(filled):
    done = compact_all(filled.lake)
    assert done["raw.encounter"] >= 1
    assert not any(table.pending_compactions for table in all_tables(filled.lake))
    assert reconcile.table_differences(filled.lake.session, filled.truth) == []


def test_no_identifier_of_a_patient_is_in_a_log_or_file_name(filled):
    identifiers = privacy.identifiers(filled.truth)
    assert len(identifiers) > 100
    assert privacy.leaks(filled.lake.site.home, identifiers) == []
