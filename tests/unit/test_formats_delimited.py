"""CSV and delimited text: what PyArrow's reader is relied on for, and what is done about the rest."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_jobs.formats import text
from spark_jobs.formats.dialect import Dialect
from spark_jobs.formats.results import FAILURES
from spark_jobs.rules.model import Column, Member
from tests.unit.zips import feed_of, read, refused, zip_of

BROKEN = "row.ragged: a quote in it is never closed, or text follows where it closes"


def rule(width=2, **more):
    columns = tuple(Column(f"c{n}", source=f"#{n}", trim=False) for n in range(1, width + 1))
    return Member("line", pattern="*", format="csv", target="t", **{"header": False, "columns": columns, **more})


def rows_of(data, one):
    """Rows as (number, values or failure), in order of their numbers; an empty field reads as null."""
    rows, summary = read(zip_of(("x", data)), feed_of(one))
    assert not refused(summary) or not rows
    names = [column.name for column in one.columns]
    found = sorted(rows.get("line", []), key=lambda row: row["_row"])
    assert [row["_row"] for row in found] == list(range(1, len(found) + 1))
    return [row[FAILURES] or tuple(row[name] for name in names) for row in found]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b'1"x"y,2\n', [('1"x"y', "2")]),  # a quote within a field is a character like others
        (b' "a,b",2\n', ["row.ragged: expected 2 fields, found 3"]),
        (b'"a""b","""x"""\n', [('a"b', '"x"')]),
        (b'"a\r\nb",2\n3,4', [("a\r\nb", "2"), ("3", "4")]),
        (b"1,2\r\n\r\n3,4\r5,6\n\n", [("1", "2"), ("3", "4"), ("5", "6")]),
        (b'"",""\n,\n', [(None, None), (None, None)]),
        (b"1,2,\n3\n4,5\n", [*(f"row.ragged: expected 2 fields, found {n}" for n in (3, 1)), ("4", "5")]),
        (b"1\x00,2\n\x0b,\xe2\x80\xa8\n", [("1\0", "2"), ("\x0b", "\u2028")]),
        (b'"ab"cd,2\n3,4\n', [BROKEN, ("3", "4")]),
        (b'"ab" ,2\n3,4\n', [BROKEN, ("3", "4")]),
        (b'1,"2\n3,4\n5,6', [BROKEN, ("3", "4"), ("5", "6")]),
        (b'"1,2\n"3",4\n5,6\n', [BROKEN, ("3", "4"), ("5", "6")]),
        (b'"1\n",2\n"3\n","4\n5,6\n', [("1\n", "2"), BROKEN, ("5", "6")]),
        (b'1,2\n"', [("1", "2"), BROKEN]),
        (b'1,"2\n' * 3, [BROKEN] * 3),
    ],
)
def test_records_and_broken_quotes(data, rows):
    assert rows_of(data, rule()) == rows


def test_one_column_and_an_empty_field_in_it():
    assert rows_of(b'1\n\n""\n"x"y\n2', rule(1)) == [("1",), (None,), BROKEN, ("2",)]


def test_escapes():
    data = b'1;"a\\"b;\\\\"\n2;a\\;b\\\nc\n3;"x\\"\n4;5\n'
    assert rows_of(data, rule(delimiter=";", escape="\\")) == [("1", 'a"b;\\'), ("2", "a;b\nc"), BROKEN, ("4", "5")]


def test_delimiters_and_quotes_that_mean_something_in_expressions():
    assert rows_of(b"1^'a^b'\n2^'c'd\n", rule(delimiter="^", quote="'")) == [("1", "a^b"), BROKEN]
    assert rows_of(b"1]-a]b-\n", rule(delimiter="]", quote="-")) == [("1", "a]b")]


def test_encoding_of_the_rule():
    assert rows_of("é,µ\n".encode("utf-16"), rule(encoding="utf-16")) == [("é", "µ")]
    assert rows_of("é,µ\n".encode("cp1252"), rule(encoding="cp1252")) == [("é", "µ")]


def test_header_with_quotes_line_breaks_and_broken_ones():
    columns = (Column("a", source="first\nname", required=True),)
    one = rule(header=True, columns=columns)
    assert rows_of(b'\n"first\nname",b\nx,y\n', one) == [("x",)]
    for header in (b'"first\nname"x,b\n', b'"first\nname\n', b"\x00" * 200_000 + b"\n"):
        _, summary = read(zip_of(("x", header + b"1,2\n")), feed_of(one))
        assert refused(summary) == {0: "member.header"}


def small_chunks(monkeypatch, chunk=3, longest=10_000):
    monkeypatch.setattr(text, "LARGE", 0)
    monkeypatch.setattr(text, "CHUNK", chunk)
    for module in ("text", "dialect"):
        monkeypatch.setattr(f"spark_jobs.formats.{module}.LONGEST_RECORD", longest)


def test_endless_lines_and_quotes_in_a_large_member_cost_their_row(monkeypatch):
    small_chunks(monkeypatch, chunk=50, longest=200)
    data = b"1,2\n" + b"x" * 1000 + b'\n3,4\n5,"6\n' + b"7,8\n" * 100 + b'9,"0"\n'
    too_long = "row.ragged: a line of more than 8 MB"
    assert rows_of(data, rule()) == [("1", "2"), too_long, ("3", "4"), BROKEN, *[("7", "8")] * 100, ("9", "0")]


def test_large_member_that_is_not_in_its_encoding_is_refused_as_a_whole(monkeypatch):
    small_chunks(monkeypatch)
    rows, summary = read(zip_of(("x", b"1,2\n" * 20 + b"\xff")), feed_of(rule()))
    assert (rows, refused(summary)) == ({}, {0: "member.encoding"})


PIECES = st.sampled_from(["a", "b", '"', '"', '""', ",", ",", "\n", "\n", "\r\n", "\r", "\\", '\\"', "é", " ", "x\n"])
TEXTS = st.lists(PIECES, max_size=30).map("".join)
FIELDS = st.text(st.sampled_from('ab",\n\r\\é '), max_size=4)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(FIELDS, min_size=2, max_size=2), max_size=8), st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_is_written_is_read(records, line_end):
    out = io.StringIO()
    csv.writer(out, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(records)
    expected = [tuple(field or None for field in record) for record in records]
    assert rows_of(out.getvalue().encode(), rule()) == expected


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.sampled_from([None, "\\"]), st.integers(1, 7))
def test_streamed_text_gives_the_rows_of_whole_text(data, escape, chunk):
    one = rule(escape=escape)
    whole = rows_of(data.encode(), one)
    with pytest.MonkeyPatch.context() as patch:
        small_chunks(patch, chunk)
        assert rows_of(data.encode(), one) == whole


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_no_record_swallows_another_line_but_by_sound_quotes(data):
    """Every line that no sound quoted field spans is a row of its own, whatever is wrong with those around it."""
    lines = [line for line in data.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line]
    sound = Dialect(",", '"', None)._is_sound(data.encode())
    count = len(rows_of(data.encode(), rule()))
    assert count <= len(lines)
    if sound:
        assert count == sum(1 for record in csv.reader(io.StringIO(data, newline=""), strict=False) if record)


def test_many_broken_quotes_take_linear_time():
    rows = rows_of(b'"a,b\nc"d,"\n' * 20_000, rule())
    assert len(rows) == 40_000
