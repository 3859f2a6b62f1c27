"""What is refused about target tables, and about feeds that do not fit theirs."""

from dataclasses import replace

import pytest

from spark_jobs.rules.model import Column
from spark_jobs.rules.validate import check_change, check_target
from tests.unit.rules_samples import (
    CHANGED,
    CHILD,
    FEED,
    KEY,
    MEMBER,
    REGION,
    STATE,
    TARGET,
    XML,
    problems,
    with_columns,
    with_member,
)


def said_of(**changes):
    return "\n".join(f.problem for f in check_target(replace(TARGET, **changes)))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"target": "Visit"}, "the name 'Visit' is not"),
        ({"target": "visit_rt"}, "which Hudi and the lake give"),
        ({"target": "visit_history"}, "which Hudi and the lake give"),
        ({"record_key": ()}, "record_key names no column"),
        ({"record_key": ("a", "b", "a")}, "record_key names a twice"),
        ({"record_key": ("_zip_id",)}, "kept for the lake's own columns"),
        ({"order_by": "Changed"}, "the name 'Changed' is not"),
        ({"delete_values": ()}, "delete_column and delete_values belong together"),
        ({"delete_column": None}, "delete_column and delete_values belong together"),
        ({"buckets": 0}, "buckets is 0"),
        ({"compact_after": 0}, "compact_after is 0"),
        ({"revision": 0}, "revision is 0"),
    ],
)
def test_a_target_table_that_cannot_be_made_is_refused(changes, says):
    assert says in said_of(**changes)


def test_a_sound_target_table_is_allowed():
    assert said_of() == ""


def test_an_order_that_is_part_of_the_record_key_is_a_warning():
    (finding,) = check_target(replace(TARGET, order_by="visit_id"))
    assert not finding.fatal


def test_a_change_of_what_is_fixed_once_rows_are_there_is_a_warning():
    changed = replace(TARGET, revision=2, record_key=("visit_id",), buckets=4, order_by=None)
    found = check_change(changed, TARGET)
    assert [(f.problem.split()[0], f.fatal) for f in found] == [("record_key", False), ("buckets", False)]


def without(name):
    return with_member(columns=tuple(column for column in MEMBER.columns if column.name != name))


@pytest.mark.parametrize(
    ("name", "role"), [("visit_id", "record_key"), ("changed_at", "order_by"), ("region", "partition_by")]
)
def test_a_column_that_the_target_table_needs_must_be_there_and_be_required(name, role):
    assert f"{role} of target table visit is {name}, and no column has that name" in problems(without(name))
    loose = next(replace(column, required=False) for column in MEMBER.columns if column.name == name)
    assert f"column {name} must be required: it is {role}" in problems(with_columns(loose))


def test_a_delete_column_that_is_not_there_or_is_no_plain_value_is_refused():
    assert "delete_column of target table visit is state" in problems(without("state"))
    assert "column state marks deletes" in problems(with_columns(replace(STATE, type="date")))


def test_a_delete_column_may_be_null():
    assert problems(with_columns(replace(STATE, required=False))) == ""


@pytest.mark.parametrize("kind", ["string", "int", "double", "decimal(20,0)"])
def test_an_order_that_is_no_timestamp_date_or_long_is_refused(kind):
    assert "column changed_at orders versions" in problems(with_columns(replace(CHANGED, type=kind)))


@pytest.mark.parametrize("kind", ["timestamp", "date", "long"])
def test_an_order_by_time_or_number_is_allowed(kind):
    assert problems(with_columns(replace(CHANGED, type=kind))) == ""


def test_a_partition_that_is_no_string_is_refused():
    assert "must be string, not int" in problems(with_columns(replace(REGION, type="int")))


def test_a_partition_that_says_something_about_a_patient_is_refused():
    assert "would become names of folders" in problems(with_columns(replace(REGION, phi="quasi")))


SOURCED = Column("region", source="REGION", required=True)


def test_a_partition_that_may_change_while_the_record_key_stays_is_refused_with_the_ways_out():
    said = problems(with_columns(SOURCED))
    assert "region names partitions but depends on region, which may change" in said
    assert "say index: global" in said


def test_a_partition_that_depends_on_the_zip_is_refused():
    assert "depends on region" in problems(with_columns(replace(SOURCED, source="$name.facility")))


def test_a_partition_is_followed_through_derived_columns():
    inner = Column("inner_part", expression="concat(facility_id, state)")
    outer = Column("region", expression="upper(inner_part)", required=True)
    assert "depends on state" in problems(with_columns(inner, outer))
    assert problems(with_columns(replace(inner, expression="concat(facility_id, visit_id)"), outer)) == ""


def test_a_partition_may_be_part_of_the_record_key_or_a_constant():
    in_key = replace(TARGET, record_key=(*TARGET.record_key, "region"))
    assert problems(with_columns(SOURCED), in_key) == ""
    assert problems(with_columns(Column("region", default="all", required=True))) == ""


def test_a_partition_that_may_change_is_allowed_with_a_global_index():
    assert problems(with_columns(SOURCED), replace(TARGET, index="global")) == ""


OTHER = replace(FEED, feed="others", landing_folder="others")


def test_two_feeds_that_disagree_on_a_type_are_refused():
    other = with_columns(replace(STATE, type="int"), feed=OTHER)
    said = problems(FEED, others=[other])
    assert "column state: it is string, but int in feed others, revision 1, member visit" in said


def test_two_feeds_that_share_a_target_table_may_fill_other_columns_of_it():
    other = with_columns(Column("more", "date", source="MORE"), feed=OTHER)
    assert problems(FEED, others=[other, FEED]) == ""


def test_two_member_rules_that_disagree_on_a_type_are_refused():
    second = replace(MEMBER, member="second", position=2, pattern="*.txt")
    second = with_columns(replace(STATE, type="int"), member=second).members[0]
    assert "it is string, but int in" in problems(replace(FEED, members=(MEMBER, second)))


def test_two_feeds_that_would_put_one_record_key_into_two_partitions_are_refused():
    other = with_columns(replace(REGION, expression="substr(facility_id, 1, 3)"), feed=OTHER)
    assert "one record key could be in two partitions" in problems(FEED, others=[other])
    assert problems(FEED, replace(TARGET, index="global"), others=[other]) == ""


def test_a_partition_spelt_through_another_column_is_the_same_partition():
    part = Column("part", expression="SUBSTR(facility_id, 1, 2)")
    same = with_columns(part, replace(REGION, expression="part"), feed=OTHER)
    direct = with_columns(replace(REGION, expression="(substr( facility_id,1,2 ))"))
    assert problems(direct, others=[same]) == ""


def test_two_feeds_that_take_the_same_zips_are_refused():
    twin = replace(FEED, feed="twin", members=(replace(XML, target="vital", columns=CHILD.columns),))
    assert "feed twin takes the same zips" in problems(FEED, others=[twin])


def test_the_record_key_of_a_table_of_children_is_checked_too():
    child = replace(CHILD, columns=(CHILD.columns[0],))
    assert "record_key of target table vital is no, and no column" in problems(replace(FEED, members=(XML, child)))


def test_the_samples_know_their_key():
    assert TARGET.record_key == tuple(column.name for column in KEY)
