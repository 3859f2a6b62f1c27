"""A store of backups: what was kept comes back, each content once, whatever ends a process in between; damage is named."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from spark_jobs.backups import contents as module
from spark_jobs.backups import points
from spark_jobs.backups.contents import Contents
from spark_jobs.backups.mirror import Distcp
from spark_jobs.backups.points import Point, name_of
from spark_jobs.errors import LakeError
from spark_jobs.jobs.backup import contents_of, is_empty, make_backup, store_of
from spark_jobs.jobs.restore import Restoring, bring_lake, settle_lake
from spark_jobs.landing.files import walk
from spark_jobs.site import Site, read_site
from spark_jobs.tables.access import Access

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class KilledError(BaseException):
    """As a kill: nothing may catch it."""


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "lake"
    for path, text in {"a/one": "1" * 100, "a/b/two": "2", "a/b/same as two": "2"}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.fixture
def store(tmp_path):
    return Contents(tmp_path / "backups")


def make(store, tree, hours=0):
    name = name_of(NOON + timedelta(hours=hours))
    with store.alone():
        known = store.read(store.names()[-1]).files if store.names() else {}
        files = {path: entry for path, entry in walk(tree, "") if not entry.is_dir}
        store.add(Point(name, store.keep(name, tree, files, known), ("a", "a/b", "a/b/empty"), {"tables": {}}))
    return store.read(name)


def restored(store, point, folder):
    store.bring(point, "", folder)
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def objects(store):
    return sorted(path.name for path in (store.folder / "objects").glob("*/*"))


def test_what_was_kept_comes_back_and_equal_contents_are_kept_once(store, tree, tmp_path):
    point = make(store, tree)
    expected = {str(path.relative_to(tree)): path.read_text() for path in tree.rglob("*") if path.is_file()}
    assert restored(store, point, tmp_path / "new") == expected
    assert (tmp_path / "new/a/b/empty").is_dir()
    assert (tmp_path / "new/a/one").stat().st_mtime_ns == (tree / "a/one").stat().st_mtime_ns
    assert len(objects(store)) == 2
    assert (point.bytes, point.made_at) == (102, NOON)


def test_a_second_backup_reads_only_what_has_changed(store, tree, monkeypatch):
    make(store, tree)
    (tree / "a/one").write_text("other")
    read = []
    copy = module._copy
    monkeypatch.setattr(module, "_copy", lambda source, target: read.append(source.name) or copy(source, target))
    make(store, tree, hours=1)
    assert read == ["one"]


def test_a_point_is_found_by_a_moment(store, tree):
    names = [make(store, tree, hours).name for hours in (0, 1, 2)]
    assert store.point().name == names[2]
    assert store.point(NOON + timedelta(minutes=90)).name == names[1]
    assert store.point(NOON).name == names[0]
    with pytest.raises(LakeError, match="no such backup"):
        store.point(NOON - timedelta(seconds=1))


def test_damage_is_named_and_never_restored(store, tree, tmp_path):
    point = make(store, tree)
    kept = point.files["a/one"]
    (store.folder / "objects" / kept.sha256[:2] / kept.sha256).write_text("1" * 99 + "x")
    assert store.damaged(point) == ["a/one"]
    with pytest.raises(LakeError, match="not what was kept"):
        store.put(kept, tmp_path / "new" / "one")
    assert list((tmp_path / "new").iterdir()) == []
    (store.folder / "objects" / kept.sha256[:2] / kept.sha256).unlink()
    assert store.damaged(point) == ["a/one"]
    with pytest.raises(LakeError, match="is gone"):
        store.put(kept, tmp_path / "new" / "one")


def test_forgetting_removes_what_only_old_points_name(store, tree, tmp_path):
    make(store, tree)
    (tree / "a/one").write_text("other")
    last = make(store, tree, hours=1)
    assert len(objects(store)) == 3
    assert store.forget(keep=1) == 1
    assert store.names() == [last.name]
    assert restored(store, last, tmp_path / "new")["a/one"] == "other"


@pytest.mark.parametrize("call", range(6))
def test_a_backup_that_is_killed_leaves_no_point_and_the_next_one_is_whole(store, tree, tmp_path, monkeypatch, call):
    calls = iter(range(100))

    def dying(function):
        def act(*given, **named):
            if next(calls) == call:
                raise KilledError
            return function(*given, **named)

        return act

    with monkeypatch.context() as patched:
        patched.setattr(module, "_copy", dying(module._copy))
        patched.setattr(points, "write_json", dying(points.write_json))
        patched.setattr(module.Path, "rename", dying(module.Path.rename))
        with pytest.raises(KilledError):
            make(store, tree)
    assert store.names() == []
    assert len(restored(store, make(store, tree, hours=1), tmp_path / "new")) == 3


def test_two_backups_at_once_are_refused(store):
    with store.alone(), pytest.raises(LakeError, match="another backup"), Contents(store.folder).alone():
        pass


def test_a_folder_of_a_point_comes_back_alone(store, tree, tmp_path):
    store.bring(make(store, tree), "a/b", tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["empty", "same as two", "two"]


@pytest.fixture
def lake(tmp_path):
    """A lake's files, among others that no backup holds."""
    site = Site(tmp_path / "site")
    for path in ("landing/a/1.zip", "landing/a/.2.zip.tmp", "warehouse/raw/bed/1.parquet", ".epoch", "logs/lake.log"):
        (site.home / path).parent.mkdir(parents=True, exist_ok=True)
        (site.home / path).write_text(path)
    return site


def test_backup_holds_what_a_lake_cannot_do_without(lake):
    files = [path for path, entry in contents_of(lake.home) if not entry.is_dir]
    assert sorted(files) == [".epoch", "landing/a/1.zip", "warehouse/raw/bed/1.parquet"]


def test_lake_that_only_has_tables_of_its_own_is_empty(tmp_path):
    site = Site(tmp_path)
    assert is_empty(site)
    (site.warehouse / "ops/ledger/.hoodie").mkdir(parents=True)
    (site.warehouse / "ops/ledger/.hoodie/hoodie.properties").touch()
    assert is_empty(site)
    (site.warehouse / "rules.db/feed").mkdir(parents=True)
    (site.warehouse / "rules.db/feed/part-0.orc").touch()
    assert not is_empty(site)


def test_files_are_brought_aside_once_and_to_a_lake_that_is_empty(store, tree, lake, tmp_path, monkeypatch):
    first, second = make(store, tree), make(store, tree, hours=1)
    site = Site(tmp_path / "new")
    bring_lake(store, first, site)
    assert is_empty(site)
    assert sorted(path.name for path in Restoring(site).aside.iterdir()) == ["a"]
    monkeypatch.setattr(Contents, "bring", None)
    bring_lake(store, first, site)
    with pytest.raises(LakeError, match=f"a restore of {first.name} was begun there"):
        bring_lake(store, second, site)
    with pytest.raises(LakeError, match="there is a lake already"):
        bring_lake(store, first, lake)


def test_lake_that_is_half_restored_is_not_backed_up(store, tree, tmp_path):
    site = Site(tmp_path / "new")
    bring_lake(store, make(store, tree), site)
    with pytest.raises(LakeError, match="a restore was begun"):
        make_backup(Access(site, run=None), store)
    assert len(store.names()) == 1


def test_copy_that_fails_says_why():
    distcp = Distcp(("sh", "-c", "echo $*; echo no room; exit 3", "distcp"))
    with pytest.raises(LakeError, match="ended with 3") as failed:
        distcp.changes("hdfs://lake/carelake", "hdfs://second/lake", "before", "now")
    words = "-update -pbpt -diff before now hdfs://lake/carelake hdfs://second/lake"
    assert failed.value.hint.split("\n  ") == [words, "no room"]


def test_nothing_is_settled_that_was_not_brought(lake):
    with pytest.raises(LakeError, match="no files were brought"):
        settle_lake(lake)


@pytest.fixture
def cluster(tmp_path):
    path = tmp_path / "site.json"
    told = {
        "home": "hdfs://lake/carelake", "user": "lake", "namenodes": ["http://n1:9870", "http://n2:9870"],
        "resourcemanagers": [], "zookeepers": [], "hive": [], "presto": [], "spark": {},
        "backup": "hdfs://lake/backup", "backup_namenodes": ["http://b1:9870"], "distcp": ["distcp"], "databases": {},
    }  # fmt: skip
    path.write_text(json.dumps(told))
    return read_site(path)


def test_backups_of_a_cluster_have_their_place(cluster):
    assert str(store_of(cluster, None).folder) == "hdfs://lake/backup"
    assert store_of(cluster, None).folder.at == cluster.home.at
    assert store_of(cluster, "hdfs://second/lake").folder.at.addresses == ("http://b1:9870",)
    assert isinstance(store_of(cluster, "/mnt/second"), Contents)


def test_place_of_backups_must_be_said_and_be_within_reach(lake):
    with pytest.raises(LakeError, match="their place was not said"):
        store_of(lake, None)
    with pytest.raises(LakeError, match="from a cluster's hosts alone"):
        store_of(lake, "hdfs://lake/backup")
