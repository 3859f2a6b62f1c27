"""Asking the lake from a command: in its own session, or, while an ingest runs, through that process's Hive JDBC endpoint."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from spark_jobs.errors import LakeError, LakeInUseError
from spark_jobs.site import Cluster, Site
from spark_jobs.tables.endpoint import Address, read_address
from spark_jobs.tables.lake import Lake, open_lake

# An ingest that was just started needs its session before it has an endpoint.
ENDPOINT_SECONDS = 60.0
LONGEST_MESSAGE = 2000
# What Spark's endpoint says of a statement without a result, of which PyHive then can't fetch the rows.
NO_RESULT = ("Result",)
# What Spark 3.5 says of statements from when its session ends until its process does: who answers is as good as gone.
SESSION_ENDED = re.compile(
    "Cannot call methods on a stopped SparkContext|SparkContext (was shut down|has been shutdown)"
)


@dataclass(frozen=True)
class Answer:
    """What a statement gave. Arrays, maps and structs have no fixed shape here: ask for `to_json(...)` of them."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def records(self) -> list[dict[str, Any]]:
        """The rows as dicts by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


# ask(statement, most): at most so many rows, all of them if None. Raises QueryError, or LakeError where who answers is lost.
Ask = Callable[[str, int | None], Answer]


class QueryError(LakeError):
    """A statement that the lake refuses; the problem is in Spark's own words."""


@dataclass(frozen=True)
class Access:
    """A way to ask the lake of `site`. `lake` is None where another process has it: then nothing but SQL is possible."""

    site: Site
    run: Ask
    lake: Lake | None = None

    def ask(self, statement: str, most: int | None = None) -> Answer:
        """Runs one statement. Raises QueryError, or LakeError where who answers is lost meanwhile."""
        return self.run(statement, most)

    def records(self, statement: str) -> list[dict[str, Any]]:
        """The rows of a statement as dicts."""
        return self.ask(statement).records()


@contextmanager
def open_access(site: Site, what: str) -> Iterator[Access]:
    """Opens the lake, or connects to the endpoint of the ingest that has it; in a cluster, to a Thrift Server.

    Raises LakeError where another process has the lake and offers no endpoint.
    """
    if site.cluster:
        with _connect(site, *_addresses(site.cluster)) as access:
            yield access
        return
    with ExitStack() as stack:
        try:
            lake = stack.enter_context(open_lake(site, what, brief=True))
        except LakeInUseError as in_use:
            address = _await_address(site, in_use)
            yield stack.enter_context(_connect(site, address))
        else:
            yield access_of(lake)


def access_of(lake: Lake) -> Access:
    """Access to a lake that this process has open."""
    return Access(lake.site, lambda statement, most=None: _ask_session(lake.session, statement, most), lake)


def _ask_session(session: SparkSession, statement: str, most: int | None) -> Answer:
    try:
        found = session.sql(statement)
        rows = (found if most is None else found.limit(most)).collect()
    except PySparkException as error:
        text = error.getMessage() if hasattr(error, "getMessage") else str(error)
        raise QueryError("SQL", _first_lines(text or str(error))) from None
    return Answer(tuple(found.columns), [tuple(row) for row in rows])


def _await_address(site: Site, in_use: LakeInUseError) -> Address:
    deadline = time.monotonic() + (ENDPOINT_SECONDS if in_use.has_endpoint else 0)
    while (address := read_address(site)) is None:
        if time.monotonic() > deadline:
            raise in_use
        time.sleep(0.2)
    return address


def _addresses(cluster: Cluster) -> list[Address]:
    """The proxies before the Thrift Servers, which ask for no password yet."""
    parted = (address.rpartition(":") for address in cluster.hive)
    return [Address(host, int(port), cluster.user, "") for host, _, port in parted]


def _dial(site: Site, addresses: Sequence[Address]) -> Any:
    """A connection of PyHive to the first that answers."""
    from pyhive import hive  # noqa: PLC0415  # slow to import, and seldom needed

    for address in addresses:
        given = {"auth": "CUSTOM", "password": address.password} if address.password else {}
        try:
            return hive.connect(address.host, address.port, username=address.user, **given)
        except _losses():
            continue
    who = "no Thrift Server answers" if site.cluster else "the ingest that has the lake does not answer"
    raise LakeError(str(site.home), who, "Try again in a moment.")


def _losses() -> tuple[type[Exception], ...]:
    """What PyHive raises where the other side of a connection is not there, or no more."""
    from thrift.transport.TTransport import TTransportException  # noqa: PLC0415

    return TTransportException, EOFError, OSError


@contextmanager
def _connect(site: Site, *addresses: Address) -> Iterator[Access]:
    from pyhive import exc  # noqa: PLC0415

    connection = _dial(site, addresses)

    def ask(statement: str, most: int | None = None) -> Answer:
        cursor = connection.cursor()
        try:
            cursor.execute(statement)
            columns = tuple(name for name, *_ in cursor.description or ())
            if columns in {(), NO_RESULT}:
                return Answer((), [])
            return Answer(columns, cursor.fetchall() if most is None else cursor.fetchmany(most))
        except exc.Error as error:
            status = getattr(error.args[0], "status", None) if error.args else None
            text = getattr(status, "errorMessage", None) or type(error).__name__
            raise (_lost(site) if SESSION_ENDED.search(text) else QueryError("SQL", _first_lines(text))) from None
        except _losses():
            raise _lost(site) from None
        finally:
            with suppress(*_losses()):
                cursor.close()

    try:
        yield Access(site, ask)
    finally:
        with suppress(*_losses()):
            connection.close()


def _lost(site: Site) -> LakeError:
    problem = "who answers SQL was lost while a statement ran; what it was to write is there or is not"
    return LakeError(str(site.home), problem, "Try again in a moment.")


def _first_lines(text: str) -> str:
    """The message without the stack traces that follow it."""
    for end in ("\nJVM stacktrace", "\n\tat "):
        text = text.split(end, maxsplit=1)[0]
    return text.removeprefix("Error running query: ").strip()[:LONGEST_MESSAGE]
