"""Every kind of bad input that docs/reference/hostile-input.md lists: what it is, how to make it, what becomes of it."""

from __future__ import annotations

import struct
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from spark_jobs.rules.model import MEGABYTE, Column, Limits, Member
from tests.unit.zips import feed_of, zip_of

LIMITS = Limits(max_members=12, max_member_bytes=60 * MEGABYTE, max_zip_bytes=100 * MEGABYTE, max_ratio=100)
XML_COLUMNS = (
    Column("id", source="@id", required=True),
    Column("name", source="Name"),
    Column("count", "int", source="@count"),
    Column("price", "decimal(6,2)", source="@price"),
    Column("size", "double", source="@size"),
    Column("born", "date", source="@born"),
    Column("at", "timestamp", source="@at", format="%Y-%m-%d %H:%M"),
    Column("done", "boolean", source="@done", format="Y/N"),
)
CSV_COLUMNS = (Column("a", source="a", required=True), Column("b", source="b"))
FEED = feed_of(
    Member("doc", 1, pattern="*.xml", format="xml", record_path="/Doc", target="t", columns=XML_COLUMNS),
    Member("line", 2, pattern="*.csv", format="csv", target="t", columns=CSV_COLUMNS),
    Member("fix", 3, pattern="*.txt", format="fixed", target="t", columns=(Column("f", source="1-5"),)),
    Member(
        "many", 4, pattern="*.many", format="xml", record_path="/D/E", target="t", columns=(Column("e", source="e"),)
    ),
    limits=LIMITS,
)
LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
FIRST, LAST = ("first.xml", b'<Doc id="first"/>'), ("last.csv", b"a,b\nlast,1\n")
GOOD = zip_of(FIRST, ("good.xml", b'<Doc id="1"/>'), LAST)

Body = Callable[[], bytes]  # of a member too large to be made before it is needed


@dataclass(frozen=True)
class Input:
    """Something bad between two good members, if it is no bad zip as a whole; `outcome` as in outcomes.md."""

    what: str
    outcome: str
    make: Callable[[], bytes]


def members(what: str, outcome: str, *bodies: bytes | Body, name: str = "bad.xml") -> Input:
    """Bad members, all with one outcome, named so that the rule of their format takes them."""

    def make() -> bytes:
        made = [body if isinstance(body, bytes) else body() for body in bodies]
        return zip_of(FIRST, *((f"{number}{name}", body) for number, body in enumerate(made)), LAST)

    return Input(what, outcome, make)


def named(what: str, outcome: str, *names: str, body: bytes = b'<Doc id="1"/>') -> Input:
    """Members that are bad by their names."""

    def make() -> bytes:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names that are there twice
            return zip_of(FIRST, *((name, body) for name in names), LAST)

    return Input(what, outcome, make)


def patched(what: str, outcome: str, *patches: tuple[bytes, int, bytes]) -> Input:
    """A zip with bytes of its second record of a kind overwritten: (signature, offset in the record, bytes)."""

    def make() -> bytes:
        content = GOOD
        for mark, offset, data in patches:
            at = content.index(mark, 0 if mark == END else content.index(mark) + 1) + offset
            content = content[:at] + data + content[at + len(data) :]
        return content

    return Input(what, outcome, make)


def shared_bytes() -> bytes:
    """Two entries for the same packed bytes."""
    at, end = GOOD.index(CENTRAL), GOOD.index(END)
    ending = struct.pack("<4s4H2IH", END, 0, 0, 6, 6, 2 * (end - at), at, 0)
    return GOOD[:at] + GOOD[at:end] * 2 + ending


def symbolic_link() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(*FIRST)
        link = zipfile.ZipInfo("link.xml")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr(*LAST)
    return buffer.getvalue()


def unusual_method() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(*FIRST)
        archive.writestr("bad1.xml", b"<Doc/>" * 50, zipfile.ZIP_BZIP2)
        archive.writestr("bad2.xml", b"<Doc/>" * 50, zipfile.ZIP_LZMA)
        archive.writestr(*LAST)
    return buffer.getvalue()


def bomb(megabytes: int) -> Body:
    return lambda: b'<Doc id="1">' + b" " * megabytes * MEGABYTE + b"</Doc>"


def large(before: bytes, megabytes: int, after: bytes, old: bytes = b"", new: bytes = b"") -> Body:
    """Elements of a kilobyte between two texts, or what they are when `old` is replaced; they are no bomb."""
    return lambda: before + (noise(megabytes).replace(old, new) if old else noise(megabytes)) + after


def noise(megabytes: int) -> bytes:
    """Elements of a kilobyte that pack to some percent."""
    body = b"".join(b"<e>%d%s</e>\n" % (n * 2_654_435_761 % 2**32, b" 01234567" * 100) for n in range(1000))
    return body * (megabytes * MEGABYTE // len(body) + 1)


EXPANSION = b"".join(b'<!ENTITY a%d "%b">' % (n + 1, b"&a%d;" % n * 10) for n in range(9))
NESTED = zip_of(("a.xml", b'<Doc id="1"/>'))

ZIPS = [
    Input("An empty file", "zip.damaged", lambda: b""),
    Input("A text, a picture or anything else that is no zip", "zip.damaged", lambda: b"<html>502</html>" * 99),
    Input("A zip that is cut short", "zip.damaged", lambda: GOOD[:-9]),
    Input("A zip whose first half is all there is", "zip.damaged", lambda: GOOD[: len(GOOD) // 2]),
    Input("A zip without members", "zip.empty", zip_of),
    Input("A zip with directories alone", "zip.empty", lambda: zip_of(("a/", b""), ("a/b/", b""))),
    patched("A directory that holds other than the declared number of entries", "zip.damaged", (END, 10, b"\x09\0")),
    patched("A directory that is shorter or longer than declared", "zip.damaged", (END, 12, b"\xff\xff\0\0")),
    Input("Entries that share packed bytes", "zip.damaged", shared_bytes),
    Input(
        "More members than `max_members`", "zip.too_many_members", lambda: zip_of(*((f"{n}", b"") for n in range(13)))
    ),
    Input(
        "Members that inflate to more than `max_zip_bytes` together",
        "zip.too_large",
        lambda: zip_of(*((f"{n}", b"0" * 51 * MEGABYTE) for n in range(2))),
    ),
    Input("Other bytes before the zip, such as a program that unpacks it", "loaded", lambda: b"MZ" * 5000 + GOOD),
    Input("Up to 64 KB of other bytes after the zip", "loaded", lambda: GOOD + b"trailing" * 1000),
    Input("More than 64 KB of other bytes after the zip", "zip.damaged", lambda: GOOD + b"trailing" * 10_000),
]
MEMBERS = [
    patched("Encrypted", "member.encrypted", (CENTRAL, 8, b"\x01\0")),
    Input("Packed by bzip2, LZMA or another unusual method", "member.method", unusual_method),
    patched("Packed bytes that do not inflate", "member.damaged", (LOCAL, 38, b"\xff\xff\xff")),
    patched("Another CRC than declared", "member.damaged", (CENTRAL, 16, b"\0\0\0\0")),
    patched("A declared size that is too small", "member.damaged", (CENTRAL, 24, b"\x01\0\0\0")),
    patched("A declared size that is too large", "member.damaged", (CENTRAL, 24, b"\xff\0\0\0")),
    patched("A declared packed size that is too small", "member.damaged", (CENTRAL, 20, b"\x01\0\0\0")),
    patched("A place in the zip where no member is", "member.damaged", (CENTRAL, 42, b"\xff\xff\0\0")),
    patched("Another name before its bytes than in the directory", "member.damaged", (LOCAL, 30, b"z")),
    members("Inflates to more than `max_member_bytes`", "member.too_large", bomb(61)),
    members("Inflates to more than `max_ratio` times its packed size, and more than 1 MB", "member.ratio", bomb(2)),
    named("A zip within the zip that no rule takes", "member.unmatched", "in.zip", "deep/in.ZIP", body=NESTED),
    named("A zip within the zip, named like the documents that a rule takes", "member.encoding", "in.xml", body=NESTED),
    named("A name that no rule takes", "member.unmatched", "notes.doc", "x.xml.bak", "xml", "CON"),
    named("A name that climbs or is absolute", "loaded", "../../etc/a.xml", "/etc/b.xml", "C:\\c.xml", "..\\d.xml"),
    named("A name that is there twice", "loaded", "same.xml", "same.xml"),
    named(
        "A name with odd characters, line ends or 1,000 letters",
        "loaded",
        "\u202elmx.xml",
        "a\nb.xml",
        "x" * 1000 + ".xml",
    ),
    named("A name of more than 1,024 characters", "member.name", "x" * 1021 + ".xml", "y" * 60_000 + ".csv"),
    named("A directory", "no member", "folder/", "folder.xml/"),
    named(
        "What an operating system left: `__MACOSX/`, `.DS_Store`, `Thumbs.db`, `desktop.ini`, in any folder",
        "ignored",
        "__MACOSX/._a.xml",
        "in/__macosx/b.csv",
        ".DS_Store",
        "in/.DS_Store",
        "in\\THUMBS.DB",
        "desktop.ini",
    ),
    Input("A symbolic link: read as the few bytes that it is, never followed", "member.xml", symbolic_link),
]
DOCUMENTS = [
    members("No bytes at all", "member.xml", b""),
    members(
        "Not well-formed",
        "member.xml",
        b"<Doc id='1'>",
        b"<Doc id='1'></Dok>",
        b"<Doc id=1/>",
        b"<Doc>R&D</Doc>",
        b"{}",
    ),
    members("An attribute that is there twice", "member.xml", b"<Doc id='1' id='2'/>"),
    members("A prefix without a namespace", "member.xml", b"<x:Doc id='1'/>"),
    members("An entity that is not declared", "member.xml", b"<Doc id='1'>&nbsp;</Doc>"),
    members("A NUL or another control character", "member.xml", b"<Doc id='1'>\0</Doc>", b"<Doc id='1'>\x01</Doc>"),
    members(
        "Two documents that would be sound if they were joined", "member.xml", b"<Doc id='1'><Name>", b"</Name></Doc>"
    ),
    members("A comment that would swallow its neighbour", "member.xml", b"<Doc id='1'/><!--", b"--><Doc id='2'/>"),
    members("A CDATA section that would swallow its neighbour", "member.xml", b"<Doc><![CDATA[", b"]]></Doc>"),
    members("Two roots, or text after the root", "member.xml", b"<Doc id='1'/><Doc id='2'/>", b"<Doc id='1'/>end"),
    members("Another root than the record path says", "member.empty", b"<Other id='1'/>", b"<doc id='1'/>"),
    members("The root in another namespace than the rule says", "member.empty", b"<Doc xmlns='urn:other' id='1'/>"),
    members(
        "A DOCTYPE of any kind",
        "member.dtd",
        b"<!DOCTYPE Doc><Doc id='1'/>",
        b"<!DOCTYPE Doc SYSTEM 'x.dtd'><Doc id='1'/>",
    ),
    members(
        "Entities that expand to a flood",
        "member.dtd",
        b'<!DOCTYPE Doc [<!ENTITY a0 "aaaa">%b]><Doc id="&a9;"/>' % EXPANSION,
    ),
    members(
        "An external entity",
        "member.dtd",
        b'<!DOCTYPE Doc [<!ENTITY x SYSTEM "file:///etc/passwd">]><Doc id="1">&x;</Doc>',
    ),
    members(
        "Text in another encoding than declared",
        "member.encoding",
        b"<?xml version='1.0' encoding='utf-8'?><Doc id='\xe9'/>",
    ),
    members(
        "An encoding that is not known", "member.encoding", b"<?xml version='1.0' encoding='klingon'?><Doc id='1'/>"
    ),
    members(
        "UTF-16 with its mark, or another encoding that is declared",
        "loaded",
        '<Doc id="é"/>'.encode("utf-16"),
        '<?xml version="1.0" encoding="cp1252"?><Doc id="é"/>'.encode("cp1252"),
    ),
    members("UTF-16 without a mark", "member.encoding", '<Doc id="é"/>'.encode("utf-16-le")),
    members("More than 256 elements deep", "member.xml", b"<Doc id='1'>" + b"<X>" * 300 + b"</X>" * 300 + b"</Doc>"),
    members(
        "An attribute or text of more than 10 MB",
        "member.xml",
        large(b"<Doc id='", 11, b"'/>", b"<", b"("),
        large(b"<Doc id='1'><Name>", 11, b"</Name></Doc>", b"<", b"("),
    ),
    members(
        "An attribute of 5 MB, or 20,000 attributes",
        "loaded",
        large(b"<Doc id='", 5, b"'/>", b"<", b"("),
        b"<Doc id='1' %b/>" % b" ".join(b"a%d='1'" % n for n in range(20_000)),
    ),
    members("A record of more than 16 MB", "member.too_large", large(b"<D><E>", 20, b"</E></D>"), name=".many"),
    members(
        "A stylesheet, an XInclude or a schema elsewhere: never fetched",
        "loaded",
        b"<?xml-stylesheet href='http://h/x'?><Doc id='1'><i:include xmlns:i='http://www.w3.org/2001/XInclude' href='/etc/passwd'/></Doc>",
    ),
]
TEXTS = [
    members(
        "No bytes, line ends alone, or a header alone", "member.empty", b"", b"\n\r\n", b"a,b\n", b"a,b", name=".csv"
    ),
    members("Fewer or more fields than the header", "row.ragged", b"a,b\nx\n", b"a,b\nx,1,2\n", name=".csv"),
    members(
        "A quote that is never closed, or text after it closes",
        "row.ragged",
        b'a,b\n"x,1\n',
        b'a,b\n"x"y,1\n',
        name=".csv",
    ),
    members("A line of more than 8 MB", "row.ragged", large(b"a,b\n", 9, b"\n", b"\n", b" "), name=".csv"),
    members(
        "A header of more than 8 MB or 10,000 columns, or with a broken quote or NUL in it",
        "member.header",
        large(b"", 9, b"", b"\n", b" "),
        b"a,b" + b",c" * 10_000 + b"\n",
        b'"a,b\nx,1\n',
        b"a\0,b\nx,1\n",
        name=".csv",
    ),
    members("The columns of the header in another order", "loaded", b"b,a\n1,x\n", name=".csv"),
    members(
        "A column of the header that no rule reads, or that may be null and is missing",
        "loaded",
        b"a,b,c\nx,1,2\n",
        b"a\nx\n",
        name=".csv",
    ),
    members(
        "A header without a required column", "member.header", b"b\n1\n", b"A,b\nx,1\n", b"x,1\ny,2\n", name=".csv"
    ),
    members("A header with a column of the rule twice", "member.header", b"a,b,a\nx,1,y\n", name=".csv"),
    members("NUL in a field: kept in a text", "loaded", b"a,b\nx\0,1\n", name=".csv"),
    members(
        "Text in another encoding than the rule says",
        "member.encoding",
        b"a,b\n\xe9,1\n",
        "a,b\nx,1\n".encode("utf-16"),
        NESTED,
        name=".csv",
    ),
    members(
        "A byte order mark, empty lines, or lines that end in CR",
        "loaded",
        "\ufeffa,b\nx,1\n".encode(),
        b"\n\na,b\r\n\r\nx,1\r\n",
        b"a,b\rx,1\r",
        name=".csv",
    ),
    members("A fixed-width line that is too long", "row.length", b"123456\n", name=".txt"),
    members("A fixed-width line of more than 8 MB", "row.length", large(b"", 9, b"\n", b"\n", b" "), name=".txt"),
    members("A fixed-width line that is too short", "loaded", b"12\n", name=".txt"),
]
# What is within all limits and takes the most memory for what it is: many rows, many refusals, many elements.
FLOODS = {
    "records.many": (b"<D>", b"<E/>", b"</D>"),
    "record.many": (b"<D><E>", b"<e/>", b"</E></D>"),
    "elements.xml": (b"<Doc id='1'>", b"<e a=''/>", b"</Doc>"),
    "ragged.csv": (b"a,b\n", b"x\n", b""),
    "broken.csv": (b"a,b\n", b'"x\n', b""),
    "wide.csv": (b"a,b" + b",c" * 9_000 + b"\n", b'"x\n', b""),
    "lines.txt": (b"", b"1\n", b""),
    "x" * 1000 + "lines.txt": (b"", b"1\n", b""),
    "x" * 1000 + "records.many": (b"<D>", b"<E/>", b"</D>"),
}


def flood(name: str, megabytes: int) -> bytes:
    """A zip of one member that is such a flood."""
    before, again, after = FLOODS[name]
    return zip_of((name, before + again * (megabytes * MEGABYTE // len(again)) + after))


VALUES = [
    members(
        "A required value that is missing, empty or blank", "required.id", b"<Doc/>", b"<Doc id=''/>", b"<Doc id=' '/>"
    ),
    members(
        "A whole number that is none, or has more than its bits",
        "type.count",
        *(
            b"<Doc id='1' count='%b'/>" % text
            for text in (b"x", b"1.0", b"1e3", b"1,000", b"0x1F", b"2147483648", b"1_0", "\u0661".encode())
        ),
    ),
    members(
        "A decimal with more digits than its type, before or after the point",
        "type.price",
        *(b"<Doc id='1' price='%b'/>" % text for text in (b"12345.00", b"1.005", b"9" * 5000, b"1e2", b"$5", b"1,5")),
    ),
    members(
        "A double that is none, infinite or NaN",
        "type.size",
        *(b"<Doc id='1' size='%b'/>" % text for text in (b"NaN", b"inf", b"1e999", b"0x1p3", b"1d")),
    ),
    members(
        "A date that is none, or is in no calendar",
        "type.born",
        *(
            b"<Doc id='1' born='%b'/>" % text
            for text in (b"2026-02-29", b"2026-13-01", b"01/02/2026", b"2026-1-2", b"20260102", b"0000-01-01")
        ),
    ),
    members(
        "A time that does not exist or is written otherwise than the format says",
        "type.at",
        *(
            b"<Doc id='1' at='%b'/>" % text
            for text in (b"2026-01-02 24:00", b"2026-01-02 10:60", b"2026-01-02T10:00", b"2026-01-02 10:00:00")
        ),
    ),
    members(
        "A boolean that is none of its tokens",
        "type.done",
        *(b"<Doc id='1' done='%b'/>" % text for text in (b"true", b"1", b"YN")),
    ),
    members(
        "SQL, a formula or a path in a text: kept as it is",
        "loaded",
        *(b'<Doc id="%b"/>' % text for text in (b"'; drop table t; --", b"=cmd()", b"../../x", b"${env:HOME}")),
    ),
]
SECTIONS = {"Zips": ZIPS, "Members": MEMBERS, "XML documents": DOCUMENTS, "CSV and TXT": TEXTS, "Values": VALUES}
