"""What became of every revision, and new revisions made of earlier ones."""

from dataclasses import replace

import pytest

from spark_jobs.errors import RuleError
from spark_jobs.rules.applying import plan_apply, try_out
from spark_jobs.rules.history import history, rule_of
from spark_jobs.rules.model import Column
from spark_jobs.rules.revising import gone_back, with_paused
from spark_jobs.rules.revisions import in_force
from tests.unit.rules_samples import FEED, STATE, TARGET, tables, with_columns

SECOND = replace(FEED, revision=2, batch_zips=7)
BROKEN = replace(with_columns(Column("extra")), revision=3)
DRAFT = replace(FEED, revision=4, enabled=False)
FIFTH = replace(with_columns(replace(STATE, required=True)), revision=5)
ALL = tables(TARGET, FEED, SECOND, BROKEN, DRAFT, FIFTH)


def states(revisions):
    return {one.revision: one.state for one in revisions}


def dated(rows, *times):
    """Rows whose feed and target rows were applied at these times, by (name, revision)."""
    for kind, name, revision, at in times:
        table = {"feed": "feed", "target": "target_table"}[kind]
        row = next(r for r in rows[table] if r[kind] == name and r["revision"] == revision)
        row.update(applied_at=at, applied_by="me")
    return rows


def test_every_revision_has_a_state():
    found = history(ALL, "feed", "visits")
    assert states(found) == {5: "in force", 4: "draft", 3: "invalid", 2: "superseded", 1: "superseded"}
    assert found[2].reasons[0].startswith("member visit, column extra: it has no source")


def test_changes_are_those_against_the_last_one_before_that_was_in_force():
    fifth = history(ALL, "feed", "visits")[0]
    assert fifth.against == 2
    assert [str(change) for change in fifth.changes] == [
        "feed: batch_zips 7 -> 500",
        "member visit, column state: required no -> yes",
    ]


def test_an_invalid_revision_on_top_leaves_the_one_before_in_force():
    assert states(history(tables(TARGET, FEED, BROKEN), "feed", "visits")) == {3: "invalid", 1: "in force"}


def test_a_stopped_and_a_paused_feed_are_told():
    assert states(history(tables(TARGET, FEED), "feed", "visits", stopped={("visits", 1)})) == {1: "stopped"}
    assert states(history(tables(TARGET, replace(FEED, paused=True)), "feed", "visits")) == {1: "paused"}


def test_who_applied_it_and_when_is_told():
    rows = dated(tables(TARGET, FEED), ("feed", "visits", 1, "2026-03-01T00:00:00+00:00"))
    (one,) = history(rows, "feed", "visits")
    assert (one.applied_at, one.applied_by) == ("2026-03-01T00:00:00+00:00", "me")


def test_a_revision_that_no_longer_fits_its_target_table_was_in_force_in_its_time():
    seen = replace(with_columns(Column("seen_at", "date", source="SEEN", required=True)), revision=2)
    rows = tables(TARGET, replace(TARGET, revision=2, order_by="seen_at"), FEED, seen)
    rows = dated(
        rows,
        ("target", "visit", 1, "2026-01"),
        ("feed", "visits", 1, "2026-02"),
        ("feed", "visits", 2, "2026-03"),
        ("target", "visit", 2, "2026-04"),
    )
    assert states(history(rows, "feed", "visits")) == {2: "in force", 1: "superseded"}
    assert states(history(rows, "target", "visit")) == {2: "in force", 1: "superseded"}


def test_rows_that_make_no_rule_are_told():
    rows = tables(TARGET, FEED, SECOND)
    rows["feed_column"].pop()
    top = history(rows, "feed", "visits")[0]
    assert (top.state, top.rule) == ("invalid", None)
    assert "states 5 columns" in top.reasons[0]


def test_a_name_that_is_not_there_has_no_history():
    assert history(ALL, "feed", "nobody") == []
    with pytest.raises(RuleError, match="There are: 1, 2, 3, 4, 5"):
        rule_of(ALL, "feed", "visits", 9)


def test_pausing_is_a_higher_revision_with_the_same_rules():
    new = with_paused(ALL, FIFTH, True)
    assert new == replace(FIFTH, revision=6, paused=True)
    assert with_paused(ALL, new, True) is None
    assert with_paused(ALL, FIFTH, False) is None


def test_enabling_a_stopped_feed_is_a_higher_revision_even_if_it_is_not_paused():
    assert with_paused(ALL, FIFTH, False, {("visits", 5)}) == replace(FIFTH, revision=6)


def test_going_back_takes_the_last_one_that_was_in_force():
    assert gone_back(ALL, history(ALL, "feed", "visits")) == replace(SECOND, revision=6)
    assert gone_back(ALL, history(ALL, "feed", "visits"), to=1) == replace(FEED, revision=6)


@pytest.mark.parametrize(("to", "why"), [(3, "is invalid"), (4, "is draft"), (9, "is not there")])
def test_going_back_to_what_was_never_in_force_is_refused(to, why):
    with pytest.raises(RuleError, match=why):
        gone_back(ALL, history(ALL, "feed", "visits"), to=to)


def test_there_must_be_something_to_go_back_to():
    rows = tables(TARGET, FEED)
    with pytest.raises(RuleError, match="no revision was in force before"):
        gone_back(rows, history(rows, "feed", "visits"))


def test_what_was_made_of_an_earlier_revision_comes_into_force():
    plan = plan_apply(ALL, [gone_back(ALL, history(ALL, "feed", "visits"))], "now", "me")
    assert not plan.refused
    merged = {table: [*ALL[table], *plan.rows[0].get(table, ())] for table in ALL}
    assert in_force(merged).feeds["visits"].batch_zips == 7


def findings_of(rows, rule):
    return [f for f in plan_apply(rows, [rule], "now", "me").findings if f.where == "feed visits"]


def test_a_file_that_the_tables_went_on_from_is_said_to_be_behind():
    rows = dated(tables(TARGET, FEED, replace(SECOND, paused=True)), ("feed", "visits", 2, "2026-03-01"))
    (finding,) = findings_of(rows, FEED)
    assert not finding.fatal
    assert finding.problem == "the file is behind: it has revision 1, in force is 2, which is paused"
    assert "lake feed export visits" in finding.hint
    assert "2026-03-01 by me" in finding.hint


def test_a_file_with_a_change_under_an_old_number_is_refused_with_the_way_out():
    (finding,) = findings_of(tables(TARGET, FEED, SECOND), replace(FEED, owner="x"))
    assert finding.fatal
    assert finding.problem == "revision 1 is there already, and differs"
    assert "make it revision 3" in finding.hint
    (finding,) = findings_of(tables(TARGET, SECOND), replace(FEED, owner="x"))
    assert "the tables hold revision 2" in finding.problem


def test_trying_rules_out_takes_a_higher_revision_where_theirs_is_taken():
    edited = with_columns(replace(STATE, required=True))
    rules = try_out(tables(TARGET, FEED, SECOND), [edited])
    assert rules.feeds["visits"] == replace(edited, revision=3)
    assert try_out({}, [TARGET, edited]).feeds["visits"] == edited
    assert try_out(tables(TARGET, FEED, SECOND), [FEED]).feeds["visits"] == SECOND


def test_what_was_wrong_before_does_not_keep_others_out():
    rows = tables(TARGET, FEED, replace(BROKEN, revision=2))
    rows["feed"].append({"feed": None, "revision": None})
    assert not plan_apply(rows, [replace(FEED, revision=3)], "now", "me").refused
    other = replace(FEED, feed="others", landing_folder="others")
    assert not plan_apply(rows, [other], "now", "me").refused
    assert plan_apply(rows, [replace(BROKEN, revision=3)], "now", "me").refused
    assert plan_apply(rows, [FEED, replace(other, landing_folder="NO")], "now", "me").refused
