"""How members are packed: folders, odd names and unusual but valid zips, all harmless."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.simulator.delivery import Delivery, Member
from tests.simulator.zipper import Entry, build_zip

UNICODE_FOLDERS = ("Überweisungen/", "患者/2026/", "données d'été/", "😀 new/")


def _directories(delivery: Delivery, rng: random.Random) -> dict:
    for name in ("export/", "export/2026/", "empty folder/"):
        at = rng.randrange(len(delivery.members) + 1)
        delivery.members.insert(at, Member(Entry(name, b"", "directory")))
    return _rename(delivery, lambda index, name: f"export/2026/{name}")


def _rename(delivery: Delivery, rename: Callable[[int, str], str]) -> dict:
    for index, member in enumerate(delivery.members):
        if member.refused is None and not member.ignored and not member.entry.flaw:
            member.entry.name = rename(index, member.entry.name)
    return {}


def _unicode(delivery: Delivery, rng: random.Random) -> dict:
    return _rename(delivery, lambda index, name: UNICODE_FOLDERS[index % 4] + name)


def _odd_names(delivery: Delivery, rng: random.Random) -> dict:
    shapes = (
        "../../etc/{}",
        "/abs/{}",
        "C:\\temp\\{}",
        " leading {}",
        "a//b/./{}",
        "%2e%2e {}",
        "-rf {}",
        "x'\"$(id){}",
    )
    return _rename(delivery, lambda index, name: shapes[index % len(shapes)].format(name))


def _same_names(delivery: Delivery, rng: random.Random) -> dict:
    return _rename(delivery, lambda index, name: f"record.{name.rpartition('.')[2]}")


def _upper_case(delivery: Delivery, rng: random.Random) -> dict:
    return _rename(delivery, lambda index, name: name.upper())


def _old_encoding(delivery: Delivery, rng: random.Random) -> dict:
    _rename(delivery, lambda index, name: f"résumé_{name}")
    return _flaw(delivery, "cp437")


def _flaw(delivery: Delivery, flaw: str) -> dict:
    for member in delivery.members:
        member.entry.flaw = member.entry.flaw or flaw
    return {}


PACKINGS: dict[str, Callable[[Delivery, random.Random], dict]] = {
    "directories": _directories,
    "unicode_names": _unicode,
    "odd_names": _odd_names,
    "same_names": _same_names,
    "upper_case": _upper_case,
    "old_encoding": _old_encoding,
    "descriptors": lambda delivery, rng: _flaw(delivery, "descriptor"),
    "stored": lambda delivery, rng: _flaw(delivery, "stored"),
    "comment": lambda delivery, rng: {"comment": b"Exported by CareBridge 7.2"},
    "reverse_directory": lambda delivery, rng: {"reverse_directory": True},
    "best_compression": lambda delivery, rng: {"level": 9},
    "level_6": lambda delivery, rng: {"level": 6},
}
KINDS = tuple(PACKINGS)


def pack(delivery: Delivery, kind: str | None, rng: random.Random, count: Callable[[str], None]) -> None:
    """Write the zip's bytes."""
    options = {}
    if kind:
        count(f"packing.{kind}")
        options = PACKINGS[kind](delivery, rng)
    delivery.data = build_zip([member.entry for member in delivery.members], **options)
