"""An ingest on YARN whose master is killed again and again: it goes on, and the rows are those of the truth.

It takes up the lake as the tests before have left it; on a lab that has not taken in everything yet, it does so first.
"""

import random
import time

from tests.lab.lake import WAVES, bring_to, ingesting, lake
from tests.lab.machine import hosts, on_host, until
from tests.lab.readers import ENGINES, differences, presto_rows

# Of an application that may ask for no more, YARN starts a second attempt and no third.
KILLS = 3
# The brackets keep it from finding the shell that looks for it.
MASTER = "[o]rg.apache.spark.deploy.yarn.ApplicationMaster"
SECONDS_OF_A_MASTER = 40


def test_ingest_whose_master_is_killed_three_times_goes_on_and_loses_nothing(deliveries):
    bring_to(deliveries, WAVES)
    moments = random.Random(6)
    with ingesting():
        for _ in range(KILLS):
            land_once_more()
            until(lambda: masters("pgrep"))
            time.sleep(moments.uniform(0, SECONDS_OF_A_MASTER))
            assert masters("pkill -9")
        taken_in = replays()
        land_once_more()
        until(replays, lambda found: found > taken_in, minutes=10)
    assert differences(deliveries, ENGINES) == {}


def land_once_more():
    """Lands what was refused in part, but for what is under way: of it the same rows are kept, and the same refused."""
    assert lake("quarantine", "replay", "--all", "--same-rules")["zips"]


def replays():
    """How often zips that were landed once more have been taken in."""
    return presto_rows("SELECT sum(replay) FROM hive.ops.ledger")[0][0] or 0


def masters(command):
    """The hosts on which a command of the kind of pgrep finds masters of Spark's applications in YARN."""
    return [
        host for host in hosts() if "found" in on_host(host, f"{command} -f {MASTER} >/dev/null && echo found || true")
    ]
