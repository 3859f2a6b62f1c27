"""Tells the XML documents that the fast reader reads as the exact one does from those that are to be read one by one."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from xml.parsers import expat

from spark_jobs.errors import MemberError
from spark_jobs.formats.xml_doubts import stop_at_doctype
from spark_jobs.formats.xml_rules import XmlRule, names_of

LONGEST = 48_000  # bytes; no name can then be longer than libxml2 allows
SHORT = 1750  # bytes, too few for that many elements
MOST_END_TAGS = 250  # libxml2 refuses documents more than 256 elements deep
DECLARATION = re.compile(
    rb"<\?xml\s+version\s*=\s*(?:'1\.0'|\"1\.0\")(\s+encoding\s*=\s*(?:'utf-8'|\"utf-8\"))?"
    rb"(\s+standalone\s*=\s*(?:'(yes|no)'|\"(yes|no)\"))?\s*\?>",
    re.IGNORECASE,
)
SPACE = b" \t\r\n"
OPENING = (b"<", b" ", b"\t", b"\r", b"\n")
AFTER_NAME = (b">", b" ", b"\t", b"\r", b"\n")


class Gate:
    """Looks at documents before the fast reader does, by a rule and its children."""

    def __init__(self, rule: XmlRule) -> None:
        self._suspects = _suspects(rule)
        self._rows = _rows_of_children(rule)
        root = names_of(rule.record)[0].encode()
        # Only where the root is the record does the fast reader tell how many roots there are.
        self._starts = tuple(b"<%b%b" % (root, after) for after in AFTER_NAME) if len(rule.record) == 1 else ()
        self._end = b"</%b>" % root

    def admit(self, data: bytes) -> bytes | None:
        """The document as it may be wrapped, or None if there is any doubt about it: it is parsed by itself."""
        data = data.removeprefix(codecs.BOM_UTF8)
        return _with_lf(data) if self._is_plain(data) and _is_well_formed(data) else None

    def admit_unparsed(self, data: bytes) -> bytes | None:
        """The bare root of a document that is plain as far as meets the eye; `are_well_formed` has to bear it out.

        What is given begins with the start tag of a root and ends with the end tag of one. If it is well-formed inside
        a wrapper, and one root alone is found there, then nothing stands before, between or after.
        """
        data = data.removeprefix(codecs.BOM_UTF8)
        if not self._is_plain(data):
            return None
        if data.startswith(b"<?xml"):
            data = data[data.index(b"?>") + 2 :]
        bare = data.strip(SPACE)
        return _with_lf(bare) if bare.startswith(self._starts) and bare.endswith(self._end) else None

    def _is_plain(self, data: bytes) -> bool:
        """Whether nothing about a document is doubtful, if it is well-formed."""
        if len(data) > SHORT and (len(data) > LONGEST or data.count(b"</") > MOST_END_TAGS):
            return False
        # Told that it is UTF-8, expat still goes by the marks of UTF-16.
        if data[:1] not in OPENING or data[1:2] == b"\0":
            return False
        declared = data.startswith(b"<?xml")
        if declared and not _is_plain_declaration(data[: data.find(b"?>", 0, 200) + 2]):
            return False
        # xmlns…, xml:…: xml2arrow goes by local names.
        return data.find(b"xml", 5 if declared else 0) < 0 and not self._may_hide_first(data)

    def _may_hide_first(self, data: bytes) -> bool:
        """Whether an element that a column is read from may be there twice, and xml2arrow would not say so.

        The first one counts. xml2arrow refuses a second one only if the first gave a text; else it takes the text of
        the second, and joins the attributes of both.
        """
        tags = [(match[1], match[2], match.end()) for match in self._suspects.finditer(data)]
        names = [name for _, name, _ in tags if name]
        twice = len(set(names)) < len(names)
        return any(self._is_there_again(empty or name, data, end) for empty, name, end in tags if empty or twice)

    def _is_there_again(self, name: bytes, data: bytes, start: int) -> bool:
        end = len(data)
        row = self._rows.get(name)
        if row is not None:
            # The next row may have the element too, if this one ends before another of its kind starts.
            row_end = data.find(b"</" + row, start)
            if row_end >= 0 and _tag(row).search(data, start, row_end) is None:
                end = row_end
        return _tag(name).search(data, start, end) is not None


def are_well_formed(wrapped: bytes, prefix: str, count: int) -> bool:
    """Whether `count` documents are well-formed, each in a wrapper of its own that declares the namespace `prefix`.

    The wrappers that the parser sees are counted: one that a document hides in a comment or the like is missing.
    """
    seen: list[str] = []
    parser = _strict_parser()
    parser.StartNamespaceDeclHandler = lambda name, _: seen.append(name)
    return _parses(parser, wrapped) and seen == [prefix] * count


def _is_well_formed(data: bytes) -> bool:
    """Whether a document is well-formed by itself, its namespaces included."""
    return _parses(_strict_parser(), data)


def _strict_parser() -> expat.XMLParserType:
    parser = expat.ParserCreate("utf-8", " ")
    parser.StartDoctypeDeclHandler = stop_at_doctype
    return parser


def _parses(parser: expat.XMLParserType, data: bytes) -> bool:
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, MemberError):
        return False
    return True


def _with_lf(data: bytes) -> bytes:
    """Line ends are LF to every reader of XML but xml2arrow."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


@lru_cache
def _is_plain_declaration(text: bytes) -> bool:
    return DECLARATION.fullmatch(text) is not None


@lru_cache
def _tag(name: bytes) -> re.Pattern[bytes]:
    return re.compile(b"<%b[\\s/>]" % re.escape(name))


def _suspects(rule: XmlRule) -> re.Pattern[bytes]:
    """Start tags of elements that are read: group 1 where their text is, but seems to be none, 2 where attributes are."""
    sources = [source for one in rule.family for source in one.sources.values() if source.names]
    texts = {source.names[-1] for source in sources if source.attribute is None}
    others = {source.names[-1] for source in sources} - texts
    first = "".join(sorted({re.escape(name[0]) for name in texts | others}))
    empty = rf"({_any_of(texts)})(?=[\s/>])(?:[^<]*/>|[^<]*>(?=<))"
    return re.compile(rf"<(?=[{first or '<'}])(?:{empty}|({_any_of(others)})(?=[\s/>]))".encode())


def _any_of(names: set[str]) -> str:
    return "|".join(map(re.escape, sorted(names))) or "(?!)"


def _rows_of_children(rule: XmlRule) -> dict[bytes, bytes]:
    """Elements that the rows of one child rule alone are read from, and the elements that these rows are."""
    rows: dict[bytes, set[bytes]] = {}
    for one in rule.family:
        for source in one.sources.values():
            if source.names:
                rows.setdefault(source.names[-1].encode(), set()).add(names_of(one.record)[-1].encode())
    of_parent = {source.names[-1].encode() for source in rule.sources.values() if source.names}
    return {name: next(iter(rows_)) for name, rows_ in rows.items() if len(rows_) == 1 and name not in of_parent}
