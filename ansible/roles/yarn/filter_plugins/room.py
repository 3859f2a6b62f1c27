"""Whether YARN has room for all that is to work in it at once, by the sizes of an inventory. Pure functions."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# As Spark reads sizes: without a unit they are megabytes.
MEGABYTES = {"k": 1 / 1024, "": 1, "m": 1, "g": 1024, "t": 1024**2}

Sizes = Mapping[str, Any]


@dataclass(frozen=True)
class Room:
    """Memory in megabytes, and cores: of a container, or of several, or what there is for them."""

    memory: int
    cores: int

    def __add__(self, other: Room) -> Room:
        return Room(self.memory + other.memory, self.cores + other.cores)

    def share(self, of_it: float) -> Room:
        """A part of it, no larger than that."""
        return Room(int(self.memory * of_it), int(self.cores * of_it))

    def holds(self, other: Room) -> bool:
        """Whether that fits into this."""
        return other.memory <= self.memory and other.cores <= self.cores

    def __str__(self) -> str:
        return f"{self.memory} MB and {self.cores} cores"


def rules_of_room(sizes: Sizes, nodes: Sequence[Room], thrift_servers: int) -> list[dict[str, str | bool]]:
    """What has to fit into what, each as `expected`, a sentence with the figures, and whether it `holds`.

    `sizes` has the variables of the roles by their names, `nodes` is what each nodemanager has for containers. Of a compaction
    one executor is counted: it goes on with those it gets, an ingest would fall behind. Applications other than these wait for room.
    Raises ValueError for a size that is none.
    """
    server, job = _thrift_server(sizes), _job(sizes)
    servers, masters = server * thrift_servers, server[:1] * thrift_servers
    queue = sizes["thrift_server_queue"]
    of_all = _sum(nodes)
    of_queue = of_all.share(sizes["yarn_queues"][queue]["maximum"] / 100)
    of_masters = of_queue.share(sizes["yarn_masters_share"])
    # The proof of YARN, or a person's own job, has to come in beside the servers.
    one_more = Room(sizes["yarn_container_min_mb"], 1)
    largest = [Room(min(sizes["yarn_container_max_mb"], node.memory), node.cores) for node in nodes]
    return [
        _rule("all Thrift Servers, the ingest and a compaction", servers + job + job[:2], "all nodemanagers", of_all),
        _rule("all Thrift Servers", servers, f"the queue {queue}", of_queue),
        _rule(
            "the masters of all Thrift Servers and of a job",
            [*masters, one_more],
            f"their share of the queue {queue}",
            of_masters,
        ),
        _rule("the master of a Thrift Server", server[:1], "a container of YARN", *largest),
        _rule("an executor of a Thrift Server", server[1:2], "a container of YARN", *largest),
        _rule("the master of an ingest", job[:1], "a container of YARN", *largest),
        _rule("an executor of an ingest", job[1:2], "a container of YARN", *largest),
    ]


def _rule(what: str, containers: Sequence[Room], where: str, *there: Room) -> dict[str, str | bool]:
    """That one of those holds them all."""
    wanted, figures = _sum(containers), " or ".join(sorted({str(room) for room in there}))
    return {
        "expected": f"YARN has room for {what} in {where}: {wanted} in {figures}",
        "holds": any(room.holds(wanted) for room in there),
    }


def _sum(rooms: Iterable[Room]) -> Room:
    return sum(rooms, start=Room(0, 0))


def _thrift_server(sizes: Sizes) -> list[Room]:
    """The containers of one: its master first."""
    master = _container(sizes, 1, "spark_master_memory", "spark_master_memory_overhead")
    cores = sizes["thrift_server_executor_cores"]
    executor = _container(sizes, cores, "thrift_server_executor_memory", "spark_executor_memory_overhead")
    return [master] + [executor] * sizes["thrift_server_executors"]


def _job(sizes: Sizes) -> list[Room]:
    """The containers of an ingest, or of a compaction: its master first."""
    cores = sizes["carelake_driver_cores"]
    master = _container(sizes, cores, "carelake_driver_memory", "carelake_driver_memory_overhead")
    cores = sizes["carelake_executor_cores"]
    executor = _container(sizes, cores, "carelake_executor_memory", "carelake_executor_memory_overhead")
    return [master] + [executor] * sizes["carelake_executors"]


def _container(sizes: Sizes, cores: int, *memories: str) -> Room:
    """YARN rounds its memory up."""
    wanted, least = sum(_megabytes(name, str(sizes[name])) for name in memories), sizes["yarn_container_min_mb"]
    return Room(math.ceil(wanted / least) * least, cores)


def _megabytes(name: str, size: str) -> float:
    found = re.fullmatch("([0-9]+)([kmgt]?)b?", size.strip().lower())
    if not found:
        raise ValueError(f"{name}: a size like 512m or 4g is expected")
    return int(found[1]) * MEGABYTES[found[2]]


class FilterModule:
    """What Ansible asks for the filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """`sizes | yarn_rules_of_room(megabytes, cores, thrift_servers)`, the middle two of each nodemanager."""
        return {
            "yarn_rules_of_room": lambda sizes, megabytes, cores, thrift_servers: rules_of_room(
                sizes, list(map(Room, megabytes, cores)), thrift_servers
            )
        }
