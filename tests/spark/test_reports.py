"""The shipped reports against numbers that pandas works out from the simulator's truth, and table services against Hudi's own view."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pyarrow.parquet as pq
import pytest

from spark_jobs.jobs.compact import all_tables, compact_tables
from spark_jobs.jobs.report import LateError, due, make_edition, write
from spark_jobs.jobs.table_services import find_table, table_storage, tables_in_debt
from spark_jobs.rules.model import Report
from spark_jobs.tables.access import access_of
from spark_jobs.tables.hudi import _meta_client
from spark_jobs.tables.rule_store import read_rules
from spark_jobs.tables.storage import storage_of
from tests import privacy

SIMULATED = date(2026, 2, 11)
RANGES = {
    "2708-6": (95, 100), "8310-5": (36.1, 37.8), "8462-4": (60, 90), "8480-6": (90, 140), "8867-4": (60, 100),
    "9279-1": (12, 20), "39156-5": (18.5, 30), "72514-3": (0, 3), "2339-0": (70, 140), "4548-4": (4, 6.4),
    "718-7": (12, 17.5), "777-3": (150, 400), "38483-4": (0.6, 1.3), "3094-0": (7, 20), "2947-0": (135, 145),
    "6298-4": (3.5, 5.1), "49765-1": (8.5, 10.5), "2093-3": (0, 200),
}  # fmt: skip


@pytest.fixture(scope="module")
def access(filled):
    return access_of(filled.lake)


@pytest.fixture(scope="module")
def rules(access):
    return read_rules(access)


@pytest.fixture(scope="module")
def landed(access):
    """The day on which the deliveries landed."""
    return date.fromisoformat(access.ask("SELECT max(landed_on) FROM ops.ledger").rows[0][0])


@pytest.fixture(scope="module")
def made(access, rules, landed):
    """An edition of each report, written."""
    days = {"bed_availability": SIMULATED, "admissions": SIMULATED, "health_metrics": date(2026, 2, 8)}
    return {
        name: write(access, make_edition(access, rules, report, days.get(name, landed)))
        for name, report in rules.reports.items()
        if name in (*days, "compliance", "ingest_quality")
    }


def records(made, name, *key):
    """The rows of an edition by the values of `key`."""
    columns = [column.name for column in made[name].edition.columns]
    rows = [dict(zip(columns, row, strict=True)) for row in made[name].edition.rows]
    return {tuple(row[one] for one in key): row for row in rows}


def table(filled, name):
    return pd.read_parquet(filled.truth / "tables" / f"{name}.parquet")


def zips(filled):
    found = pd.read_parquet(filled.truth / "zips.parquet")
    found["facility"] = found["name"].str.extract(r"^[A-Z]{3}_([A-Z]{2}\d{4})_\d{14}_\d+\.zip$")[0]
    return found[found.feed.notna()]


def percent(part, whole):
    return round(100 * part / whole, 1)


def test_beds_are_those_of_the_truth(filled, made):
    beds = table(filled, "bed")
    found = records(made, "bed_availability", "facility_id", "unit")
    assert set(found) == set(beds.groupby(["facility_id", "unit"]).groups)
    for key, here in beds.groupby(["facility_id", "unit"]):
        known = here[here.as_of < pd.Timestamp("2026-02-12", tz="UTC")]
        counts = {state: int((known.bed_state == state).sum()) for state in "OAC"}
        row = found[key]
        assert (row["beds"], row["changed_since"]) == (len(known), len(here) - len(known))
        assert (row["occupied"], row["available"], row["closed"]) == tuple(counts.values())
        assert float(row["occupancy_percent"]) == pytest.approx(
            percent(counts["O"], counts["O"] + counts["A"]), abs=0.051
        )
    rates = [row["occupancy_percent"] for row in found.values()]
    assert rates == sorted(rates, reverse=True)
    assert made["bed_availability"].edition.totals[2] == sum(row["beds"] for row in found.values())


def test_admissions_discharges_and_stays_are_those_of_the_truth(filled, made):
    stays = table(filled, "encounter")
    admitted = stays.admitted_at.dt.tz_convert("America/New_York").dt.date
    discharged = stays.discharged_at.dt.tz_convert("America/New_York").dt.date
    found = records(made, "admissions", "day")
    assert [key[0] for key in found] == [SIMULATED - timedelta(days=n) for n in range(31)]
    for (day,), row in found.items():
        hours = stays.stay_hours[discharged == day].astype(float)
        assert (row["admissions"], row["discharges"]) == ((admitted == day).sum(), (discharged == day).sum())
        assert row["patients_in"] == (admitted <= day).sum() - (discharged <= day).sum()
        assert (row["average_stay_hours"] is None) == hours.empty
        if not hours.empty:
            assert row["average_stay_hours"] == pytest.approx(hours.mean(), abs=0.051)
            assert row["median_stay_hours"] == hours.median()


def test_values_out_of_range_are_those_of_the_truth(filled, made):
    vitals = table(filled, "vital_sign").rename(columns={"taken_at": "at"})
    labs = table(filled, "lab_result").rename(columns={"test_code": "code", "resulted_at": "at"})
    values = pd.concat([frame[["facility_id", "code", "value", "value_unit", "at"]] for frame in (vitals, labs)])
    values = values[values.code.isin(RANGES) & values.value.notna() & values.value_unit.notna()]
    values["value"] = values.value.astype(float)
    in_window = (values["at"] >= pd.Timestamp("2026-01-09", tz="UTC")) & (
        values["at"] < pd.Timestamp("2026-02-09", tz="UTC")
    )
    values = values[in_window]
    low, high = (values.code.map({code: ends[n] for code, ends in RANGES.items()}) for n in (0, 1))
    values = values.assign(low=values.value < low, high=values.value > high)
    expected = values.groupby("facility_id").agg(
        measured=("value", "size"), too_low=("low", "sum"), too_high=("high", "sum")
    )
    rows = records(made, "health_metrics", "facility_id", "measure").values()
    for facility, sums in expected.iterrows():
        for column in sums.index:
            assert sum(row[column] for row in rows if row["facility_id"] == facility) == sums[column]
    assert {row["facility_id"] for row in rows} == set(expected.index)
    assert all(row["out_of_range"] == row["too_low"] + row["too_high"] for row in rows)
    assert sum(row["out_of_range"] for row in rows) > 0


def test_documentation_and_deliveries_are_those_of_the_truth(filled, made, access, rules, landed):
    stays = table(filled, "encounter")
    late = (stays.updated_at - stays.discharged_at) > pd.Timedelta(hours=72)
    lacking = stays[["encounter_class", "reason_code", "attending_npi", "total_charges"]].isna().any(axis=1)
    is_open = stays.discharged_at.isna() & (stays.admitted_at < pd.Timestamp(landed - timedelta(days=30), tz="UTC"))
    found = records(made, "compliance", "facility")
    for facility, here in stays.groupby("facility_id"):
        row, at = found[facility,], here.index
        assert row["encounters"] == len(here)
        assert (row["documented_late"], row["incomplete"]) == (late[at].sum(), lacking[at].sum())
        assert row["open_long"] == is_open[at].sum()
        expected = percent((late | lacking | is_open)[at].sum(), len(here))
        assert float(row["problem_percent"]) == pytest.approx(expected, abs=0.051)
    delivered = zips(filled).groupby("facility").feed.agg(lambda feeds: sorted(set(feeds)))
    assert {facility: found[facility,]["feeds_usual"] for facility in delivered.index} == delivered.map(len).to_dict()
    assert all(row["feeds_missing"] == 0 for row in found.values())
    # On the day after, nothing has come yet: all that is usual is missing, and is named.
    report = rules.reports["compliance"]
    after = make_edition(access, rules, report, landed + timedelta(days=1))
    place = after.place("missing_feeds")
    assert {row[0]: row[place] for row in after.rows if row[0] in delivered.index} == delivered.map(", ".join).to_dict()


def test_ingest_quality_is_that_of_the_truth(filled, made):
    of_truth = zips(filled)
    refused = pd.read_parquet(filled.truth / "quarantine.parquet").merge(
        of_truth[["folder", "name", "facility"]], on=["folder", "name"]
    )
    found = records(made, "ingest_quality", "facility")
    for facility, here in of_truth.groupby("facility"):
        row = found[facility,]
        assert row["zips"] == len(here)
        for state in ("loaded", "duplicate", "quarantined"):
            assert row[f"zips_{state}"] == (here.state == state).sum()
        for column in ("members", "members_loaded", "members_quarantined", "rows_loaded", "rows_quarantined"):
            assert row[column] == here[column].sum()
        reasons = refused[refused.facility == facility].rule.value_counts()
        assert row["main_reason"] == "" if reasons.empty else reasons[row["main_reason"]] == reasons.max()


def test_partition_of_the_table_holds_the_rows_of_the_files_and_making_it_again_changes_no_byte(filled, access, made):
    first = made["bed_availability"]
    before = {
        path: path.read_bytes()
        for path in (*first.files.values(), *access.site.warehouse.glob("reports.db/bed*/*/*.parquet"))
    }
    again = write(access, first.edition)
    assert {path: path.read_bytes() for path in before} == before
    rows = filled.lake.session.table(again.table).where("report_date = '2026-02-11'").drop("report_date").collect()
    assert sorted(map(tuple, rows)) == sorted(first.edition.rows)
    assert filled.lake.session.table(again.table).count() == len(first.edition.rows)


def test_no_identifier_is_in_any_edition(filled, access, made):
    identifiers = privacy.identifiers(filled.truth)
    texts = [path.read_text() for one in made.values() for kind, path in one.files.items() if kind in ("csv", "html")]
    assert not [text for text in texts if any(identifier in text for identifier in identifiers)]


def test_late_feed_is_named_and_nothing_is_made_but_on_request(access, rules, landed):
    report, day = rules.reports["bed_availability"], landed + timedelta(days=3)
    with pytest.raises(LateError, match="bed_census, last zip landed"):
        make_edition(access, rules, report, day)
    assert "Made although late: bed_census" in " ".join(make_edition(access, rules, report, day, late_too=True).checks)


def test_moments_and_texts_of_every_kind_reach_the_files(filled, access, rules):
    sql = (
        "SELECT 'a' AS word, timestamp'2026-03-01 10:00:00.5' AS moment, date'2026-03-01' AS day, true AS is_so,"
        " cast(1.50 AS decimal(5,2)) AS amount, cast(null AS double) AS nothing ORDER BY word"
    )
    report = Report("kinds", 1, "Kinds", sql, outputs=("table", "csv", "xlsx", "html", "pdf"))
    made = write(access, make_edition(access, rules, report, SIMULATED))
    moment = datetime(2026, 3, 1, 10, 0, 0, 500_000, tzinfo=UTC)
    assert made.edition.rows == (("a", moment, date(2026, 3, 1), True, Decimal("1.50"), None),)
    assert made.files["csv"].read_text().splitlines()[1] == "a,2026-03-01T10:00:00.500000+00:00,2026-03-01,true,1.50,"
    [file] = access.site.warehouse.glob("reports.db/kinds/*/*.parquet")
    assert pq.read_table(file, partitioning=None).to_pylist()[0]["moment"] == moment
    [row] = filled.lake.session.sql(
        "SELECT date_format(moment, 'HH:mm:ss.S') AS at, amount FROM reports.kinds"
    ).collect()
    assert (row["at"], row.amount) == ("10:00:00.5", Decimal("1.50"))


def test_report_is_due_until_its_edition_is_made(access, rules, made):
    night = datetime(2026, 2, 12, 1, 0, tzinfo=UTC)
    assert ("bed_availability", SIMULATED) not in {(report.report, day) for report, day in due(access, rules, night)}
    later = {report.report: day for report, day in due(access, rules, night + timedelta(days=1))}
    assert later["bed_availability"] == date(2026, 2, 12)


def test_report_that_follows_a_table_is_due_whenever_its_feed_has_loaded_more(access, rules, landed):
    report = Report("beds_now", 1, "Beds now", "SELECT count(*) AS beds FROM lake.bed", schedule="on lake.bed")
    only, noon = replace(rules, reports={"beds_now": report}), datetime(*landed.timetuple()[:3], 12, tzinfo=UTC)
    assert list(due(access, only, noon)) == [(report, landed)]
    files = write(access, make_edition(access, only, report, landed)).files
    assert list(due(access, only, noon)) == []
    note = files["html"].with_suffix(".json")
    note.write_text(re.sub(r'"bed_census": "[^"]*"', '"bed_census": "2026-02-11T00:00:00+00:00"', note.read_text()))
    assert list(due(access, only, noon)) == [(report, landed)]


def test_storage_is_what_hudi_itself_lists(filled):
    session = filled.lake.session
    tables = [t for t in all_tables(filled.lake) if t.name in ("bed", "ledger", "patient")]
    access = access_of(filled.lake)
    assert tables_in_debt(access, 0)[0] == table_storage(access)[0].table
    compact_tables(filled.lake, [find_table(access, "bed")])
    assert "raw.bed" not in tables_in_debt(access, 0)
    for hudi in tables:
        found, listed = storage_of(hudi), slices(session, hudi)
        assert found.groups == len(listed)
        assert (found.base_files, found.base_bytes) == sizes(base for base, _ in listed)
        assert (found.log_files, found.log_bytes) == sizes(log for _, logs in listed for log in logs)
    bed = storage_of(tables[0])
    assert (bed.debt, bed.read_amplification, bed.commits) == (0, 1, 0)
    assert bed.last_compaction is not None


def slices(session, hudi):
    """Size of the base file, None if there is none, and of the log files of each newest file slice, by Hudi's own listing."""
    client = _meta_client(session, hudi)
    jvm = session._jvm
    context = jvm.org.apache.hudi.client.common.HoodieSparkEngineContext(session._jsc)
    config = jvm.org.apache.hudi.common.config.HoodieMetadataConfig.newBuilder().enable(False).build()
    manager = jvm.org.apache.hudi.common.table.view.FileSystemViewManager
    timeline = client.getCommitsAndCompactionTimeline().filterCompletedAndCompactionInstants()  # as readers see it
    view = manager.createInMemoryFileSystemViewWithTimeline(context, client, config, timeline)
    newest = timeline.lastInstant().get().requestedTime()
    found = []
    for partition in hudi.partitions or ("",):
        for one in view.getLatestMergedFileSlicesBeforeOrOn(partition, newest).toArray():
            base = one.getBaseFile()
            logs = [log.getFileSize() for log in one.getLogFiles().toArray()]
            found.append((base.get().getFileSize() if base.isPresent() else None, logs))
    return found


def sizes(found):
    known = [size for size in found if size is not None]
    return len(known), sum(known)
