"""A delivery: a zip as the simulator makes it, with what must become of each member and row."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa

from tests.simulator.zipper import Entry


class Row(NamedTuple):
    """A row and its fate: `rule` is None for a row that loads, `values` are then in the target's column order."""

    target: str
    number: int
    rule: str | None
    source: int = 0  # source time, microseconds
    values: tuple | None = None


@dataclass(slots=True)
class Bulk:
    """So many rows that they are known as columns; their keys occur nowhere else."""

    target: str
    refused: list[int]  # numbers of the rows that `rule` refuses
    rule: str
    count: int
    loaded: pa.Table


@dataclass(slots=True)
class Member:
    """A member (or directory entry) and its fate; `refused` is the rule that quarantines it as a whole."""

    entry: Entry
    rows: list[Row] = field(default_factory=list)
    refused: str | None = None
    ignored: bool = False
    warnings: Counter | None = None
    bulk: Bulk | None = None

    @property
    def outcome(self) -> str:
        """What becomes of the member in a zip that is no duplicate."""
        if self.ignored:
            return "ignored"
        return "loaded" if self.bulk or any(row.rule is None for row in self.rows) else "quarantined"


@dataclass
class Delivery:
    """A zip: where and when it arrives, and what is in it."""

    folder: str
    feed: str | None
    name: str
    wave: int
    extract: int = 0  # seconds
    facility: str = ""
    members: list[Member] = field(default_factory=list)
    refused: str | None = None  # the rule that quarantines the whole zip
    data: bytes = b""
