from pathlib import Path

import pytest

from spark_jobs.errors import RuleError
from spark_jobs.rules.model import Feed, Report, TargetTable
from spark_jobs.rules.yaml_files import load, load_file, parse, to_yaml
from tests.unit.rules_samples import FEED

METADATA = Path(__file__).parents[2] / "metadata_tables"

TARGET = """
target: visit
revision: 1
record_key: [visit_id]
"""
VISITS = """
feed: visits
revision: 1
landing_folder: visits
name_pattern: 'V_(?P<at>\\d+)\\.zip'
extract_time: {part: at, format: '%Y%m%d'}
limits: {max_ratio: 50}
members:
  - {member: notes, action: ignore, pattern: '*.md'}
  - member: visit
    pattern: '*.csv'
    format: csv
    quote: null
    target: visit
    columns:
      - {name: visit_id, source: VISIT, required: true, null_tokens: ['-']}
"""


def refusal(text):
    with pytest.raises(RuleError) as refused:
        parse(text, "visits.yaml")
    return str(refused.value)


def test_the_committed_rules_are_read_and_written_back_the_same():
    rules = load(METADATA)
    assert {"encounters", "patients"} <= set(rules.feeds)
    assert {"encounter", "patient"} <= set(rules.targets)
    assert {"admissions", "bed_availability", "compliance", "health_metrics", "ingest_quality"} == set(rules.reports)
    for item in rules:
        assert parse(to_yaml(item)) == item


def test_what_a_file_describes_follows_from_its_first_key():
    assert isinstance(parse(VISITS), Feed)
    assert isinstance(parse(TARGET), TargetTable)
    assert isinstance(parse("report: r\nrevision: 1\ntitle: T\nsql: SELECT 1\n"), Report)


def test_a_feed_is_read_with_its_nested_parts():
    feed = parse(VISITS)
    assert (feed.extract_part, feed.extract_format, feed.extract_zone) == ("at", "%Y%m%d", None)
    assert feed.limits.max_ratio == 50
    assert [member.position for member in feed.members] == [1, 2]
    assert feed.members[1].quote is None
    assert feed.members[1].columns[0].null_tokens == ("-",)


def test_member_rules_are_put_in_order_of_their_position():
    feed = parse(VISITS.replace("member: notes,", "member: notes, position: 9,"))
    assert [(member.member, member.position) for member in feed.members] == [("visit", 2), ("notes", 9)]
    assert parse(to_yaml(feed)) == feed


def test_a_column_is_written_on_one_line_and_without_defaults():
    assert "      - {name: visit_id, source: VISIT, required: true, phi: identifier}" in to_yaml(FEED).splitlines()


def test_a_folder_is_read_with_those_below_and_target_tables_first(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "visits.yaml").write_text(VISITS)
    (tmp_path / "visit.yaml").write_text(TARGET)
    assert [type(item) for item in load(tmp_path)] == [TargetTable, Feed]
    assert load(tmp_path / "visit.yaml").targets["visit"] == load_file(tmp_path / "visit.yaml")


def test_two_files_for_one_name_are_refused(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(TARGET)
    with pytest.raises(RuleError, match=r"b\.yaml: visit is described by another file too"):
        load(tmp_path)


def test_a_path_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RuleError, match="there is no such file or folder"):
        load(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("landing_folder:", "landing_foldr:", "landing_foldr: unknown key; did you mean landing_folder?"),
        ("landing_folder: visits\n", "", "landing_folder: missing, it is required"),
        ("revision: 1", "revision: one", "revision: expected integer, found 'one'"),
        ("revision: 1", "revision: 0", "revision: expected 1 or more, found 0"),
        ("format: csv", "format: json", "members[1].format: expected one of xml, csv, delimited, fixed, null"),
        ("required: true", "required: 'yes'", "members[1].columns[0].required: expected boolean, found 'yes'"),
        ("required: true", "defalt: x", "members[1].columns[0].defalt: unknown key; did you mean default?"),
        ("required: true", "default: 1", "members[1].columns[0].default: expected string or null, found 1; put quotes"),
        (
            "null_tokens: ['-']",
            "null_tokens: [no]",
            "columns[0].null_tokens[0]: expected string, found False; put quotes",
        ),
        ("null_tokens: ['-']", "type: text", "members[1].columns[0].type: expected text like"),
        ("max_ratio: 50", "max_ratio: 0", "limits.max_ratio: expected 1 or more, found 0"),
        ("{part: at, ", "{", "extract_time.part: missing"),
        ("feed: visits", "feed: Visits", "feed: expected text like"),
    ],
)
def test_a_misfit_is_refused_by_file_place_and_way_to_mend_it(old, new, says):
    said = refusal(VISITS.replace(old, new, 1))
    assert said.startswith("visits.yaml: ")
    assert says in said
    assert "feed.schema.json" in said


def test_a_feed_without_member_rules_is_refused():
    assert "members: expected 1 or more items" in refusal(VISITS[: VISITS.index("members:")] + "members: []\n")


def test_several_misfits_are_said_at_once():
    said = refusal(VISITS.replace("revision: 1", "revision: x").replace("format: csv", "format: json"))
    assert "revision: " in said
    assert "members[1].format: " in said


def test_a_key_given_twice_is_refused():
    assert "key revision is given twice" in refusal(TARGET + "revision: 2\n")


@pytest.mark.parametrize("text", ["", "- a\n", "visits\n", "name: visits\n"])
def test_a_text_that_describes_no_rule_is_refused(text):
    assert "expected a mapping with one of the keys feed, target, report" in refusal(text)


@pytest.mark.parametrize("text", ["feed: [", "feed: !!python/object/apply:os.system ['true']\n"])
def test_a_text_that_is_no_plain_yaml_is_refused(text):
    assert "this is no YAML" in refusal(text)
