"""A continuous ingest in a process of its own: feeds added by SQL while it runs, bad zips and bad feeds beside good ones."""

import json
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections import Counter
from contextlib import closing
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from pyhive import hive
from thrift.transport.TTransport import TTransportException

from spark_jobs.errors import LakeError
from spark_jobs.landing.agent import land
from spark_jobs.rules.inserts import insert_statements
from spark_jobs.rules.rows import rows_of
from spark_jobs.rules.yaml_files import load
from spark_jobs.site import REPOSITORY, Site
from spark_jobs.tables.access import open_access
from spark_jobs.tables.endpoint import read_address
from tests.simulator import simulate
from tests.unit.test_clinical_documents import DOCUMENTS, READINGS

pytestmark = [pytest.mark.spark, pytest.mark.processes]

LAKE = [sys.executable, "-m", "spark_jobs.cli"]
PATIENCE_SECONDS = 600


def lake(site, *arguments):
    """Runs a command and returns its JSON."""
    command = [*LAKE, *arguments, "--home", str(site.home), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def eventually(what, is_so):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.3)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A lake that a continuous ingest has; the process is stopped by `lake ingest stop`."""
    site = Site(tmp_path_factory.mktemp("continuous"))
    command = [*LAKE, "ingest", "--continuous", "--home", str(site.home)]
    log = site.home / "said.txt"
    with (
        log.open("w") as said,
        subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, cwd=REPOSITORY) as process,
    ):
        eventually("the endpoint opens", lambda: read_address(site) or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        try:
            yield site
        finally:
            if process.poll() is None:
                lake(site, "ingest", "stop")
            assert process.wait(10) == 0, log.read_text()


def connect(site, password=None):
    address = read_address(site)
    return hive.connect(
        address.host, address.port, auth="CUSTOM", username="analyst", password=password or address.password
    )


def ask(site, statement):
    with connect(site) as connection:
        cursor = connection.cursor()
        cursor.execute(statement)
        return [] if statement.startswith("INSERT") else cursor.fetchall()


def insert(site, script):
    """Runs the statements of a script, as a person would in a SQL tool."""
    lines = [line for line in script.splitlines() if not line.startswith("--")]
    for statement in "\n".join(lines).split(";\n"):
        if statement.strip():
            ask(site, statement.strip().rstrip(";"))


def deliver(site, tmp_path, folder, name, **members):
    path = tmp_path / name
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in members.items():
            archive.writestr(member.replace("_dot_", "."), text)
    return land(site.landing, folder, path)


def state(site, feed):
    return {one["feed"]: one["state"] for one in lake(site, "status")["feeds"]}[feed]


def states(site, feed):
    return dict(
        ask(site, f"SELECT name, concat(state, coalesce(concat(' ', rule), '')) FROM ops.ledger WHERE feed = '{feed}'")
    )


def test_feed_of_fixed_width_text_is_added_by_inserts_alone_while_the_ingest_runs(site, tmp_path):
    lake(site, "sql", "--file", "tests/data/ward_list/inserts.sql")
    lines = [
        "AB0001W1  open   12202603010800",
        "AB0001W2  open  ---202603010800",
        "AB0001W3  shut   10202603010800",
        "CD0002W1  open   20202603010800",
    ]
    deliver(site, tmp_path, "wards", "WARDS_1.zip", wards_dot_txt="\n".join(lines))
    eventually("the first zip is in the ledger", lambda: states(site, "ward_list"))
    late = ["AB0001W1  open   99202602010800", "CD0002W1  closed 20202603020800"]
    deliver(site, tmp_path, "wards", "WARDS_2.zip", wards_dot_txt="\n".join(late))
    eventually("the second zip is in the ledger", lambda: len(states(site, "ward_list")) == 2)
    rows = ask(site, "SELECT site, ward, beds, cast(listed_at AS string) FROM lake.ward ORDER BY 1, 2")
    assert rows == [("AB0001", "W1", 12, "2026-03-01 13:00:00"), ("AB0001", "W2", None, "2026-03-01 13:00:00")]
    assert ask(site, "SELECT rule, row FROM ops.quarantine WHERE feed = 'ward_list'") == [("check.known_state", 3)]


def test_feed_of_nested_namespaced_documents_is_added_by_inserts_alone(site, tmp_path):
    """C-CDA documents of some hundred kilobytes: one header table, and eight tables of what is in their sections."""
    rules = load(REPOSITORY / "tests/data/ccda")
    for statement in insert_statements([rows_of(rule) for rule in rules]):
        ask(site, statement)
    path = tmp_path / "CCDA_MA0001_20261101100000_1.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in DOCUMENTS.items():
            archive.writestr(name, body)
    land(site.landing, "clinical_documents", path)
    eventually("the documents are in the ledger", lambda: states(site, "clinical_documents"))
    assert states(site, "clinical_documents") == {path.name: "loaded"}
    assert ask(site, "SELECT * FROM ops.quarantine WHERE feed = 'clinical_documents'") == []
    roots = [ElementTree.fromstring(body) for body in DOCUMENTS.values()]
    for member in rules.feeds["clinical_documents"].readers:
        expected = [row for root in roots for row in READINGS[member.member](root)]
        columns = [name for name, value in expected[0].items() if isinstance(value, str)]
        assert columns
        found = ask(site, f"SELECT {', '.join(columns)} FROM lake.{member.target}")
        assert Counter(found) == Counter(tuple(row[name] for name in columns) for row in expected), member.member


def test_endpoint_lets_nobody_in_without_its_password(site):
    for password in ("x", "null"):
        with pytest.raises(TTransportException, match="validating the login"):
            connect(site, password)
    settings = [str(row) for row in ask(site, "SET")]
    assert not any(read_address(site).password in line for line in settings)


def test_other_commands_answer_while_the_ingest_has_the_lake(site):
    assert lake(site, "sql", "SELECT 1 AS one, array('a') AS list")["columns"] == ["one", "list"]
    assert "ward_list" in {feed["feed"] for feed in lake(site, "status")["feeds"]}
    assert lake(site, "feed", "show", "ward_list")["feed"]["revision"] == 1
    refused = subprocess.run(
        [*LAKE, "sql", "SELECT nothing", "--home", str(site.home)], capture_output=True, text=True, cwd=REPOSITORY
    )
    assert refused.returncode == 1
    assert "nothing" in refused.stderr
    assert "Traceback" not in refused.stderr


# A rule that some values bring down: no Java array is as long as they ask for.
WIDE = "lpad('x', width, 'y')"
POISON, GOOD = "id,width\n{},2147483647", "id,width\n{},3"


def wide_feed(feed, revision, expression):
    """INSERTs of a feed that brings its batches down by some values."""
    return f"""
INSERT INTO rules.target_table (target, revision, record_key) VALUES ('{feed}', {revision}, array('id'));
INSERT INTO rules.feed_column (feed, revision, member, position, name, type, source, expression, required) VALUES
  ('{feed}', {revision}, 'note', 1, 'id', 'string', 'id', NULL, true),
  ('{feed}', {revision}, 'note', 2, 'width', 'int', 'width', NULL, false),
  ('{feed}', {revision}, 'note', 3, 'kind', 'string', NULL, "{expression}", false);
INSERT INTO rules.feed_member (feed, revision, member, position, pattern, target, format) VALUES
  ('{feed}', {revision}, 'note', 1, '*.csv', '{feed}', 'csv');
INSERT INTO rules.feed (feed, revision, landing_folder, name_pattern, members, columns, checks) VALUES
  ('{feed}', {revision}, '{feed}', 'N_[0-9]+[.]zip', 1, 3, 0);
"""


def test_zip_that_brings_its_batch_down_is_refused_and_its_neighbours_are_loaded(site, tmp_path):
    insert(site, wide_feed("notes", 1, WIDE))
    for number in range(1, 5):
        deliver(site, tmp_path, "notes", f"N_{number}.zip", n_dot_csv=GOOD.format(number))
    deliver(site, tmp_path, "notes", "N_5.zip", n_dot_csv=POISON.format(5))
    eventually("all zips are in the ledger", lambda: len(states(site, "notes")) == 5)
    assert states(site, "notes") == {
        **{f"N_{number}.zip": "loaded" for number in range(1, 5)},
        "N_5.zip": "quarantined zip.failed",
    }
    assert {feed["feed"]: feed["state"] for feed in lake(site, "status")["feeds"]}["notes"] == "in force"


def test_feed_that_is_disabled_waits_and_goes_on_by_earlier_rules(site, tmp_path):
    lake(site, "feed", "disable", "notes")
    deliver(site, tmp_path, "notes", "N_7.zip", n_dot_csv=GOOD.format(7))
    deliver(site, tmp_path, "wards", "WARDS_3.zip", wards_dot_txt="AB0001W4  open   10202603010800")
    eventually("another feed goes on", lambda: "WARDS_3.zip" in states(site, "ward_list"))
    assert "N_7.zip" not in states(site, "notes")
    lake(site, "feed", "rollback", "notes")
    eventually("the feed goes on", lambda: states(site, "notes").get("N_7.zip") == "loaded")
    revisions = lake(site, "feed", "history", "notes")["revisions"]
    assert {one["revision"]: one["state"] for one in revisions}[3] == "in force"


@pytest.mark.drill
def test_feed_that_always_fails_is_isolated_and_the_others_go_on(site, tmp_path):
    insert(site, wide_feed("calm", 1, WIDE))
    insert(site, wide_feed("poison", 1, WIDE))
    for number in range(1, 6):
        deliver(site, tmp_path, "poison", f"N_{number}.zip", n_dot_csv=POISON.format(number))
    deliver(site, tmp_path, "calm", "N_6.zip", n_dot_csv=GOOD.format(6))
    eventually("the other feed goes on", lambda: states(site, "calm").get("N_6.zip") == "loaded")
    eventually("the feed is isolated", lambda: "isolated" in (site.home / "said.txt").read_text())
    assert state(site, "poison") == "isolated"
    assert "2147483647" not in (site.home / "logs" / "lake.log").read_text()

    assert lake(site, "ingest", "resume", "poison")["revision"] == 1
    assert state(site, "poison") != "isolated"

    insert(site, wide_feed("poison", 2, "lpad('x', least(width, 9), 'y')"))
    eventually("the mended revision loads them", lambda: "loaded" in states(site, "poison").values())


def test_simulated_deliveries_that_land_while_it_runs_end_as_the_truth_says(site, tmp_path_factory):
    """Landed in three waves with no pause between them."""
    deliveries = tmp_path_factory.mktemp("deliveries")
    simulate(deliveries, 5, 30, seed=5, edge_mb=0)
    lake(site, "feed", "apply")
    total = 0
    for wave in sorted((deliveries / "drop").iterdir()):
        total += lake(site, "land", str(wave))["landed"]
    others = "('ward_list', 'clinical_documents', 'notes', 'calm', 'poison')"
    count = f"SELECT count(*) FROM ops.ledger WHERE feed NOT IN {others}"
    eventually("all zips are in the ledger", lambda: ask(site, count) == [(total,)])
    (encounters,) = ask(site, "SELECT count(*) FROM lake.encounter")
    assert encounters == (pq.read_metadata(deliveries / "truth" / "tables" / "encounter.parquet").num_rows,)


def test_ingest_that_is_stopped_ends_what_it_has_claimed_and_loses_no_zip(site, tmp_path):
    insert(site, wide_feed("leaving", 1, WIDE))
    for number in range(100, 130):
        deliver(site, tmp_path, "leaving", f"N_{number}.zip", n_dot_csv=GOOD.format(number))
    landed = site.landing / "leaving"
    eventually("some are claimed", lambda: any(site.claimed.rglob("*.zip")) or not any(landed.glob("*.zip")))
    with open_access(site, "ask") as access:
        assert access.ask("SELECT 1").rows == [(1,)]
        assert lake(site, "ingest", "stop")["stopped"]
        with pytest.raises(LakeError, match="was lost while a statement ran"):
            access.ask("SELECT 1")
    assert read_address(site) is None
    assert not any(path.is_file() for path in site.claimed.rglob("*"))
    waiting = len(list(landed.glob("*.zip")))
    assert waiting < 30
    with closing(sqlite3.connect(site.known_zips)) as known:
        ((loaded,),) = known.execute("SELECT count(*) FROM zip WHERE feed = 'leaving'")
    assert loaded == 30 - waiting
