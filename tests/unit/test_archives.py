"""Opening zips: every hostile or broken one has its outcome, in bounded time and memory."""

import io
import random
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_jobs.archives import ZipError, inflate, open_member, open_zip
from spark_jobs.errors import ArchiveError
from spark_jobs.rules.model import MEGABYTE, Limits
from tests.unit.zips import zip_of

LIMITS = Limits(max_members=10, max_member_bytes=4 * MEGABYTE, max_zip_bytes=8 * MEGABYTE, max_ratio=100)


def rule_of(content, limits=LIMITS):
    with pytest.raises(ArchiveError) as caught:
        for entry in open_zip(content, limits):
            inflate(content, entry, limits)
    return caught.value.rule


def patched(content, signature, offset, data):
    """`content` with bytes of its first record of that signature overwritten."""
    at = content.index(signature) + offset
    return content[:at] + data + content[at + len(data) :]


def test_members_are_numbered_in_directory_order_without_directories():
    content = zip_of(("d/", b""), ("d/a.txt", b"1"), ("b.txt", b"2"))
    assert [(e.index, e.name) for e in open_zip(content, LIMITS)] == [(0, "d/a.txt"), (1, "b.txt")]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("size", [0, 1, 3 * MEGABYTE])
def test_member_is_read_whole_and_as_a_stream(method, size):
    data = random.Random(size).randbytes(size)
    content = zip_of(("a", data), method=method)
    entry = open_zip(content, LIMITS)[0]
    assert inflate(content, entry, LIMITS) == data
    with open_member(content, entry, LIMITS) as stream:
        assert stream.read() == data


@pytest.mark.parametrize("content", [b"", b"not a zip", zip_of(("a", b"1"))[:-30], zip_of(("a", b"1" * 99))[:20]])
def test_no_zip_or_one_cut_short_is_damaged(content):
    assert rule_of(content) == "zip.damaged"


def test_zip_without_members_is_empty():
    assert rule_of(zip_of()) == "zip.empty"


def test_too_many_members_are_refused_with_their_number():
    with pytest.raises(ZipError) as caught:
        open_zip(zip_of(*((str(n), b"") for n in range(11))), LIMITS)
    assert (caught.value.rule, caught.value.members) == ("zip.too_many_members", 11)


def test_members_that_are_too_large_together_refuse_the_zip():
    assert rule_of(zip_of(*((str(n), b"0" * 3 * MEGABYTE) for n in range(3)))) == "zip.too_large"


def test_member_over_the_limit_and_bomb_are_refused():
    assert rule_of(zip_of(("a", b"0" * 5 * MEGABYTE))) == "member.too_large"
    assert rule_of(zip_of(("a", b"0" * 3 * MEGABYTE))) == "member.ratio"


def test_declared_size_is_not_believed():
    content = zip_of(("a", b"0" * 2 * MEGABYTE), method=zipfile.ZIP_DEFLATED)
    assert rule_of(patched(content, b"PK\x01\x02", 24, struct.pack("<I", 10))) == "member.damaged"


def test_wrong_crc_encryption_and_unusual_method_refuse_the_member():
    content = zip_of(("a", b"hello"))
    crc = struct.pack("<I", zlib.crc32(b"hello") ^ 1)
    assert rule_of(patched(content, b"PK\x01\x02", 16, crc)) == "member.damaged"
    assert rule_of(patched(content, b"PK\x01\x02", 8, b"\x01\x00")) == "member.encrypted"
    assert rule_of(zip_of(("a", b"hello" * 100), method=zipfile.ZIP_BZIP2)) == "member.method"


def test_entries_that_share_bytes_are_refused():
    first = zip_of(("a", b"x" * 1000))
    central = first[first.index(b"PK\x01\x02") : first.index(b"PK\x05\x06")]
    start = first.index(b"PK\x01\x02")
    ending = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 2, 2, 2 * len(central), start, 0)
    assert rule_of(first[:start] + central * 2 + ending) == "zip.damaged"


@pytest.mark.parametrize("name", ["../../etc/passwd", "/abs", "a\\b", "C:\\x", "\u202egpj.xml", ""])
def test_odd_names_are_harmless(name):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name or "x", b"1")
        archive.writestr("other", b"2")
    entries = open_zip(buffer.getvalue(), LIMITS)
    assert [inflate(buffer.getvalue(), e, LIMITS) for e in entries][-1] == b"2"


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_mutated_zip_never_crashes_and_never_inflates_beyond_its_limits(data):
    content = bytearray(zip_of(("a.xml", b"<a/>" * 50), ("b.csv", b"a,b\n1,2\n" * 50)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        if not content:
            break
    try:
        entries = open_zip(bytes(content), LIMITS)
    except ZipError:
        return
    for entry in entries:
        try:
            assert len(inflate(bytes(content), entry, LIMITS)) <= LIMITS.max_member_bytes
        except ArchiveError as error:
            assert error.rule.startswith("member.")
