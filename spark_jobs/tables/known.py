"""Which zips the ledger has, by SHA-256: an index beside it, so that a look-up costs the same however long the ledger gets.

It is derived from the ledger and is never the truth itself. Each entry is made right after the ledger's commit, together
with that commit's instant; what a kill left out in between is read from the ledger at the next start, and an index that
is lost, damaged or of another ledger is made anew.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.tables.hudi import HudiTable

CACHE_KB = 64 << 10
ROWS_AT_ONCE = 10_000
HASHES_AT_ONCE = 500

LAYOUT = """
CREATE TABLE IF NOT EXISTS zip (
    sha256 BLOB, zip_id BLOB, feed TEXT, state TEXT, members INT, rows_loaded INT, rows_quarantined INT, revised TEXT,
    PRIMARY KEY (sha256, zip_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS upto (instant TEXT);
"""
# As in the ledger itself, the later run of the job wins, in it the later batch.
ADD = """
INSERT INTO zip VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256, zip_id) DO UPDATE SET
    feed = excluded.feed, state = excluded.state, members = excluded.members, rows_loaded = excluded.rows_loaded,
    rows_quarantined = excluded.rows_quarantined, revised = excluded.revised
WHERE excluded.revised >= revised
"""


@dataclass(frozen=True)
class KnownZip:
    """What the ledger says of a zip, as far as another one with the same bytes asks for it. `order` is its `_order`."""

    sha256: str
    zip_id: str
    feed: str
    state: str
    members: int
    rows_loaded: int
    rows_quarantined: int
    order: str

    @classmethod
    def of(cls, row: Any) -> KnownZip:
        """From a row of the ledger, a dict or Spark's own."""
        return cls(*(row[name] for name in LEDGER_COLUMNS))


LEDGER_COLUMNS = ("sha256", "zip_id", "feed", "state", "members", "rows_loaded", "rows_quarantined", "_order")


class KnownZips:
    """The index in the file `path`. Memory is bounded whatever its size; one process has it, its threads take turns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError:
            path.unlink()
            self._connection = self._open()

    @property
    def instant(self) -> str:
        """The ledger commit up to which it is complete; empty if it is empty."""
        with self._lock:
            return str((self._connection.execute("SELECT instant FROM upto").fetchone() or ("",))[0])

    def add(self, zips: Iterable[KnownZip], instant: str) -> None:
        """Enters the rows of ledger commits up to `instant`, all of them or none."""
        entries = (
            (bytes.fromhex(z.sha256), bytes.fromhex(z.zip_id), z.feed, z.state, z.members, z.rows_loaded,
             z.rows_quarantined, z.order)
            for z in zips
        )  # fmt: skip
        with self._lock, self._connection as connection:
            connection.executemany(ADD, entries)
            connection.execute("DELETE FROM upto")
            connection.execute("INSERT INTO upto VALUES (?)", (instant,))

    def with_bytes(self, hashes: Collection[str]) -> list[KnownZip]:
        """The zips that have one of the SHA-256 `hashes`."""
        wanted = iter([bytes.fromhex(sha256) for sha256 in sorted(hashes)])
        found: list[KnownZip] = []
        with self._lock:
            while some := list(islice(wanted, HASHES_AT_ONCE)):
                marks = ",".join("?" * len(some))
                rows = self._connection.execute(f"SELECT * FROM zip WHERE sha256 IN ({marks})", some)
                found += (KnownZip(sha256.hex(), zip_id.hex(), *rest) for sha256, zip_id, *rest in rows)
        return found

    def empty(self) -> None:
        """Forgets everything."""
        with self._lock, self._connection as connection:
            connection.execute("DELETE FROM zip")
            connection.execute("DELETE FROM upto")

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._connection.close()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        # A commit that a power cut takes away takes its instant along: it is read from the ledger again.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        connection.executescript(LAYOUT)
        return connection


def catch_up(known: KnownZips, session: SparkSession, ledger: HudiTable) -> None:
    """Reads from the ledger what the index lacks; to be called before anything is written to the ledger.

    Nothing is read where the process before ended well. The index is of this ledger if its timeline has the instant up to
    which the index is complete; else it is made anew.
    """
    instants, upto = ledger.delta_commits, known.instant
    if upto not in instants:
        known.empty()
        upto = ""
    elif upto == instants[-1]:
        return
    rows = session.read.format("hudi").load(str(ledger.path)).where(F.col("_hoodie_commit_time") > upto)
    for some in _some_at_a_time(rows.select(*LEDGER_COLUMNS).orderBy("sha256")):
        known.add(some, "")
    known.add((), instants[-1])


def _some_at_a_time(rows: DataFrame) -> Iterator[list[KnownZip]]:
    every = map(KnownZip.of, rows.toLocalIterator())
    while some := list(islice(every, ROWS_AT_ONCE)):
        yield some
