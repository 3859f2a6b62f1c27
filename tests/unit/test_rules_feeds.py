"""What `check_feed` refuses about a feed's intake, member rules and checks."""

from dataclasses import replace
from pathlib import Path

import pytest

from spark_jobs.rules.model import Check, Limits, Member
from spark_jobs.rules.regexes import check_regex
from spark_jobs.rules.validate import check_feed
from spark_jobs.rules.yaml_files import load
from tests.unit.rules_samples import CHILD, FEED, MEMBER, TARGET, VITAL, XML, problems, with_member

METADATA = Path(__file__).parents[2] / "metadata_tables"
TWO = replace(FEED, members=(XML, CHILD))
IGNORED = Member("litter", position=3, action="ignore", pattern="*.md")


def test_the_samples_are_valid():
    assert problems(FEED) == ""
    assert problems(replace(TWO, members=(XML, CHILD, IGNORED))) == ""


def test_the_committed_feeds_are_valid_beside_each_other():
    rules = load(METADATA)
    for feed in rules.feeds.values():
        assert check_feed(feed, rules.targets, rules.feeds.values()) == []


@pytest.mark.parametrize("name", ["Visits", "1st", "a-b", "", "x" * 64, "_visits", "select"])
def test_a_feed_name_that_is_no_plain_identifier_is_refused(name):
    assert "the name" in problems(replace(FEED, feed=name))


@pytest.mark.parametrize("folder", ["", "a/b", "..", ".", "Visits", "a b", "/abs"])
def test_a_landing_folder_that_is_not_one_plain_path_part_is_refused(folder):
    assert "is not one folder" in problems(replace(FEED, landing_folder=folder))


@pytest.mark.parametrize("pattern", ["(", "", "x" * 501, "[z-a]", "(?P<a>x)(?P<a>y)"])
def test_a_name_pattern_that_does_not_compile_or_is_too_long_is_refused(pattern):
    assert "name_pattern: it" in problems(replace(FEED, name_pattern=pattern))


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|b)*c", r"(\w+\s?)*", "(?:(?:a?){3}b){2,}", "((a*)b)*", r"(.*,){9}"])
def test_a_repetition_within_a_repetition_is_refused(pattern):
    assert "a repetition within a repetition" in problems(replace(FEED, name_pattern=pattern))


@pytest.mark.parametrize(
    "pattern", [r"(\d{4})+", r"(?:_\d+)?x", r"[a-z+*]+_\(\d+\)\.zip", r"(?i)a[]+]+(b|c)?", r"\d{2,4}_\d+"]
)
def test_a_repetition_of_plain_things_is_allowed(pattern):
    assert check_regex(pattern) == []


def test_more_wide_repetitions_than_a_name_needs_are_refused():
    assert "wide repetitions" in problems(replace(FEED, name_pattern=".*a.*b.*c.*d.*e"))


def test_an_extract_part_that_the_name_pattern_lacks_is_refused():
    assert "no part for extract_part: write (?P<when>...)" in problems(replace(FEED, extract_part="when"))
    assert problems(replace(FEED, extract_part="at", extract_format="%Y%m%d%H%M%S", extract_zone="UTC")) == ""


def test_an_extract_format_or_zone_without_a_part_is_refused():
    assert "need extract_part" in problems(replace(FEED, extract_format="%Y%m%d"))


def test_an_extract_format_or_zone_that_is_wrong_is_refused():
    assert "extract_format: the pattern %Y%m lacks %d" in problems(
        replace(FEED, extract_part="at", extract_format="%Y%m")
    )
    assert "extract_zone: there is no time zone" in problems(replace(FEED, extract_part="at", extract_zone="New York"))


@pytest.mark.parametrize("name", ["max_members", "max_member_bytes", "max_zip_bytes", "max_ratio"])
def test_a_limit_that_is_not_positive_is_refused(name):
    assert f"{name} is 0, it must be 1 or more" in problems(replace(FEED, limits=Limits(**{name: 0})))


@pytest.mark.parametrize("name", ["revision", "batch_zips", "batch_bytes"])
def test_a_count_that_is_not_positive_is_refused(name):
    assert f"{name} is -1, it must be 1 or more" in problems(replace(FEED, **{name: -1}))


def test_a_feed_that_reads_nothing_is_refused():
    assert "no member rule that reads" in problems(replace(FEED, members=(IGNORED,)))


def test_member_rules_that_share_a_name_or_position_are_refused():
    said = problems(replace(FEED, members=(MEMBER, replace(MEMBER, pattern="*.txt"))))
    assert "member rule visit is there twice" in said
    assert "two member rules have position 1" in said


@pytest.mark.parametrize(("early", "late"), [("*", "*.csv"), ("*.csv", "VIS*.CSV"), ("a?.csv", "a?.csv")])
def test_a_member_rule_that_never_gets_a_member_is_refused(early, late):
    first, second = replace(IGNORED, pattern=early, position=0), replace(MEMBER, pattern=late)
    assert "visit never gets a member: litter" in problems(replace(FEED, members=(first, second)))


@pytest.mark.parametrize(("early", "late"), [("?.csv", "*.csv"), ("VIS*.csv", "*.csv"), ("[ab].csv", "*.csv")])
def test_a_member_rule_that_gets_some_members_is_allowed(early, late):
    first, second = replace(IGNORED, pattern=early, position=0), replace(MEMBER, pattern=late)
    assert problems(replace(FEED, members=(first, second))) == ""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pattern": None}, "no pattern that says which"),
        ({"target": None}, "names no target table"),
        ({"target": "other"}, "no revision of target table other is in force"),
        ({"format": None}, "it has no format"),
        ({"columns": ()}, "but has no columns"),
        ({"encoding": "utf-9"}, "the encoding 'utf-9' is not known"),
        ({"encoding": "base64"}, "the encoding 'base64' is not known"),
        ({"encoding": "idna"}, "the encoding 'idna' is not known"),
        ({"delimiter": "||"}, "its delimiter '||' is not one character"),
        ({"delimiter": ""}, "its delimiter '' is not one character"),
        ({"delimiter": "\\t"}, "for a tab write chr(9)"),
        ({"delimiter": "\u00a7"}, "is not ASCII"),
        ({"delimiter": "\n"}, "is not one character"),
        ({"quote": "''"}, "its quote"),
        ({"escape": "ab"}, "its escape 'ab' is not one character"),
        ({"delimiter": '"'}, "is its quote or escape too"),
        ({"record_path": "/Visit"}, "record_path and namespaces are for XML"),
        ({"member": "Visit"}, "the name 'Visit' is not"),
    ],
)
def test_a_member_rule_without_what_its_reader_needs_is_refused(changes, says):
    assert says in problems(with_member(**changes))


@pytest.mark.parametrize("name", ["target", "format", "columns"])
def test_a_rule_that_ignores_members_and_says_how_to_read_them_is_refused(name):
    both = replace(IGNORED, **{name: getattr(MEMBER, name)})
    assert f"it needs no {name}" in problems(replace(FEED, members=(MEMBER, both)))


def test_a_rule_that_ignores_members_without_a_pattern_is_refused():
    assert "no pattern that says which" in problems(replace(FEED, members=(MEMBER, replace(IGNORED, pattern=None))))


@pytest.mark.parametrize("path", [None, "Visit", "//Visit", "/Visit[1]", "/Visit/@id", "/", "/a//b"])
def test_a_record_path_that_is_not_a_way_from_the_root_is_refused(path):
    assert "record_path is" in problems(with_member(TWO, record_path=path))


def test_a_record_path_with_a_prefix_that_is_not_declared_is_refused():
    assert "prefix v in /v:Visit is not declared" in problems(with_member(TWO, record_path="/v:Visit"))


@pytest.mark.parametrize("path", ["/Visit[@kind='x']", "/Visits[Unit='x']/Visit", "/Visits/Visit[a/@b='x']"])
def test_a_predicate_in_the_record_path_from_the_root_is_refused_with_the_way_out(path):
    said = problems(with_member(TWO, record_path=path))
    assert "documents are read as streams" in said
    assert "a child rule, whose record_path may have predicates" in said


def child(**changes):
    return replace(FEED, members=(XML, replace(CHILD, **changes)))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"parent": "nobody"}, "there is no member rule nobody to be its parent"),
        ({"pattern": "*.xml"}, "both a parent and a pattern"),
        ({"format": "csv"}, "its format is xml, not csv"),
        ({"record_path": "/Visit/Vital"}, "write the way from the parent's record"),
        ({"record_path": None}, "write the way from the parent's record"),
    ],
)
def test_a_child_that_cannot_be_found_in_its_parent_is_refused(changes, says):
    assert says in problems(child(**changes))


def test_a_child_may_choose_by_predicates_and_use_the_prefixes_of_its_parent():
    assert problems(child(record_path="Vitals[@kind='x']/Vital[Unit/@code='y']")) == ""
    assert "prefix h in h:Vital is not declared" in problems(child(record_path="h:Vital"))
    parent = replace(XML, namespaces={"h": "urn:h"})
    assert problems(replace(FEED, members=(parent, replace(CHILD, record_path="h:Vital")))) == ""


def test_a_child_of_a_rule_that_reads_no_xml_is_refused():
    assert "does not read XML" in problems(replace(FEED, members=(MEMBER, CHILD)))


def test_a_child_of_a_child_is_refused():
    grandchild = replace(CHILD, member="sample", parent="vital", position=3)
    assert "is a child itself" in problems(replace(FEED, members=(XML, CHILD, grandchild)))


def check(**changes):
    return replace(FEED, checks=(replace(Check("known", "visit", "state = 'x'"), **changes),))


def test_a_check_is_a_condition_over_the_columns_of_its_member_rule():
    assert problems(check()) == ""
    assert "no column vital" in problems(check(expression="vital > 1"))
    assert "must be a condition" in problems(check(expression="upper(state)"))
    assert "reflect is not allowed" in problems(check(expression="reflect('a', 'b') = 'x'"))


def test_a_check_of_a_member_rule_that_is_not_there_or_ignores_is_refused():
    assert "there is no member rule other that reads" in problems(check(member="other"))
    ignoring = replace(check(member="litter"), members=(MEMBER, IGNORED))
    assert "there is no member rule litter that reads" in problems(ignoring)


def test_checks_that_share_a_name_are_refused():
    assert "check known is there twice" in problems(replace(FEED, checks=check().checks * 2))


def test_a_finding_says_feed_revision_member_and_column():
    said = problems(child(columns=(replace(CHILD.columns[0], type="text"), CHILD.columns[1])), TARGET, VITAL)
    assert said.startswith("feed visits, revision 1, member vital, column visit_id: the type text is not known")
