"""A base file that a task has left which outlived its writer: once the timeline is archived, all would take it for committed."""

import shutil
import uuid

import pytest
from pyspark.sql import functions as F

from spark_jobs.tables import hudi
from spark_jobs.tables.data_files import data_files, orphans_of
from spark_jobs.tables.hudi import HudiTable, TableWriter

pytestmark = [pytest.mark.spark, pytest.mark.drill]

COLUMNS = "id string, value string, _order string, _deleted boolean"
ROWS = 20


def leave_orphan(table):
    """A whole base file of the same bucket in a file group of its own, of an instant that was begun and never committed."""
    base = next(file for file in data_files(table) if not file.is_log)
    never, bucket = str(int(table.commits[-1]) + 1), base.name[:8]
    name = base.name.replace(base.instant, never).replace(base.group[1], f"{bucket}{str(uuid.uuid4())[8:]}-0")
    shutil.copy(table.path / base.name, table.path / name)
    return never


def test_file_of_a_task_that_outlived_its_writer_never_becomes_rows(filled, tmp_path, monkeypatch):
    monkeypatch.setattr(hudi, "COMMITS_RETAINED", 1)  # so that the timeline is archived soon
    session, writer = filled.lake.session, TableWriter()
    table = HudiTable("raw", "outlived", tmp_path / "outlived", ("id",), buckets=1, compact_after=2)

    def commit(number):
        rows = [(f"{n:03d}", f"{number}", f"{number:06d}", False) for n in range(ROWS)]
        writer.upsert(session.createDataFrame(rows, COLUMNS), table)

    commit(0)
    commit(1)
    never = leave_orphan(table)
    assert [file.instant for file in orphans_of(table)] == [never]
    number = 1
    while table.commits[0] <= never:
        number += 1
        commit(number)
        writer.compact(session, table)
    values = session.read.format("hudi").load(str(table.path)).groupBy("value").agg(F.count("*")).collect()
    assert [tuple(row) for row in values] == [(str(number), ROWS)]
