"""Contender b: Spark 4.3 with its built-in archive reader and XML source, to plain Parquet.

No upsert, no order among versions, no accounting: a document that is not well-formed becomes a row of nulls, values
that do not fit become nulls.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from tests.bench.contenders.serving import serve
from tests.bench.contenders.session import open_session

SCHEMA = """
    _id STRING, Facility STRUCT<_id: STRING>,
    Patient STRUCT<_mrn: STRING, Name: STRING, BirthDate: DATE, Sex: STRING>, Status STRING, Class STRING,
    Location STRUCT<Unit: STRING, Bed: STRING>, AdmittedAt TIMESTAMP, DischargedAt TIMESTAMP, UpdatedAt TIMESTAMP,
    Reason STRUCT<_code: STRING, _VALUE: STRING>, Attending STRUCT<_npi: STRING, Name: STRING>, Payer STRING,
    Charges STRUCT<_currency: STRING, _VALUE: DECIMAL(12,2)>, Readmission BOOLEAN"""
NAME = r"ENC_([A-Z]{2}\d{4})_(\d{14})_\d+\.zip$"
# The 25 columns of the encounter table, in the types that it has.
COLUMNS = {
    "facility_id": "Facility._id", "encounter_id": "_id", "region": "substr(Facility._id, 1, 2)",
    "patient_id": "Patient._mrn", "patient_name": "Patient.Name", "birth_date": "Patient.BirthDate",
    "sex": "nullif(nullif(Patient.Sex, 'U'), 'unknown')", "status": "Status", "encounter_class": "Class",
    "unit": "Location.Unit", "bed": "Location.Bed", "admitted_at": "AdmittedAt", "discharged_at": "DischargedAt",
    "updated_at": "UpdatedAt", "reason_code": "Reason._code", "reason": "Reason._VALUE",
    "attending_npi": "Attending._npi", "attending_name": "Attending.Name", "payer": "nullif(Payer, 'NO_INSURANCE')",
    "total_charges": "Charges._VALUE", "currency": "coalesce(Charges._currency, 'USD')",
    "is_readmission": "coalesce(Readmission, false)",
    "stay_hours": "(unix_seconds(DischargedAt) - unix_seconds(AdmittedAt)) div 3600",
    "sending_facility": f"regexp_extract(_metadata.file_path, r'{NAME}', 1)",
    "extracted_at": f"to_timestamp(regexp_extract(_metadata.file_path, r'{NAME}', 2), 'yyyyMMddHHmmss')",
}  # fmt: skip


@dataclass
class SparkArchives:
    """A session, and the folder that its Parquet files go to."""

    session: SparkSession
    out: Path

    def prepare(self, drop: str, table: str) -> None:
        """Reads zips where they are."""

    def run(self, drop: str, table: str) -> None:
        """Appends a wave's rows."""
        xml = self.session.read.format("xml").options(rowTag="Encounter", timeZone="America/New_York").schema(SCHEMA)
        rows = xml.load(f"{drop}/*/*.zip").selectExpr(*(f"{source} AS {name}" for name, source in COLUMNS.items()))
        rows.write.mode("append").parquet(str(self.out / table))

    def check(self, table: str, truth: str) -> dict[str, Any]:
        """Rows, and how many of them have been read in full."""
        rows = self.session.read.parquet(str(self.out / table))
        required = ["facility_id", "encounter_id", "patient_id", "status", "admitted_at", "updated_at", "extracted_at"]
        full = rows.where(" AND ".join(f"{name} IS NOT NULL" for name in required))
        return {"rows": rows.count(), "full_rows": full.count(), "columns": len(rows.columns)}


@contextmanager
def open_contender(settings: dict[str, Any]) -> Iterator[SparkArchives]:
    """A session with the archive reader switched on."""
    with open_session(settings, **{"spark.sql.files.archive.reader.enabled": "true"}) as session:
        yield SparkArchives(session, Path(settings["home"]) / "tables")


if __name__ == "__main__":
    serve(open_contender)
