"""The rows of patient master data as texts; values odd and yet right, and rows that break a rule."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulator.clock import SECOND, day_text, utc_text

SOURCES = {
    "patient_id": "PATIENT_ID", "operation": "OP", "family_name": "LAST", "given_name": "FIRST",
    "birth_date": "BIRTHDATE", "death_date": "DEATHDATE", "ssn": "SSN", "sex": "GENDER", "address": "ADDRESS",
    "city": "CITY", "home_state": "STATE", "zip_code": "ZIP", "is_organ_donor": "DONOR", "income": "INCOME",
    "expenses": "HEALTHCARE_EXPENSES", "updated_at": "UPDATED",
}  # fmt: skip
HEADER = tuple(SOURCES.values())


def to_texts(values: dict) -> dict[str, str]:
    """A row's values as the sender writes them."""
    texts = {SOURCES[name]: "" if value is None else str(value) for name, value in values.items()}
    for name in ("birth_date", "death_date"):
        if values[name] is not None:
            texts[SOURCES[name]] = day_text(values[name], "%m/%d/%Y")
    texts["DONOR"] = "Y" if values["is_organ_donor"] else "N"
    texts["HEALTHCARE_EXPENSES"] = f"{values['expenses'] // 100}.{values['expenses'] % 100:02d}"
    texts["UPDATED"] = utc_text(values["updated_at"] // SECOND)
    return texts


def _odd(source: str, text: str, value: object) -> Callable[[dict, dict], None]:
    name = next(name for name, known in SOURCES.items() if known == source)

    def change(texts: dict, values: dict) -> None:
        texts[source], values[name] = text, value

    return change


ODDITIES: dict[str, Callable[[dict, dict], None]] = {
    "line_break": _odd("ADDRESS", "12 Elm St\nApt 4", "12 Elm St\nApt 4"),
    "carriage_return": _odd("ADDRESS", "12 Elm St\r\nApt 4\r\n", "12 Elm St\r\nApt 4"),
    "blank_line_inside": _odd("ADDRESS", "12 Elm St\n\nApt 4", "12 Elm St\n\nApt 4"),
    "quotes": _odd("ADDRESS", 'The "Old" Mill, 7', 'The "Old" Mill, 7'),
    "only_quotes": _odd("ADDRESS", '""', '""'),
    "line_separator": _odd("ADDRESS", "12 Elm\u2028St \x0b 4\x85 B", "12 Elm\u2028St \x0b 4\x85 B"),
    "backslash": _odd("CITY", "New\\nTown\\", "New\\nTown\\"),
    "blanks": _odd("CITY", "  Fall   River\t", "Fall   River"),
    "only_blanks": _odd("CITY", "   ", None),
    "unicode": _odd("CITY", "São João, 東京 😀", "São João, 東京 😀"),
    "null_word": _odd("CITY", "NULL", "NULL"),
    "na_word": _odd("GENDER", "NA", "NA"),
    "donor_digit": _odd("DONOR", "1", True),
    "donor_lower": _odd("DONOR", "n", False),
    "donor_empty": _odd("DONOR", "", None),
    "income_signed": _odd("INCOME", "+00042", 42),
    "income_large": _odd("INCOME", "-9223372036854775808", -(2**63)),
    "expenses_short": _odd("HEALTHCARE_EXPENSES", "7", 700),
    "expenses_zeros": _odd("HEALTHCARE_EXPENSES", "-0.5000", -50),
    "expenses_largest": _odd("HEALTHCARE_EXPENSES", "999999999999.99", 99_999_999_999_999),
    "leap_day": _odd("BIRTHDATE", "02/29/1904", -24_048),
    "zeros_in_front": _odd("ZIP", "00501", "00501"),
}


def _spoil(rule: str, **texts: str) -> Callable[[dict], str]:
    def spoil(known: dict) -> str:
        known.update(texts)
        return rule

    return spoil


FAULTS: dict[str, Callable[[dict], str]] = {
    "born_in_no_day": _spoil("type.birth_date", BIRTHDATE="02/30/1960"),
    "born_in_iso": _spoil("type.birth_date", BIRTHDATE="1960-02-03"),
    "born_in_short": _spoil("type.birth_date", BIRTHDATE="2/3/1960"),
    "died_before_birth": _spoil("check.death_not_before_birth", BIRTHDATE="02/03/1960", DEATHDATE="02/02/1960"),
    "donor_perhaps": _spoil("type.is_organ_donor", DONOR="perhaps"),
    "income_in_parts": _spoil("type.income", INCOME="12.5"),
    "income_too_large": _spoil("type.income", INCOME="9223372036854775808"),
    "expenses_in_words": _spoil("type.expenses", HEALTHCARE_EXPENSES="$12.00"),
    "expenses_exponent": _spoil("type.expenses", HEALTHCARE_EXPENSES="1e3"),
    "no_patient": _spoil("required.patient_id", PATIENT_ID=" "),
    "no_operation": _spoil("required.operation", OP=""),
    "no_state": _spoil("required.home_state", STATE=""),
    "no_updated": _spoil("required.updated_at", UPDATED=""),
    "updated_in_no_hour": _spoil("type.updated_at", UPDATED="2026-02-10 24:00:00"),
    "updated_with_t": _spoil("type.updated_at", UPDATED="2026-02-10T10:00:00"),
    "state_no_folder": _spoil("partition.home_state", STATE="New Hampshire"),
    "state_climbs": _spoil("partition.home_state", STATE="../MA"),
    "state_too_long": _spoil("partition.home_state", STATE="M" * 65),
    "several": _spoil("required.operation", OP="", BIRTHDATE="soon", UPDATED=""),
    "too_many_fields": lambda known: _ragged(known, "long"),
    "too_few_fields": lambda known: _ragged(known, "short"),
}
RAGGED: dict[str, Callable[[list[str]], list[str]]] = {
    "long": lambda fields: [*fields, "x"],
    "short": lambda fields: fields[:-2],
}


def _ragged(known: dict, how: str) -> str:
    known[None] = how
    return "row.ragged"
