"""Which revisions are in force: the highest that is enabled, whole and valid, and the last good one otherwise."""

from dataclasses import replace

from spark_jobs.rules import candidates
from spark_jobs.rules.model import Column, Report
from spark_jobs.rules.revisions import in_force, next_revision
from spark_jobs.rules.rows import feed_from_rows
from tests.unit.rules_samples import FEED, REGION, STATE, TARGET, tables, with_columns

SECOND = replace(FEED, revision=2, batch_zips=7)
INVALID = replace(with_columns(Column("extra")), revision=2)
OTHER = replace(FEED, feed="others", landing_folder="others")
REPORT = Report("beds", 1, "Beds", "SELECT count(*) AS beds FROM lake.bed")


def fatal(rules):
    return [f"{f.where}: {f.problem}" for f in rules.findings if f.fatal]


def numbers(rules):
    return {name: feed.revision for name, feed in rules.feeds.items()}


def test_empty_rule_tables_put_nothing_in_force():
    rules = in_force({})
    assert (rules.feeds, rules.targets, rules.reports, rules.findings) == ({}, {}, {}, ())


def test_the_highest_revision_is_in_force():
    third = replace(FEED, revision=10)
    rules = in_force(tables(TARGET, third, FEED, SECOND, REPORT, replace(REPORT, revision=3)))
    assert rules.feeds == {"visits": third}
    assert rules.targets == {"visit": TARGET}
    assert rules.reports["beds"].revision == 3
    assert rules.findings == ()


def test_a_draft_is_never_used():
    rules = in_force(tables(TARGET, FEED, replace(SECOND, enabled=False)))
    assert (numbers(rules), rules.findings) == ({"visits": 1}, ())


def test_a_paused_feed_is_in_force():
    assert in_force(tables(TARGET, FEED, replace(SECOND, paused=True))).feeds["visits"].paused


def test_a_revision_with_a_child_row_missing_leaves_the_one_before_in_force():
    rows = tables(TARGET, FEED, SECOND)
    rows["feed_column"].pop()
    rules = in_force(rows)
    assert numbers(rules) == {"visits": 1}
    assert fatal(rules) == ["rules.feed, feed visits, revision 2: states 5 columns, but rules.feed_column holds 4"]


def test_a_revision_whose_children_were_inserted_twice_leaves_the_one_before_in_force():
    rows = tables(TARGET, FEED, SECOND)
    rows["feed_member"].append(rows["feed_member"][-1])
    rules = in_force(rows)
    assert numbers(rules) == {"visits": 1}
    assert "states 1 members, but rules.feed_member holds 2" in fatal(rules)[0]


def test_children_without_their_feed_row_are_not_looked_at():
    rows = tables(TARGET, FEED, INVALID)
    rows["feed"].pop()
    assert (numbers(in_force(rows)), in_force(rows).findings) == ({"visits": 1}, ())


def test_an_invalid_revision_leaves_the_one_before_in_force():
    rules = in_force(tables(TARGET, FEED, INVALID))
    assert numbers(rules) == {"visits": 1}
    assert fatal(rules)[0].startswith("feed visits, revision 2, member visit, column extra: it has no source")


def test_an_invalid_revision_below_the_one_in_force_is_not_mentioned():
    rules = in_force(tables(TARGET, FEED, INVALID, replace(FEED, revision=3)))
    assert (numbers(rules), rules.findings) == ({"visits": 3}, ())


def test_two_rows_with_one_revision_are_refused_even_if_they_are_alike():
    rows = tables(TARGET, FEED, SECOND, REPORT)
    for table in ("feed", "report"):
        rows[table].append(dict(rows[table][-1]))
    rules = in_force(rows)
    assert numbers(rules) == {"visits": 1}
    assert rules.reports == {}
    assert "feed visits, revision 2: 2 rows have this revision, so neither can be told to be meant" in fatal(rules)


def test_a_row_without_a_name_or_revision_is_a_finding_and_no_more():
    rows = tables(TARGET, FEED)
    rows["feed"].append({"feed": None, "revision": None})
    rows["target_table"].append({"target": "visit", "revision": None})
    rules = in_force(rows)
    assert numbers(rules) == {"visits": 1}
    assert len(fatal(rules)) == 2


def test_a_feed_without_its_target_table_is_not_in_force():
    rules = in_force(tables(FEED))
    assert rules.feeds == {}
    assert "no revision of target table visit is in force" in fatal(rules)[0]


def test_an_invalid_target_table_leaves_the_one_before_in_force():
    rules = in_force(tables(TARGET, replace(TARGET, revision=2, buckets=0), FEED))
    assert rules.targets["visit"].revision == 1
    assert numbers(rules) == {"visits": 1}
    assert "target visit, revision 2: buckets is 0" in fatal(rules)[0]


def test_a_target_table_that_no_revision_of_its_feed_fits_leaves_the_one_before_in_force():
    rules = in_force(tables(TARGET, replace(TARGET, revision=2, order_by="seen_at"), FEED))
    assert rules.targets["visit"].revision == 1
    assert numbers(rules) == {"visits": 1}
    assert fatal(rules) == [
        "target visit, revision 2: no revision of visits fits it, though one fits target visit, revision 1"
    ]


def test_a_target_table_and_a_feed_that_fits_it_come_into_force_together():
    changed = replace(TARGET, revision=2, order_by="seen_at")
    feed = replace(with_columns(Column("seen_at", "date", source="SEEN", required=True)), revision=2)
    rules = in_force(tables(TARGET, FEED, changed, feed))
    assert (rules.targets["visit"].revision, numbers(rules), fatal(rules)) == (2, {"visits": 2}, [])


def test_a_change_of_the_record_key_is_in_force_with_a_warning():
    rules = in_force(tables(TARGET, replace(TARGET, revision=2, record_key=("visit_id", "facility_id")), FEED))
    assert rules.targets["visit"].revision == 2
    assert ["record_key is not that of revision 1" in f.problem for f in rules.findings] == [True]


def test_a_revision_that_disagrees_with_another_feed_falls_back_and_leaves_that_alone():
    disagreeing = replace(with_columns(replace(STATE, type="int")), revision=2)
    rules = in_force(tables(TARGET, FEED, disagreeing, OTHER))
    assert numbers(rules) == {"visits": 1, "others": 1}
    assert "it is string, but int in feed visits, revision 2" in fatal(rules)[0]


def test_a_new_feed_that_disagrees_is_the_one_to_stay_out():
    newcomer = replace(with_columns(replace(STATE, type="int"), feed=OTHER), feed="aaa", landing_folder="aaa")
    rows = tables(TARGET, FEED, SECOND, newcomer)
    for row in rows["feed"]:
        row["applied_at"] = "2026-03-02" if row["feed"] == "aaa" else "2026-03-01"
    rules = in_force(rows)
    assert numbers(rules) == {"visits": 2}
    assert any("aaa" in line for line in fatal(rules))


def test_two_feeds_that_change_a_type_together_come_into_force_together():
    number = replace(STATE, type="int")
    both = [replace(with_columns(number, feed=feed), revision=2) for feed in (FEED, OTHER)]
    rules = in_force(tables(TARGET, FEED, OTHER, *both))
    assert (numbers(rules), fatal(rules)) == ({"visits": 2, "others": 2}, [])


def test_two_feeds_that_partition_otherwise_do_not_both_come_into_force():
    other = replace(with_columns(replace(REGION, expression="substr(visit_id, 1, 2)"), feed=OTHER), revision=2)
    assert numbers(in_force(tables(TARGET, FEED, OTHER, other))) == {"visits": 1, "others": 1}


def test_an_invalid_report_leaves_the_one_before_in_force():
    rules = in_force(tables(REPORT, replace(REPORT, revision=2, sql="DROP TABLE lake.bed")))
    assert rules.reports["beds"].revision == 1
    assert "not one SELECT" in fatal(rules)[0]


def test_the_next_revision_is_above_drafts_and_children_whose_feed_row_never_came():
    rows = tables(TARGET, FEED, replace(FEED, revision=4, enabled=False), OTHER)
    assert next_revision(rows, "feed", "visits") == 5
    rows["feed_check"].append({"feed": "visits", "revision": 8})
    assert next_revision(rows, "feed", "visits") == 9
    assert next_revision(rows, "target", "visit") == 2
    assert next_revision({}, "report", "beds") == 1


def test_each_revision_is_read_once_however_many_tables_and_feeds_there_are(monkeypatch):
    read = []

    def counted(row, *children):
        read.append((row["feed"], row["revision"]))
        return feed_from_rows(row, *children)

    monkeypatch.setattr(candidates, "feed_from_rows", counted)
    feeds = [replace(FEED, feed=f"f{n}", landing_folder=f"f{n}", revision=rev) for n in range(5) for rev in (1, 2)]
    assert len(in_force(tables(TARGET, replace(TARGET, revision=2), *feeds)).feeds) == 5
    assert len(read) == len(set(read))
