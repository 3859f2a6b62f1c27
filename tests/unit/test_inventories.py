"""The inventories that are shipped: whether YARN has room for all that is to work in it at once."""

import math

import pytest
import yaml

from spark_jobs.lab.picture import groups
from spark_jobs.site import REPOSITORY

INVENTORIES = ["lab", "lab-small", "single", "production"]
ROLES = ["yarn", "spark", "thrift_server", "carelake"]
MEGABYTES = {"m": 1, "g": 1024}
# What YARN's role lets masters have of what their queue may take, see roles/yarn/vars/main.yml.
MASTERS_SHARE = 0.5


def read(path):
    return yaml.safe_load(path.read_text()) or {}


def sizes_of(inventory):
    """What the roles say of sizes, unless the inventory does."""
    settings = {}
    for role in ROLES:
        settings |= read(REPOSITORY / "ansible/roles" / role / "defaults/main.yml")
    for path in sorted((REPOSITORY / "inventory" / inventory / "group_vars").glob("*.yml")):
        settings |= read(path)
    return settings


def container(settings, cores, *memories):
    """Megabytes, as YARN rounds them up, and cores of a container."""
    wanted = sum(int(size[:-1]) * MEGABYTES[size[-1]] for size in memories)
    least = settings["yarn_container_min_mb"]
    return math.ceil(wanted / least) * least, cores


def thrift_server(settings):
    """The containers of one: its master first."""
    master = container(settings, 1, settings["spark_master_memory"], settings["spark_master_memory_overhead"])
    memories = settings["thrift_server_executor_memory"], settings["spark_executor_memory_overhead"]
    executor = container(settings, settings["thrift_server_executor_cores"], *memories)
    return [master] + [executor] * settings["thrift_server_executors"]


def job(settings):
    """The containers of an ingest, or of a compaction: its master first."""
    memories = settings["carelake_driver_memory"], settings["carelake_driver_memory_overhead"]
    master = container(settings, settings["carelake_driver_cores"], *memories)
    memories = settings["carelake_executor_memory"], settings["carelake_executor_memory_overhead"]
    executor = container(settings, settings["carelake_executor_cores"], *memories)
    return [master] + [executor] * settings["carelake_executors"]


def total(containers):
    return tuple(sum(part) for part in zip(*containers, strict=True))


@pytest.fixture(params=INVENTORIES)
def site(request):
    """Sizes, what all its workers have for YARN, and how many Thrift Servers work there."""
    settings = sizes_of(request.param)
    hosts = groups(read(REPOSITORY / "inventory" / request.param / "hosts.yml")["all"])
    workers = len(hosts["nodemanagers"])
    room = workers * settings["yarn_node_memory_mb"], workers * settings["yarn_node_cores"]
    return settings, room, len(hosts["thrift_servers"])


def test_yarn_has_room_for_thrift_servers_ingest_and_a_compaction_at_once(site):
    """For the compaction by one executor: it goes on with those it gets, an ingest would fall behind."""
    settings, room, servers = site
    wanted = total(thrift_server(settings) * servers + job(settings) + job(settings)[:2])
    assert wanted[0] <= room[0]
    assert wanted[1] <= room[1]


def test_queue_of_the_thrift_servers_has_room_for_them_and_for_one_more_master(site):
    settings, room, servers = site
    most = settings["yarn_queues"][settings["thrift_server_queue"]]["maximum"] / 100
    wanted = total(thrift_server(settings) * servers)
    masters = total(thrift_server(settings)[:1] * servers + [(settings["yarn_container_min_mb"], 1)])
    for kind in (0, 1):
        assert wanted[kind] <= room[kind] * most
        assert masters[kind] <= int(room[kind] * most * MASTERS_SHARE)


def test_no_container_is_larger_than_yarn_gives(site):
    settings, _, _ = site
    for memory, cores in thrift_server(settings) + job(settings):
        assert memory <= settings["yarn_container_max_mb"]
        assert cores <= settings["yarn_node_cores"]
