"""Contender s: Spark 4.3's own readers on files that were unzipped before, to plain Parquet.

No upsert, no order among versions, no accounting; values that do not fit become nulls.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import expr

from tests.bench.contenders.serving import serve
from tests.bench.contenders.session import open_session

CLAIM = """
    claim_id STRING, line_no INT, service_date DATE, facility_id STRING, patient_id STRING, procedure_code STRING,
    note STRING, units INT, billed DECIMAL(12,2), paid DECIMAL(12,2), status STRING, adjudicated_at TIMESTAMP"""
CLAIM_OPTIONS = {"sep": ";", "header": "true", "escape": "\\", "timestampFormat": "yyyy-MM-dd HH:mm:ss"}
BED = """
    facility_id STRING, unit STRING, bed STRING, bed_state STRING, as_of TIMESTAMP, patient_id STRING, acuity INT"""
BED_OPTIONS = {"sep": "|", "quote": "", "nullValue": "-", "timestampFormat": "yyyyMMddHHmmss"}
# Column of the result table, where its text begins, its width; Spark has no reader for lines of fixed width.
RESULT = (
    ("facility_id", 1, 6), ("order_no", 7, 12), ("test_code", 19, 10), ("test_name", 29, 40), ("value", 69, 12),
    ("value_unit", 81, 12), ("status", 93, 1), ("patient_id", 94, 36), ("resulted_at", 130, 14),
    ("changed_at", 144, 14),
)  # fmt: skip
RESULT_TYPES = {
    "value": "try_cast({} AS DECIMAL(12,4))",
    "resulted_at": "try_to_timestamp({}, 'yyyyMMddHHmmss')",
    "changed_at": "try_to_timestamp({}, 'yyyyMMddHHmmss')",
}


@dataclass
class SparkText:
    """A session, the format it reads, and the folder of its files."""

    session: SparkSession
    format: str
    home: Path

    def prepare(self, drop: str, table: str) -> None:
        """Unzips the files."""
        folder = self._unzipped(drop, table)
        for path in Path(drop).glob("*/*.zip"):
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder / path.stem)

    def run(self, drop: str, table: str) -> None:
        """Appends a wave's rows."""
        rows = getattr(self, f"_read_{self.format}")(f"{self._unzipped(drop, table)}/*")
        rows.write.mode("append").parquet(str(self.home / "tables" / table))

    def check(self, table: str, truth: str) -> dict[str, Any]:
        """Rows, and how many of them lack nothing that those of the truth have."""
        rows = self.session.read.parquet(str(self.home / "tables" / table))
        last = {"csv": "adjudicated_at", "delimited": "as_of", "fixed": "changed_at"}[self.format]
        return {
            "rows": rows.count(),
            "full_rows": rows.where(f"{last} IS NOT NULL").count(),
            "columns": len(rows.columns),
        }

    def _read_csv(self, files: str) -> DataFrame:
        rows = self.session.read.options(**CLAIM_OPTIONS).schema(CLAIM).csv(files)
        return rows.selectExpr("*", "cast(year(service_date) as string) AS service_year")

    def _read_delimited(self, files: str) -> DataFrame:
        rows = self.session.read.options(**BED_OPTIONS).schema(BED).csv(files)
        patient = rows.withColumn("patient_id", expr("nullif(patient_id, '')"))
        return patient.selectExpr("*", "substr(facility_id, 1, 2) AS region")

    def _read_fixed(self, files: str) -> DataFrame:
        texts = {name: f"nullif(trim(substr(value, {start}, {width})), '')" for name, start, width in RESULT}
        typed = (f"{RESULT_TYPES.get(name, '{}').format(text)} AS {name}" for name, text in texts.items())
        return self.session.read.text(files).selectExpr(*typed)

    def _unzipped(self, drop: str, table: str) -> Path:
        return self.home / "unzipped" / table / Path(drop).name


@contextmanager
def open_contender(settings: dict[str, Any]) -> Iterator[SparkText]:
    """A session, and an empty folder."""
    with open_session(settings) as session:
        yield SparkText(session, settings["format"], Path(settings["home"]))


if __name__ == "__main__":
    serve(open_contender)
