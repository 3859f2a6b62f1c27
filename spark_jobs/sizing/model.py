"""From a load and the measured costs to cores, memory, disks, NameNode heap and file groups."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any

from spark_jobs.sizing.costs import Costs

HOUR, DAYS = 3_600, 365
GIGABYTE, TERABYTE, BLOCK = 1 << 30, 10**12, 128 << 20


def _assumed(value: float, why: str) -> Any:
    return field(default=value, metadata={"why": why})


@dataclass(frozen=True)
class Load:
    """What arrives: the brief's day, unless told otherwise. `stored_zips` were delivered before and are kept."""

    zips_per_day: float = 77_000
    files_per_zip: float = 15_000_000 / 77_000
    peak_hour_share: float = 3_500 / 77_000  # of a day's zips
    tables: int = 100
    stored_zips: float = 0.0

    @property
    def peak_zips_per_s(self) -> float:
        """Zips a second in the peak hour."""
        return self.zips_per_day * self.peak_hour_share / HOUR

    @property
    def kept_zips(self) -> float:
        """Zips that are kept after a year of this load."""
        return self.stored_zips + self.zips_per_day * DAYS


@dataclass(frozen=True)
class Assumptions:
    """What was not measured, each with its reason."""

    utilisation: float = _assumed(
        0.6, "share of the cores that may be busy in the peak hour: room for a lost host and for catching up"
    )
    commit_seconds: float = _assumed(
        60, "a table with arrivals commits this often: half of the latency promised at p99"
    )
    query_share: float = _assumed(
        1.0,
        "cores for Presto, Thrift Server and reports, as a multiple of those for the ingest; depends on the analysts",
    )
    query_memory: float = _assumed(4.0, "GB of memory a query core is given")
    host_cores: float = _assumed(32, "cores of a worker host")
    host_disks: float = _assumed(12, "disks of a worker host")
    disk_tb: float = _assumed(8, "TB a disk holds")
    disk_fill: float = _assumed(0.7, "share of a disk that may be full: HDFS moves blocks when one is lost")
    replicas: float = _assumed(3, "copies of a block in HDFS")
    least_hosts: float = _assumed(4, "worker hosts: three copies of every block, with one host lost")
    group_bytes: float = _assumed(128 << 20, "bytes of a file group's base file: one block")
    waiting_seconds: float = _assumed(120, "how long a zip waits in landing and claimed: the latency promised at p99")
    heap_of_object: float = _assumed(1_000, "bytes of NameNode heap a file, block or folder: the usual 1 GB a million")
    least_heap: float = _assumed(4, "GB of NameNode heap below which nobody goes")

    def told(self) -> list[dict[str, Any]]:
        """The assumptions one by one: name, value and reason."""
        return [{"name": one.name, "value": getattr(self, one.name), **dict(one.metadata)} for one in fields(self)]


@dataclass(frozen=True)
class Size:
    """What a load needs. Disk is that of all copies; `disks` and `hosts` are the fewest that give enough of everything."""

    peak_files_per_s: float
    ingest_cores: float
    query_cores: float
    memory_gb: float
    vault_tb: float
    warehouse_tb: float
    disks: int
    hosts: int
    namenode_objects_millions: float
    namenode_heap_gb: float
    rows_of_table_millions: float
    file_groups_of_table: int


def size_of(load: Load, costs: Costs, assumed: Assumptions = Assumptions()) -> Size:
    """The size for the peak hour of `load`, and for what is kept after a year of it."""
    files_per_s = load.peak_zips_per_s * load.files_per_zip
    ingest_cores = busy_cores(files_per_s, commits_per_s(load, assumed), costs) / assumed.utilisation
    query_cores = ingest_cores * assumed.query_share
    rows = load.kept_zips * load.files_per_zip * costs.rows_of_file
    vault = load.kept_zips * load.files_per_zip * costs.packed_of_file
    warehouse = rows * costs.table_of_row + load.kept_zips * costs.ledger_of_zip
    disk = (vault + warehouse) * assumed.replicas
    disks = math.ceil(disk / (assumed.disk_tb * TERABYTE * assumed.disk_fill))
    groups = math.ceil(rows / load.tables * costs.table_of_row / assumed.group_bytes)
    objects = namenode_objects(load, costs, groups, vault, assumed)
    cores = ingest_cores + query_cores
    hosts = max(cores / assumed.host_cores, disks / assumed.host_disks, assumed.least_hosts)
    return Size(
        peak_files_per_s=files_per_s,
        ingest_cores=ingest_cores,
        query_cores=query_cores,
        memory_gb=ingest_cores * costs.memory_of_core / GIGABYTE + query_cores * assumed.query_memory,
        vault_tb=vault * assumed.replicas / TERABYTE,
        warehouse_tb=warehouse * assumed.replicas / TERABYTE,
        disks=disks,
        hosts=math.ceil(hosts),
        namenode_objects_millions=objects / 1e6,
        namenode_heap_gb=max(assumed.least_heap, objects * assumed.heap_of_object / GIGABYTE),
        rows_of_table_millions=rows / load.tables / 1e6,
        file_groups_of_table=groups,
    )


def busy_cores(files_per_s: float, commits_per_s: float, costs: Costs) -> float:
    """Cores that the ingest keeps busy at a pace."""
    return files_per_s * costs.cpu_of_file + commits_per_s * costs.cpu_of_commit


def commits_per_s(load: Load, assumed: Assumptions) -> float:
    """Commits a second in the peak hour: each table once in a while, but never more than zips arrive."""
    return min(load.tables / assumed.commit_seconds, load.peak_zips_per_s)


def namenode_objects(load: Load, costs: Costs, groups: int, vault: float, assumed: Assumptions) -> float:
    """Files and blocks that the NameNode has to know; every file but a bundle's is of one block."""
    bundles = vault / BLOCK * 4  # a bundle and its index, each with its block
    waiting = load.peak_zips_per_s * assumed.waiting_seconds * 4  # a zip and its note
    tables = load.tables * (groups * costs.files_of_group + costs.files_of_timeline) * 2
    return bundles + waiting + tables


def grown(load: Load, growth: float, years: int) -> Iterator[tuple[str, Load]]:
    """The load of each year, each with the zips of the years before it; then a year of a hundred times the first load."""
    stored, now = load.stored_zips, load
    for year in range(years + 1):
        now = replace(load, zips_per_day=load.zips_per_day * (1 + growth) ** year, stored_zips=stored)
        yield ("first year" if not year else f"year {year + 1}", now)
        stored = now.kept_zips
    yield "100 times", replace(load, zips_per_day=load.zips_per_day * 100)
