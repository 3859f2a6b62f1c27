"""Writes zips byte by byte: fast for thousands of small members, the same bytes every time, and flawed on request."""

from __future__ import annotations

import bz2
import struct
import zlib
from dataclasses import dataclass

DOS_TIME, DOS_DATE = 0x6000, (2026 - 1980) << 9 | 2 << 5 | 9  # noon of 9 February 2026
STORED, DEFLATED, BZIP2 = 0, 8, 12
FLAG_ENCRYPTED, FLAG_DESCRIPTOR, FLAG_UTF8 = 0x1, 0x8, 0x800
LOCAL, CENTRAL, END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s4H2LH")
DESCRIPTOR = struct.Struct("<4s3L")


@dataclass(slots=True)
class Entry:
    """One entry of a zip. `flaw` names how its packing departs from the usual; see `_pack`."""

    name: str
    data: bytes
    flaw: str = ""


def build_zip(entries: list[Entry], level: int = 1, comment: bytes = b"", reverse_directory: bool = False) -> bytes:
    """A zip of these entries, numbered in this order by its directory; the bodies may stand in the reverse order."""
    bodies, directory, offset = [], [b""] * len(entries), 0
    order = range(len(entries) - 1, -1, -1) if reverse_directory else range(len(entries))
    for index in order:
        body, directory[index] = _write_entry(entries[index], level, offset)
        bodies.append(body)
        offset += len(body)
    central = b"".join(directory)
    end = END.pack(b"PK\5\6", 0, 0, len(entries), len(entries), len(central), offset, len(comment))
    return b"".join([*bodies, central, end, comment])


def _write_entry(entry: Entry, level: int, offset: int) -> tuple[bytes, bytes]:
    name, flags = _encode_name(entry)
    method, packed, flags, crc, size = _pack(entry, level, flags)
    version = 46 if method == BZIP2 else 20
    declared = (0, 0, 0) if flags & FLAG_DESCRIPTOR else (crc, len(packed), size)
    local = LOCAL.pack(b"PK\3\4", version, flags, method, DOS_TIME, DOS_DATE, *declared, len(name), 0)
    tail = DESCRIPTOR.pack(b"PK\7\x08", crc, len(packed), size) if flags & FLAG_DESCRIPTOR else b""
    central = CENTRAL.pack(
        b"PK\1\2", version, version, flags, method, DOS_TIME, DOS_DATE, crc, len(packed), size, len(name), 0, 0, 0, 0,
        0, offset,
    )  # fmt: skip
    return b"".join((local, name, packed, tail)), central + name


def _encode_name(entry: Entry) -> tuple[bytes, int]:
    if entry.name.isascii():
        return entry.name.encode("ascii"), 0
    if entry.flaw == "cp437":
        return entry.name.encode("cp437"), 0
    return entry.name.encode("utf-8"), FLAG_UTF8


def _pack(entry: Entry, level: int, flags: int) -> tuple[int, bytes, int, int, int]:
    """Method, packed bytes, flags, CRC and size as the entry declares them."""
    data, flaw, crc = entry.data, entry.flaw, zlib.crc32(entry.data)
    if flaw in ("stored", "directory"):
        return STORED, data, flags, crc, len(data)
    if flaw == "bzip2":
        return BZIP2, bz2.compress(data), flags, crc, len(data)
    packed = zlib.compress(data, 9 if flaw == "ratio" else level, wbits=-15)
    if not flaw or flaw in ("cp437", "ratio"):
        return DEFLATED, packed, flags, crc, len(data)
    return _damage(flaw, packed, flags, crc, len(data))


def _damage(flaw: str, packed: bytes, flags: int, crc: int, size: int) -> tuple[int, bytes, int, int, int]:
    if flaw == "descriptor":
        flags |= FLAG_DESCRIPTOR
    elif flaw == "crc":
        crc ^= 0xDEADBEEF
    elif flaw == "size":
        size //= 2
    elif flaw == "garbage":
        packed = b"\xff" * len(packed)  # block type 3, which deflate does not have
    elif flaw == "encrypted":
        packed, flags = packed[:12][::-1] + packed, flags | FLAG_ENCRYPTED
    else:
        raise ValueError(flaw)
    return DEFLATED, packed, flags, crc, size
