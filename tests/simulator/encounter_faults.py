"""Ways in which an encounter's record breaks a rule: each spoils the document and names the rules broken.

A fault returns the rule that refuses the encounter and the one that refuses its vital signs, if any: they share its
facility, number, status and time, and are judged by themselves.
"""

from __future__ import annotations

from collections.abc import Callable

Fault = Callable[[dict, dict], tuple[str, str | None]]


def _replace(slot: str, text: str, rule: str, child_rule: str | None = None) -> Fault:
    def spoil(slots: dict, values: dict) -> tuple[str, str | None]:
        slots[slot] = text
        return rule, child_rule

    return spoil


def _unknown_status(slots: dict, values: dict) -> tuple[str, None]:
    slots["status"], values["status"] = "<Status>archived</Status>", "archived"
    return "check.known_status", None


def _ends_before_start(slots: dict, values: dict) -> tuple[str, None]:
    slots["discharged"] = "<DischargedAt>2021-05-05T05:05:05</DischargedAt>"
    return "check.discharge_not_before_admission", None


def _several(slots: dict, values: dict) -> tuple[str, None]:
    # The first rule in the order of the columns is the one that counts.
    slots["charges"], slots["birth"] = "<Charges>a lot</Charges>", "<BirthDate>1990-13-01</BirthDate>"
    _unknown_status(slots, values)
    return "type.birth_date", None


FAULTS: dict[str, Fault] = {
    "updated_in_no_day": _replace(
        "updated", "<UpdatedAt>2026-02-30T10:00:00.0Z</UpdatedAt>", "type.updated_at", "type.updated_at"
    ),
    "updated_without_fraction": _replace(
        "updated", "<UpdatedAt>2026-02-10T10:00:00Z</UpdatedAt>", "type.updated_at", "type.updated_at"
    ),
    "updated_without_offset": _replace(
        "updated", "<UpdatedAt>2026-02-10T10:00:00.5</UpdatedAt>", "type.updated_at", "type.updated_at"
    ),
    "no_updated": _replace("updated", "", "required.updated_at", "required.updated_at"),
    "no_number": _replace("id", '""', "required.encounter_id", "required.encounter_id"),
    "no_facility": _replace("facility", "", "required.facility_id", "required.facility_id"),
    "no_patient": _replace("mrn", "", "required.patient_id"),
    "no_status": _replace("status", "<Status/>", "required.status", "required.encounter_status"),
    "unknown_status": _unknown_status,
    "born_in_no_day": _replace("birth", "<BirthDate>2026-02-30</BirthDate>", "type.birth_date"),
    "born_in_short": _replace("birth", "<BirthDate>1990-1-5</BirthDate>", "type.birth_date"),
    "admitted_with_offset": _replace(
        "admitted", "<AdmittedAt>2026-01-05T10:00:00Z</AdmittedAt>", "type.admitted_at"
    ),
    "not_admitted": _replace("admitted", "", "required.admitted_at"),
    "ends_before_start": _ends_before_start,
    "charges_with_comma": _replace("charges", "<Charges>1,234.50</Charges>", "type.total_charges"),
    "charges_too_fine": _replace("charges", "<Charges>12.345</Charges>", "type.total_charges"),
    "charges_too_large": _replace("charges", "<Charges>12345678901.00</Charges>", "type.total_charges"),
    "readmission_maybe": _replace("readmission", "<Readmission>maybe</Readmission>", "type.is_readmission"),
    "several": _several,
}  # fmt: skip
