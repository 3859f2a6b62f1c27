"""Rows that an earlier reading of a replayed zip loaded and that the present rules do not give: marked as deleted.

The rules that are in force now may derive another record key from the same record, refuse the row, or send it to
another table. Upserts alone would leave what was loaded before beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.batches.batch import Batch
from spark_jobs.batches.judge import Judged
from spark_jobs.landing.agent import DeliveryNote
from spark_jobs.rules.model import TargetTable
from spark_jobs.tables import ledger
from spark_jobs.tables.hudi import ORDER, HudiTable
from spark_jobs.tables.lake import Lake
from spark_jobs.tables.standing import standing

# `_order`: source time 20, extract time 20, rule revision 8, then hash, member and row.
BEFORE_REVISION, REVISION, AFTER_REVISION = (1, 40), (41, 8), (49, 36)


def withdraw_rows(lake: Lake, batch: Batch, judged: Sequence[Judged]) -> None:
    """Marks rows of replayed zips as deleted that an earlier batch loaded and this one did not give; after its upserts.

    Costs a scan of each table by `_zip_id`. Crash-only: what was marked is not looked at again.
    """
    if not _opened(batch):
        return
    for target in _targets(lake, batch):
        table = lake.table(target)
        if table.has_commits:
            _withdraw(lake, batch, table, [j for j in judged if j.target.target == table.name])


def _opened(batch: Batch) -> list[DeliveryNote]:
    """The replayed zips, without those that were refused unread: that says nothing about their rows."""
    return [z.note for z in batch.manifest.zips if z.note.replay and not z.refusal]


def _targets(lake: Lake, batch: Batch) -> Iterator[TargetTable]:
    """The tables that the zips fill by the batch's rules, and those that the ledger says they filled before."""
    now = batch.feed.targets if batch.feed else ()
    rows = ledger.rows_of_zips(lake.session, _opened(batch)).values()
    before = sorted({name for row in rows for name in ledger.commits_of(row)}.difference(now))
    yield from (batch.targets[name] for name in now)
    if before:
        known = standing(lake).rules.targets
        yield from (known[name] for name in before if name in known)


def _withdraw(lake: Lake, batch: Batch, table: HudiTable, judged: Sequence[Judged]) -> None:
    stored = lake.session.read.format("hudi").load(str(table.path))
    stale = stored.where(
        F.col("_zip_id").isin(*(note.zip_id for note in _opened(batch)))
        & (F.col("_batch") != batch.name)
        & ~F.col("_deleted")
    ).drop(*(name for name in stored.columns if name.startswith("_hoodie_")))
    if judged:
        stale = stale.join(_given(table, judged), ["_zip_id", *_identity(table)], "left_anti").select(*stale.columns)
    marked = stale.withColumns({"_deleted": F.lit(True), ORDER: _order(batch.manifest.revision)})
    # Read before the table is written, and a commit of no rows is spared.
    marked = marked.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        if not marked.isEmpty():
            lake.writer.upsert(marked, table)
    finally:
        marked.unpersist()


def _given(table: HudiTable, judged: Sequence[Judged]) -> DataFrame:
    """Which rows the zips give now. That another zip gives the key too does not save a row that its own no longer gives."""
    fit = [j.rows.where("_failures IS NULL").select("_zip_id", *_identity(table)) for j in judged]
    return reduce(DataFrame.unionByName, fit)


def _identity(table: HudiTable) -> list[str]:
    """What makes a stored row the same row. Under a bucket index that includes its partition, under a global one not."""
    partition = [table.partition_by] if table.partition_by and not table.global_index else []
    return list(dict.fromkeys([*table.record_key, *partition]))


def _order(revision: int) -> Column:
    """The row's own place, as of `revision`: newer than the row itself, and no newer than what is newer than the row."""
    as_of = F.greatest(F.substring(ORDER, *REVISION), F.lit(f"{revision:08d}"))
    return F.concat(F.substring(ORDER, *BEFORE_REVISION), as_of, F.substring(ORDER, *AFTER_REVISION))
