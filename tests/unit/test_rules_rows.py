from dataclasses import fields, replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_jobs.errors import RuleError
from spark_jobs.rules import model
from spark_jobs.rules.model import Check, Column, Feed, Limits, Member, Report, TargetTable
from spark_jobs.rules.rows import feed_from_rows, report_from_row, rows_of, target_from_row
from spark_jobs.rules.yaml_files import parse, to_yaml
from tests.unit.rules_samples import CHILD, FEED, TARGET, XML

# YAML knows no control characters but line breaks, and reads some of those as others.
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn")), max_size=12)
WORD = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
NUMBER = st.integers(1, 2**31 - 1)
# The schema allows these texts only, or not the empty one.
GIVEN = {
    "type": st.sampled_from([*model.SCALAR_TYPES, "decimal(12,2)"]),
    "quote": st.none() | st.characters(codec="ascii", categories=("P",)),
    "outputs": st.lists(st.sampled_from(["html", "csv"]), min_size=1, unique=True).map(tuple),
    "record_key": st.lists(WORD, min_size=1).map(tuple),
}
NAMES = {"feed", "member", "check", "name", "target", "report"}
HINTS = {
    "str": TEXT,
    "str | None": st.none() | TEXT,
    "int": NUMBER,
    "bool": st.booleans(),
    "tuple[str, ...]": st.lists(TEXT, max_size=3).map(tuple),
    "dict[str, str]": st.dictionaries(WORD, TEXT, max_size=2),
    "Action": st.sampled_from(get_args(model.Action)),
    "Format | None": st.none() | st.sampled_from(get_args(model.Format)),
    "Index": st.sampled_from(get_args(model.Index)),
    "Severity": st.sampled_from(get_args(model.Severity)),
    "Phi": st.sampled_from(get_args(model.Phi)),
}


def anything(cls, **known):
    """Any instance of a dataclass of the model."""
    chosen = {f.name: _cell(f) for f in fields(cls) if f.name not in known}
    return st.builds(cls, **chosen, **known)


def _cell(field):
    if field.name in GIVEN:
        return GIVEN[field.name]
    return WORD if field.name in NAMES and field.type == "str" else HINTS[str(field.type)]


COLUMNS = st.lists(anything(Column), max_size=3).map(tuple)
MEMBERS = st.lists(anything(Member, columns=COLUMNS), min_size=1, max_size=3, unique_by=lambda m: m.member).map(
    lambda members: tuple(replace(member, position=n * 2) for n, member in enumerate(members))
)
CHECKS = st.lists(anything(Check), max_size=2).map(tuple)
FEEDS = anything(Feed, members=MEMBERS, checks=CHECKS, limits=anything(Limits))


def from_rows(rows):
    return feed_from_rows(rows["feed"][0], rows["feed_member"], rows["feed_column"], rows["feed_check"])


@settings(max_examples=40, deadline=None)
@given(FEEDS)
def test_a_feed_survives_the_way_through_its_rows(feed):
    assert from_rows(rows_of(feed)) == feed


@settings(max_examples=40, deadline=None)
@given(FEEDS)
def test_rows_are_put_in_order_by_position(feed):
    assert from_rows({table: rows[::-1] for table, rows in rows_of(feed).items()}) == feed


@settings(max_examples=40, deadline=None)
@given(anything(TargetTable), anything(Report))
def test_a_target_table_and_a_report_survive_the_way_through_their_rows(target, report):
    assert target_from_row(rows_of(target)["target_table"][0]) == target
    assert report_from_row(rows_of(report)["report"][0]) == report


@settings(max_examples=30, deadline=None)
@given(FEEDS.filter(lambda feed: feed.extract_part is not None))
def test_a_feed_survives_the_way_through_yaml(feed):
    assert parse(to_yaml(feed)) == feed


@settings(max_examples=30, deadline=None)
@given(st.one_of(anything(TargetTable), anything(Report)))
def test_a_target_table_and_a_report_survive_the_way_through_yaml(item):
    assert parse(to_yaml(item)) == item


def test_null_means_the_default_of_the_model():
    member = {"feed": "f", "revision": 1, "member": "m"}
    column = {"feed": "f", "revision": 1, "member": "m", "position": 1, "name": "c"}
    counts = {"members": 1, "columns": 1, "checks": 0}
    row = {"feed": "f", "revision": 1, "landing_folder": "l", "name_pattern": "p", **counts}
    assert feed_from_rows(row, [member], [column], []) == Feed("f", 1, "l", "p", (Member("m", columns=(Column("c"),)),))
    assert target_from_row({"target": "t", "revision": 1, "record_key": ["k"]}) == TargetTable("t", 1, ("k",))


def test_empty_text_for_the_quote_means_that_fields_are_never_quoted():
    unquoted = replace(FEED, members=(replace(FEED.members[0], quote=None),))
    rows = rows_of(unquoted)
    assert rows["feed_member"][0]["quote"] == ""
    assert from_rows(rows) == unquoted


def test_a_map_may_come_as_pairs_as_arrow_gives_it():
    rows = rows_of(replace(FEED, members=(replace(XML, namespaces={"h": "urn:h"}),)))
    rows["feed_member"][0]["namespaces"] = [("h", "urn:h")]
    assert from_rows(rows).members[0].namespaces == {"h": "urn:h"}


def test_the_feed_row_is_inserted_last():
    assert list(rows_of(FEED)) == ["feed_column", "feed_check", "feed_member", "feed"]


def test_who_applied_a_revision_and_when_stands_in_its_row():
    assert rows_of(TARGET, "2026-03-01T00:00:00Z", "ada")["target_table"][0]["applied_by"] == "ada"
    assert rows_of(FEED, "2026-03-01T00:00:00Z", "ada")["feed"][0]["applied_at"] == "2026-03-01T00:00:00Z"


@pytest.mark.parametrize("table", ["feed_member", "feed_column", "feed_check"])
def test_a_feed_with_a_child_row_too_few_or_too_many_is_refused(table):
    feed = replace(FEED, members=(XML, CHILD), checks=(Check("c", "visit", "true"),))
    missing = rows_of(feed)
    missing[table].pop()
    doubled = rows_of(feed)
    doubled[table].append(doubled[table][0])
    for rows in (missing, doubled):
        with pytest.raises(RuleError, match=rf"feed visits, revision 1: states \d+ \w+, but rules.{table} holds"):
            from_rows(rows)


@pytest.mark.parametrize(
    ("table", "column", "value", "says"),
    [
        ("feed", "name_pattern", None, "column name_pattern is NULL"),
        ("feed", "members", None, "column members is NULL"),
        ("feed", "max_members", "10", "column max_members must be int, not str"),
        ("feed", "paused", 1, "column paused must be boolean, not int"),
        ("feed_member", "action", "skip", "column action is 'skip', expected one of read, ignore"),
        ("feed_member", "format", "json", "expected one of xml, csv, delimited, fixed"),
        ("feed_member", "namespaces", "h=urn", "column namespaces must be map<string,string>"),
        ("feed_column", "position", None, "column position is NULL"),
        ("feed_column", "member", None, "column member is NULL"),
        ("feed_column", "member", "other", "no member rule is named other"),
        ("feed_column", "null_tokens", "U", "column null_tokens must be array<string>, not str"),
        ("feed_column", "null_tokens", [None], "column null_tokens must be array<string>"),
        ("feed_column", "phi", "yes", "expected one of none, identifier, quasi, clinical"),
        ("feed_check", "action", "panic", "expected one of warn, quarantine, stop"),
    ],
)
def test_a_cell_that_cannot_be_used_is_refused_by_table_revision_and_column(table, column, value, says):
    rows = rows_of(replace(FEED, checks=(Check("c", "visit", "true"),)))
    rows[table][-1][column] = value
    with pytest.raises(RuleError) as refused:
        from_rows(rows)
    assert f"rules.{table}, feed visits, revision 1" in refused.value.where
    assert says in refused.value.problem


@pytest.mark.parametrize("table", ["feed_member", "feed_column"])
def test_two_rows_in_one_position_are_refused(table):
    rows = rows_of(replace(FEED, members=(XML, CHILD)))
    rows[table][1]["position"] = rows[table][0]["position"]
    with pytest.raises(RuleError, match="more than one row has position 1"):
        from_rows(rows)
