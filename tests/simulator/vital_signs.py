"""Vital signs: the children of an encounter's document."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tests.simulator import clock
from tests.simulator.delivery import Row


@dataclass(slots=True)
class VitalSign:
    """A vital sign as XML fragments and as values."""

    slots: dict[str, str]
    number: int | None
    code: str
    display: str
    value: float | None
    unit: str | None
    taken: int  # microseconds


def measure(rng: random.Random, model: list[dict[str, str]], admitted: int, version: int) -> list[VitalSign]:
    """Vital signs after what Synthea measured together, a little different in each version."""
    return [_one(rng, row, number, admitted, version) for number, row in enumerate(model, 1)]


def _one(rng: random.Random, row: dict[str, str], number: int, admitted: int, version: int) -> VitalSign:
    text = f"{float(row['VALUE']) * (1 + rng.randrange(-9, 10) / 200):.1f}"
    taken = clock.steady(admitted + number * 420 + version * 1_800)
    unit = escape(row["UNITS"])
    slots = {
        "no": f' no="{number}"', "code": f' code="{row["CODE"]}"',
        "display": f"<Display>{escape(row['DESCRIPTION'])}</Display>", "value": f'<Value unit="{unit}">{text}</Value>',
        "device": f"{rng.getrandbits(32):08x}", "taken": f"<TakenAt>{clock.eastern_text(taken)}</TakenAt>",
    }  # fmt: skip
    return VitalSign(
        slots, number, row["CODE"], row["DESCRIPTION"], float(text), row["UNITS"] or None, taken * clock.SECOND
    )


def rows(vitals: list[VitalSign], parent: dict, micros: int, rule: str | None, fault: str | None) -> list[Row]:
    """The children's rows; `rule` refuses them all, `fault` spoils the last one."""
    spoiled = FAULTS[fault](vitals[-1]) if fault else None
    last = len(vitals)
    shared = (parent["facility_id"], parent["encounter_id"])
    return [
        Row("vital_sign", number, rule or (spoiled if number == last else None), micros, _values(vital, shared, parent))
        for number, vital in enumerate(vitals, 1)
    ]


def _values(vital: VitalSign, shared: tuple, parent: dict) -> tuple:
    return (
        *shared, vital.number, parent["region"], vital.code, vital.display, vital.value, vital.unit, vital.taken,
        parent["status"], parent["updated_at"],
    )  # fmt: skip


def _spoil(slot: str, text: str, rule: str) -> Callable[[VitalSign], str]:
    def spoil(vital: VitalSign) -> str:
        vital.slots[slot] = text
        return rule

    return spoil


FAULTS: dict[str, Callable[[VitalSign], str]] = {
    "value_not_a_number": _spoil("value", "<Value>NaN</Value>", "type.value"),
    "value_in_words": _spoil("value", '<Value unit="Cel">high</Value>', "type.value"),
    "no_number": _spoil("no", "", "required.vital_no"),
    "number_too_large": _spoil("no", ' no="2147483648"', "type.vital_no"),
    "no_code": _spoil("code", ' code="  "', "required.code"),
    "taken_in_no_day": _spoil("taken", "<TakenAt>2026-02-30T10:00:00</TakenAt>", "type.taken_at"),
    "taken_without_time": _spoil("taken", "<TakenAt>2026-01-30</TakenAt>", "type.taken_at"),
}
