"""Landing, claiming and keeping zips: whole or absent, never lost, never doubled, whatever is killed."""

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest

from spark_jobs.landing import claim as claiming
from spark_jobs.landing import vault
from spark_jobs.landing.agent import DeliveryNote, adopt, land, land_folder
from spark_jobs.landing.claim import (
    MANIFEST,
    ClaimedZip,
    Manifest,
    claim,
    cut_batches,
    feed_of,
    group_by_feed,
    landed_zips,
    mark_duplicates,
    unfinished_batches,
)
from spark_jobs.rules.model import Feed


@pytest.fixture
def landing(tmp_path):
    folder = tmp_path / "landing"
    folder.mkdir()
    return folder


def deliver(folder, name, content=b"zip", age=0):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    os.utime(path, ns=(10**18 - age, 10**18 - age))
    return path


def feed(name="encounters", pattern=r"ENC_(?P<facility>\w+)\.zip", **more):
    return Feed(feed=name, revision=1, landing_folder="encounters", name_pattern=pattern, members=(), **more)


def manifest(notes, batch="encounters-000001-0000"):
    return Manifest(batch, 1, "encounters", 1, {}, tuple(ClaimedZip(note) for note in notes))


def names_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_landed_zip_has_an_opaque_name_and_its_given_name_in_the_note(landing, tmp_path):
    note = land(landing, "encounters", deliver(tmp_path, "ENC_John_Doe.zip"))
    assert names_in(landing) == [f"{note.zip_id}.json", f"{note.zip_id}.zip"]
    assert "Doe" not in " ".join(names_in(landing))
    assert landed_zips(landing)[0].name == "ENC_John_Doe.zip"


def test_retry_of_a_landing_that_was_killed_before_the_source_went_lands_nothing_twice(landing, tmp_path):
    source = deliver(tmp_path, "ENC_A.zip")
    first = land(landing, "encounters", source, keep=True)
    assert land(landing, "encounters", source).zip_id == first.zip_id
    assert len(landed_zips(landing)) == 1
    assert not source.exists()


def test_same_bytes_delivered_again_are_another_delivery(landing, tmp_path):
    first = land(landing, "encounters", deliver(tmp_path, "ENC_A.zip", age=1))
    second = land(landing, "encounters", deliver(tmp_path, "ENC_B.zip"))
    assert first.sha256 == second.sha256
    assert first.zip_id != second.zip_id


def test_zips_land_oldest_first_so_that_the_first_of_two_equal_ones_is_the_original(landing, tmp_path):
    deliver(tmp_path / "drop" / "encounters", "ENC_Z.zip", age=2)
    deliver(tmp_path / "drop" / "encounters", "ENC_A.zip", age=1)
    assert [note.name for note in land_folder(landing, tmp_path / "drop")] == ["ENC_Z.zip", "ENC_A.zip"]


def test_zip_renamed_into_landing_by_hand_is_adopted_and_half_written_ones_are_not(landing):
    deliver(landing / "encounters", "ENC_A.zip")
    deliver(landing / "encounters", ".ENC_B.zip.tmp")
    deliver(landing / "encounters", "ENC_C.zip.part")
    assert adopt(landing) == 1
    assert [note.name for note in landed_zips(landing)] == ["ENC_A.zip"]


def test_old_modification_time_is_never_skipped(landing, tmp_path):
    land(landing, "encounters", deliver(tmp_path, "ENC_A.zip"))
    landed_zips(landing)
    land(landing, "encounters", deliver(tmp_path, "ENC_B.zip", age=10**17))
    assert {note.name for note in landed_zips(landing)} == {"ENC_A.zip", "ENC_B.zip"}


def note(name="ENC_A.zip", sha256="a", size=1):
    return DeliveryNote(zip_id=f"id-{name}", name=name, folder="encounters", sha256=sha256, bytes=size, landed_at="")


def test_zip_goes_to_the_feed_of_its_folder_and_name_with_the_parts_of_its_name():
    found, parts = feed_of(note("ENC_NE0001.zip"), [feed()])
    assert (found.feed, parts) == ("encounters", {"facility": "NE0001"})
    assert feed_of(note("other.zip"), [feed()]) is None


def test_more_urgent_feed_takes_a_zip_that_two_would():
    feeds = [feed("b", priority=2), feed("a", priority=3)]
    assert feed_of(note(), feeds)[0].feed == "b"


def test_second_zip_of_the_same_bytes_waits_until_the_first_is_known_to_be_loaded():
    groups = group_by_feed([note("ENC_A.zip"), note("ENC_B.zip")], [feed()])
    assert [z.note.name for z in groups["encounters"]] == ["ENC_A.zip"]
    assert group_by_feed([note()], [feed()], busy={("encounters", "a")}) == {}


def test_zips_of_a_waiting_feed_stay_in_landing_and_are_not_given_to_no_feed():
    assert group_by_feed([note()], [feed(paused=True)]) == {}
    assert group_by_feed([note()], [feed()], waiting={"encounters"}) == {}
    assert list(group_by_feed([note("other.zip")], [feed()])) == [None]


def test_zips_of_a_folder_whose_feed_is_not_valid_wait():
    assert group_by_feed([note("other.zip")], [feed()], unsettled={"encounters"}) == {}


def test_duplicate_is_told_by_what_its_own_feed_has_loaded():
    loaded = {("encounters", "a"): "first"}
    assert mark_duplicates("encounters", [ClaimedZip(note())], loaded)[0].duplicate_of == "first"
    assert mark_duplicates("others", [ClaimedZip(note())], loaded)[0].duplicate_of is None


def test_batches_are_bounded_by_zips_and_bytes_and_a_larger_zip_goes_alone():
    zips = [ClaimedZip(note(sha256=str(n), size=size)) for n, size in enumerate([1, 1, 1, 9, 1])]
    sizes = [[z.note.bytes for z in batch] for batch in cut_batches(zips, most_zips=2, most_bytes=5)]
    assert sizes == [[1, 1], [1], [9], [1]]


class KilledError(Exception):
    """Stands for SIGKILL."""


def killed_after(monkeypatch, steps):
    """Has the process die at its `steps`-th file operation of a claim."""
    real_move, real_write, left = claiming.move, claiming.write_json, [steps]

    def step(operation):
        def run(*args):
            if left[0] == 0:
                raise KilledError
            left[0] -= 1
            return operation(*args)

        return run

    monkeypatch.setattr(claiming, "move", step(real_move))
    monkeypatch.setattr(claiming, "write_json", step(real_write))


@pytest.mark.parametrize("steps", range(6))
def test_claim_killed_at_any_step_loses_no_zip_and_no_note(landing, tmp_path, monkeypatch, steps):
    notes = [land(landing, "encounters", deliver(tmp_path, f"ENC_{n}.zip", bytes([n]))) for n in range(2)]
    claimed = tmp_path / "claimed"
    with monkeypatch.context() as patched:
        killed_after(patched, steps)
        with suppress(KilledError):
            claim(landing, claimed, manifest(notes))
    left = unfinished_batches(claimed, landing)
    if left:
        assert Manifest.read(left[0]).zips == tuple(ClaimedZip(n) for n in notes)
        assert {path.stem for path in left[0].glob("*.zip")} == {n.zip_id for n in notes}
    else:
        assert sorted(landed_zips(landing), key=lambda n: n.zip_id) == sorted(notes, key=lambda n: n.zip_id)


def test_manifest_is_read_back_as_it_was_written(landing, tmp_path):
    notes = [land(landing, "encounters", deliver(tmp_path, "ENC_Å.zip"))]
    written = Manifest("b", 3, None, 0, {"x": [1]}, (ClaimedZip(notes[0], {"facility": "Å"}, "other"),))
    folder = claim(landing, tmp_path / "claimed", written)
    assert Manifest.read(folder) == written
    assert json.loads((folder / MANIFEST).read_bytes())["epoch"] == 3


def keep_some(folder, count, size):
    for n in range(count):
        vault.keep(folder, deliver(folder.parent / "claimed", f"zip-{n}.zip", bytes([n]) * size))


def test_zip_is_found_in_the_vault_before_and_after_packing(tmp_path):
    folder = tmp_path / "vault"
    keep_some(folder, 5, 10)
    assert vault.find(folder, "zip-3") == bytes([3]) * 10
    assert vault.pack(folder, bundle_bytes=20) == 2
    assert [vault.find(folder, f"zip-{n}") for n in range(5)] == [bytes([n]) * 10 for n in range(5)]
    assert names_in(folder / "open") == ["zip-4.zip"]
    assert vault.find(folder, "absent") is None


def test_too_few_bytes_for_a_bundle_wait(tmp_path):
    keep_some(tmp_path / "vault", 2, 10)
    assert vault.pack(tmp_path / "vault", bundle_bytes=100) == 0


@pytest.mark.parametrize("killed_at", ["write_table", "_write_bundle", "unlink"])
def test_packing_killed_at_any_step_is_finished_by_the_next_run(tmp_path, monkeypatch, killed_at):
    folder = tmp_path / "vault"
    keep_some(folder, 2, 10)

    def die(*args, **kwargs):
        raise KilledError

    with monkeypatch.context() as patched:
        if killed_at == "write_table":
            patched.setattr(vault.pq, "write_table", die)
        elif killed_at == "unlink":
            patched.setattr(Path, "unlink", die)
        else:
            patched.setattr(vault, "_write_bundle", die)
        with pytest.raises(KilledError):
            vault.pack(folder, bundle_bytes=20)
    assert vault.pack(folder, bundle_bytes=20) == 1
    assert [vault.find(folder, f"zip-{n}") for n in range(2)] == [bytes([n]) * 10 for n in range(2)]
    assert len(list(folder.glob("*.zips"))) == 1
    assert names_in(folder / "open") == []
