"""Asking a lake that another process has, whose session ends before that process does."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from spark_jobs.errors import LakeError
from spark_jobs.site import REPOSITORY, Site
from spark_jobs.tables.access import QueryError, open_access

pytestmark = [pytest.mark.spark, pytest.mark.processes]

# One task, of hours.
ENDLESS = "SELECT sum(hash(id)) FROM range(0, 1000000000000, 1, 1)"
STATEMENTS = (
    "SELECT 1",
    "SELECT count(*) FROM ops.ledger",
    "SHOW TABLES IN lake",
    "INSERT INTO rules.feed TABLE rules.feed",
)


@pytest.fixture
def server(tmp_path):
    command = [sys.executable, "-m", "tests.spark.ended_session", str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=REPOSITORY
    ) as process:
        try:
            assert process.stdout.readline() == "open\n"
            yield process
        finally:
            process.kill()


def end_session(server):
    server.stdin.write("end\n")
    server.stdin.flush()
    assert server.stdout.readline() == "ended\n"


def is_lost(access, statement):
    """Whether who answers is said to be lost, and the statement not to be refused."""
    with pytest.raises(LakeError) as raised:
        access.ask(statement)
    return type(raised.value) is LakeError and "was lost while a statement ran" in raised.value.problem


def test_statements_that_meet_the_end_of_a_session_are_lost_and_not_refused(server, tmp_path):
    site = Site(tmp_path)
    with open_access(site, "ask") as access, open_access(site, "ask") as other, ThreadPoolExecutor(1) as thread:
        assert [len(access.ask(statement).rows) for statement in STATEMENTS] == [1, 1, 0, 0]
        with pytest.raises(QueryError, match="nonsense"):
            access.ask("SELECT nonsense")
        running = thread.submit(is_lost, other, ENDLESS)
        end_session(server)
        assert running.result(60)
        assert all(is_lost(access, statement) for statement in (*STATEMENTS, "SELECT nonsense"))
