"""Contender d, the floor: inflate with isal and parse with xml2arrow, once a zip, on all cores. Nothing is checked or kept.

A zip that does not parse as a whole is parsed member by member.
"""

from __future__ import annotations

import json
import struct
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isal import isal_zlib
from xml2arrow import XmlToArrowParser

from tests.bench.contenders.serving import serve

CENTRAL, LOCAL = struct.Struct("<4s6xH8xIIHHH8xI"), struct.Struct("<26xHH")
PATHS = (
    "@id Facility/@id Patient/@mrn Patient/Name Patient/BirthDate Patient/Sex Status Class Location/Unit Location/Bed"
    " AdmittedAt DischargedAt UpdatedAt Reason/@code Reason Attending/@npi Attending/Name Payer Charges Charges/@currency"
    " Readmission"
).split()
ZIPS_A_TASK = 8


def read_zip(path: Path) -> int:
    """Reads a zip into an Arrow table of texts; returns its rows."""
    members = list(_members(path.read_bytes()))
    try:
        return len(_parse(members))
    except Exception:
        return sum(_rows_of(member) for member in members)


def _members(content: bytes) -> Iterator[bytes]:
    at = struct.unpack_from("<I", content, content.rfind(b"PK\5\6") + 16)[0]
    while content.startswith(b"PK\1\2", at):
        _, _, packed, size, name, extra, comment, offset = CENTRAL.unpack_from(content, at)
        start = offset + 30 + sum(LOCAL.unpack_from(content, offset))
        yield isal_zlib.decompress(content[start : start + packed], -15, size)
        at += 46 + name + extra + comment


def _rows_of(member: bytes) -> int:
    try:
        return len(_parse([member]))
    except Exception:
        return 0


def _parse(members: list[bytes]) -> Any:
    return _parser().parse(b"<zip>%b</zip>" % b"".join(members))["encounter"]


def _parser() -> XmlToArrowParser:
    if not _kept:
        _kept.append(_make_parser())
    return _kept[0]


_kept: list[XmlToArrowParser] = []


def _make_parser() -> XmlToArrowParser:
    fields = [
        {"name": path, "xml_path": f"/zip/Encounter/{path}", "data_type": "Utf8", "nullable": True} for path in PATHS
    ]
    table = {"name": "encounter", "xml_path": "/zip", "levels": ["encounter"], "fields": fields}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(json.dumps({"tables": [table]}))
        file.flush()
        return XmlToArrowParser(Path(file.name))


@dataclass
class Floor:
    """A process a core; `rows` counts what was read, by table."""

    pool: ProcessPoolExecutor
    rows: dict[str, int] = field(default_factory=dict)

    def prepare(self, drop: str, table: str) -> None:
        """Reads zips where they are."""

    def run(self, drop: str, table: str) -> None:
        """Reads a wave."""
        found = self.pool.map(read_zip, sorted(Path(drop).glob("*/*.zip")), chunksize=ZIPS_A_TASK)
        self.rows[table] = self.rows.get(table, 0) + sum(found)

    def check(self, table: str, truth: str) -> dict[str, Any]:
        """Rows that were read."""
        return {"rows": self.rows[table]}


@contextmanager
def open_contender(settings: dict[str, Any]) -> Iterator[Floor]:
    """The pool of processes."""
    with ProcessPoolExecutor(settings["cores"]) as pool:
        yield Floor(pool)


if __name__ == "__main__":
    serve(open_contender)
