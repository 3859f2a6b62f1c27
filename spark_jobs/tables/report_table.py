"""Editions of reports as Hive tables: `reports.<report>`, a partition a day, for BI tools and for reports on reports.

A partition is one Parquet file, written whole and renamed, so that making an edition again replaces it at once. It is
written from the rows that the other files show: all of them say the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from spark_jobs.errors import LakeError
from spark_jobs.landing.files import write_whole
from spark_jobs.reports.edition import Column, Edition
from spark_jobs.tables.access import Access
from spark_jobs.tables.comments import column_list

PARTITION = "report_date"
ARROW = {
    "string": pa.string(), "boolean": pa.bool_(), "tinyint": pa.int8(), "smallint": pa.int16(), "int": pa.int32(),
    "bigint": pa.int64(), "float": pa.float32(), "double": pa.float64(), "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}  # fmt: skip


def arrow_type(kind: str) -> pa.DataType | None:
    """The Arrow type of a Spark type that a report's column may have; None of any other."""
    if kind.startswith("decimal("):
        precision, scale = kind[len("decimal(") : -1].split(",")
        return pa.decimal128(int(precision), int(scale))
    return ARROW.get(kind)


def write_partition(access: Access, edition: Edition) -> str:
    """Writes the edition as a partition of its report's table, which is made or given new columns first; returns its name.

    Raises LakeError where the table has a column of another type: an older revision meant something else by it.
    """
    name = f"reports.{edition.report.report}"
    _fit_table(access, name, edition)
    day = edition.day.isoformat()
    folder = access.site.warehouse / "reports.db" / edition.report.report / f"{PARTITION}={day}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    sink = pa.BufferOutputStream()
    pq.write_table(_table(edition), sink)
    write_whole(folder / f"{edition.name}.parquet", sink.getvalue().to_pybytes())
    access.ask(f"ALTER TABLE {name} ADD IF NOT EXISTS PARTITION ({PARTITION} = '{day}')")
    return name


def _table(edition: Edition) -> pa.Table:
    columns = list(zip(*edition.rows, strict=True)) or [() for _ in edition.columns]
    arrays = [pa.array(values, arrow_type(c.type)) for c, values in zip(edition.columns, columns, strict=True)]
    return pa.table(arrays, names=[column.name for column in edition.columns])


def _fit_table(access: Access, name: str, edition: Edition) -> None:
    """Makes the table if it is not there, and adds the columns that it lacks."""
    comment = edition.report.title.replace("\\", "\\\\").replace("'", "\\'")
    access.ask(
        f"CREATE TABLE IF NOT EXISTS {name} ({_described(edition.columns)}) COMMENT '{comment}'"
        f" PARTITIONED BY ({PARTITION} STRING COMMENT 'Day of the edition, like 2026-03-01') STORED AS PARQUET"
    )
    held = dict(_columns(access, name))
    for column in edition.columns:
        if held.get(column.name, column.type) != column.type:
            problem = f"column {column.name} is {held[column.name]}, and the report now gives {column.type}"
            hint = f"Name the new column otherwise, or drop {name} and make its editions again."
            raise LakeError(name, problem, hint)
    missing = [column for column in edition.columns if column.name not in held]
    if missing:
        access.ask(f"ALTER TABLE {name} ADD COLUMNS ({_described(missing)})")


def _columns(access: Access, name: str) -> Iterator[tuple[str, str]]:
    for row in access.records(f"DESCRIBE {name}"):
        if not row["col_name"] or row["col_name"].startswith("#"):
            return  # what follows describes partitions
        yield row["col_name"], row["data_type"]


def _described(columns: Sequence[Column]) -> str:
    return column_list({f"`{column.name}`": (column.type, column.heading) for column in columns})
