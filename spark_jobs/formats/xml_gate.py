"""Tells the XML documents that the fast reader reads as the exact one does from those that are to be read one by one."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from xml.parsers import expat

from spark_jobs.errors import MemberError
from spark_jobs.formats.xml_doubts import stop_at_doctype
from spark_jobs.formats.xml_plain import PlainDocuments, elements_read, has_attribute_twice
from spark_jobs.formats.xml_rules import XmlRule, names_of

LONGEST = 48_000  # bytes; no name can then be longer than libxml2 allows
SHORT = 1750  # bytes, too few for that many elements
MOST_END_TAGS = 250  # libxml2 refuses documents more than 256 elements deep
DECLARATION = re.compile(
    (
        rb"<\?xmlS+versionS*=S*(?:'1\.0'|\"1\.0\")(?:S+encodingS*=S*(?:'(?i:utf-8)'|\"(?i:utf-8)\"))?"
        rb"(?:S+standaloneS*=S*(?:'(?:yes|no)'|\"(?:yes|no)\"))?S*\?>"
    ).replace(b"S", rb"[ \t\r\n]")
)
OPENING = (b"<", b" ", b"\t", b"\r", b"\n")


class Gate:
    """Looks at documents before the fast reader does, by a rule and its children."""

    def __init__(self, rule: XmlRule) -> None:
        self._suspects = _suspects(rule)
        self._rows = _rows_of_children(rule)
        # Only where the root is the record does the fast reader tell how many roots there are.
        self._plain = PlainDocuments(rule) if len(rule.record) == 1 else None

    def admit(self, data: bytes) -> bytes | None:
        """The document as it may be wrapped, or None if there is any doubt about it: it is parsed by itself."""
        data = data.removeprefix(codecs.BOM_UTF8)
        return _with_lf(data) if self._is_plain(data) and _is_well_formed(data) else None

    def admit_unparsed(self, data: bytes) -> bytes | None:
        """The document as it may be wrapped, if it is well-formed provided that it has one root and its tags match.

        None if it has to be admitted by itself.
        """
        if self._plain is None or _is_too_much(data):
            return None
        data = _with_lf(_undeclared(data.removeprefix(codecs.BOM_UTF8)))
        if not self._plain.is_sound(data):
            return None
        doubtful = self._plain.may_repeat(data) and (has_attribute_twice(data) or self._may_hide_first(data))
        return None if doubtful else data

    def _is_plain(self, data: bytes) -> bool:
        """Whether nothing about a document is doubtful, if it is well-formed."""
        if _is_too_much(data):
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


def _is_well_formed(data: bytes) -> bool:
    """Whether a document is well-formed by itself, its namespaces included."""
    parser = expat.ParserCreate("utf-8", " ")
    parser.StartDoctypeDeclHandler = stop_at_doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, MemberError):
        return False
    return True


def _is_too_much(data: bytes) -> bool:
    """Whether libxml2 might refuse a document for being long or deep."""
    if len(data) <= SHORT:
        return False
    # To count all tags is faster than to count end tags alone.
    return len(data) > LONGEST or (data.count(b"<") > MOST_END_TAGS and data.count(b"</") > MOST_END_TAGS)


def _undeclared(data: bytes) -> bytes:
    """The document without its XML declaration, if that is a plain one."""
    end = data.find(b"?>", 0, 200) + 2 if data.startswith(b"<?xml") else 0
    return data[end:] if end and _is_plain_declaration(data[:end]) else data


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
    texts, others = elements_read(rule)
    first = "".join(sorted({re.escape(name[0]) for name in (*texts, *others)}))
    empty = rf"({_any_of(texts)})(?=[\s/>])(?:[^<]*/>|[^<]*>(?=<))"
    return re.compile(rf"<(?=[{first or '<'}])(?:{empty}|({_any_of(others)})(?=[\s/>]))".encode())


def _any_of(names: list[str]) -> str:
    return "|".join(map(re.escape, names)) or "(?!)"


def _rows_of_children(rule: XmlRule) -> dict[bytes, bytes]:
    """Elements that the rows of one child rule alone are read from, and the elements that these rows are."""
    rows: dict[bytes, set[bytes]] = {}
    for one in rule.family:
        for source in one.sources.values():
            if source.names:
                rows.setdefault(source.names[-1].encode(), set()).add(names_of(one.record)[-1].encode())
    of_parent = {source.names[-1].encode() for source in rule.sources.values() if source.names}
    return {name: next(iter(rows_)) for name, rows_ in rows.items() if len(rows_) == 1 and name not in of_parent}
