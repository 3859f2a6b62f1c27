"""Compactions that another process carries out beside the writer, killed in the middle too: every row ends as the truth says.

What users of Hudi lost rows by, or had them twice: a writer that goes on while a compaction is begun, killed, rolled back and begun
again (its issues 8132, rows gone from a base file, and 10882, rows twice in one). Rows that move to another partition (6591) are in
`test_ingest`.
"""

import os
import random
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from pyspark.sql import functions as F

from spark_jobs.tables.hudi import HudiTable, TableWriter
from tests.spark.test_settle import stored

pytestmark = [pytest.mark.spark, pytest.mark.drill]

KEYS, ROWS, COMMITS_A_KILL = 120, 30, 6
SECONDS = 120
COLUMNS = "id string, part string, value string, _order string, _deleted boolean"


def the_table(path):
    """A small table that plans a compaction with every second commit."""
    return HudiTable("raw", path.name, path, ("id", "part"), partition_by="part", buckets=1, compact_after=2)


def batch(moments, number):
    """Rows of one commit: newer versions, late ones, deletes, and keys that come back. Each key once."""
    orders = (moments.choice([number, number, number - 3]) for _ in range(ROWS))
    return [
        (f"{key:04d}", "ab"[key % 2], f"{number}", f"{max(order, 0):06d}{number:06d}", moments.random() < 0.2)
        for key, order in zip(moments.sample(range(KEYS), ROWS), orders, strict=True)
    ]


@contextmanager
def compactor(scratch, table):
    command = [sys.executable, "-m", "tests.spark.compactor", str(scratch), str(table.path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            os.killpg(process.pid, 9)


def begun(table):
    """Whether a compaction of the table is being carried out."""
    return any((table.path / ".hoodie").glob("*.compaction.inflight")) and bool(table.pending_compactions)


def commit_until(commit, is_so):
    """Goes on writing until that is so, looking often: what is waited for may last a moment only."""
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        commit()


def test_rows_are_right_with_a_compactor_beside_the_writer_that_is_killed(filled, tmp_path, request):
    session, writer, table = filled.lake.session, TableWriter(), the_table(tmp_path / "beside")
    moments, truth, number = random.Random(7), {}, 0

    def commit():
        nonlocal number
        number += 1
        rows = batch(moments, number)
        for row in rows:
            truth[row[0]] = max(truth.get(row[0], row), row, key=lambda one: one[3])
        writer.upsert(session.createDataFrame(rows, COLUMNS), table)

    for _ in range(3):
        commit()
    for kill in range(max(1, request.config.getoption("--kills") // 3)):
        with compactor(tmp_path / f"scratch{kill}", table):
            # After the first kill it may be what that one has left: then the next comes sooner.
            commit_until(commit, lambda: begun(table))
    with compactor(tmp_path / "scratch", table) as last:
        for _ in range(COMMITS_A_KILL):
            commit()
        commit_until(commit, lambda: not table.pending_compactions)
        assert last.stdout.readline() == b"compacted\n"
    assert table.compactions
    expected = sorted(truth.values())
    columns = [F.col(name.split()[0]) for name in COLUMNS.split(", ")]
    found = session.read.format("hudi").load(str(table.path)).select(*columns)
    assert sorted(tuple(row) for row in found.collect()) == expected
    assert stored(session, table) == expected
