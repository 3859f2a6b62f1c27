"""What differs between two revisions, field by field."""

from dataclasses import replace

from spark_jobs.rules.diff import count_changes, diff
from spark_jobs.rules.model import Check, Column, Limits
from tests.unit.rules_samples import FEED, MEMBER, STATE, TARGET, with_columns, with_member


def said(before, after):
    return [str(change) for change in diff(before, after)]


def test_revisions_that_say_the_same_do_not_differ_whatever_their_number():
    assert diff(FEED, replace(FEED, revision=9)) == []


def test_a_changed_column_is_told_field_by_field():
    after = with_columns(replace(STATE, type="int", required=True, null_tokens=("-", "?")))
    assert said(FEED, after) == [
        "member visit, column state: type string -> int, required no -> yes, null_tokens none -> -, ?"
    ]


def test_parts_that_come_and_go_are_named():
    kept = tuple(column for column in MEMBER.columns if column.name != "state")
    after = with_member(columns=(*kept, Column("ward", "int", source="WARD")))
    after = replace(after, checks=(Check("known", "visit", "ward > 0", "warn"),))
    assert said(FEED, after) == [
        "member visit, column ward: added, type int, source WARD",
        "member visit, column state: removed",
        "check known: added, member visit, expression ward > 0, action warn",
    ]


def test_a_member_rule_that_goes_takes_its_columns_along():
    other = replace(MEMBER, member="other", position=2, pattern="*.txt")
    changes = diff(replace(FEED, members=(MEMBER, other)), FEED)
    assert count_changes(changes) == {"member": {"removed": 1}, "column": {"removed": len(MEMBER.columns)}}


def test_the_order_of_columns_is_a_change_of_their_member_rule():
    after = with_member(columns=MEMBER.columns[::-1])
    assert [(c.part, c.fields[0].name) for c in diff(FEED, after)] == [("member", "order of columns")]
    assert diff(FEED, with_member(columns=(Column("new", source="NEW"), *MEMBER.columns)))[0].kind == "added"


def test_fields_of_the_feed_and_its_limits_are_told():
    after = replace(FEED, paused=True, limits=Limits(max_members=5))
    assert said(FEED, after) == ["feed: paused no -> yes, max_members 10000 -> 5"]


def test_a_target_table_is_told_too():
    assert said(TARGET, replace(TARGET, buckets=8, partition_by=None)) == [
        "target: partition_by region -> none, buckets 2 -> 8"
    ]


def test_against_nothing_everything_is_added():
    changes = diff(None, FEED)
    assert {change.kind for change in changes} == {"added"}
    assert count_changes(changes)["column"] == {"added": len(MEMBER.columns)}
