"""The kinds of deliveries that benchmarks make: how each is told, packed and spoiled."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.bench import encounter_documents, text_lines
from tests.bench.told import Told
from tests.simulator.columns import BED, CLAIM_LINE, ENCOUNTER, LAB_RESULT, Target


@dataclass(frozen=True)
class Entry:
    """A member and what it tells, row by row."""

    name: str
    data: bytes
    told: Sequence[Told]


@dataclass(frozen=True)
class Kind:
    """A feed of benchmarks. `size` draws how much a zip tells, `pack` makes members of it, `spoil` breaks one telling."""

    feed: str
    prefix: str
    target: Target
    begin: Callable[[str, str, int, random.Random], Any]
    tell: Callable[[Any, int, str, str, int, random.Random], Told]
    size: Callable[[random.Random], int]
    pack: Callable[[Sequence[Told], int], Iterator[Entry]]
    spoil: Callable[[Told, random.Random], Told]


def _one_a_member(told: Sequence[Told], serial: int) -> Iterator[Entry]:
    for index, one in enumerate(told):
        yield Entry(f"{one.values[1]}_{serial}_{index}.xml", one.data, [one])


def _many_a_member(suffix: str, header: bytes, rows: int, told: Sequence[Told], serial: int) -> Iterator[Entry]:
    for index in range(0, len(told), rows):
        some = told[index : index + rows]
        yield Entry(f"{serial}_{index}.{suffix}", header + b"".join([one.data for one in some]), some)


def _between(least: int, most: int, lean: float) -> Callable[[random.Random], int]:
    return lambda draw: round(most - (most - least) * draw.random() ** lean)


# 195 members on average, as the brief's 15,000,000 files in 77,000 zips; the text feeds as the simulator sends them.
KINDS = {
    "xml": Kind(
        "encounters", "ENC", ENCOUNTER, encounter_documents.begin, encounter_documents.tell, _between(20, 300, 5 / 3),
        _one_a_member, encounter_documents.spoil,
    ),
    "csv": Kind(
        "claims", "CLM", CLAIM_LINE, text_lines.begin_claim, text_lines.tell_claim, _between(500, 3000, 0.4),
        partial(_many_a_member, "csv", text_lines.CLAIM_HEADER, 1500), text_lines.spoil_claim,
    ),
    "delimited": Kind(
        "bed_census", "BED", BED, text_lines.begin_bed, text_lines.tell_bed, _between(1600, 3200, 1),
        partial(_many_a_member, "txt", b"", 110), text_lines.spoil_bed,
    ),
    "fixed": Kind(
        "lab_results", "LAB", LAB_RESULT, text_lines.begin_result, text_lines.tell_result, _between(600, 1400, 1),
        partial(_many_a_member, "txt", b"", 250), text_lines.spoil_result,
    ),
}  # fmt: skip
