"""Encounters by the million: every value is arithmetic on the numbers of facility, stay and version.

The documents have the shape of the simulator's, with one record each and no vital signs; an odd or broken one is the
matter of the simulator, here they are plain.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import cache
from xml.sax.saxutils import escape

from tests.bench.told import Told
from tests.simulator import clock

STATUS = {"new": "admitted", "change": "updated", "close": "discharged", "delete": "cancelled"}
UNITS = ("ICU", "Emergency", "Med/Surg 2", "Cardiology", "Maternity", "Pediatrics", "Oncology", "Stroke & Neuro")
FAMILIES = (
    "Abernathy Bashirian Considine Dickinson Effertz Farrell Gulgowski Hodkiewicz Jakubowski Kertzmann Lebsack McGlynn"
    " Nienow O'Conner Pfannerstill Quitzon Runolfsdottir Schamberger Turcotte Ullrich Vandervort Wintheiser Yundt"
).split()
GIVEN = (
    "Aaron Beatriz Chung Dolores Emil Françoise Gregorio Hilde Ines José Kimberly Léon Mirta Noël Ophelia Petra".split()
)
CLASSES = ("inpatient", "emergency", "urgentcare", "ambulatory", "outpatient", "wellness", "observation")
REASONS = (
    ("59621000", "Essential hypertension (disorder)"), ("44054006", "Diabetes mellitus type 2 (disorder)"),
    ("195662009", "Acute viral pharyngitis (disorder)"), ("10509002", "Acute bronchitis (disorder)"),
    ("72892002", "Normal pregnancy (finding)"), ("65363002", "Otitis media & effusion (disorder)"),
    ("230690007", "Cerebrovascular accident (disorder)"), ("22298006", "Myocardial infarction (disorder)"),
    ("185347001", "Encounter for problem (procedure)"), ("410429000", "Cardiac arrest <5 min (disorder)"),
)  # fmt: skip
PAYERS = ("Medicare", "Medicaid", "Humana", "Blue Cross & Shield", "UnitedHealthcare", "Aetna", "NO_INSURANCE")
SPECIALTIES = ("GENERAL PRACTICE", "INTERNAL MEDICINE", "CARDIAC ELECTROPHYSIOLOGY", "NURSE PRACTITIONER", "SURGERY")
NOTES = (
    "Resting comfortably, pain controlled, no new complaints; vital signs within the limits ordered by the physician.",
    "Seen by the team in the round; medication as charted, fluids continued, next laboratory tests ordered for the morning.",
    "Family informed and present during the visit; questions answered, the plan of care explained and agreed upon.",
    "Mobilised with assistance and out of bed for an hour; diet tolerated, wound dry and clean, dressing renewed.",
)
OFFSETS = ((0, "Z"), (0, "Z"), (0, ":"), (120, ":"), (-300, ":"), (-210, ":"))
TIMES = [f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}" for second in range(clock.DAY)]
VERSION_SECONDS = 6_121  # between two versions of a stay: a prime, so that its times differ in every digit


@dataclass(slots=True)
class Stay:
    """An encounter: what all its versions share, as values and as text; `version` is the last one that was told."""

    number: str
    mrn: str
    admitted: int  # seconds
    charges: int  # cents
    first: tuple  # values up to `sex`
    middle: tuple  # values from `reason_code` to `payer`
    place: tuple[str, str, str]  # class, unit, bed
    header: str
    body: str
    readmission: bool
    version: int = 0


def begin(region: str, facility: str, serial: int, draw: random.Random) -> Stay:
    """The stay number `serial` of a facility."""
    number, mrn, mix = f"{facility}-E{serial:08d}", f"{facility}-{serial % 50_021:08d}", draw.getrandbits(60)
    name = f"{FAMILIES[mix % 23]}{mix % 1000}, {GIVEN[mix % 16]}"
    birth, sex = mix % 30_000 - 15_000, "FMX"[mix % 41 % 3]
    admitted = clock.steady(clock.START - clock.DAY - mix % (90 * clock.DAY))
    code, reason = REASONS[mix % 10]
    payer, attending = PAYERS[mix % 7], f"{GIVEN[mix % 13]} {FAMILIES[mix % 19]}"
    npi = f"1{mix % 999_999_937:09d}"
    place = CLASSES[mix % 11 % 7], UNITS[mix % 17 % 8], f"{mix % 400:03d}A"
    readmission = mix % 10 == 0
    return Stay(
        number, mrn, admitted, mix % 4_000_000 + 5_000,
        (facility, number, region, mrn, name, birth, sex),
        (code, reason, npi, attending, None if payer == "NO_INSURANCE" else payer),
        place,
        f"""  <Facility id="{facility}"><Name>{facility} General Hospital</Name><Phone>555-01{mix % 10}</Phone></Facility>
  <Patient mrn="{mrn}">
    <Name>{name}</Name>
    <BirthDate>{clock.day_text(birth)}</BirthDate>
    <Sex>{sex}</Sex>
    <Contact><Address use="home">{mix % 9_000} {FAMILIES[mix % 11]} Street Suite {mix % 90}</Address><Phone>555-{mix % 9_999_991:07d}</Phone></Contact>
    <MaritalStatus code="M"/>
  </Patient>
""",
        f"""  <Class>{place[0]}</Class>
  <Location><Unit>{escape(place[1])}</Unit><Floor>{mix % 9}</Floor><Bed>{place[2]}</Bed></Location>
  <Reason code="{code}">{escape(reason)}</Reason>
  <Attending npi="{npi}"><Specialty>{SPECIALTIES[mix % 5]}</Specialty><Name>{attending}</Name></Attending>
  <CareTeam><Member role="nurse"><Name>Team {mix % 10}</Name></Member></CareTeam>
  <Payer>{escape(payer)}</Payer>
  <Readmission>{"true" if readmission else "false"}</Readmission>
  <AdmittedAt>{clock.eastern_text(admitted)}</AdmittedAt>
""",
        readmission,
    )  # fmt: skip


def tell(stay: Stay, version: int, phase: str, sender: str, extract: int, draw: random.Random) -> Told:
    """A version of a stay, as the facility `sender` tells it in a zip extracted at `extract` (seconds).

    Charges and times follow from stay and version; the phase may differ between two tellings of one version.
    """
    status = STATUS[phase]
    marks = f"{draw.getrandbits(640):0160x}"
    updated = (stay.admitted + version * VERSION_SECONDS) * clock.SECOND + (stay.charges * version) % clock.SECOND
    charges, (minutes, sign) = stay.charges + 1_237 * version, OFFSETS[stay.charges % 6]
    left, discharged = None, ""
    if status == "discharged":
        left = clock.steady(stay.admitted + (5 + version * 3) * clock.HOUR + 1_799)
        left = max(left, stay.admitted + clock.HOUR)
        discharged = f"  <DischargedAt>{clock.eastern_text(left)}</DischargedAt>\n"
    text = f"""<Encounter id="{stay.number}" schemaVersion="2.4">
  <Header>
    <MessageId>{marks[:32]}</MessageId>
    <Sender software="CareBridge" version="7.2.{version % 10}"><Status>final</Status></Sender>
  </Header>
{stay.header}  <Status>{status}</Status>
{stay.body}{discharged}  <UpdatedAt>{_moment(updated, minutes, sign)}</UpdatedAt>
  <Timeline>
    <Event code="triage" by="{marks[32:56]}"/>
    <Event code="review" by="{marks[56:80]}"/>
  </Timeline>
  <Charges currency="USD">{charges // 100}.{charges % 100:02d}</Charges>
  <VitalSigns>
  </VitalSigns>
  <History><Encounter id="{stay.number[:8]}{marks[80:88]}"><Status>discharged</Status></Encounter></History>
  <Handover shift="night">{NOTES[stay.charges % 4]} {NOTES[version % 4]} {NOTES[stay.charges % 3]}</Handover>
  <Consent signed="true"><Digest algorithm="sha1">{marks[88:128]}</Digest></Consent>
  <Routing priority="routine"><Hop name="edge-{version % 10}">{marks[128:]}</Hop></Routing>
</Encounter>
"""
    hours = (left - stay.admitted) // clock.HOUR if left else None
    values = (
        *stay.first, status, *stay.place, stay.admitted * clock.SECOND, left * clock.SECOND if left else None, updated,
        *stay.middle, charges, "USD", stay.readmission, hours, sender, extract * clock.SECOND,
    )  # fmt: skip
    return Told(text.encode(), updated, values)


def spoil(told: Told, draw: random.Random) -> Told:
    """A document that is cut in half, or that has a value that is none."""
    data = told.data
    return draw.choice(
        (
            replace(told, data=data[: len(data) // 2], rule="member.xml", malformed=True),
            replace(told, data=data.replace(b'"USD">', b'"USD">1,', 1), rule="type.total_charges"),
            replace(told, data=data.replace(b"  <Status>", b"  <Status>un", 1), rule="check.known_status"),
        )
    )


def _moment(micros: int, offset_minutes: int, sign: str) -> str:
    seconds, fraction = divmod(micros, clock.SECOND)
    day, rest = divmod(seconds + offset_minutes * 60, clock.DAY)
    return f"{clock.day_text(day)}T{TIMES[rest]}.{fraction:06d}{_offset(offset_minutes, sign)}"


@cache
def _offset(minutes: int, sign: str) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return "Z" if sign == "Z" else f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"
