"""The leases of a cluster's lake: locks in ZooKeeper, each taken up once YARN says that the attempt before has ended.

One is for who takes in and plans, one for who carries out compactions, which may be another application.

The lock goes with the session of the process that has it, which ends itself if it loses the session: it may be cut off, and
another one be at work already. A lease is no fence: what an attempt left in `claimed/` is touched only when YARN says, of
that very attempt, that it is over.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import requests
from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import LockTimeout

from spark_jobs.errors import LakeError, LakeInUseError
from spark_jobs.landing.files import AnyPath, write_json
from spark_jobs.site import Cluster, Site

LAKE, COMPACTION = "lease", "compaction"
# A process that is cut off for so long has lost its lease; until then its successor waits.
SESSION_SECONDS = 20.0
TAKE_OVER_SECONDS = SESSION_SECONDS + 10
# YARN notices within its expiry, 20 s in our playbooks, that a host is gone.
ATTEMPT_END_SECONDS = 120.0
CONNECT_SECONDS = 30.0
ASK_SECONDS = 5.0
OVER = {"FINISHED", "FAILED", "KILLED"}
# Where the attempt that has, or had, each lease is noted.
HOLDERS = {LAKE: ".holder", COMPACTION: ".compacting"}
_CONTAINER = re.compile(r"container_(?:e\d+_)?(\d+_\d+)_(\d+)_\d+")


@dataclass(frozen=True)
class Attempt:
    """An attempt of a YARN application, which has the lake; what it does."""

    application: str
    number: int
    what: str


def this_attempt(what: str) -> Attempt:
    """The attempt that this process is. Raises LakeError outside of YARN: nobody could tell when it has ended."""
    match = _CONTAINER.fullmatch(os.environ.get("CONTAINER_ID", ""))
    if match is None:
        raise LakeError(what, "it works on a cluster's tables, and is no application of YARN", "Use the command lake.")
    return Attempt(f"application_{match[1]}", int(match[2]), what)


@contextmanager
def hold_lease(site: Site, what: str, lease: str = LAKE, patience: float = TAKE_OVER_SECONDS) -> Iterator[None]:
    """Holds a lease for this attempt. Raises LakeInUseError while another one has it, after `patience` seconds."""
    cluster, attempt = _cluster(site), this_attempt(what)
    with _zookeeper(cluster) as client:
        lock = client.Lock(_node(lease), identifier=f"{attempt.application} {what}")
        try:
            lock.acquire(timeout=patience)
        except LockTimeout:
            raise _in_use(site, client, lease) from None
        over = threading.Event()
        client.add_listener(lambda state: _end_if_lost(state, over))
        noted = site.home / HOLDERS[lease]
        _await_end(site, attempt, noted)
        write_json(noted, asdict(attempt))
        try:
            yield
            noted.unlink(missing_ok=True)  # what it began has ended with it: there is nothing to wait for
        finally:
            over.set()
            lock.release()


def holder(site: Site, lease: str = LAKE) -> str | None:
    """Who has a lease now, `application_… what it does`, or None."""
    with _zookeeper(_cluster(site)) as client:
        return _first(client, lease)


@contextmanager
def one_at_a_time(site: Site, what: str) -> Iterator[None]:
    """Does the block when no other process does one of the same name."""
    with _zookeeper(_cluster(site)) as client, client.Lock(f"/carelake/{what}"):
        yield


@contextmanager
def _zookeeper(cluster: Cluster) -> Iterator[KazooClient]:
    client = KazooClient(",".join(cluster.zookeepers), timeout=SESSION_SECONDS)
    try:
        client.start(timeout=CONNECT_SECONDS)
    except client.handler.timeout_exception:
        client.close()
        raise LakeError("ZooKeeper", "none of its servers answers", "See: lake verify on the control node.") from None
    try:
        yield client
    finally:
        client.stop()
        client.close()


def _end_if_lost(state: str, over: threading.Event) -> None:
    if state == KazooState.LOST and not over.is_set():
        os._exit(1)


def _node(lease: str) -> str:
    return f"/carelake/{lease}"


def _first(client: KazooClient, lease: str) -> str | None:
    node = _node(lease)
    return next(iter(client.Lock(node).contenders()), None) if client.exists(node) else None


def _in_use(site: Site, client: KazooClient, lease: str) -> LakeInUseError:
    return LakeInUseError(str(site.home), f"in use by {_first(client, lease)}", "Wait until it ends, or stop it.")


def _await_end(site: Site, attempt: Attempt, noted: AnyPath) -> None:
    """Waits until YARN says that the attempt that had the lease before has ended."""
    try:
        before = Attempt(**json.loads(noted.read_bytes()))
    except FileNotFoundError:
        return
    if (before.application, before.number) == (attempt.application, attempt.number):
        return
    deadline = time.monotonic() + ATTEMPT_END_SECONDS
    while not _is_over(_cluster(site), before):
        if time.monotonic() > deadline:
            hint = f"End it: yarn application -kill {before.application}"
            raise LakeError(str(site.home), f"{before.application} still runs, and had the lease before", hint)
        time.sleep(1)


def _is_over(cluster: Cluster, attempt: Attempt) -> bool:
    """Whether an attempt has ended; also if YARN has forgotten it, which it does with those that have."""
    found = _ask_yarn(cluster, f"apps/{attempt.application}")
    if found is None or found["app"]["state"] in OVER:
        return True
    told = _ask_yarn(cluster, f"apps/{attempt.application}/appattempts") or {}
    attempts = (told.get("appAttempts") or {}).get("appAttempt", [])
    return any(a["id"] == attempt.number and a.get("finishedTime", 0) > 0 for a in attempts)


def _ask_yarn(cluster: Cluster, what: str) -> dict[str, Any] | None:
    """What the active ResourceManager says; None if it knows of no such thing. Raises OSError if none answers."""
    error: Exception | None = None
    for address in cluster.resourcemanagers:
        try:
            answer = requests.get(f"{address}/ws/v1/cluster/{what}", timeout=ASK_SECONDS, proxies={"no_proxy": "*"})
            if answer.status_code == 404:
                return None
            answer.raise_for_status()
            return dict(answer.json())
        except (requests.exceptions.RequestException, ValueError) as failed:
            error = failed
    raise OSError(f"no ResourceManager answers: {type(error).__name__}")


def _cluster(site: Site) -> Cluster:
    assert site.cluster is not None
    return site.cluster
