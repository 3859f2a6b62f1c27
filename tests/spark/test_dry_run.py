"""A dry run tells what the ingest then does, and writes nothing."""

from collections import Counter

import pytest

from spark_jobs.batches.dry_run import dry_run
from spark_jobs.rules.revisions import in_force
from spark_jobs.tables.access import access_of
from spark_jobs.tables.rule_store import read_rows

pytestmark = pytest.mark.spark
COUNTS = (
    "state rule members members_loaded members_ignored members_quarantined rows_loaded rows_quarantined warnings"
).split()


@pytest.fixture(scope="module")
def rules(filled):
    return in_force(read_rows(access_of(filled.lake)))


def deliveries(filled, feed):
    """The zips of the first wave of a feed, with the ledger's rows of those of them that were no duplicates."""
    paths = sorted(filled.deliveries.glob(f"drop/1/{feed}/*"))
    rows = filled.lake.session.sql("SELECT * FROM ops.ledger WHERE state <> 'duplicate'").collect()
    ledger = {(row["name"], row["sha256"]): row for row in rows}
    return paths, ledger


@pytest.mark.parametrize("feed", ["encounters", "patients", "bed_census", "lab_results", "claims"])
def test_counts_are_those_of_the_ingest(filled, rules, feed):
    paths, ledger = deliveries(filled, feed)
    files = {path: path.stat().st_mtime_ns for path in filled.lake.site.home.rglob("*") if path.is_file()}
    result = dry_run(filled.lake.session, rules.feeds[feed], rules.targets, paths)
    compared = 0
    for account in result.accounts:
        row = ledger.get((account.zip.note.name, account.zip.note.sha256))
        if row is not None and account.state != "duplicate":
            assert {name: getattr(account, name) for name in COUNTS} == {name: row[name] for name in COUNTS}
            compared += 1
    assert compared
    after = {path: path.stat().st_mtime_ns for path in filled.lake.site.home.rglob("*") if path.is_file()}
    changed = [path for path in after if after[path] != files.get(path)]
    assert not [path for path in changed if not {"logs", "scratch", "metastore"} & set(path.parts)]


def test_facts_add_up(filled, rules):
    paths, _ = deliveries(filled, "encounters")
    result = dry_run(filled.lake.session, rules.feeds["encounters"], rules.targets, paths, sample_rows=2)
    opened = [account for account in result.accounts if account.state != "duplicate"]
    totals = Counter()
    for account in opened:
        totals.update(rows_loaded=account.rows_loaded, rows_quarantined=account.rows_quarantined)
    assert sum(target.rows_loaded for target in result.targets) == totals["rows_loaded"]
    assert sum(target.rows_quarantined for target in result.targets) == totals["rows_quarantined"]
    encounter = result.targets[0]
    assert len(encounter.sample) == 2
    assert encounter.partition_count == len(encounter.partitions)
    facts = {column.name: column for column in encounter.columns}
    assert (facts["region"].shortest, facts["region"].longest, facts["region"].nulls) == (2, 2, 0)
    members = sum(f.count for f in result.failures if f.rule.startswith("member."))
    assert members <= sum(account.members_quarantined for account in opened)
    by_rule = {f.rule: f.count for f in result.failures}
    for check in result.checks:
        if check.action == "quarantine":
            assert by_rule.get(f"check.{check.check}", 0) == check.rows
