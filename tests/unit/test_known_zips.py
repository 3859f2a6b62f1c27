"""The index of the zips that the ledger has, and what is remembered of tables until their files change."""

import hashlib
from dataclasses import replace

import pytest

from spark_jobs.tables.known import KnownZip, KnownZips
from spark_jobs.tables.ledger import seen_before
from spark_jobs.tables.remembering import Remembered, files_of


def known(number, content="a", feed="claims", state="loaded", order="1"):
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    return KnownZip(sha256, f"{number:032x}", feed, state, 5, 40, 2, order.zfill(20))


@pytest.fixture
def index(tmp_path):
    index = KnownZips(tmp_path / "known.sqlite")
    yield index
    index.close()


def test_zips_are_found_by_their_bytes(index):
    zips = [known(1), known(2), known(3, "b", state="quarantined")]
    index.add(zips, "20260101")
    hashes = {z.sha256 for z in zips}
    assert sorted(index.with_bytes(hashes), key=lambda z: z.zip_id) == zips
    assert index.with_bytes({hashlib.sha256(b"c").hexdigest()}) == []
    assert index.with_bytes(()) == []


def test_many_hashes_are_asked_for_at_once(index):
    zips = [known(number, str(number)) for number in range(1_700)]
    index.add(zips, "20260101")
    assert len(index.with_bytes([z.sha256 for z in zips])) == 1_700


def test_the_later_run_wins_whenever_it_is_entered(index):
    replayed = known(1, state="quarantined", order="7")
    index.add([replayed], "20260101")
    index.add([known(1, order="3")], "20260102")
    assert index.with_bytes({replayed.sha256}) == [replayed]
    again = replace(replayed, state="loaded", order="8".zfill(20))
    index.add([again], "20260103")
    assert index.with_bytes({replayed.sha256}) == [again]


def test_it_knows_up_to_which_commit_it_is_complete(index, tmp_path):
    assert index.instant == ""
    index.add([known(1)], "20260101")
    index.close()
    reopened = KnownZips(tmp_path / "known.sqlite")
    assert reopened.instant == "20260101"
    assert len(reopened.with_bytes({known(1).sha256})) == 1
    reopened.empty()
    assert (reopened.instant, reopened.with_bytes({known(1).sha256})) == ("", [])
    reopened.close()


def test_entries_and_their_commit_go_in_together_or_not_at_all(index):
    with pytest.raises(ValueError, match="fromhex"):
        index.add([known(1), replace(known(2), sha256="no hash")], "20260101")
    assert (index.instant, index.with_bytes({known(1).sha256})) == ("", [])


def test_a_damaged_file_is_begun_anew(tmp_path):
    path = tmp_path / "known.sqlite"
    path.write_bytes(b"no database" * 1_000)
    index = KnownZips(path)
    assert index.instant == ""
    index.close()


def test_loaded_by_feed_and_the_first_id(index):
    index.add([known(2), known(1), known(3, state="duplicate"), known(4, feed="beds")], "20260101")
    seen = seen_before(index, {known(1).sha256})
    assert len(seen.zip_ids) == 4
    assert seen.loaded == {("claims", known(1).sha256): f"{1:032x}", ("beds", known(1).sha256): f"{4:032x}"}


def test_what_was_read_is_remembered_until_a_file_comes(tmp_path):
    folder, reads = tmp_path / "rules.db" / "feed", []
    remembered = Remembered()

    def read():
        reads.append(1)
        return len(reads)

    def ask():
        return remembered.get("feed", files_of(tmp_path, "rules.feed"), read)

    assert ask() == ask() == 1
    folder.mkdir(parents=True)
    (folder / "part-0.orc").write_bytes(b"1")
    assert ask() == ask() == 2
    (folder / "_temporary").mkdir()
    (folder / ".hive-staging").mkdir()
    assert ask() == 2
    (folder / "part-1.orc").write_bytes(b"1")
    assert ask() == 3
