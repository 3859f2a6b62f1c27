"""Which zips and entries are meant, where a zip's bytes are, and what is landed again for a replay."""

import hashlib
from dataclasses import replace
from datetime import date

import pytest

from spark_jobs.batches.batch import Batch
from spark_jobs.errors import LakeError
from spark_jobs.jobs.quarantine import Selection
from spark_jobs.jobs.refused_text import LONGEST_TEXT, add_from_zip
from spark_jobs.jobs.replay import Replay, land_replays, plan_zip
from spark_jobs.jobs.wanted import Wanted
from spark_jobs.landing import vault
from spark_jobs.landing.agent import DeliveryNote, land_again
from spark_jobs.landing.claim import MANIFEST, ClaimedZip, Manifest, claim, landed_zips, release
from spark_jobs.landing.places import kept_bytes, notes_under_way, places_of
from spark_jobs.rules.model import Feed
from spark_jobs.site import Site
from spark_jobs.tables import ledger
from tests.unit.zips import csv_rule, feed_of, zip_of

ID = "0123456789abcdef0123456789abcdef"
NOTE = DeliveryNote(ID, "A O'Hara.zip", "visits", "a" * 64, 3, "2026-01-01T00:00:00.000001+00:00", replay=1)


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path / "lake")
    site.make_folders()
    return site


def keep_in_vault(site, content=b"zip"):
    path = site.home / f"{ID}.zip"
    path.write_bytes(content)
    vault.keep(site.vault, path)


def manifest(*notes, batch="visits-000007-0012"):
    return Manifest(batch, 7, "visits", 1, {}, tuple(ClaimedZip(note) for note in notes))


def test_zip_is_meant_by_the_beginning_of_its_id_its_name_or_a_file_of_its_bytes(tmp_path):
    path = tmp_path / "in-hand.zip"
    path.write_bytes(b"zip")
    of_file = replace(NOTE, sha256=hashlib.sha256(b"zip").hexdigest())
    assert Wanted.read(ID[:8]).fits(NOTE)
    assert Wanted.read(NOTE.name).fits(NOTE)
    assert Wanted.read(str(path)).fits(of_file)
    assert not Wanted.read(ID[:7]).fits(NOTE)
    assert not Wanted.read(str(path)).fits(NOTE)


def test_what_was_said_is_quoted_in_sql():
    assert Wanted.read("A O'Hara\\.zip").condition == r"(name = 'A O\'Hara\\.zip')"
    assert Wanted.read("0123abcd").condition == "(zip_id LIKE '0123abcd%' OR name = '0123abcd')"


def test_beginning_that_fits_several_ids_is_refused():
    Wanted.read("01234567").refuse_ambiguous([ID, ID, "f" * 32])
    with pytest.raises(LakeError, match="several zips"):
        Wanted.read("01234567").refuse_ambiguous([ID, "01234567" + "f" * 24])


def test_selection_narrows_down_what_is_said_and_open_entries():
    assert Selection().is_all
    assert Selection().condition == "coalesce(state, 'open') = 'open'"
    some = Selection(feed="visits", rule="type.a", day=date(2026, 3, 1), only_open=False)
    assert some.condition == "feed = 'visits' AND rule = 'type.a' AND day = '2026-03-01'"
    assert not some.is_all


def test_places_follow_a_zip_on_its_way(site):
    assert places_of(site, ID) == []
    land_again(site.landing, NOTE, b"zip")
    assert [place.kind for place in places_of(site, ID)] == ["landing"]
    claim(site.landing, site.claimed, manifest(NOTE))
    assert [(place.kind, place.batch) for place in places_of(site, ID)] == [("claimed", "visits-000007-0012")]
    assert list(notes_under_way(site)) == [NOTE]
    keep_in_vault(site)
    assert [place.kind for place in places_of(site, ID)] == ["claimed", "vault/open"]
    vault.pack(site.vault, bundle_bytes=1)
    place = places_of(site, ID)[1]
    assert (place.kind, place.offset, place.length) == ("vault", 0, 3)


def test_kept_bytes_are_those_of_the_vault_or_of_quarantine(site):
    assert kept_bytes(site, ID) is None
    (site.quarantine / f"{ID}.zip").write_bytes(b"refused")
    assert kept_bytes(site, ID) == b"refused"
    keep_in_vault(site)
    assert kept_bytes(site, ID) == b"zip"


def test_zip_is_read_from_the_bundle_it_is_packed_into_after_it_was_located(site):
    keep_in_vault(site)
    location = vault.locate(site.vault, [ID])[ID]
    vault.pack(site.vault, bundle_bytes=1)
    with pytest.raises(FileNotFoundError):
        location.read()
    assert vault.find(site.vault, ID) == b"zip"


def test_note_of_before_reads_as_a_delivery(site):
    old = {name: value for name, value in vars(NOTE).items() if name != "replay"}
    assert DeliveryNote(**old).replay == 0


def test_replay_is_landed_once_under_the_id_the_zip_has(site):
    keep_in_vault(site)
    assert land_replays(site, Replay(notes=[NOTE])) == 1
    assert landed_zips(site.landing) == [NOTE]
    again = Replay(notes=[NOTE])
    assert land_replays(site, again) == 0
    assert again.under_way == [ID]
    claim(site.landing, site.claimed, manifest(NOTE))
    assert land_replays(site, Replay(notes=[NOTE])) == 0


def test_lost_zip_is_told_and_not_landed(site):
    lost = Replay(notes=[NOTE])
    assert land_replays(site, lost) == 0
    assert lost.lost == [ID]


def plan(feed, revision, feeds, same_rules=False, name="A.zip"):
    row = {
        "zip_id": ID,
        "name": name,
        "folder": "visits",
        "sha256": "a",
        "bytes": 3,
        "landed_micros": 1_767_225_600_000_001,
    }
    found = Replay()
    plan_zip(found, {**row, "feed": feed, "revision": revision, "replay": 1}, feeds, same_rules)
    return found


def visits(revision=2, pattern=".*"):
    return {"visits": Feed("visits", revision, "visits", pattern, ())}


def test_zip_is_replayed_by_another_revision_or_feed_and_else_left_alone():
    (note,) = plan("visits", 1, visits()).notes
    assert (note.replay, note.landed_at) == (2, "2026-01-01T00:00:00.000001+00:00")
    assert plan("", 0, visits()).feeds == {"visits": 1}
    assert plan("visits", 2, visits()).same_rules == [ID]
    assert plan("visits", 2, visits(), same_rules=True).notes
    assert plan("visits", 1, visits(pattern="B.*"), same_rules=True).no_feed == [ID]


def test_released_batch_that_is_killed_midway_is_released_by_the_next_run(site, monkeypatch):
    land_again(site.landing, NOTE, b"zip")
    folder = claim(site.landing, site.claimed, manifest(NOTE))

    def die(*_):
        raise InterruptedError

    with monkeypatch.context() as patched:
        patched.setattr("spark_jobs.landing.claim.move", die)
        with pytest.raises(InterruptedError):
            release(site.landing, folder)
    assert not (folder / MANIFEST).exists()
    assert release(site.landing, folder) == 1
    assert landed_zips(site.landing) == [NOTE]


def test_later_batch_of_a_run_wins_and_any_wins_over_rows_of_before(tmp_path):
    first, second = (Batch(manifest(batch=f"visits-000007-{n:04d}"), tmp_path, None, {}) for n in (9, 10_000))
    assert f"{7:012d}" < first.order < second.order < f"{8:012d}"


def test_ledger_row_tells_commits_and_rows_by_table():
    row = {"commits": "a=20260101,b=20260102", "rows_by_table": "a=3"}
    assert (ledger.commits_of(row), ledger.rows_of(row)) == ({"a": "20260101", "b": "20260102"}, {"a": 3})
    assert ledger.rows_of({"rows_by_table": None}) == {}


def entry(index, row=0, target=""):
    return {"member_index": index, "row": row, "target": target, "content": "?"}


def test_refused_text_is_bounded_and_a_whole_zip_has_none():
    content = zip_of(("a.csv", b"a,b\n1,2\n3,x\n"), ("b.txt", b"y" * 3 * LONGEST_TEXT))
    entries = [entry(0, 2, "t"), entry(1), entry(-1)]
    add_from_zip(content, feed_of(csv_rule()), entries)
    assert entries[0]["content"] == "a=3, b=x"
    assert len(entries[1]["content"]) < LONGEST_TEXT + 10
    assert entries[2]["content"] is None


def test_refused_text_of_a_zip_that_can_not_be_opened_says_so():
    entries = [entry(0), entry(0, 1, "t")]
    add_from_zip(b"no zip", feed_of(csv_rule()), entries)
    assert all("can't be shown" in one["content"] for one in entries)
