"""Opens and parses a batch's zips in the executors: bytes in, typed rows and what became of zips and members out.

One pass gives the rows of every member rule. Each output row has a `_kind`: a member rule's name (the row is in the
struct column of that name), `_member` (a member refused as a whole) or `_zip` (one a zip, with the warnings counted).
"""

from __future__ import annotations

import hashlib
import heapq
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from spark_jobs.archives import ZipError
from spark_jobs.batches.batch import Batch, has_large
from spark_jobs.batches.times import extract_times
from spark_jobs.formats import Rows, ZipSummary, arrow_schema, read_zip, type_columns
from spark_jobs.landing.files import AnyPath
from spark_jobs.rules.model import Feed

# Typing works on whole columns: it is given rows of many zips at once, and never more than this many bytes of text.
ROWS_TYPED_TOGETHER = 16_384
BYTES_TYPED_TOGETHER = 16 << 20

# A task reads about so many packed bytes, so that its start costs little beside, and no task keeps the others waiting;
# fewer where there are cores to be had, but never so few that they are read sooner than a task starts.
BYTES_A_TASK, LEAST_BYTES_A_TASK = 8 << 20, 256 << 10

# Whoever reads a large zip gives way to those that read small ones: where there are cores to be had it is as fast as they.
LARGE_NICENESS = 10
NICENESS = "CARELAKE_NICENESS"
_PLANNING = threading.Lock()

PROVENANCE = pa.schema(
    [
        ("_kind", pa.string()),
        ("_zip_id", pa.string()),
        ("_zip_order", pa.string()),
        ("_member_index", pa.int32()),
        ("_member", pa.string()),
        ("_row", pa.int64()),
        ("_failures", pa.string()),
        ("_warnings", pa.list_(pa.string())),
        ("_members", pa.int32()),
        ("_ignored", pa.int32()),
    ]
)


@dataclass(frozen=True)
class ZipContext:
    """What is known of the zip in `path` before it is opened. `order` is its share of `_order`, of fixed width."""

    path: AnyPath
    zip_id: str
    sha256: str
    order: str
    constants: Mapping[str, str | None]
    refusal: str | None = None


def parse(session: SparkSession, batch: Batch) -> DataFrame:
    """The rows and events of the batch's zips that are to be opened; lazily, in the executors.

    Nothing is written: a task that is lost is done again with the same result.
    """
    assert batch.feed is not None
    shares = even_shares(batch, session.sparkContext.defaultParallelism)
    tasks = session.range(0, len(shares), 1, len(shares))
    reader = ZipReader(batch.feed, shares)
    niceness = LARGE_NICENESS if has_large(batch.to_open) else 0
    with _workers_of(session, niceness):
        return tasks.mapInArrow(reader, from_arrow_schema(reader.schema))


@contextmanager
def _workers_of(session: SparkSession, niceness: int) -> Iterator[None]:
    """Has what is planned in the block be done by Python workers of that niceness: Spark keeps apart those of another environment."""
    environment = session.sparkContext.environment
    with _PLANNING:
        environment[NICENESS] = str(niceness)
        try:
            yield
        finally:
            environment[NICENESS] = "0"


def even_shares(batch: Batch, slots: int) -> list[list[ZipContext]]:
    """The batch's zips that are to be opened, shared out among tasks so that each has about as many bytes to read."""
    sizes = {z.note.zip_id: z.note.bytes for z in batch.to_open}
    total = sum(sizes.values())
    count = min(len(sizes), max(min(slots, total // LEAST_BYTES_A_TASK), total // BYTES_A_TASK, 1))
    shares: list[list[ZipContext]] = [[] for _ in range(count)]
    filled = [(0, place) for place in range(count)]
    for context in sorted(_contexts(batch), key=lambda context: -sizes[context.zip_id]):
        size, place = heapq.heappop(filled)
        shares[place].append(context)
        heapq.heappush(filled, (size + sizes[context.zip_id], place))
    return shares


@dataclass(frozen=True)
class ZipReader:
    """What a Python worker does: record batches of task numbers to record batches of `schema`.

    A worker reads the zips of its task where they lie, on this machine or in HDFS; their bytes do not travel through the JVM.
    """

    feed: Feed
    shares: Sequence[Sequence[ZipContext]]

    @cached_property
    def schema(self) -> pa.Schema:
        """Provenance, then a struct a member rule."""
        structs = [pa.field(m.member, pa.struct(list(arrow_schema(m.columns)))) for m in self.feed.readers]
        return pa.schema([*PROVENANCE, *structs])

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Reads the zips one after the other; memory holds one zip and the rows that wait to be typed."""
        waiting = _Waiting(self)
        for batch in batches:
            for number in batch.column(0).to_pylist():
                for context in self.shares[number]:
                    yield from self._read(context, context.path.read_bytes(), waiting)
        yield from waiting.flush()

    def _read(self, context: ZipContext, content: bytes, waiting: _Waiting) -> Iterator[pa.RecordBatch]:
        try:
            self._refuse_if_unfit(context, content)
            for item in read_zip(content, self.feed, context.constants):
                if isinstance(item, Rows):
                    yield from waiting.add_rows(context, item)
                else:
                    waiting.add_summary(context, item)
        except ZipError as error:
            waiting.add_event(context, "_zip", _failures=f"{error.rule}: {error.problem}", _members=error.members)

    @staticmethod
    def _refuse_if_unfit(context: ZipContext, content: bytes) -> None:
        if context.refusal:
            raise ZipError("zip.extract_time", context.refusal)
        if hashlib.sha256(content).hexdigest() != context.sha256:
            raise ZipError("zip.hash", "its bytes are not those that landed")


@dataclass
class _Held:
    """Raw rows of one member rule that wait."""

    tables: list[pa.Table] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0

    def add(self, table: pa.Table) -> None:
        """Takes raw rows in."""
        self.tables.append(table)
        self.rows += len(table)
        self.bytes += table.nbytes

    def is_full(self) -> bool:
        """Whether there are enough of them to be typed together."""
        return self.rows >= ROWS_TYPED_TOGETHER or self.bytes >= BYTES_TYPED_TOGETHER


@dataclass
class _Waiting:
    """Raw rows of several zips, by member rule, until there are enough of them to be typed together; and events."""

    reader: ZipReader
    held: dict[str, _Held] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    def add_rows(self, context: ZipContext, rows: Rows) -> Iterator[pa.RecordBatch]:
        """Takes raw rows in, and gives typed ones out when there are enough."""
        count = len(rows.table)
        table = rows.table.append_column("_zip_id", pa.repeat(context.zip_id, count))
        held = self.held.setdefault(rows.rule, _Held())
        held.add(table.append_column("_zip_order", pa.repeat(context.order, count)))
        if held.is_full():
            yield from self._typed(rows.rule)

    def add_summary(self, context: ZipContext, summary: ZipSummary) -> None:
        """Notes what became of a zip's members."""
        noticed = Counter(event.rule for event in summary.warnings)
        warnings = [f"{name}={count}" for name, count in sorted(noticed.items())]
        self.add_event(context, "_zip", _members=summary.members, _ignored=summary.ignored, _warnings=warnings)
        for event in summary.quarantined:
            where = {"_member_index": event.member_index, "_member": event.member}
            self.add_event(context, "_member", **where, _failures=f"{event.rule}: {event.reason}")

    def add_event(self, context: ZipContext, kind: str, **values: Any) -> None:
        """Notes an event about a zip or a member."""
        self.events.append({"_kind": kind, "_zip_id": context.zip_id, **values})

    def flush(self) -> Iterator[pa.RecordBatch]:
        """Everything that still waits."""
        for rule in list(self.held):
            yield from self._typed(rule)
        if self.events:
            yield from self._output(pa.Table.from_pylist(self.events, PROVENANCE), rule=None)

    def _typed(self, rule: str) -> Iterator[pa.RecordBatch]:
        raw = pa.concat_tables(self.held.pop(rule).tables)
        member = next(m for m in self.reader.feed.readers if m.member == rule)
        typed = type_columns(raw, member.columns).append_column("_kind", pa.repeat(rule, len(raw)))
        yield from self._output(typed, rule)

    def _output(self, table: pa.Table, rule: str | None) -> Iterator[pa.RecordBatch]:
        """`table` in the shape of the reader's schema: its own struct filled, those of other rules null."""
        columns = [self._column(table, field_, rule) for field_ in self.reader.schema]
        yield from pa.Table.from_arrays(columns, schema=self.reader.schema).to_batches()

    @staticmethod
    def _column(table: pa.Table, wanted: pa.Field, rule: str | None) -> pa.ChunkedArray | pa.Array:
        if wanted.name == rule:
            parts = [table.column(child.name).combine_chunks() for child in wanted.type]
            return pa.StructArray.from_arrays(parts, fields=list(wanted.type))
        if wanted.name in table.column_names:
            return table.column(wanted.name)
        return pa.nulls(len(table), wanted.type)


def _contexts(batch: Batch) -> Iterator[ZipContext]:
    feed = batch.feed
    assert feed is not None
    for z, time in zip(batch.to_open, extract_times(feed, batch.to_open), strict=True):
        path = batch.folder / f"{z.note.zip_id}.zip"
        order = f"{time.order}{feed.revision:08d}{z.note.sha256[:16]}"
        constants = {**{f"$name.{part}": text for part, text in z.parts.items()}, "$extract_time": time.text}
        yield ZipContext(path, z.note.zip_id, z.note.sha256, order, constants, time.refusal)
