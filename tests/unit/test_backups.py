"""A store of backups: what was kept comes back, each content once, whatever ends a process in between; damage is named."""

from datetime import UTC, datetime, timedelta

import pytest

from spark_jobs.backups import store as module
from spark_jobs.backups.store import Point, Store, name_of
from spark_jobs.errors import LakeError

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
    return Store(tmp_path / "backups")


def make(store, tree, hours=0):
    name = name_of(NOON + timedelta(hours=hours))
    with store.alone():
        known = store.read(store.names()[-1]).files if store.names() else {}
        files = store.keep_tree(tree, (path for path in sorted(tree.rglob("*")) if path.is_file()), known)
        store.add(Point(name, files, ("a", "a/b"), {"tables": {}}))
    return store.read(name)


def restored(store, point, folder):
    for path, kept in point.files.items():
        store.put(kept, folder / path)
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def objects(store):
    return sorted(path.name for path in (store.folder / "objects").glob("*/*"))


def test_what_was_kept_comes_back_and_equal_contents_are_kept_once(store, tree, tmp_path):
    point = make(store, tree)
    expected = {str(path.relative_to(tree)): path.read_text() for path in tree.rglob("*") if path.is_file()}
    assert restored(store, point, tmp_path / "new") == expected
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
        for name in ("_copy", "write_json"):
            patched.setattr(module, name, dying(getattr(module, name)))
        patched.setattr(module.Path, "rename", dying(module.Path.rename))
        with pytest.raises(KilledError):
            make(store, tree)
    assert store.names() == []
    assert len(restored(store, make(store, tree, hours=1), tmp_path / "new")) == 3


def test_two_backups_at_once_are_refused(store):
    with store.alone(), pytest.raises(LakeError, match="another backup"), Store(store.folder).alone():
        pass
