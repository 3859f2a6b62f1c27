"""The rule tables as plain dataclasses: what a feed is, and what a target table is.

A row of `rules.feed_column` is a `Column`, of `rules.feed_member` a `Member`, and so on; a `Feed` holds its
children. `hive_ddl/rules/` says the same in SQL, with a COMMENT on every column, and is the reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Action = Literal["read", "ignore"]
Format = Literal["xml", "csv", "delimited", "fixed"]
Index = Literal["bucket", "global"]
Severity = Literal["warn", "quarantine", "stop"]
Phi = Literal["none", "identifier", "quasi", "clinical"]

SCALAR_TYPES = ("string", "int", "long", "double", "boolean", "date", "timestamp")
DECIMAL = re.compile(r"decimal\((\d{1,2}),(\d{1,2})\)")

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Column:
    """One column that a member fills in its target table.

    `source` says where the text comes from, or is None for a derived column (`expression`) or a constant (`default`):

    - XML: a path relative to the record: `@id`, `Patient/@mrn`, `Patient/Name`, `.`; prefixes from `namespaces`. Steps
      may have predicates: `id[@root='1.2']/@extension`, `section[code/@code='8716-3']/title`, `Name[Use='legal']/Given`.
    - CSV with a header: the header's name. CSV or TXT without one: `#3`, counted from 1.
    - Fixed width: `11-20`, character positions counted from 1, both included.
    - Any format: `$name.facility` (a named part of the zip's name), `$extract_time`, `$member` (the member's name in
      its zip), `$row` (the row's number within the member and its rule, from 1), `$parent.encounter_id` (a sourced
      column of the parent member's row).

    `format` is a date or timestamp pattern of `%Y %m %d %H %M %S %f %z` and literals (None: ISO 8601), or for a
    boolean `true tokens/false tokens`, each a list parted by commas (None: `true/false`).
    `null_tokens` and the empty text read as null; `default` replaces a null, written as the source would write it.
    """

    name: str
    type: str = "string"
    source: str | None = None
    expression: str | None = None
    format: str | None = None
    zone: str | None = None
    required: bool = False
    default: str | None = None
    null_tokens: tuple[str, ...] = ()
    trim: bool = True
    phi: Phi = "none"
    description: str = ""


@dataclass(frozen=True)
class Member:
    """Which members of a zip go to which reader, and the table their rows fill.

    The first member rule (in `position` order) whose glob `pattern` matches a member's name takes it; a member that
    none matches is quarantined. A rule with a `parent` has no pattern: it reads repeated children (`record_path`
    relative to the parent's record, its steps with predicates where need be) of the XML members that the parent rule
    takes. `namespaces` gives each prefix its namespace; the empty prefix is the default one, of elements without
    prefix and never of attributes. A child may use its parent's.
    """

    member: str
    position: int = 0
    action: Action = "read"
    pattern: str | None = None
    parent: str | None = None
    target: str | None = None
    format: Format | None = None
    encoding: str = "utf-8"
    record_path: str | None = None
    namespaces: dict[str, str] = field(default_factory=dict)
    header: bool = True
    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    allow_empty: bool = False
    description: str = ""
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True)
class Check:
    """An expectation on the rows of one member rule: a boolean SQL expression that must not be false."""

    check: str
    member: str
    expression: str
    action: Severity = "quarantine"
    description: str = ""


@dataclass(frozen=True)
class Limits:
    """Bounds on one zip, enforced while it is opened, whatever it declares. Sizes in bytes."""

    max_members: int = 10_000
    max_member_bytes: int = 2048 * MEGABYTE
    max_zip_bytes: int = 4096 * MEGABYTE
    max_ratio: int = 200


@dataclass(frozen=True)
class Feed:
    """One revision of a feed, with its members, columns and checks."""

    feed: str
    revision: int
    landing_folder: str
    name_pattern: str
    members: tuple[Member, ...]
    checks: tuple[Check, ...] = ()
    extract_part: str | None = None
    extract_format: str | None = None
    extract_zone: str | None = None
    limits: Limits = Limits()
    batch_zips: int = 500
    batch_bytes: int = 256 * MEGABYTE
    priority: int = 100
    owner: str = ""
    description: str = ""
    enabled: bool = True
    paused: bool = False

    @cached_property
    def readers(self) -> tuple[Member, ...]:
        """The member rules that fill a table."""
        return tuple(member for member in self.members if member.action == "read")

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The target tables this feed writes to, each once, in order of first mention."""
        return tuple(dict.fromkeys(member.target for member in self.readers if member.target))

    def children_of(self, parent: str) -> tuple[Member, ...]:
        """The member rules that read repeated children of `parent`'s records."""
        return tuple(member for member in self.readers if member.parent == parent)


@dataclass(frozen=True)
class TargetTable:
    """One revision of a target table: what makes a row the same row, and which version of it is newest.

    `order_by` names a required timestamp, date or long column; None orders by the zip's extract time alone.
    A row whose `delete_column` holds one of `delete_values` is a delete.
    """

    target: str
    revision: int
    record_key: tuple[str, ...]
    order_by: str | None = None
    delete_column: str | None = None
    delete_values: tuple[str, ...] = ()
    partition_by: str | None = None
    index: Index = "bucket"
    buckets: int = 2
    compact_after: int = 10
    owner: str = ""
    description: str = ""
    enabled: bool = True


@dataclass(frozen=True)
class HeldTable:
    """What the table of a target, which exists, already holds: rules may add to it, and not reshape it.

    `columns` maps each column's name to its type as rules write it (`long`, `decimal(10,2)`); the lake's own columns,
    whose names start with `_`, may be among them. The rest is as `TargetTable` has it.
    """

    columns: Mapping[str, str]
    record_key: tuple[str, ...]
    partition_by: str | None = None
    index: Index = "bucket"
    buckets: int = 2


@dataclass(frozen=True)
class Report:
    """One revision of a report: a named question, when it is asked, what its answer must be like, and how it is shown.

    `sql` names the day that an edition is about as `:date`, and each of the `parameters` by its name in the same way.
    `schedule` is `nightly`, `weekly`, five cron fields in UTC, or `on <table>, ...`: when a feed has filled one of these.
    `columns` are those the answer must have, in order; `headings` replaces the headings made of their names, `totals` are
    summed up in a last row. A chart is `bars|stack|lines <column>, ... by <column>` (see `charts`). `fresh_hours`: each feed
    that fills a table of the SQL must have loaded a zip that landed so many hours before the day's end, or later.
    `folder` is below the lake's `reports/`, empty for the report's own name. Without `shows_patients` the rows must be
    aggregates that show no identifier.
    """

    report: str
    revision: int
    title: str
    sql: str
    parameters: dict[str, str] = field(default_factory=dict)
    schedule: str = "nightly"
    columns: tuple[str, ...] = ()
    headings: dict[str, str] = field(default_factory=dict)
    totals: tuple[str, ...] = ()
    charts: tuple[str, ...] = ()
    min_rows: int = 1
    max_rows: int = 10_000
    fresh_hours: int = 24
    outputs: tuple[str, ...] = ("html",)
    folder: str = ""
    shows_patients: bool = False
    owner: str = ""
    description: str = ""
    enabled: bool = True


@dataclass(frozen=True)
class Finding:
    """What is wrong with a rule, in words a data engineer can act on."""

    where: str
    problem: str
    hint: str = ""
    fatal: bool = True
