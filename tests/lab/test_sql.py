"""Who asks for SQL, and who delivers, on the small lab: what becomes of them when a host is lost."""

import subprocess
import time

import pytest

from spark_jobs.lab.state import lab_that_is_up
from tests.lab.machine import hosts, on_host, run_lake, start_again, until_said

ANSWER_SECONDS = 60
SFTP_PORT = "2022"
MEMBERS = "sudo -u postgres patronictl list --format tsv"


@pytest.fixture(scope="module")
def rows(deployed):
    """A table with three rows, as Presto's user may read it."""
    by_spark("n3", "CREATE TABLE IF NOT EXISTS default.failover (id INT) STORED AS ORC")
    by_spark("n3", "INSERT OVERWRITE default.failover VALUES (1), (2), (3)")
    return "SELECT count(*) FROM hive.default.failover"


def test_presto_answers_again_when_the_host_of_the_active_coordinator_loses_power(rows):
    assert by_presto("n3", rows) == "3"
    assert seconds_until_presto_answers(rows, "n1") < ANSWER_SECONDS
    start_again("n1")


def test_presto_answers_again_when_the_host_of_postgresql_loses_power(rows):
    primary = primary_of_postgresql()
    assert seconds_until_presto_answers(rows, primary, asked="n1") < ANSWER_SECONDS
    assert primary_of_postgresql() != primary
    start_again(primary)
    until_said(primary, MEMBERS, lambda said: said.count("\tLeader\t") == said.count("\tstreaming\t") == 1)


def test_a_sender_can_deliver_and_nothing_else(deployed, tmp_path):
    delivered = tmp_path / "delivered.zip"
    delivered.write_bytes(b"zip")
    assert sftp(f"put {delivered} /incoming/delivered.zip").returncode == 0
    assert on_host("n3", "cat /srv/carelake/drop/clinic/incoming/delivered.zip") == "zip"
    assert "incoming" in sftp("ls /").stdout
    assert sftp("ls /etc").returncode != 0
    assert sftp(f"put {delivered} /elsewhere.zip").returncode != 0
    shell = subprocess.run(["ssh", "-p", SFTP_PORT, *enter(), "clinic@" + address("n3"), "id"], capture_output=True)
    assert shell.returncode != 0
    assert b"uid" not in shell.stdout


def by_spark(host, statement):
    return on_host(host, f'sudo -u spark beeline -u jdbc:hive2://{host}:10000 --silent=true -e "{statement}"')


def by_presto(host, statement):
    return on_host(host, f'presto --output-format TSV --execute "{statement}"').strip()


def seconds_until_presto_answers(statement, killed, asked="n3"):
    """Cuts a host's power, then asks until Presto answers as before."""
    run_lake("lab", "kill", killed)
    begun = time.monotonic()
    while time.monotonic() - begun < 4 * ANSWER_SECONDS:
        try:
            if by_presto(asked, statement) == "3":
                break
        except AssertionError:
            time.sleep(1)
    return time.monotonic() - begun


def primary_of_postgresql():
    member = next(name for name in ("n2", "n3") if hosts()[name]["state"] == "running")
    members = on_host(member, MEMBERS)
    return next(line.split("\t")[1] for line in members.splitlines() if "\tLeader\t" in line)


def address(host):
    return lab_that_is_up().host(host).address


def enter():
    lab = lab_that_is_up()
    return [
        "-i",
        str(lab.key),
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
        "-o",
        "LogLevel=ERROR",
    ]


def sftp(command):
    words = ["sftp", "-q", "-b", "-", "-P", SFTP_PORT, *enter(), "clinic@" + address("n3")]
    return subprocess.run(words, input=command + "\n", capture_output=True, text=True)
