"""Opening zips: entries that lie, alone or together, cost themselves or their zip, and never memory or time."""

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_jobs.archives import ZipError, inflate, open_member, open_zip
from spark_jobs.archives.directory import CENTRAL, LOCAL
from spark_jobs.errors import ArchiveError
from spark_jobs.rules.model import MEGABYTE, Limits
from tests.unit.zips import zip_of

LIMITS = Limits(max_members=10, max_member_bytes=4 * MEGABYTE, max_zip_bytes=8 * MEGABYTE, max_ratio=100)
LOCAL_MARK, CENTRAL_MARK, END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def patched(content, mark, offset, data, which=0):
    """`content` with bytes of its record number `which` of that kind overwritten."""
    at = -1
    for _ in range(which + 1):
        at = content.index(mark, at + 1)
    return content[: at + offset] + data + content[at + offset + len(data) :]


def outcomes(content, limits=LIMITS):
    """Of each member the bytes or the rule that refuses it, read whole and as a stream."""
    entries = open_zip(content, limits)
    whole = [outcome(lambda entry=entry: inflate(content, entry, limits)) for entry in entries]
    streamed = [outcome(lambda entry=entry: open_member(content, entry, limits).read()) for entry in entries]
    assert streamed == whole
    return whole


def outcome(read):
    try:
        return read()
    except ArchiveError as error:
        return error.rule


def refusal(content, limits=LIMITS):
    with pytest.raises(ZipError) as caught:
        open_zip(content, limits)
    return caught.value.rule


def raw_zip(*members):
    """A zip of (name, local header offset or None, packed, size, data) members, written as they say."""
    body, records = b"", b""
    for name, offset, packed, size, data in members:
        at = len(body) if offset is None else offset
        head = (0, 8, 0, zlib.crc32(data), packed, size, len(name))
        if offset is None:
            body += struct.pack("<4sHHHIIIIHH", LOCAL_MARK, 20, *head[:2], 0, *head[3:], 0) + name + deflated(data)
        records += (
            struct.pack("<4sHHHHIIIIHHHHHII", CENTRAL_MARK, 20, 20, *head[:2], 0, *head[3:], 0, 0, 0, 0, 0, at) + name
        )
    count = len(members)
    return body + records + struct.pack("<4s4HIIH", END_MARK, 0, 0, count, count, len(records), len(body), 0)


def deflated(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def test_what_stands_before_and_after_a_zip_is_no_matter():
    content = zip_of(("a", b"1"), ("b", b"2"))
    assert outcomes(b"MZ" * 500 + content + b"trailing") == [b"1", b"2"]


@pytest.mark.parametrize("flags", [0, 0x800])
def test_names_that_are_no_text_are_read_all_the_same(flags):
    content = zip_of(("ab", b"1"), ("b", b"2")).replace(b"ab", b"\xff\xfe")
    content = patched(
        patched(content, LOCAL_MARK, 6, struct.pack("<H", flags)), CENTRAL_MARK, 8, struct.pack("<H", flags)
    )
    assert outcomes(content) == [b"1", b"2"]
    assert len(open_zip(content, LIMITS)[0].name) == 2


def test_equal_names_are_members_of_their_own():
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = zip_of(("a", b"1"), ("a", b"2"))
    assert outcomes(content) == [b"1", b"2"]


@pytest.mark.parametrize(
    ("mark", "offset", "data"),
    [
        (LOCAL_MARK, 0, b"PK\x03\x05"),  # no local header
        (LOCAL_MARK, 8, b"\x00\x00"),  # another method
        (LOCAL_MARK, 30, b"z"),  # another name
        (LOCAL_MARK, 28, b"\xff\xff"),  # an extra field that reaches past the directory
        (CENTRAL_MARK, 16, b"\0\0\0\0"),  # another CRC
        (CENTRAL_MARK, 20, b"\x01\0\0\0"),  # fewer packed bytes
        (CENTRAL_MARK, 24, b"\x01\0\0\0"),  # a smaller size
        (CENTRAL_MARK, 24, b"\xff\0\0\0"),  # a larger size
    ],
)
def test_entry_that_contradicts_its_member_costs_that_member_alone(mark, offset, data):
    content = zip_of(("a", b"hello"), ("b", b"world" * 9))
    assert outcomes(patched(content, mark, offset, data, which=1))[0] == b"hello"
    assert outcomes(patched(content, mark, offset, data, which=1))[1] == "member.damaged"


def test_entries_out_of_the_zip_or_over_the_directory_are_refused():
    content = zip_of(("a", b"hello"), ("b", b"world"))
    assert outcomes(patched(content, CENTRAL_MARK, 42, struct.pack("<I", 1 << 31), which=1)) == [
        b"hello",
        "member.damaged",
    ]
    assert outcomes(patched(content, CENTRAL_MARK, 20, struct.pack("<I", 9999), which=1)) == [
        b"hello",
        "member.damaged",
    ]


def test_directory_that_lies_about_itself_is_damaged():
    content = zip_of(("a", b"hello"), ("b", b"world"))
    assert refusal(patched(content, END_MARK, 10, b"\x03\x00")) == "zip.damaged"
    assert refusal(patched(content, END_MARK, 12, b"\xff\xff\xff\x7f")) == "zip.damaged"
    assert refusal(patched(content, CENTRAL_MARK, 28, b"\xff\xff")) == "zip.damaged"


def test_overlapping_entries_are_refused_though_one_of_them_is_damaged():
    data = b"x" * 1000
    packed = len(deflated(data))
    assert outcomes(raw_zip((b"a", None, packed, 1000, data))) == [data]
    for second in (0, 5, 30):
        assert refusal(raw_zip((b"a", None, packed, 1000, data), (b"a", second, packed, 1000, data))) == "zip.damaged"


def test_quoted_overlap_bomb_is_refused():
    """Each member's packed bytes hold the local headers of the next ones."""
    kernel = deflated(b"0" * MEGABYTE)
    header = struct.pack("<4sHHHIIIIHH", LOCAL_MARK, 20, 0, 8, 0, 0, len(kernel), MEGABYTE, 1, 0) + b"b"
    body = struct.pack("<4sHHHIIIIHH", LOCAL_MARK, 20, 0, 8, 0, 0, len(header) + len(kernel), MEGABYTE, 1, 0) + b"a"
    content = body + header + kernel
    records = b"".join(
        struct.pack("<4sHHHHIIIIHHHHHII", CENTRAL_MARK, 20, 20, 0, 8, 0, 0, packed, MEGABYTE, 1, 0, 0, 0, 0, 0, at)
        + name
        for name, packed, at in ((b"a", len(header) + len(kernel), 0), (b"b", len(kernel), len(body)))
    )
    end = struct.pack("<4s4HIIH", END_MARK, 0, 0, 2, 2, len(records), len(content), 0)
    assert refusal(content + records + end) == "zip.damaged"


def test_zip64_is_read():
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a", "w", force_zip64=True) as member,
    ):
        member.write(b"hello")
    assert outcomes(buffer.getvalue()) == [b"hello"]
    content = zip_of(*((str(number), b"") for number in range(70_000)))
    assert len(open_zip(content, Limits(max_members=80_000))) == 70_000
    assert refusal(content) == "zip.too_many_members"


def test_sizes_that_only_zip64_could_hold_are_refused_before_anything_is_inflated():
    extra = struct.pack("<HHQQ", 1, 16, 1 << 50, 5)
    content = zip_of(("a", b"hello"))
    at = content.index(CENTRAL_MARK)
    record = bytearray(content[at : at + CENTRAL.size])
    record[20:28] = b"\xff" * 8
    record[30:32] = struct.pack("<H", len(extra))
    end = bytearray(content[content.index(END_MARK) :])
    end[12:16] = struct.pack("<I", len(record) + 1 + len(extra))
    assert refusal(content[:at] + bytes(record) + b"a" + extra + bytes(end)) == "zip.too_large"


def test_bomb_is_streamed_no_further_than_it_declares():
    data = b"0" * 64 * MEGABYTE
    limits = Limits(max_ratio=10_000)
    content = zip_of(("a", data))
    declared = patched(content, CENTRAL_MARK, 24, struct.pack("<I", 20 * MEGABYTE))
    assert outcomes(declared, limits) == ["member.damaged"]
    with open_member(content, open_zip(content, limits)[0], limits) as stream:
        assert sum(len(chunk) for chunk in iter(lambda: stream.read(1 << 20), b"")) == len(data)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.data())
def test_any_field_of_any_record_may_lie(members, data):
    content = zip_of(*((f"m{number}", member) for number, member in enumerate(members)))
    for _ in range(data.draw(st.integers(1, 3))):
        mark, size = data.draw(
            st.sampled_from([(LOCAL_MARK, LOCAL.size), (CENTRAL_MARK, CENTRAL.size), (END_MARK, 22)])
        )
        which = data.draw(st.integers(0, content.count(mark) - 1)) if content.count(mark) else None
        if which is not None:
            value = data.draw(
                st.sampled_from([b"\0", b"\1", b"\x08", b"\xff", b"\xff\xff", b"\xff\xff\xff\xff", b"\0\0\0\0"])
            )
            content = patched(content, mark, data.draw(st.integers(0, size - len(value))), value, which)
    try:
        read = outcomes(content)
    except ZipError as error:
        assert error.rule.startswith("zip.")
    else:
        assert all(one.startswith("member.") if isinstance(one, str) else one in members for one in read)
