"""Contender c: what a team would write first: `binaryFile`, Python with zipfile and ElementTree, then a Hudi upsert.

The table has the options of Carelake's own; the batch is settled by Hudi itself. No accounting: documents and rows that
are not fit are left out.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from tests.bench.contenders.serving import serve
from tests.bench.contenders.session import open_session

TEXTS = (
    "zip_name member facility_id encounter_id patient_id patient_name birth_date sex status encounter_class unit bed"
    " admitted_at discharged_at updated_at reason_code reason attending_npi attending_name payer total_charges currency"
    " is_readmission"
).split()
# The 25 columns of the encounter table in the types that it has, then what the upsert needs.
COLUMNS = {
    "facility_id": "facility_id", "encounter_id": "encounter_id", "region": "substr(facility_id, 1, 2)",
    "patient_id": "patient_id", "patient_name": "patient_name", "birth_date": "to_date(birth_date)",
    "sex": "nullif(nullif(sex, 'U'), 'unknown')", "status": "status", "encounter_class": "encounter_class",
    "unit": "unit", "bed": "bed", "admitted_at": "to_utc_timestamp(admitted_at, 'America/New_York')",
    "discharged_at": "to_utc_timestamp(discharged_at, 'America/New_York')", "updated_at": "to_timestamp(updated_at)",
    "reason_code": "reason_code", "reason": "reason", "attending_npi": "attending_npi",
    "attending_name": "attending_name", "payer": "nullif(payer, 'NO_INSURANCE')",
    "total_charges": "cast(total_charges as decimal(12,2))", "currency": "coalesce(currency, 'USD')",
    "is_readmission": "coalesce(cast(is_readmission as boolean), false)",
    "stay_hours": "(unix_seconds(to_timestamp(discharged_at)) - unix_seconds(to_timestamp(admitted_at))) div 3600",
    "sending_facility": "split(zip_name, '_')[1]",
    "extracted_at": "to_timestamp(split(zip_name, '_')[2], 'yyyyMMddHHmmss')",
    "_zip_name": "zip_name", "_member": "member",
    "_order": "concat(lpad(cast(unix_micros(to_timestamp(updated_at)) as string), 20, '0'), split(zip_name, '_')[2])",
    "_deleted": "status = 'cancelled'",
}  # fmt: skip
FIT = """
    updated_at IS NOT NULL AND admitted_at IS NOT NULL AND total_charges IS NOT NULL
    AND status IN ('admitted', 'updated', 'discharged', 'cancelled')"""


def read_zips(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Frames of (path, content) of zips to frames of texts, one a zip."""
    for frame in frames:
        for path, content in zip(frame["path"], frame["content"], strict=True):
            yield pd.DataFrame(_rows(path.rpartition("/")[2], content), columns=TEXTS)


def _rows(zip_name: str, content: bytes) -> Iterator[tuple[str | None, ...]]:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        for member in archive.namelist():
            try:
                root = ElementTree.fromstring(archive.read(member))
            except ElementTree.ParseError:
                continue
            patient, reason, doctor = root.find("Patient"), root.find("Reason"), root.find("Attending")
            charges, location = root.find("Charges"), root.find("Location")
            yield (
                zip_name, member, root.find("Facility").get("id"), root.get("id"), patient.get("mrn"),
                patient.findtext("Name"), patient.findtext("BirthDate"), patient.findtext("Sex"),
                root.findtext("Status"), root.findtext("Class"), location.findtext("Unit"), location.findtext("Bed"),
                root.findtext("AdmittedAt"), root.findtext("DischargedAt"), root.findtext("UpdatedAt"),
                reason.get("code"), reason.text, doctor.get("npi"), doctor.findtext("Name"), root.findtext("Payer"),
                charges.text, charges.get("currency"), root.findtext("Readmission"),
            )  # fmt: skip


@dataclass
class UsualWay:
    """A session, the folder of its tables, and Hudi's options for each."""

    session: SparkSession
    out: Path
    hudi: dict[str, dict[str, str]]

    def prepare(self, drop: str, table: str) -> None:
        """Reads zips where they are."""

    def run(self, drop: str, table: str) -> None:
        """Upserts a wave's rows in one commit."""
        rows = self._read(drop)
        rows.write.format("hudi").options(**self.hudi[table]).mode("append").save(str(self.out / table))

    def check(self, table: str, truth: str) -> dict[str, Any]:
        """Rows by whether they are deleted."""
        counts = self.session.read.format("hudi").load(str(self.out / table)).groupBy("_deleted").count().collect()
        by_kind = {row["_deleted"]: row["count"] for row in counts}
        return {"rows": by_kind.get(False, 0), "deleted_rows": by_kind.get(True, 0)}

    def _read(self, drop: str) -> DataFrame:
        zips = self.session.read.format("binaryFile").load(f"{drop}/*/*.zip").select("path", "content")
        texts = zips.mapInPandas(read_zips, ", ".join(f"{name} STRING" for name in TEXTS))
        typed = texts.selectExpr(*(f"{source} AS {name}" for name, source in COLUMNS.items()))
        return typed.where(FIT)


@contextmanager
def open_contender(settings: dict[str, Any]) -> Iterator[UsualWay]:
    """A session with the settings of Carelake's."""
    with open_session(settings) as session:
        session.sql("CREATE DATABASE IF NOT EXISTS raw")
        yield UsualWay(session, Path(settings["home"]) / "tables", settings["hudi"])


if __name__ == "__main__":
    serve(open_contender)
