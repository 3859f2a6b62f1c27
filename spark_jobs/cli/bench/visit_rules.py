"""Rules of feeds of visits, any number of them out of one template: a feed, and a target table of its own."""

from __future__ import annotations

from dataclasses import replace

from spark_jobs.rules.model import Check, Column, Feed, Member, TargetTable
from tests.bench.visits import FIELDS

MOMENT = "%Y-%m-%d %H:%M:%S"
COLUMNS = (
    Column("facility_id", required=True, description="Facility that treats the patient"),
    Column("visit_no", required=True, phi="identifier", description="The facility's number of the visit"),
    Column("region", expression="substr(facility_id, 1, 2)", required=True, description="Region of the facility"),
    Column("patient_id", required=True, phi="identifier", description="Medical record number"),
    Column("patient_name", phi="identifier", description="Name as the facility writes it"),
    Column("birth_date", "date", phi="quasi", description="Day of birth"),
    Column("unit", description="Unit of the facility"),
    Column("status", required=True, description="admitted or discharged"),
    Column("admitted_at", "timestamp", format=MOMENT, zone="UTC", phi="quasi", description="Admission"),
    Column("updated_at", "timestamp", format=MOMENT, zone="UTC", required=True, description="Last change"),
    Column("charges", "decimal(12,2)", description="Charges to date, USD"),
    Column("note", phi="clinical", description="Free text"),
)
READERS = {
    "xml": Member("visit", pattern="*.xml", format="xml", record_path="/Visit"),
    "csv": Member("visit", pattern="*.csv", format="csv"),
    "delimited": Member("visit", pattern="*.txt", format="delimited", delimiter="|", quote=None, header=False),
    "fixed": Member("visit", pattern="*.txt", format="fixed"),
}


def visit_rules(name: str, kind: str) -> tuple[TargetTable, Feed]:
    """The first revision of target table and feed `name`, whose zips hold members of format `kind`."""
    target = TargetTable(
        name, 1, ("facility_id", "visit_no"), "updated_at", partition_by="region", description="Visits of one feed"
    )
    columns = tuple(c if c.expression else replace(c, source=_source(c.name, kind)) for c in COLUMNS)
    known = Check("known_status", "visit", "status in ('admitted', 'discharged')", description="Statuses agreed")
    feed = Feed(
        feed=name,
        revision=1,
        landing_folder=name,
        name_pattern=r"V_[A-Z]{2}\d{4}_\d+\.zip",
        members=(replace(READERS[kind], target=name, columns=columns),),
        checks=(known,),
        description="Visits, for benchmarks",
    )
    return target, feed


def _source(column: str, kind: str) -> str:
    """Where a member of that format has the column."""
    place = list(FIELDS).index(column)
    if kind == "xml":
        return column.title().replace("_", "")
    if kind == "csv":
        return column
    if kind == "delimited":
        return f"#{place + 1}"
    first = sum(list(FIELDS.values())[:place]) + 1
    return f"{first}-{first + FIELDS[column] - 1}"
