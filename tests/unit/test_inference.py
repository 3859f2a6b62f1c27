"""Rules proposed from samples: they read their own sample, and hold nothing of its data."""

import io
import zipfile
from pathlib import Path

import pytest

from spark_jobs.errors import LakeError
from spark_jobs.formats import Rows, read_zip, type_columns
from spark_jobs.inference import feed_yaml, propose, target_yaml
from spark_jobs.inference.names import snake, zip_names
from spark_jobs.rules.validate import check_feed
from spark_jobs.rules.yaml_files import load_file, parse
from tests.simulator.clock import SECOND, START
from tests.simulator.delivery import Delivery
from tests.simulator.feed import World
from tests.simulator.people import Care
from tests.simulator.simulate import FEEDS
from tests.simulator.stories import Message
from tests.simulator.truth import Truth
from tests.simulator.zipper import build_zip
from tests.unit.test_clinical_documents import DOCUMENTS

RULES = Path(__file__).parents[2] / "metadata_tables"
COUNTS = {"encounters": 60, "patients": 150, "bed_census": 200, "lab_results": 120, "claims": 150}
PHASES = ("new", "change", "close")
NUMBERS = {"int", "long", "double", "decimal"}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Two zips of each feed in which nothing is odd or wrong."""
    world = World(7, Care(None), Truth())
    folder = tmp_path_factory.mktemp("samples")
    found = {}
    for kind in FEEDS:
        feed = kind(world)
        feed.plain = True
        found[feed.name] = [_deliver(feed, folder, facility, n) for n, facility in enumerate(("NE0001", "SW0002"), 1)]
    return found


def _deliver(feed, folder, facility, number):
    name = f"{feed.prefix}_{facility}_2026021012{number:02d}00_{number:06d}.zip"
    delivery = Delivery(feed.name, feed.name, name, 1, START, facility)
    messages = [
        Message(feed.new_thing(facility), (START + n) * SECOND, PHASES[n % 3]) for n in range(COUNTS[feed.name])
    ]
    path = folder / feed.name / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(build_zip([member.entry for member in feed.tell(delivery, messages)]))
    return path


def read_back(proposal, paths):
    """(rows, those refused, members refused) of zips by proposed rules."""
    rows = refused = members = 0
    for path in paths:
        for item in read_zip(path.read_bytes(), proposal.feed, {}):
            if isinstance(item, Rows):
                rule = next(m for m in proposal.feed.readers if m.member == item.rule)
                typed = type_columns(item.table, rule.columns)
                rows += len(typed)
                refused += len(typed) - typed.column("_failures").null_count
            else:
                members += len(item.quarantined)
    return rows, refused, members


def zip_file(folder, name, **members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, text in members.items():
            archive.writestr(member.replace("__", "."), text)
    path = folder / name
    path.write_bytes(buffer.getvalue())
    return path


def columns_of(proposal, member):
    rule = next(m for m in proposal.feed.readers if m.member == member)
    return {column.name: column for column in rule.columns}


@pytest.mark.parametrize("name", COUNTS)
def test_a_proposal_reads_its_own_sample_and_passes_the_check(samples, name):
    proposal = propose(samples[name], name)
    rows, refused, members = read_back(proposal, samples[name])
    assert rows
    assert (refused, members, sum(proposal.refused.values())) == (0, 0, 0)
    assert [finding for finding in proposal.findings if finding.fatal] == []
    assert parse(feed_yaml(proposal)) == proposal.feed
    for target in proposal.targets:
        assert parse(target_yaml(proposal, target)) == proposal.targets[target]


@pytest.mark.parametrize("name", [name for name in COUNTS if name != "lab_results"])
def test_a_proposal_finds_the_true_types(samples, name):
    """By source. A whole number may be an int where the rules say long, and a date or code a text where all look so."""
    true_feed = load_file(RULES / "feeds" / f"{name}.yaml")
    proposal = propose(samples[name], name)
    proposed = {(m.parent is not None, c.source): c for m in proposal.feed.readers for c in m.columns}
    compared = 0
    for member in true_feed.readers:
        for column in member.columns:
            own = proposed.get((member.parent is not None, column.source))
            if own is None or (column.source or "").startswith("$"):
                continue
            compared += 1
            if column.type.split("(")[0] in NUMBERS:
                assert own.type.split("(")[0] in NUMBERS, column.name
            elif "no sample holds a value" not in proposal.comments.get((member.member, own.name), ""):
                seen_empty = any("no sample" in text for (_, c), text in proposal.comments.items() if c == own.name)
                assert own.type == column.type or seen_empty or column.type == "boolean", column.name
            if own.type in ("date", "timestamp"):
                assert own.format == (column.format or {"date": None}.get(own.type, own.format))
            if column.phi in ("identifier", "quasi") and not own.name.startswith("column_"):
                assert own.phi != "none", column.name
    assert compared >= 7


@pytest.mark.parametrize(
    ("name", "target", "key"),
    [
        ("encounters", "encounter", ("encounter_id",)),
        ("encounters", "vital_sign", ("encounter_id", "no")),
        ("patients", "patient", ("patient_id",)),
        ("claims", "claim", ("claim_id", "line_no")),
    ],
)
def test_a_proposal_finds_the_true_key(samples, name, target, key):
    assert propose(samples[name], name).targets[target].record_key in (key, key[:1])


def test_the_order_of_versions_and_the_extract_time_are_found(samples):
    proposal = propose(samples["encounters"], "encounters")
    assert proposal.targets["encounter"].order_by == proposal.targets["vital_sign"].order_by == "updated_at"
    assert (proposal.feed.extract_part, proposal.feed.extract_format) == ("extracted", "%Y%m%d%H%M%S")
    assert proposal.feed.name_pattern == r"ENC_(?P<part_1>[A-Z]{2}\d{4})_(?P<extracted>\d{14})_(?P<part_2>\d{6})\.zip"
    claims = propose(samples["claims"], "claims").feed.readers[0]
    assert (claims.delimiter, claims.format) == (";", "csv")
    beds = propose(samples["bed_census"], "bed_census").feed.readers[0]
    assert (beds.delimiter, beds.header) == ("|", False)


@pytest.mark.parametrize("name", COUNTS)
def test_a_proposal_holds_no_value_of_the_data(samples, name):
    proposal = propose(samples[name], name)
    said = " ".join([feed_yaml(proposal), *(target_yaml(proposal, t) for t in proposal.targets)]).lower()
    for path in samples[name]:
        for item in read_zip(path.read_bytes(), proposal.feed, {}):
            if isinstance(item, Rows):
                rule = next(m for m in proposal.feed.readers if m.member == item.rule)
                for column in rule.columns:
                    if column.phi != "none" and column.source:
                        values = {v for v in item.table.column(column.name).to_pylist() if v and len(v) > 5}
                        assert not [value for value in values if value.lower() in said], column.name


def test_namespaced_xml_with_a_list_of_records(tmp_path):
    record = '<v:Visit no="{n}"><v:At>2026-03-0{n}T10:00:00Z</v:At><x:Ward>w{n}</x:Ward>{kids}</v:Visit>'
    kids = '<v:Dose seq="1"><v:Mg>1.50</v:Mg></v:Dose><v:Dose seq="2"><v:Mg>2.25</v:Mg></v:Dose>'
    text = '<v:Visits xmlns:v="urn:v" xmlns:x="urn:x">' + "".join(record.format(n=n, kids=kids) for n in range(1, 9))
    path = zip_file(tmp_path, "VIS_20260301.zip", a__xml=text + "</v:Visits>")
    proposal = propose([path], "visits")
    visit, dose = proposal.feed.readers
    assert (visit.record_path, visit.namespaces) == ("/v:Visits/v:Visit", {"v": "urn:v", "x": "urn:x"})
    assert (dose.parent, dose.record_path) == ("visit", "v:Dose")
    assert {c.source for c in visit.columns} == {"@no", "v:At", "x:Ward"}
    assert columns_of(proposal, "dose")["mg"].type == "decimal(18,2)"
    assert proposal.targets["dose"].record_key[-1] == "seq"
    assert read_back(proposal, [path]) == (24, 0, 0)


def test_the_id_of_a_clinical_document_is_its_key(tmp_path):
    path = tmp_path / "CCDA_MA0001_20261101100000_1.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in DOCUMENTS.items():
            archive.writestr(name, body)
    proposal = propose([path], "documents")
    assert proposal.targets["clinical_document"].record_key == ("id_extension",)


def test_namespaced_xml_with_a_default_namespace(tmp_path):
    text = '<Visit xmlns="urn:d"><Id>{n}</Id><Name>x</Name></Visit>'
    members = {f"m{n}__xml": text.format(n=n) for n in range(5)}
    path = zip_file(tmp_path, "v.zip", **members)
    proposal = propose([path], "visits")
    assert proposal.feed.readers[0].record_path == "/n:Visit"
    assert read_back(proposal, [path]) == (5, 0, 0)


def test_fixed_width_columns_are_parted_where_blanks_end(tmp_path):
    lines = [f"{n:06d} {name:<12}{n * 7:>5} 202603{n:02d}" for n, name in enumerate(("ann", "berthold", "cy"), 1)] * 4
    path = zip_file(tmp_path, "f.zip", f__txt="\n".join(lines) + "\n")
    proposal = propose([path], "fixed")
    (rule,) = proposal.feed.readers
    assert rule.format == "fixed"
    assert rule.columns[0].source == "1-7"
    assert rule.columns[-1].source == "26-33"
    assert rule.columns[-1].type == "date"
    assert rule.columns[0].type == "string"  # a zero in front
    assert read_back(proposal, [path]) == (12, 0, 0)


def test_two_kinds_of_csv_in_a_zip_are_told_apart_by_name(tmp_path):
    people = "person_id,born\n" + "".join(f"{n},1990-01-{n:02d}\n" for n in range(1, 20))
    visits = "visit_id;ward;at\n" + "".join(f"V{n};W;2026-01-01 10:{n:02d}:00\n" for n in range(1, 20))
    path = zip_file(tmp_path, "both.zip", people_1__csv=people, visits_1__csv=visits)
    proposal = propose([path], "both")
    assert {m.pattern for m in proposal.feed.readers} == {"people*.csv", "visits*.csv"}
    assert read_back(proposal, [path]) == (38, 0, 0)


def test_text_without_header_is_never_taken_for_one(tmp_path):
    rows = "".join(f"Smith{chr(97 + n)},Anna,Boston\n" for n in range(20))
    proposal = propose([zip_file(tmp_path, "n.zip", n__csv=rows)], "people")
    assert "Smith" not in feed_yaml(proposal)
    assert proposal.feed.readers[0].header is False


def test_tokens_dates_and_codes_have_the_types_that_are_safe(tmp_path):
    rows = "zip,flag,day,amount,score,mixed\n" + "".join(
        f"0{n:04d},{'Y' if n % 2 else 'N'},{n % 12 + 1:02d}/{n % 12 + 1:02d}/2026,{n}.50,{'-' if n == 3 else n},{n}x\n"
        for n in range(1, 60)
    )
    proposal = propose([zip_file(tmp_path, "n.zip", n__csv=rows)], "rows")
    columns = columns_of(proposal, "row")
    assert columns["zip"].type == "string"
    assert (columns["flag"].type, columns["flag"].format) == ("boolean", "Y/N")
    assert (columns["day"].type, columns["day"].format) == ("date", "%m/%d/%Y")
    assert "month or day first" in proposal.comments["row", "day"]
    assert columns["amount"].type == "decimal(18,2)"
    assert (columns["score"].type, columns["score"].null_tokens, columns["score"].required) == ("int", ("-",), False)
    assert columns["mixed"].type == "string"


def test_samples_without_data_are_refused_with_a_reason(tmp_path):
    with pytest.raises(LakeError, match="no sample holds a member"):
        propose([zip_file(tmp_path, "n.zip", readme__md="hello")], "x")
    broken = tmp_path / "b.zip"
    broken.write_bytes(b"no zip")
    with pytest.raises(LakeError, match="zip 1 was left out"):
        propose([broken], "x")


def test_names_of_zips():
    one = zip_names(["smithson_2026-03-01.zip"], "visits")
    assert "smithson" not in one.pattern
    assert one.extract_format == "%Y-%m-%d"
    two = zip_names(["visits_A1.zip", "visits_B22.zip"], "visits")
    assert two.pattern == r"visits_(?P<part_1>[A-Za-z0-9]+)\.zip"
    assert not zip_names(["a_b.zip", "c.zip"], "x").is_certain


def test_names_are_snake_case():
    assert [snake(text) for text in ("PatientID", "dateOfBirth", "Zip Code", "HTTPServer")] == [
        "patient_id", "date_of_birth", "zip_code", "http_server",
    ]  # fmt: skip


def test_check_feed_is_what_the_findings_are_of(samples):
    proposal = propose(samples["patients"], "patients")
    assert proposal.findings == check_feed(proposal.feed, proposal.targets)
