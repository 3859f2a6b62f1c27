"""The restore drill: a lake that is lost is made anew from its backup elsewhere, and a lost table in it, row by row as before."""

import json
import signal
import subprocess
import sys
import time
from datetime import date

import pytest

from spark_jobs.backups.contents import Contents
from spark_jobs.errors import LakeError
from spark_jobs.jobs.backup import make_backup
from spark_jobs.jobs.report import run_report
from spark_jobs.tables.access import Access, access_of
from spark_jobs.tables.catalog import SCHEMAS, schemas_elsewhere
from tests.spark.restored import contents

pytestmark = [pytest.mark.spark, pytest.mark.drill]

LAKE = [sys.executable, "-m", "spark_jobs.cli"]
DAY = date(2026, 2, 11)


def ask(*words):
    done = subprocess.run([*LAKE, *map(str, words), "--json"], capture_output=True, text=True)
    assert done.returncode == 0, (words, done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def made(filled):
    """A backup of the lake as it is now, an edition of a report included."""
    run_report(access_of(filled.lake), "admissions", DAY)
    return make_backup(access_of(filled.lake), Contents(filled.backups))


@pytest.fixture(scope="module")
def restored(filled, made, tmp_path_factory):
    """The lake again, in another folder, after a restore that was killed on its way."""
    home = tmp_path_factory.mktemp("restored") / "lake"
    words = ["restore", "--from", filled.backups, "--home", home]
    with subprocess.Popen([*LAKE, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (home / ".jvm").exists():
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    done = ask(*words)
    print(f"restored {done['files']} files, {done['bytes']} bytes, in {done['seconds']} s")
    return home


@pytest.fixture(scope="module")
def found(filled, restored):
    """What the restored lake holds, by a process of its own: there is one Spark session in each."""
    command = [sys.executable, "-m", "tests.spark.restored", str(restored), str(filled.truth), str(filled.backups)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_second_backup_copies_what_is_new_alone_and_all_of_it_is_whole(filled, made):
    assert 0 < made.copied_files < len(made.point.files) / 2
    assert Contents(filled.backups).damaged(made.point) == []


def test_backup_within_the_lake_or_beside_a_running_ingest_is_refused(filled, tmp_path):
    elsewhere = Access(filled.lake.site, access_of(filled.lake).run)
    with pytest.raises(LakeError, match="the running ingest has the lake"):
        make_backup(elsewhere, Contents(tmp_path))
    with pytest.raises(LakeError, match="within the lake"):
        make_backup(access_of(filled.lake), Contents(filled.lake.site.home / "backups"))


def test_restored_lake_is_the_lake_that_was(filled, found):
    assert found["whole"] == contents(filled.lake, filled.truth)


def test_lost_table_is_put_back_from_an_old_backup_and_catches_up(found):
    assert found["table"] == found["whole"]["differences"]
    assert found["loaded"] == found["landed_again"] > 0


def test_restoring_over_a_lake_is_refused(filled, restored):
    words = [*LAKE, "restore", "--from", str(filled.backups), "--home", str(restored)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1
    assert "there is a lake already" in done.stderr


def test_schemas_of_a_lake_in_another_folder_are_known_as_its_own(filled, tmp_path):
    session, home = filled.lake.session, filled.lake.site.home
    assert schemas_elsewhere(session, home) == {}
    assert schemas_elsewhere(session, tmp_path).keys() == SCHEMAS.keys()
    assert schemas_elsewhere(session, home.with_name(home.name[:-1])).keys() == SCHEMAS.keys()
