"""Runs one batch: parse, judge, upsert each target table and quarantine, then the ledger, then the vault.

Crash-only: every step is keyed by zip id and can be done again with the same result. The ledger is written after all
tables, and zips leave `claimed/` after the ledger: a batch found there is either run again whole, or, once the ledger
has it, only cleared away.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial, reduce

from pyspark import StorageLevel, inheritable_thread_target
from pyspark.sql import DataFrame

from spark_jobs.batches.account import (
    ZipAccount,
    account_duplicate,
    account_parsed,
    account_refused,
)
from spark_jobs.batches.batch import Batch
from spark_jobs.batches.judge import Judged, fit_rows, judge
from spark_jobs.batches.parse import parse
from spark_jobs.batches.refusals import record_refusals
from spark_jobs.batches.settle import SETTLED_FROM, settle
from spark_jobs.batches.withdrawal import withdraw_rows
from spark_jobs.errors import LakeError
from spark_jobs.landing import vault
from spark_jobs.landing.claim import release, remove_batch
from spark_jobs.landing.files import AnyPath, move
from spark_jobs.rules.model import Feed
from spark_jobs.site import Cluster
from spark_jobs.tables import ledger
from spark_jobs.tables.access import access_of
from spark_jobs.tables.catalog import create_view, shown_columns, view_is_current
from spark_jobs.tables.hudi import HudiTable
from spark_jobs.tables.lake import Lake
from spark_jobs.tables.presto import create_presto_view
from spark_jobs.tables.rule_store import insert_stop

LOG = logging.getLogger("carelake")


@dataclass(frozen=True)
class BatchResult:
    """What a batch came to. `stopped_by` names the check that stopped its feed: then nothing was written."""

    batch: str
    feed: str | None
    accounts: Sequence[ZipAccount] = ()
    stopped_by: str | None = None


@dataclass(frozen=True)
class Written:
    """A batch whose tables and quarantine were committed at `at`, and that the ledger does not have yet."""

    batch: Batch
    accounts: Sequence[ZipAccount]
    commits: Mapping[str, str]
    at: datetime


def run_batch(lake: Lake, batch: Batch, again: bool = False) -> BatchResult:
    """Runs `batch` to its end, with a commit of the ledger of its own; see `write_batch`."""
    written = write_batch(lake, batch, again)
    return account_batches(lake, [written])[0] if isinstance(written, Written) else written


def write_batch(lake: Lake, batch: Batch, again: bool = False) -> Written | BatchResult:
    """Writes all of `batch` but its ledger rows; a BatchResult if there is nothing to account for.

    `again` if an earlier attempt may have begun it.
    """
    if again and ledger.is_accounted(lake.session, batch.name, batch.notes):
        _clear_away(lake, batch, _accounted(lake, batch))
        return BatchResult(batch.name, batch.manifest.feed)
    parsed = _opened(lake, batch)
    try:
        return _write(lake, batch, parsed)
    finally:
        if parsed is not None:
            parsed.unpersist()


def account_batches(lake: Lake, written: Sequence[Written]) -> list[BatchResult]:
    """Enters batches into the ledger by one commit, which has each of them whole or not at all, and clears them away."""
    rows = [[_ledger_row(w, account) for account in w.accounts] for w in written]
    ledger.record(lake.writer, lake.session, lake.ledger, lake.known_zips, rows)
    for w in written:
        _clear_away(lake, w.batch, {a.zip.note.zip_id: a.rule is not None for a in w.accounts})
    return [BatchResult(w.batch.name, w.batch.manifest.feed, w.accounts) for w in written]


def _opened(lake: Lake, batch: Batch) -> DataFrame | None:
    if not batch.to_open:
        return None
    # Read again for each table and for the counts: parsing is the dearest step and is done once.
    return parse(lake.session, batch).persist(StorageLevel.MEMORY_AND_DISK)


def _write(lake: Lake, batch: Batch, parsed: DataFrame | None) -> Written | BatchResult:
    judged = _judge_all(batch, parsed) if parsed is not None and batch.feed else []
    accounts, stops = account_parsed(batch.to_open, parsed, judged) if parsed is not None else ([], [])
    if stops:
        return _stop_feed(lake, batch, stops)
    accounts = [*accounts, *_unopened(lake, batch)]
    batch.begin_to_write()
    with ThreadPoolExecutor(1) as beside:
        quarantined = beside.submit(inheritable_thread_target(record_refusals), lake, batch, parsed, judged, accounts)
        commits = _upsert_targets(lake, batch, judged, accounts)
        withdraw_rows(lake, batch, judged)
        quarantined.result()
    return Written(batch, accounts, commits, datetime.now(UTC))


def _judge_all(batch: Batch, parsed: DataFrame) -> list[Judged]:
    feed = batch.feed
    assert feed is not None
    return [judge(parsed, feed, member, batch.targets[member.target or ""]) for member in feed.readers]


def _unopened(lake: Lake, batch: Batch) -> list[ZipAccount]:
    known = lake.known_zips.with_bytes({z.note.sha256 for z in batch.duplicates})
    originals = {z.zip_id: vars(z) for z in known}
    duplicates = [account_duplicate(z, originals[z.duplicate_of or ""]) for z in batch.duplicates]
    return [*duplicates, *map(account_refused, batch.refused)]


def _stop_feed(lake: Lake, batch: Batch, stops: Sequence[tuple[str, str]]) -> BatchResult:
    """An expectation with `action: stop` is not met: notes the stop, gives the zips back, writes nothing."""
    feed = batch.feed
    assert feed is not None
    for check, zip_id in stops:
        reason = "an expectation with action stop was not met"
        insert_stop(access_of(lake), feed, check, zip_id, batch.name, reason)
    release(lake.site.landing, batch.folder)
    return BatchResult(batch.name, feed.feed, stopped_by=stops[0][0])


def _upsert_targets(
    lake: Lake, batch: Batch, judged: Sequence[Judged], accounts: Sequence[ZipAccount]
) -> dict[str, str]:
    """Upserts every target table that has rows, side by side; returns table -> commit."""
    if not any(account.rows_loaded for account in accounts):
        return {}
    feed = batch.feed
    assert feed is not None
    by_target = {name: [j for j in judged if j.target.target == name] for name in feed.targets}
    many = sum(account.rows_loaded for account in accounts) >= SETTLED_FROM
    with ThreadPoolExecutor(len(by_target)) as pool:
        upsert = inheritable_thread_target(partial(_upsert_target, lake, batch, feed, many))
        commits = pool.map(upsert, by_target.values())
        return dict(zip(by_target, commits, strict=True))


def _upsert_target(lake: Lake, batch: Batch, feed: Feed, many: bool, judged: Sequence[Judged]) -> str:
    rows = [fit_rows(j, batch.name) for j in judged]
    together = reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), rows)
    table = lake.table(judged[0].target)
    settled = settle(together, table) if many and len(judged) == 1 else None
    if settled is not None:
        commit = lake.writer.upsert(settled, table, settled=True)
    else:
        commit = lake.writer.upsert(together, table)
    _show_to_readers(lake, table, feed)
    return commit


def _show_to_readers(lake: Lake, table: HudiTable, feed: Feed) -> None:
    """Makes the readers' view if it lacks a column; asking the metastore is dear, so once a process and revision."""
    shown = (table.name, feed.feed, feed.revision)
    if shown not in lake.views_shown:
        if not view_is_current(lake.session.catalog, table, feed):
            create_view(lake.session, table, feed)
        lake.held.note_change(table.name)
        lake.views_shown.add(shown)
    if lake.site.cluster and ("presto", *shown) not in lake.views_shown:
        _show_in_presto(lake, lake.site.cluster, table, ("presto", *shown))


def _show_in_presto(lake: Lake, cluster: Cluster, table: HudiTable, shown: tuple[str | int, ...]) -> None:
    """The rows are committed: that Presto is away is told, and neither ends their batch nor has it run again; the next one tries."""
    try:
        create_presto_view(cluster, table, shown_columns(lake.session, table))
        lake.views_shown.add(shown)
    except LakeError as error:
        LOG.error("the view of %s in Presto was not made: %s", table.name, error.problem)


def _ledger_row(written: Written, account: ZipAccount) -> dict[str, object]:
    batch, note = written.batch, account.zip.note
    counts = {name: value for name, value in vars(account).items() if name != "zip"}
    commits = ",".join(f"{table}={commit}" for table, commit in sorted(written.commits.items()))
    return {
        **vars(note),
        **counts,
        "landed_at": datetime.fromisoformat(note.landed_at),
        "landed_on": ledger.day_of(note),
        "feed": batch.manifest.feed or "",
        "facility": account.zip.parts.get("facility"),
        "duplicate_of": account.zip.duplicate_of,
        "batch": batch.name,
        "revision": batch.manifest.revision,
        "commits": commits if account.rows_loaded else "",
        "committed_at": written.at,
        "_order": batch.order,
    }


def _accounted(lake: Lake, batch: Batch) -> dict[str, bool]:
    rows = ledger.rows_of_zips(lake.session, batch.notes)
    return {zip_id: row["rule"] is not None for zip_id, row in rows.items()}


def _clear_away(lake: Lake, batch: Batch, refused_whole: Mapping[str, bool]) -> None:
    """Zips refused as a whole go to quarantine, the others to the vault; then the batch's folder goes."""
    lake.site.quarantine.mkdir(exist_ok=True, mode=0o700)
    in_vault = vault.locate(lake.site.vault, batch.replayed)
    for zip_id, refused in refused_whole.items():
        path = batch.folder / f"{zip_id}.zip"
        if zip_id in in_vault:
            _drop_second_copy(lake, path)
        elif refused:
            move(path, lake.site.quarantine / path.name)
        elif path.exists():  # once in the vault it may be packed, and then is in no folder any more
            vault.keep(lake.site.vault, path)
            if zip_id in batch.replayed:
                _drop_second_copy(lake, path)
    try:
        remove_batch(batch.folder)
    except OSError:
        # Batches of one run that end together also try to remove their common folder: one of them finds it gone, or in use.
        if batch.folder.exists():
            raise


def _drop_second_copy(lake: Lake, path: AnyPath) -> None:
    """Of a replayed zip that the vault has, neither the landed copy nor one in quarantine is needed.

    What is in the vault stays there, even if the rules now refuse the zip as a whole: a bundle gives nothing back.
    """
    path.unlink(missing_ok=True)
    (lake.site.quarantine / path.name).unlink(missing_ok=True)
