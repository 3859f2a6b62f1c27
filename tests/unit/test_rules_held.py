"""What tables that exist hold is added to, never reshaped: other types and keys are refused, new columns are welcome."""

from dataclasses import replace

import pytest

from spark_jobs.rules.applying import plan_apply
from spark_jobs.rules.model import Column, HeldTable
from spark_jobs.rules.revisions import in_force
from tests.unit.rules_samples import COLUMNS, FEED, STATE, TARGET, tables, with_columns

TYPES = {column.name: column.type for column in COLUMNS}
VISIT = HeldTable(TYPES | {"_order": "string"}, ("facility_id", "visit_id"), "region")
HELD = {"visit": VISIT}
SECOND = replace(FEED, revision=2)


def second(*columns):
    return replace(with_columns(*columns), revision=2)


def without_state(feed=SECOND):
    member = feed.members[0]
    kept = tuple(column for column in member.columns if column.name != "state")
    return replace(feed, members=(replace(member, columns=kept),))


def said(rules, fatal=True):
    return [f"{f.where}: {f.problem}" for f in rules.findings if f.fatal == fatal]


def target_with(**changes):
    return replace(TARGET, **changes)


def test_rules_that_fit_the_table_are_in_force():
    rules = in_force(tables(TARGET, FEED), HELD)
    assert (set(rules.feeds), rules.findings) == ({"visits"}, ())


def test_a_column_of_another_type_than_the_table_holds_leaves_the_revision_before_in_force():
    rules = in_force(tables(TARGET, FEED, second(replace(STATE, type="int"))), HELD)
    assert rules.feeds["visits"].revision == 1
    place = "feed visits, revision 2, member visit, column state"
    assert said(rules) == [f"{place}: it is int, but target table visit holds string"]
    assert "another name" in rules.findings[0].hint
    assert "replay the vault" in rules.findings[0].hint


@pytest.mark.parametrize(("holds", "fits"), [("decimal(10, 2)", True), ("decimal(12,2)", False), ("long", False)])
def test_decimals_are_compared_with_precision_and_scale(holds, fits):
    held = {"visit": replace(VISIT, columns=TYPES | {"paid": holds})}
    rules = in_force(tables(TARGET, FEED, second(Column("paid", "decimal(10,2)", source="PAID"))), held)
    assert rules.feeds["visits"].revision == (2 if fits else 1)


def test_even_a_wider_type_is_refused():
    held = {"visit": replace(VISIT, columns=TYPES | {"beds": "int"})}
    assert in_force(tables(TARGET, FEED, second(Column("beds", "long", source="BEDS"))), held).feeds["visits"] == FEED


def test_a_new_column_is_welcome():
    rules = in_force(tables(TARGET, FEED, second(Column("ward", source="WARD"))), HELD)
    assert (rules.feeds["visits"].revision, rules.findings) == (2, ())


def test_a_new_required_column_is_welcome_and_old_rows_are_said_to_lack_it():
    rules = in_force(tables(TARGET, FEED, second(Column("ward", source="WARD", required=True))), HELD)
    assert rules.feeds["visits"].revision == 2
    assert ["rows loaded before have null there" in line for line in said(rules, fatal=False)] == [True]


def test_a_dropped_column_is_warned_of():
    feed, target = without_state(), target_with(revision=2, delete_column=None, delete_values=())
    rules = in_force(tables(TARGET, FEED, target, feed), HELD)
    assert rules.feeds["visits"].revision == 2
    assert ["column state" in line and "dropped" in line for line in said(rules, fatal=False)] == [True]


def test_a_column_that_another_feed_still_fills_is_not_dropped():
    other = replace(FEED, feed="others", landing_folder="others")
    target = target_with(delete_column=None, delete_values=())
    assert in_force(tables(target, FEED, other, without_state()), HELD).findings == ()


def test_only_the_revision_that_drops_a_column_warns_of_it():
    target = target_with(delete_column=None, delete_values=())
    rows = tables(target, FEED, without_state(), without_state(replace(FEED, revision=3)))
    assert in_force(rows, HELD).findings == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"record_key": ("facility_id",)},
        {"record_key": ("visit_id", "facility_id")},
        {"partition_by": None},
        {"index": "global"},
        {"buckets": 4},
    ],
)
def test_a_target_revision_that_reshapes_the_table_is_refused(changes):
    rules = in_force(tables(TARGET, target_with(revision=2, **changes), FEED), HELD)
    assert rules.targets["visit"].revision == 1
    (line,) = said(rules)
    assert line.startswith(f"target visit, revision 2: {next(iter(changes))} is ")


def test_a_target_that_fits_only_a_feed_the_table_cannot_take_leaves_both_revisions_before_in_force():
    feed = second(replace(STATE, type="int"), Column("seen_at", "date", source="SEEN", required=True))
    rules = in_force(tables(TARGET, target_with(revision=2, order_by="seen_at"), FEED, feed), HELD)
    assert (rules.targets["visit"], rules.feeds["visits"]) == (TARGET, FEED)


def test_what_does_not_reshape_the_table_may_change():
    target = target_with(revision=2, order_by=None, delete_column=None, delete_values=(), compact_after=3)
    rules = in_force(tables(TARGET, target, FEED), HELD)
    assert (rules.targets["visit"].revision, rules.findings) == (2, ())


def test_a_table_with_a_global_index_has_no_buckets_to_change():
    held = {"visit": replace(VISIT, index="global", buckets=9)}
    assert in_force(tables(target_with(index="global"), FEED), held).findings == ()


def test_applying_rules_that_reshape_a_table_is_refused():
    feed = second(replace(STATE, type="int"))
    assert not plan_apply(tables(TARGET, FEED), [feed], "now", "me").refused
    plan = plan_apply(tables(TARGET, FEED), [feed], "now", "me", HELD)
    assert plan.refused
    assert any("holds string" in finding.problem for finding in plan.findings)
