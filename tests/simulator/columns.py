"""The target tables as the truth knows them, written down by hand from the rules, not read from them."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter

import pyarrow as pa

TEXT, INT, LONG, DOUBLE, BOOL = pa.string(), pa.int32(), pa.int64(), pa.float64(), pa.bool_()
DATE, MOMENT = pa.date32(), pa.timestamp("us", tz="UTC")
MONEY = pa.decimal128(12, 2)


@dataclass(frozen=True)
class Target:
    """A target table: its columns, what makes a row the same row and what makes it a delete."""

    name: str
    columns: dict[str, pa.DataType]
    key: tuple[str, ...]
    delete_column: str
    delete_value: str
    partition: str | None = None

    def position(self, column: str) -> int:
        """Where a column stands in a row's values."""
        return list(self.columns).index(column)

    def key_of(self):
        """A function from a row's values to its record key."""
        return itemgetter(*[self.position(column) for column in self.key])


ENCOUNTER = Target(
    "encounter",
    {
        "facility_id": TEXT, "encounter_id": TEXT, "region": TEXT, "patient_id": TEXT, "patient_name": TEXT,
        "birth_date": DATE, "sex": TEXT, "status": TEXT, "encounter_class": TEXT, "unit": TEXT, "bed": TEXT,
        "admitted_at": MOMENT, "discharged_at": MOMENT, "updated_at": MOMENT, "reason_code": TEXT, "reason": TEXT,
        "attending_npi": TEXT, "attending_name": TEXT, "payer": TEXT, "total_charges": MONEY, "currency": TEXT,
        "is_readmission": BOOL, "stay_hours": LONG, "sending_facility": TEXT, "extracted_at": MOMENT,
    },
    ("facility_id", "encounter_id"), "status", "cancelled", "region",
)  # fmt: skip
VITAL_SIGN = Target(
    "vital_sign",
    {
        "facility_id": TEXT, "encounter_id": TEXT, "vital_no": INT, "region": TEXT, "code": TEXT, "display": TEXT,
        "value": DOUBLE, "value_unit": TEXT, "taken_at": MOMENT, "encounter_status": TEXT, "updated_at": MOMENT,
    },
    ("facility_id", "encounter_id", "vital_no"), "encounter_status", "cancelled", "region",
)  # fmt: skip
PATIENT = Target(
    "patient",
    {
        "patient_id": TEXT, "operation": TEXT, "family_name": TEXT, "given_name": TEXT, "birth_date": DATE,
        "death_date": DATE, "ssn": TEXT, "sex": TEXT, "address": TEXT, "city": TEXT, "home_state": TEXT,
        "zip_code": TEXT, "is_organ_donor": BOOL, "income": LONG, "expenses": pa.decimal128(14, 2),
        "updated_at": MOMENT,
    },
    ("patient_id",), "operation", "D", "home_state",
)  # fmt: skip
BED = Target(
    "bed",
    {
        "facility_id": TEXT, "unit": TEXT, "bed": TEXT, "region": TEXT, "bed_state": TEXT, "as_of": MOMENT,
        "patient_id": TEXT, "acuity": INT,
    },
    ("facility_id", "unit", "bed"), "bed_state", "R", "region",
)  # fmt: skip
LAB_RESULT = Target(
    "lab_result",
    {
        "facility_id": TEXT, "order_no": TEXT, "test_code": TEXT, "test_name": TEXT, "value": pa.decimal128(12, 4),
        "value_unit": TEXT, "status": TEXT, "patient_id": TEXT, "resulted_at": MOMENT, "changed_at": MOMENT,
    },
    ("facility_id", "order_no", "test_code"), "status", "X",
)  # fmt: skip
CLAIM_LINE = Target(
    "claim_line",
    {
        "claim_id": TEXT, "line_no": INT, "service_date": DATE, "service_year": TEXT, "facility_id": TEXT,
        "patient_id": TEXT, "procedure_code": TEXT, "note": TEXT, "units": INT, "billed": MONEY, "paid": MONEY,
        "status": TEXT, "adjudicated_at": MOMENT,
    },
    ("claim_id", "line_no", "service_date"), "status", "VOID", "service_year",
)  # fmt: skip

TARGETS = {target.name: target for target in (ENCOUNTER, VITAL_SIGN, PATIENT, BED, LAB_RESULT, CLAIM_LINE)}


def to_array(values: list, kind: pa.DataType) -> pa.Array:
    """A column of the truth: moments come as microseconds, dates as days, decimals as unscaled integers."""
    if pa.types.is_decimal(kind):
        whole = pa.array(values, pa.int64()).cast(pa.decimal128(19, 0))
        return pa.Array.from_buffers(kind, len(whole), whole.buffers(), whole.null_count)
    if pa.types.is_timestamp(kind):
        return pa.array(values, pa.int64()).cast(kind)
    if pa.types.is_date32(kind):
        return pa.array(values, pa.int32()).cast(kind)
    return pa.array(values, kind)
