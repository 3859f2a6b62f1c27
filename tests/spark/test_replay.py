"""Zips refused by a wrong rule, the rule mended, the zips replayed. Tests run in the order they stand in."""

from collections import Counter
from dataclasses import dataclass

import pytest

from spark_jobs.batches import run
from spark_jobs.batches.batch import Batch, rules_to_manifest
from spark_jobs.cli.feed import apply_rules
from spark_jobs.jobs import replay as replays
from spark_jobs.jobs.ingest import ingest_once
from spark_jobs.jobs.planning import make_plan
from spark_jobs.jobs.quarantine import Selection, count_entries, entries
from spark_jobs.jobs.refused_text import add_texts
from spark_jobs.jobs.replay import land_replays, plan_replay
from spark_jobs.jobs.trace import trace
from spark_jobs.jobs.troubles import Troubles
from spark_jobs.jobs.wanted import Wanted
from spark_jobs.landing import agent, vault
from spark_jobs.landing.claim import Manifest, claim, landed_zips
from spark_jobs.landing.lease import next_epoch
from spark_jobs.tables.access import access_of
from tests.unit.zips import zip_of

pytestmark = pytest.mark.spark

TARGET = """
target: visit
revision: 1
owner: test@carelake.example
description: Visits
record_key: [visit_key]
order_by: changed_at
"""
# Revision 1 refuses 'n/a', members that are no CSV and zips of three members, and derives another key than revision 2.
FEED = """
feed: {feed}
revision: {revision}
owner: test@carelake.example
description: Visits
landing_folder: {feed}
name_pattern: 'VISIT_\\d+\\.zip'
limits: {{max_members: {most}}}
members:
  - member: visit
    pattern: '{pattern}'
    format: csv
    target: visit
    columns:
      - {{name: visit_id, source: visit_id, required: true, description: Visit}}
      - {{name: visit_key, expression: {key}(visit_id), required: true, description: Key}}
      - {{name: changed_at, source: changed_at, type: timestamp, required: true, description: When it changed}}
      - {{name: amount, source: amount, type: int, null_tokens: [{nulls}], description: Amount}}
"""
WRONG = {"revision": 1, "most": 2, "pattern": "*.csv", "key": "upper", "nulls": ""}
MENDED = {"revision": 2, "most": 10, "pattern": "*", "key": "lower", "nulls": "n/a"}


def member(*rows):
    return "\n".join(["visit_id,changed_at,amount", *rows]).encode()


FIRST = zip_of(
    ("a.csv", member("A1,2026-01-01T00:00:00Z,10", "A2,2026-01-01T00:00:00Z,n/a", "A3,2026-01-01T00:00:00Z,30", "A4,2026-01-01T00:00:00Z,x")),
    ("b.txt", member("B1,2026-01-01T00:00:00Z,5")),
)  # fmt: skip
MANY = zip_of(*((f"{name}.csv", member(f"{name},2026-01-01T00:00:00Z,1")) for name in ("C1", "D1", "E1")))
ORPHAN = zip_of(("f.csv", member("F1,2026-01-01T00:00:00Z,7")))
LATER = zip_of(("g.csv", member("A2,2026-02-01T00:00:00Z,99")))


@dataclass
class Visits:
    """The zips of this feed, by what is delivered."""

    lake: object
    folder: object
    ids: dict

    @property
    def access(self):
        return access_of(self.lake)

    def apply(self, *texts):
        for n, text in enumerate(texts):
            path = self.folder / f"rules-{n}.yaml"
            path.write_text(text)
            assert not apply_rules(self.access, path).refused

    def land(self, what, folder, name, content):
        path = self.folder / name
        path.write_bytes(content)
        self.ids[what] = agent.land(self.lake.site.landing, folder, path).zip_id

    def ledger(self, what):
        return self.lake.session.table("ops.ledger").where(f"zip_id = '{self.ids[what]}'").first()

    def entries(self, what, only_open=True):
        return entries(self.access, Selection(Wanted.read(self.ids[what]), only_open=only_open), 100)

    def amounts(self):
        return {row.visit_key: row.amount for row in self.lake.session.table("lake.visit").collect()}

    def replay(self, **selection):
        plan = plan_replay(self.access, Selection(**selection))
        return land_replays(self.lake.site, plan), plan

    def commits(self):
        tables = [self.lake.ledger, self.lake.quarantine]
        return [table.commits[-1] for table in tables], self.visit_commit()

    def visit_commit(self):
        timeline = self.lake.site.warehouse / "raw" / "visit" / ".hoodie"
        return sorted(path.name for path in timeline.glob("*.deltacommit"))


@pytest.fixture(scope="module")
def visits(filled, tmp_path_factory):
    visits = Visits(filled.lake, tmp_path_factory.mktemp("visits"), {})
    visits.apply(TARGET, FEED.format(feed="visits", **WRONG))
    visits.land("first", "visits", "VISIT_1.zip", FIRST)
    visits.land("many", "visits", "VISIT_2.zip", MANY)
    visits.land("equal", "visits", "VISIT_3.zip", FIRST)
    visits.land("orphan", "orphans", "VISIT_4.zip", ORPHAN)
    return visits


def refused(entries):
    return {(entry["member_index"], entry["row"], entry["rule"]) for entry in entries}


def test_zip_that_waits_is_traced_to_landing(visits):
    one, two = trace(visits.access, str(write(visits, "in-hand.zip", FIRST)))
    assert {one["state"], two["state"]} == {"landed"}
    assert (one["feed"], [place["kind"] for place in one["places"]]) == ("visits", ["landing"])
    assert "name" not in one
    assert trace(visits.access, "VISIT_2.zip", names=True)[0]["name"] == "VISIT_2.zip"


def write(visits, name, content):
    path = visits.folder / name
    path.write_bytes(content)
    return path


def test_wrong_rules_refuse_rows_members_and_zips(visits):
    assert not ingest_once(visits.lake).failures
    assert visits.amounts() == {"A1": 10, "A3": 30}
    assert refused(visits.entries("first")) == {
        (0, 2, "type.amount"),
        (0, 4, "type.amount"),
        (1, 0, "member.unmatched"),
    }
    assert refused(visits.entries("many")) == {(-1, 0, "zip.too_many_members")}
    assert refused(visits.entries("orphan")) == {(-1, 0, "zip.no_feed")}
    assert visits.ledger("equal").duplicate_of == visits.ids["first"]
    assert visits.ledger("first").rows_by_table == "visit=2"


def test_entries_are_counted_by_rule_most_first(visits):
    counts = count_entries(visits.access, Selection(feed="visits"))
    said = [(count["rule"], count["zips"], count["members"], count["rows"], count["entries"]) for count in counts]
    assert said == [("type.amount", 1, 0, 2, 2), ("member.unmatched", 1, 1, 0, 1), ("zip.too_many_members", 1, 0, 0, 1)]


def test_refused_text_is_read_from_the_kept_bytes(visits):
    found = visits.entries("first")
    add_texts(visits.access, found)
    by_place = {(entry["member_index"], entry["row"]): entry["content"] for entry in found}
    assert by_place[0, 4] == "visit_id=A4, changed_at=2026-01-01T00:00:00Z, amount=x"
    assert by_place[1, 0].startswith("visit_id,changed_at,amount")


def test_nothing_is_replayed_while_the_rules_are_the_same(visits):
    landed, plan = visits.replay(feed="visits")
    assert (landed, set(plan.same_rules)) == (0, {visits.ids["first"], visits.ids["many"]})
    landed, plan = visits.replay(rule="zip.no_feed")
    assert landed == 0
    assert visits.ids["orphan"] in plan.no_feed


class KilledError(Exception):
    """Stands for SIGKILL."""


def die(*_, **__):
    raise KilledError


def test_replay_killed_while_landing_is_landed_by_the_next(visits, monkeypatch):
    visits.apply(FEED.format(feed="visits", **MENDED))
    visits.land("later", "visits", "VISIT_5.zip", LATER)
    assert not ingest_once(visits.lake).failures
    with monkeypatch.context() as patched:
        patched.setattr(agent, "write_whole", die)
        with pytest.raises(KilledError):
            visits.replay(feed="visits")
    assert landed_zips(visits.lake.site.landing) == []
    assert visits.replay(feed="visits", rule="type.amount")[0] == 1
    landed, plan = visits.replay(feed="visits")
    assert (landed, plan.under_way) == (1, [visits.ids["first"]])
    assert trace(visits.access, visits.ids["first"][:10])[0]["replay_waits"]
    assert visits.replay(feed="visits")[0] == 0


def claim_replays(visits):
    lake = visits.lake
    plan = make_plan(lake, landed_zips(lake.site.landing), Troubles(), Counter())
    (planned,) = plan.batches
    epoch = next_epoch(lake.site)
    rules = rules_to_manifest(planned.feed, plan.rules.targets)
    manifest = Manifest(f"visits-{epoch:06d}-0000", epoch, "visits", 2, rules, tuple(planned.zips))
    return claim(lake.site.landing, lake.site.claimed, manifest)


def test_replay_killed_between_any_two_steps_ends_the_same(visits, monkeypatch):
    folder = claim_replays(visits)
    for step in ("record_refusals", "withdraw_rows", "account_batches", "_clear_away"):
        with monkeypatch.context() as patched:
            patched.setattr(run, step, die)
            with pytest.raises(KilledError):
                run.run_batch(visits.lake, Batch.read(folder), again=True)
    run.run_batch(visits.lake, Batch.read(folder), again=True)
    assert not folder.exists()
    assert visits.amounts() == {"a1": 10, "a2": 99, "a3": 30, "b1": 5, "c1": 1, "d1": 1, "e1": 1}


def test_ledger_quarantine_and_kept_bytes_agree_after_a_replay(visits):
    site, first, many = visits.lake.site, visits.ledger("first"), visits.ledger("many")
    assert (first.state, first.members_loaded, first.rows_loaded, first.rows_quarantined) == ("loaded", 2, 4, 1)
    assert (first.revision, first.replay, first.rows_by_table) == (2, 1, "visit=4")
    assert (many.state, many.rule, many.members, many.members_loaded) == ("loaded", None, 3, 3)
    assert refused(visits.entries("first")) == {(0, 4, "type.amount")}
    assert visits.entries("first")[0]["revision"] == 2
    states = {(entry["member_index"], entry["row"]): entry["state"] for entry in visits.entries("first", False)}
    assert states == {(0, 2): "resolved", (0, 4): "open", (1, 0): "resolved"}
    assert visits.entries("many") == []
    assert vault.find(site.vault, visits.ids["many"]) == MANY
    assert not (site.quarantine / f"{visits.ids['many']}.zip").exists()
    assert len(list(site.vault.glob(f"open/{visits.ids['first']}*"))) == 1
    times = visits.lake.session.table("ops.quarantine").where(f"zip_id = '{visits.ids['first']}' AND row = 4").first()
    assert times.first_refused_at < times.refused_at


def test_trace_tells_the_whole_way(visits):
    (one,) = trace(visits.access, visits.ids["first"][:8])
    table = {"table": "visit", "loaded": 4, "newest": 3, "deletes": 0, "superseded": 1, "withdrawn": 2}
    assert {key: one["tables"][0][key] for key in table} == table
    assert (one["state"], one["replays"], one["duplicates"]) == ("loaded", 1, [visits.ids["equal"]])
    assert one["members"] == {"all": 2, "loaded": 2, "duplicate": 0, "ignored": 0, "quarantined": 0}
    assert [place["kind"] for place in one["places"]] == ["vault/open"]
    (equal,) = trace(visits.access, visits.ids["equal"])
    assert (equal["duplicate_of"], equal["tables"]) == (visits.ids["first"], [])


def test_second_replay_changes_nothing(visits):
    before = visits.commits()
    landed, plan = visits.replay(feed="visits")
    assert (landed, plan.same_rules) == (0, [visits.ids["first"]])
    assert sum(ingest_once(visits.lake).zips.values()) == 0
    assert visits.commits() == before


def test_zip_of_no_feed_is_loaded_once_there_is_one(visits):
    visits.apply(FEED.format(feed="orphans", **{**MENDED, "revision": 1}))
    assert visits.replay(rule="zip.no_feed", zips=Wanted.read(visits.ids["orphan"]))[0] == 1
    assert not ingest_once(visits.lake).failures
    orphan = visits.ledger("orphan")
    assert (orphan.feed, orphan.state, orphan.rows_loaded, orphan.replay) == ("orphans", "loaded", 1, 1)
    assert visits.entries("orphan") == []
    assert visits.amounts()["f1"] == 7
    assert not (visits.lake.site.quarantine / f"{orphan.zip_id}.zip").exists()


def test_replay_forced_under_the_same_rules_loads_the_same_rows_again(visits):
    before = visits.amounts()
    plan = plan_replay(visits.access, Selection(feed="visits"), same_rules=True)
    assert land_replays(visits.lake.site, plan) == 1
    assert not ingest_once(visits.lake).failures
    assert visits.amounts() == before
    assert (visits.ledger("first").replay, len(visits.entries("first"))) == (2, 1)
    doubled = visits.lake.session.table("raw.visit").groupBy("visit_key").count().where("count > 1")
    assert doubled.count() == 0


def test_bytes_that_are_lost_are_told(visits, monkeypatch):
    monkeypatch.setattr(replays, "kept_bytes", lambda *_: None)
    plan = plan_replay(visits.access, Selection(feed="visits"), same_rules=True)
    assert land_replays(visits.lake.site, plan) == 0
    assert plan.lost == [visits.ids["first"]]
