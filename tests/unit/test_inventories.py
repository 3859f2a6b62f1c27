"""The inventories that are shipped, and worse ones: whether YARN has room for all that is to work in it at once."""

import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest
import yaml

from spark_jobs.lab.picture import groups
from spark_jobs.site import REPOSITORY

ROLES = REPOSITORY / "ansible/roles"
SPEC = spec_from_file_location("room", ROLES / "yarn/filter_plugins/room.py")
# Dataclasses look for their module there.
sys.modules["room"] = room = module_from_spec(SPEC)
SPEC.loader.exec_module(room)


def read(path):
    return yaml.safe_load(path.read_text()) or {}


def broken(inventory, *more_nodes, **sizes):
    """The rules that an inventory breaks, with more nodemanagers than its own, and some sizes in place of its own."""
    settings = {"yarn_masters_share": read(ROLES / "yarn/vars/main.yml")["yarn_masters_share"]}
    for role in ("yarn", "spark", "thrift_server", "carelake"):
        settings |= read(ROLES / role / "defaults/main.yml")
    for path in sorted((REPOSITORY / "inventory" / inventory / "group_vars").glob("*.yml")):
        settings |= read(path)
    settings |= sizes
    hosts = groups(read(REPOSITORY / "inventory" / inventory / "hosts.yml")["all"])
    nodes = [room.Room(settings["yarn_node_memory_mb"], settings["yarn_node_cores"])] * len(hosts["nodemanagers"])
    rules = room.rules_of_room(settings, [*nodes, *more_nodes], len(hosts["thrift_servers"]))
    return [rule["expected"] for rule in rules if not rule["holds"]]


@pytest.mark.parametrize("inventory", ["lab", "lab-small", "single", "production"])
def test_inventories_that_are_shipped_have_room_for_all_that_works_in_yarn(inventory):
    assert broken(inventory) == []


def test_sizes_that_do_not_fit_are_named_with_their_figures():
    """Those that `single` had when its first deploy never came to an end, and one that no container holds."""
    assert broken("single", yarn_node_memory_mb=5120, yarn_node_cores=4) == [
        "YARN has room for all Thrift Servers, the ingest and a compaction in all nodemanagers: 9216 MB and 9 cores in 5120 MB and 4 cores",
        "YARN has room for all Thrift Servers in the queue interactive: 2048 MB and 3 cores in 3072 MB and 2 cores",
        "YARN has room for the masters of all Thrift Servers and of a job in their share of the queue interactive: "
        "1024 MB and 2 cores in 1536 MB and 1 cores",
    ]
    assert broken("single", carelake_driver_memory="2600m", yarn_node_memory_mb=20480) == [
        "YARN has room for the master of an ingest in a container of YARN: 3584 MB and 1 cores in 3072 MB and 12 cores"
    ]


def test_memory_is_counted_as_yarn_gives_it():
    """In steps of 512 MB: a kilobyte more than fits takes a step more."""
    assert broken("single", yarn_node_memory_mb=9216) == []
    assert len(broken("single", yarn_node_memory_mb=9216, thrift_server_executor_memory="1048577k")) == 1


def test_container_needs_a_node_that_holds_it_whatever_the_others_are():
    sizes = {"yarn_node_memory_mb": 3072, "yarn_container_max_mb": 4096, "carelake_driver_memory": "2600m"}
    assert broken("single", room.Room(10240, 12), **sizes) == []
    assert broken("single", *[room.Room(3328, 12)] * 4, **sizes) == [
        "YARN has room for the master of an ingest in a container of YARN: "
        "3584 MB and 1 cores in 3072 MB and 12 cores or 3328 MB and 12 cores"
    ]


def test_a_size_that_is_none_is_named():
    with pytest.raises(ValueError, match="carelake_executor_memory: a size like"):
        broken("single", carelake_executor_memory="much")
