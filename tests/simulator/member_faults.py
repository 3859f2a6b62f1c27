"""Members gone wrong, and members to be ignored: how each is made and the rule it breaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulator.delivery import Delivery, Member
from tests.simulator.zipper import Entry

if TYPE_CHECKING:
    from tests.simulator.feed import Feed

DTD = b'<!DOCTYPE Encounter [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>\n'
MEGABYTE = 1 << 20


def _flawed(flaw: str, rule: str) -> Callable[[Member], None]:
    def spoil(member: Member) -> None:
        member.entry.flaw, member.refused = flaw, rule

    return spoil


def _changed(change: Callable[[bytes], bytes], rule: str) -> Callable[[Member], None]:
    def spoil(member: Member) -> None:
        member.entry.data, member.refused = change(member.entry.data), rule

    return spoil


def _renamed(name: str) -> Callable[[Member], None]:
    def spoil(member: Member) -> None:
        member.entry.name, member.refused = name, "member.unmatched"

    return spoil


def _ignored(name: str, data: bytes) -> Callable[[Member], None]:
    def replace(member: Member) -> None:
        member.entry, member.ignored = Entry(name, data), True

    return replace


def _inflated(member: Member) -> None:
    # Small when packed and large when not; the rules let only members beyond 1 MB be refused for that.
    member.entry.data = member.entry.data.replace(b"\n", b"\n" + b" " * 3 * MEGABYTE, 1)
    member.entry.flaw, member.refused = "ratio", "member.ratio"


def _broken_text(data: bytes) -> bytes:
    """A letter of another encoding, in the last line."""
    return data[:-2] + b"\xe9(" + data[-2:]


def _header_only(data: bytes) -> bytes:
    return data[: data.index(b"\n") + 1]


def _header_changed(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        header, newline, rest = data.partition(b"\n")
        return header.replace(old, new) + newline + rest

    return change


COMMON = {
    "member.unmatched": _renamed("manifest.json"),
    "member.encrypted": _flawed("encrypted", "member.encrypted"),
    "member.method": _flawed("bzip2", "member.method"),
    "member.damaged.crc": _flawed("crc", "member.damaged"),
    "member.damaged.size": _flawed("size", "member.damaged"),
    "member.damaged.deflate": _flawed("garbage", "member.damaged"),
    "member.encoding": _changed(_broken_text, "member.encoding"),
}
XML = {
    "member.encoding": _changed(lambda data: data.replace(b"<Phone>", b"<Phone>\xe9 (", 1), "member.encoding"),
    "member.xml.cut": _changed(lambda data: data[: len(data) // 2], "member.xml"),
    "member.xml.bare_ampersand": _changed(lambda data: data.replace(b"<Phone>", b"<Phone>R&D ", 1), "member.xml"),
    "member.xml.two_roots": _changed(lambda data: data + data, "member.xml"),
    "member.xml.text_after": _changed(lambda data: data + b"</Encounter><Encounter>", "member.xml"),
    "member.xml.words_after": _changed(lambda data: data + b"end of file\n", "member.xml"),
    "member.xml.late_declaration": _changed(lambda data: b'\n<?xml version="1.0"?>\n' + data, "member.xml"),
    "member.xml.control_character": _changed(lambda data: data.replace(b"<Phone>", b"<Phone>\x01", 1), "member.xml"),
    "member.xml.unknown_entity": _changed(lambda data: data.replace(b"<Phone>", b"<Phone>&nbsp;", 1), "member.xml"),
    "member.xml.attribute_twice": _changed(
        lambda data: data.replace(b"<Facility id", b'<Facility id="" id', 1), "member.xml"
    ),
    "member.dtd": _changed(lambda data: DTD + data, "member.dtd"),
    "member.empty.other_root": _changed(lambda data: data.replace(b"Encounter", b"Episode"), "member.empty"),
    "member.unmatched.text": _renamed("notes/handover.txt"),
    "ignored.note": _ignored("README.md", b"# Export\n\nMade by CareBridge 7.2\n"),
    "ignored.note_in_folder": _ignored("docs/ReadMe.MD", b"See the other one.\n"),
    "ignored.mac_litter": _ignored("__MACOSX/._export", b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X\x00\xff\xfe"),
}
TEXT = {"member.empty.no_bytes": _changed(lambda data: b"", "member.empty")}
CSV = {
    "member.empty.header_only": _changed(_header_only, "member.empty"),
    "member.unmatched.readme": _renamed("README.md"),
}
OF_FEED: dict[str, dict[str, Callable[[Member], None]]] = {
    "encounters": COMMON | XML,
    "bed_census": COMMON | TEXT,
    "lab_results": COMMON | TEXT,
    "patients": COMMON | CSV | {
        "member.header.lacking": _changed(_header_changed(b"PATIENT_ID", b"PERSON"), "member.header"),
        "member.header.twice": _changed(_header_changed(b"CITY", b"LAST"), "member.header"),
    },
    "claims": COMMON | CSV | {
        "member.header.lacking": _changed(_header_changed(b"adjudicated_at", b"decided_at"), "member.header"),
        "member.ratio": _inflated,
    },
}  # fmt: skip


def kinds_of(feed: str) -> tuple[str, ...]:
    """The kinds of members gone wrong that a feed may see."""
    return tuple(OF_FEED[feed])


def make(kind: str, feed: Feed, delivery: Delivery) -> Member:
    """A member gone wrong; what it tells is told nowhere else, so that a leak shows."""
    feed.count(kind)
    member = feed.sample(delivery, 3)
    member.rows, member.warnings = [], None
    OF_FEED[feed.name][kind](member)
    return member
