"""Ways in which an encounter's document is odd and yet right: each changes its text and what must be read."""

from __future__ import annotations

from collections.abc import Callable
from xml.sax.saxutils import escape

from tests.simulator.vital_signs import VitalSign

Oddity = Callable[[dict, dict, list[VitalSign]], None]
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _set(slot: str, text: str, **values) -> Oddity:
    """Replace a fragment; `values` are what it then holds."""

    def change(slots: dict, known: dict, vitals: list[VitalSign]) -> None:
        slots[slot] = text
        known.update(values)

    return change


def _reason(before: str, after: str, value: Callable[[str], str]) -> Oddity:
    """Wrap the reason's text in something."""

    def change(slots: dict, known: dict, vitals: list[VitalSign]) -> None:
        text = known["reason"]
        slots["reason"] = f'<Reason code="{known["reason_code"]}">{before}{escape(text)}{after}</Reason>'
        known["reason"] = value(text)

    return change


def _two_payers(slots: dict, known: dict, vitals: list[VitalSign]) -> None:
    slots["payer"] += "\n  <Payer>Second Payer</Payer>"


def _single_quotes(slots: dict, known: dict, vitals: list[VitalSign]) -> None:
    slots["facility"] = f"\n      id = '{known['facility_id']}'\n      kind='acute'"
    slots["mrn"] = f" mrn='  {known['patient_id']} '"


def _padded(slots: dict, known: dict, vitals: list[VitalSign]) -> None:
    slots["status"] = f"<Status>\n\t  {known['status']}\n  </Status>"
    slots["charges"] = f'<Charges currency=" USD ">  {known["total_charges"] / 100:.2f}\n</Charges>'


def _no_optionals(slots: dict, known: dict, vitals: list[VitalSign]) -> None:
    for slot in ("location", "reason", "attending", "payer", "charges", "readmission", "class", "name", "birth"):
        slots[slot] = ""
    names = "unit bed reason_code reason attending_npi attending_name payer total_charges encounter_class patient_name"
    known |= dict.fromkeys(names.split()) | {"birth_date": None, "is_readmission": False, "currency": "USD"}


def _same_number_twice(slots: dict, known: dict, vitals: list[VitalSign]) -> None:
    # Two vital signs under one number: the one further down is the newer.
    for vital in vitals[-1:]:
        if len(vitals) > 1:
            vital.number = vitals[0].number
            vital.slots["no"] = f' no=" {vital.number} "'


def _exponents(slots: dict, known: dict, vitals: list[VitalSign]) -> None:
    for vital in vitals:
        vital.value, vital.slots["value"], vital.unit = -0.125, "<Value>-1.25e-1</Value>", None


def _without_values(slots: dict, known: dict, vitals: list[VitalSign]) -> None:
    for vital in vitals:
        vital.value, vital.slots["value"] = None, f'<Value unit="{escape(vital.unit or "")}"/>'


def _both(first: Oddity, second: Oddity) -> Oddity:
    def change(slots: dict, known: dict, vitals: list[VitalSign]) -> None:
        first(slots, known, vitals)
        second(slots, known, vitals)

    return change


ODDITIES: dict[str, Oddity] = {
    "declaration": _set("declaration", DECLARATION),
    "bom": _set("declaration", "\ufeff" + DECLARATION),
    "comment_first": _set("declaration", DECLARATION + "<!-- export of <Encounter/> -->\n<?sender batch?>\n"),
    "crlf": _set("newline", "\r\n"),
    "comment": _reason("<!-- coded -->", "<!-- by hand --> again", lambda text: f"{text} again"),
    "cdata": _reason("<![CDATA[a < b && c > d]]> ", "", lambda text: f"a < b && c > d {text}"),
    "entities": _reason("R&amp;D &#233;&#x4E2D; &lt;5 &quot;", "&quot; &#128512;", lambda t: f'R&D é中 <5 "{t}" 😀'),
    "line_breaks": _reason("\r\n  ", "\r\nsecond\tline\r\n ", lambda text: f"{text}\nsecond\tline"),
    "child_in_text": _reason("<em>left</em> ", " <b>x</b> knee", lambda text: f"{text}  knee"),
    "unicode": _set(
        "location", "<Location><Unit>Überwachung — 集中治療</Unit><Bed>7é</Bed></Location>",
        unit="Überwachung — 集中治療", bed="7é",
    ),
    "empty_elements": _set("location", "<Location><Unit></Unit><Bed/></Location>", unit=None, bed=None),
    "namespace": _set(
        "namespaces", ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="false"'
    ),
    "sex_token": _set("sex", "<Sex>unknown</Sex>", sex=None),
    "sex_token_padded": _set("sex", "<Sex> U </Sex>", sex=None),
    "payer_token": _set("payer", "<Payer>NO_INSURANCE</Payer>", payer=None),
    "two_payers": _two_payers,
    "single_quotes": _single_quotes,
    "padded": _padded,
    "no_optionals": _no_optionals,
    "no_currency": _set("charges", "<Charges>+0120.5</Charges>", total_charges=12_050, currency="USD"),
    "other_currency": _set(
        "charges", '<Charges currency="EUR">-12.500</Charges>', total_charges=-1_250, currency="EUR"
    ),
    "readmission_upper": _set("readmission", "<Readmission>TRUE</Readmission>", is_readmission=True),
    "implausible_charges": _set("charges", "<Charges>1000000</Charges>", total_charges=100_000_000, currency="USD"),
    "same_vital_number": _same_number_twice,
    "vital_exponents": _exponents,
    "vital_without_value": _without_values,
    "no_vital_signs": lambda slots, known, vitals: vitals.clear(),
    "cr_only_reference": _reason("a&#10;b&#9;c ", "", lambda text: f"a\nb\tc {text}"),
    "bom_and_crlf": _both(_set("declaration", "\ufeff"), _set("newline", "\r\n")),
}  # fmt: skip
