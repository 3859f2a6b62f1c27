"""Readers: members to rows, every member to one outcome, whatever is in it."""

import codecs
import random

import pytest

from spark_jobs.formats import text
from spark_jobs.rules.model import Column, Member
from tests.unit.zips import csv_rule, feed_of, read, refused, told, xml_rule, zip_of

XML = feed_of(xml_rule())
CSV = feed_of(csv_rule())


def docs(*bodies):
    return read(zip_of(*((f"{n}.xml", body) for n, body in enumerate(bodies))), XML)


def csv(data, **rule):
    return read(zip_of(("x.csv", data)), feed_of(csv_rule(**rule)))


def values(rows, *names):
    return [tuple(row[name] for name in names) for row in rows]


def test_xml_text_is_what_stands_in_the_element_and_absent_is_null():
    rows, _ = docs(
        b'<Doc id="1"><Person><Name> A&amp;B<!-- no --><![CDATA[<c>]]></Name></Person></Doc>', b'<Doc id="2"/>'
    )
    assert values(rows["doc"], "id", "name", "_member_index", "_row") == [("1", "A&B<c>", 0, 1), ("2", None, 1, 1)]


def test_first_of_several_elements_counts_even_if_empty():
    rows, _ = docs(b'<Doc id="1"><Person><Name/><Name>second</Name></Person></Doc>')
    assert rows["doc"][0]["name"] is None


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"<Doc id='1'>", "member.xml"),
        (b"<Doc id='1'/><Doc id='2'/>", "member.xml"),
        (b"<Doc id='1'>\x00</Doc>", "member.xml"),
        (b"<x:Doc id='1'/>", "member.xml"),
        (b"<Doc id='1'>&nbsp;</Doc>", "member.xml"),
        (b"", "member.xml"),
        (b'<!DOCTYPE Doc><Doc id="1"/>', "member.dtd"),
        (b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Doc id="&b;"/>', "member.dtd"),
        (b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Doc id="1">&x;</Doc>', "member.dtd"),
        ('<!DOCTYPE d><Doc id="1"/>'.encode("utf-16"), "member.dtd"),
        (b'<Doc id="\xff"/>', "member.encoding"),
        (b'<?xml version="1.0" encoding="klingon"?><Doc id="1"/>', "member.encoding"),
        (b"<Other/>", "member.empty"),
        (b"<Doc>" * 300 + b"</Doc>" * 300, "member.xml"),
    ],
)
def test_bad_document_is_refused_alone(body, rule):
    rows, summary = docs(b'<Doc id="1"/>', body, b'<Doc id="3"/>')
    assert values(rows["doc"], "id") == [("1",), ("3",)]
    assert refused(summary) == {1: rule}


def test_documents_that_would_cancel_out_when_joined_are_both_refused():
    _, summary = docs(b'<Doc id="1"><!--', b'--></Doc><Doc id="2"/>', b"<Doc>", b"</Doc>")
    assert set(refused(summary)) == {0, 1, 2, 3}


def test_utf16_and_declared_latin1_are_read():
    rows, _ = docs(
        '<Doc id="Å"/>'.encode("utf-16"), '<?xml version="1.0" encoding="iso-8859-1"?><Doc id="Å"/>'.encode("latin-1")
    )
    assert values(rows["doc"], "id") == [("Å",), ("Å",)]


def test_namespaces_are_told_apart():
    columns = (Column("id", source="h:id/@root"), Column("code", source="s:code"))
    spaces = {"h": "urn:h", "s": "urn:s"}
    rule = Member("d", pattern="*", format="xml", record_path="/h:D", target="t", namespaces=spaces, columns=columns)
    body = b'<D xmlns="urn:h" xmlns:q="urn:s"><id root="1"/><code>no</code><q:code>yes</q:code></D>'
    rows, _ = read(zip_of(("x", body)), feed_of(rule))
    assert values(rows["d"], "id", "code") == [("1", "yes")]


def test_children_carry_their_parents_key_and_are_numbered_in_the_member():
    child = Member(
        "kid",
        2,
        parent="doc",
        record_path="Kids/Kid",
        target="k",
        columns=(Column("doc_id", source="$parent.id"), Column("no", source="@no", type="int")),
    )
    body = b'<Doc id="7"><Kids><Kid no="1"/><Kid no="x"/></Kids></Doc>'
    rows, _ = read(zip_of(("x.xml", body)), feed_of(xml_rule(), child))
    assert values(rows["kid"], "doc_id", "no", "_row") == [("7", 1, 1), ("7", None, 2)]
    assert rows["kid"][1]["_failures"].startswith("type.no:")


def test_unmatched_ignored_and_nested_members_have_their_outcome():
    ignore = Member("litter", 0, action="ignore", pattern="__MACOSX/*")
    content = zip_of(("__MACOSX/a.xml", b""), ("in.zip", zip_of(("a.xml", b"<a/>"))), ("D/B.XML", b'<Doc id="1"/>'))
    rows, summary = read(content, feed_of(ignore, xml_rule()))
    assert (summary.members, summary.ignored, refused(summary)) == (3, 1, {1: "member.unmatched"})
    assert len(rows["doc"]) == 1


def test_csv_quotes_newlines_bom_and_header_order():
    rows, _ = csv(codecs.BOM_UTF8 + b'b,a\r\n1,"x\ny, ""z"""\r\n\r\n2,w\r\n')
    assert values(rows["line"], "a", "b", "_row") == [('x\ny, "z"', 1, 1), ("w", 2, 2)]


def test_ragged_rows_are_refused_and_keep_their_number():
    rows, _ = csv(b"a,b\nx,1\ny\nz,3\nq,4,5\nr,6\n")
    by_row = {row["_row"]: row for row in rows["line"]}
    assert [by_row[n]["a"] for n in (1, 3, 5)] == ["x", "z", "r"]
    assert [by_row[n]["_failures"].split(":")[0] for n in (2, 4)] == ["row.ragged", "row.ragged"]


def test_unclosed_quote_costs_its_line_and_no_more():
    rows, _ = csv(b'a,b\nx,1\n"y,2\nz,3\n')
    good = [row for row in rows["line"] if row["_failures"] is None]
    assert values(good, "a", "_row") == [("x", 1), ("z", 3)]
    assert len(rows["line"]) == 3


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "member.empty"),
        (b"\n\n", "member.empty"),
        (b"a,b", "member.empty"),
        (b"a,b\n", "member.empty"),
        (b"b\n1\n", "member.header"),
        (b"a,a\n1,2\n", "member.header"),
        (b"a,b\n\xff,1\n", "member.encoding"),
    ],
)
def test_bad_csv_is_refused_as_a_whole(data, rule):
    _, summary = csv(data)
    assert refused(summary) == {0: rule}


def test_endless_line_costs_its_row_and_no_more():
    endless = random.Random(1).randbytes(12 << 20).hex().encode()
    rows, summary = csv(b"a,b\nx,1\n" + endless + b",1\ny,2\n")
    assert values(rows["line"], "a", "_row") == [("x", 1), (None, 2), ("y", 3)]
    assert rows["line"][1]["_failures"] == "row.ragged: a line of more than 8 MB"
    assert summary.quarantined == ()


def test_empty_member_is_ignored_where_the_rule_allows_it():
    _, summary = csv(b"a,b\n", allow_empty=True)
    assert (summary.ignored, summary.quarantined) == (1, ())


def test_unknown_and_missing_columns_are_warnings():
    rows, summary = csv(b"a,c\nx,1\n")
    assert [event.rule for event in summary.warnings] == ["member.missing_columns", "member.unknown_columns"]
    assert values(rows["line"], "a", "b") == [("x", None)]


def test_delimited_text_without_header_and_quotes():
    columns = (Column("one", source="#1"), Column("three", source="#3"))
    rows, _ = csv(b'x|"y|z\n1|2\n', header=False, delimiter="|", quote=None, columns=columns)
    assert values(rows["line"], "one", "three", "_row") == [("x", "z", 1), (None, None, 2)]


def test_fixed_width_counts_characters_and_short_lines_read_as_blank():
    columns = (Column("a", source="1-2"), Column("b", source="3-5"))
    rule = Member("fix", pattern="*", format="fixed", target="t", columns=columns)
    rows, _ = read(zip_of(("x", "Åb123\r\n\ncd\nef1234\n".encode())), feed_of(rule))
    assert values(rows["fix"], "a", "b", "_row") == [("Åb", "123", 1), ("cd", None, 2), (None, None, 3)]
    assert rows["fix"][2]["_failures"].startswith("row.length:")


def test_large_member_is_streamed_with_the_same_rows(monkeypatch):
    data = b"a,b\n" + b"".join(b"name %d,%d\n" % (n, n) for n in range(50_000))
    small, _ = csv(data)
    monkeypatch.setattr(text, "LARGE", 1000)
    large, summary = csv(data)
    assert large == small
    assert summary.quarantined == ()


def test_nothing_that_is_told_holds_a_value():
    texts = [
        b"SECRET",
        b"a,b\nSECRET,SECRET\n",
        b'a,b\n"SECRET,1\nSECRET\n',
        b"SECRET,SECRET\n1,2\n",
        b"a,b\nSECRET,\xff\n",
    ]
    documents = [
        b"<Doc id='SECRET'><SECRET></Doc>",
        b"<Doc>SECRET &SECRET;</Doc>",
        b"<!DOCTYPE SECRET><Doc/>",
        b"<SECRET/>",
    ]
    members = [(f"{n}.csv", data) for n, data in enumerate(texts)] + [
        (f"{n}.xml", data) for n, data in enumerate(documents)
    ]
    rows, summary = read(zip_of(*members), feed_of(csv_rule(), xml_rule()))
    assert len(told(rows, summary).splitlines()) > 9
    assert "SECRET" not in told(rows, summary)
