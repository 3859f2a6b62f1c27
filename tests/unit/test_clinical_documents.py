"""Real C-CDA documents by the sample feed, held row by row against a plain reading that knows no rules."""

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from spark_jobs.formats import Rows, arrow_schema, read_zip, type_columns
from spark_jobs.rules.validate import check_feed, check_target
from spark_jobs.rules.yaml_files import load
from tests.unit.zips import zip_of

DATA = Path(__file__).parents[1] / "data"
RULES = load(DATA / "ccda")
FEED = RULES.feeds["clinical_documents"]
DOCUMENTS = {
    path.name.removesuffix(".gz"): gzip.decompress(path.read_bytes())
    for path in sorted((DATA / "synthea" / "ccda").glob("*.xml.gz"))
}
CONSTANTS = {"$name.facility": "MA0001", "$extract_time": "2026-11-23T10:00:00+00:00"}
V3 = "{urn:hl7-org:v3}"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


@pytest.fixture(scope="module")
def rows():
    """Typed rows by member rule, sourced columns and their place alone."""
    tables, summary = {}, None
    for item in read_zip(zip_of(*DOCUMENTS.items()), FEED, CONSTANTS):
        if isinstance(item, Rows):
            tables.setdefault(item.rule, []).append(item.table)
        else:
            summary = item
    assert (summary.members, summary.ignored, summary.quarantined) == (6, 0, ())
    return {rule: sorted(typed_rows(rule, parts), key=place) for rule, parts in tables.items()}


def typed_rows(rule, tables):
    member = next(one for one in FEED.members if one.member == rule)
    return [row for table in tables for row in type_columns(table, member.columns).to_pylist()]


def place(row):
    return row["_member_index"], row["_row"]


def test_the_sample_feed_is_valid():
    assert check_feed(FEED, RULES.targets) == []
    assert [finding for target in RULES.targets.values() for finding in check_target(target)] == []
    assert {member.target for member in FEED.members} == set(RULES.targets)


def test_the_documents_are_as_large_as_real_ones():
    assert len(DOCUMENTS) == 6
    assert all(150_000 < len(body) < 700_000 for body in DOCUMENTS.values())


@pytest.mark.parametrize("rule", [member.member for member in FEED.members])
def test_every_row_and_column_is_what_a_plain_reading_gives(rule, rows):
    expected = []
    for index, (name, body) in enumerate(DOCUMENTS.items()):
        root = ElementTree.fromstring(body)
        for number, row in enumerate(READINGS[rule](root), 1):
            where = {"_member_index": index, "_member": name, "_row": number, "_failures": None}
            expected.append(where | row | of_every_row(rule, root, name))
    assert rows[rule] == expected
    member = next(one for one in FEED.members if one.member == rule)
    assert set(expected[0]) == {*where, *arrow_schema(member.columns).names}


@pytest.mark.parametrize("rule", [member.member for member in FEED.members])
def test_no_two_rows_have_one_record_key(rule, rows):
    target = next(RULES.targets[member.target] for member in FEED.members if member.member == rule)
    keys = [tuple(row[name] for name in target.record_key) for row in rows[rule]]
    assert len(set(keys)) == len(keys)
    assert all(None not in key for key in keys)


def test_a_child_finds_rows_in_most_documents(rows):
    counts = {rule: len(found) for rule, found in rows.items()}
    assert counts == {
        "document": 6,
        "problem": 111,
        "vital_sign": 145,
        "result": 614,
        "medication": 90,
        "encounter": 185,
        "procedure": 437,
        "immunization": 29,
        "reaction": 19,
    }


# The plain reading: ElementTree, and one name after the other.


def child(element, *names):
    for name in names:
        element = element.find(V3 + name) if element is not None else None
    return element


def children(elements, *names):
    for name in names:
        elements = [below for element in elements for below in element.findall(V3 + name)]
    return elements


def attribute(element, *way):
    *names, last = way
    found = child(element, *names)
    return found.get(last) if found is not None else None


def words(element):
    return element.text.strip() or None if element is not None and element.text else None


def time(text):
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC) if text else None


def number(text):
    return float(text) if text else None


def entries(root, code, *names):
    sections = children([root], "component", "structuredBody", "component", "section")
    return children([one for one in sections if attribute(one, "code", "code") == code], "entry", *names)


def of_every_row(rule, root, name):
    its_own = {
        "document_id": attribute(root, "id", "extension"),
        "created_at": time(attribute(root, "effectiveTime", "value")),
    }
    its_own["patient_id"] = attribute(root, "recordTarget", "patientRole", "id", "extension")
    if rule != "document":
        return its_own
    extracted = datetime(2026, 11, 23, 10, tzinfo=UTC)
    return its_own | {"sending_facility": "MA0001", "extracted_at": extracted, "member_name": name}


def document(root):
    role = child(root, "recordTarget", "patientRole")
    patient = child(role, "patient")
    home = next(one for one in role.findall(V3 + "addr") if one.get("use") == "HP")
    smoking = [one for one in entries(root, "29762-2", "observation") if attribute(one, "code", "code") == "72166-2"]
    heights = [
        attribute(one, "value", "value")
        for one in entries(root, "8716-3", "organizer", "component", "observation")
        if attribute(one, "code", "code") == "8302-2"
    ]
    further = patient.find("{urn:hl7-org:sdtc}raceCode")
    yield {
        "document_type": attribute(root, "code", "code"),
        "title": words(child(root, "title")),
        "given_name": words(child(patient, "name", "given")),
        "family_name": words(child(patient, "name", "family")),
        "sex": attribute(patient, "administrativeGenderCode", "code"),
        "born_at": time(attribute(patient, "birthTime", "value")),
        "race": attribute(patient, "raceCode", "displayName"),
        "second_race": further.get("displayName") if further is not None else None,
        "street": words(child(home, "streetAddressLine")),
        "city": words(child(home, "city")),
        "zip_code": words(child(home, "postalCode")),
        "work_city": None,
        "custodian": words(child(root, "custodian", "assignedCustodian", "representedCustodianOrganization", "name")),
        "smoking_status": attribute(smoking[0], "value", "displayName") if smoking else None,
        "height_cm": Decimal(heights[0]).quantize(Decimal("0.01")) if heights else None,
    }


def problem(root):
    for act in entries(root, "11450-4", "act"):
        value = child(act, "entryRelationship", "observation", "value")
        yield {
            "entry_id": attribute(act, "id", "root"),
            "status": attribute(act, "statusCode", "code"),
            "code": value.get("code"),
            "display": value.get("displayName"),
            "onset_at": time(attribute(act, "effectiveTime", "low", "value")),
            "resolved_at": time(attribute(act, "effectiveTime", "high", "value")),
        }


def measured(section):
    def reading(root):
        for one in entries(root, section, "organizer", "component", "observation"):
            value = child(one, "value")
            is_quantity = value.get(XSI_TYPE) == "PQ"
            yield {
                "entry_id": attribute(one, "id", "root"),
                "code": attribute(one, "code", "code"),
                "display": attribute(one, "code", "displayName"),
                "value": number(value.get("value")) if is_quantity else None,
                "value_unit": value.get("unit") if is_quantity else None,
                "value_text": None if is_quantity else words(value),
                "taken_at": time(attribute(one, "effectiveTime", "value")),
            }

    return reading


def medication(root):
    for one in entries(root, "10160-0", "substanceAdministration"):
        material = child(one, "consumable", "manufacturedProduct", "manufacturedMaterial")
        yield {
            "entry_id": attribute(one, "id", "root"),
            "code": attribute(material, "code", "code"),
            "display": words(child(material, "name")),
            "status": attribute(one, "statusCode", "code"),
            "dose": number(attribute(one, "doseQuantity", "value")),
            "started_at": time(attribute(one, "effectiveTime", "low", "value")),
            "ended_at": time(attribute(one, "effectiveTime", "high", "value")),
        }


def encounter(root):
    for one in entries(root, "46240-8", "encounter"):
        yield {
            "entry_id": attribute(one, "id", "root"),
            "code": attribute(one, "code", "code"),
            "display": attribute(one, "code", "displayName"),
            "started_at": time(attribute(one, "effectiveTime", "low", "value")),
            "ended_at": time(attribute(one, "effectiveTime", "high", "value")),
        }


def procedure(root):
    for one in entries(root, "47519-4", "procedure"):
        yield {
            "entry_id": attribute(one, "id", "root"),
            "code": attribute(one, "code", "code"),
            "display": attribute(one, "code", "displayName"),
            "done_at": time(attribute(one, "effectiveTime", "value")),
        }


def immunization(root):
    for one in entries(root, "11369-6", "substanceAdministration"):
        material = child(one, "consumable", "manufacturedProduct", "manufacturedMaterial")
        yield {
            "entry_id": attribute(one, "id", "root"),
            "code": attribute(material, "code", "code"),
            "display": words(child(material, "name")),
            "is_refused": one.get("negationInd") == "true",
            "given_at": time(attribute(one, "effectiveTime", "value")),
        }


def reaction(root):
    allergies = entries(root, "48765-2", "act", "entryRelationship", "observation")
    found = [one for one in children(allergies, "entryRelationship") if one.get("typeCode") == "MFST"]
    for count, one in enumerate(children(found, "observation"), 1):
        value = child(one, "value")
        yield {"reaction_no": count, "code": value.get("code"), "display": value.get("displayName")}


READINGS = {
    "document": document,
    "problem": problem,
    "vital_sign": measured("8716-3"),
    "result": measured("30954-2"),
    "medication": medication,
    "encounter": encounter,
    "procedure": procedure,
    "immunization": immunization,
    "reaction": reaction,
}
