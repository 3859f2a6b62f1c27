"""The lake of the lab as its users see it: commands from here, rules by INSERT, and the deliveries of the tests, wave by wave."""

import json
import shlex
from contextlib import contextmanager

from spark_jobs.lab.state import lab_that_is_up
from tests.lab.machine import host_of, on_host, run_lake, until
from tests.lab.readers import PORTS, presto_rows

WAVES = 6
SHIPPED_RULES, RULES = "/opt/carelake/jobs/metadata_tables", "/tmp/rules"
COMPACT_AFTER = 3
DROP = "/srv/carelake/carelake/drop"
MINUTES = 10


def insert_rules():
    """Fills the rule tables of feeds by INSERT alone: one feed and its table through Hive JDBC, the others through Presto.

    Compactions are planned more often than usual, so that there are some at all.
    """
    on_host("n1", f"rm -rf {RULES}; mkdir {RULES}; cp -r {SHIPPED_RULES}/feeds {SHIPPED_RULES}/targets {RULES}")
    on_host("n1", f"chmod -R a+rX {RULES}")
    on_host("n1", f"sed -i '$a compact_after: {COMPACT_AFTER}' {RULES}/targets/*.yaml")
    for path in (f"{RULES}/targets/patient.yaml", f"{RULES}/feeds/patients.yaml"):
        on_host("n1", f"lake feed apply --print-sql {path} >/tmp/rules.sql")
        on_host("n1", f"sudo -u spark beeline --silent=true -u jdbc:hive2://n1:{PORTS['hive']} -f /tmp/rules.sql")
    insert_by_presto(RULES)


def insert_reports():
    """Fills the rule table of reports: from then on Airflow makes them, beside whatever else is done."""
    insert_by_presto(f"{SHIPPED_RULES}/reports")


def insert_by_presto(rules):
    on_host("n1", f"lake feed apply --print-sql --dialect presto {rules} >/tmp/rules.sql")
    on_host("n1", "presto --catalog hive -f /tmp/rules.sql")
    assert lake("feed", "check")["findings"] == []


def airflow(*words):
    return on_host(host_of("airflows"), shlex.join(["airflow", *words]))


def after(truth, wave):
    return truth if wave == WAVES else truth / "after" / str(wave)


def bring_to(truth, wave):
    """Has the lake take in those waves up to this one that it has not taken in, one after the other."""
    taken_in = zips_in_ledger()
    if taken_in < zips_in(after(truth, wave)):
        with ingesting():
            for number in range(1, wave + 1):
                if taken_in < zips_in(after(truth, number)):
                    take_in(truth, number)


@contextmanager
def ingesting():
    """A continuous ingest has the lake."""
    lake("ingest", "--continuous")
    try:
        yield
    finally:
        lake("ingest", "stop")


def take_in(truth, wave):
    """Lands a wave, and waits until the ingest that runs has put every zip of it into the ledger."""
    assert lake("land", "--keep", f"{DROP}/{wave}")["landed"]
    wanted = zips_in(after(truth, wave))
    until(zips_in_ledger, lambda found: found == wanted, MINUTES)


def zips_in(truth):
    return sum(json.loads((truth / "summary.json").read_text())["zips"].values())


def zips_in_ledger():
    return presto_rows("SELECT count(*) FROM hive.ops.ledger")[0][0]


def lake(*words):
    """Runs a command of the cluster's lake from here; returns its result."""
    return json.loads(run_lake(*words, "--json", "--site", str(lab_that_is_up().inventory)).splitlines()[-1])
