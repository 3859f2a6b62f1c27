"""XML members to raw rows, exactly: hardened lxml, one walk a document along the paths that the rules name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

import pyarrow as pa
from lxml import etree

from spark_jobs.archives import Entry, inflate
from spark_jobs.errors import ArchiveError, MemberError
from spark_jobs.formats.results import Rows, Tally, raw_schema, sourced
from spark_jobs.rules.model import Feed, Member

ROWS_AT_ONCE = 16_384
DECLARED = re.compile(rb"^<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
UTF8_BOM = b"\xef\xbb\xbf"

RawRow = list[str | None]


@dataclass
class _Node:
    """A step of the wanted paths: what to take from an element, and where to go on from it."""

    text: list[int] = field(default_factory=list)
    attributes: list[tuple[str, int]] = field(default_factory=list)
    records: list[_Record] = field(default_factory=list)
    children: dict[str, _Node] = field(default_factory=dict)

    def at(self, steps: Sequence[str]) -> _Node:
        """The node that `steps` lead to, made if need be."""
        node = self
        for step in steps:
            node = node.children.setdefault(step, _Node())
        return node


@dataclass
class _Record:
    """A member rule made ready: the constant parts of its rows, and where its columns are found."""

    rule: Member
    template: RawRow
    node: _Node
    from_parent: list[tuple[int, int]]


@dataclass
class _Found:
    """The rows of one member rule so far, in columns ready for Arrow."""

    record: _Record
    rows: list[tuple[int, str, int, None, *tuple[str | None, ...]]] = field(default_factory=list)


def read_xml(
    content: bytes,
    entries: Sequence[Entry],
    rule: Member,
    feed: Feed,
    constants: Mapping[str, str | None],
    tally: Tally,
) -> Iterator[Rows]:
    """The rows of the XML members that `rule` takes, and of its child rules; refused members go to `tally`."""
    steps, top = _compiled(rule, feed, constants)
    found = {rule.member: _Found(top), **{child.rule.member: _Found(child) for child in _nested(top.node)}}
    for entry in entries:
        try:
            root = _root(inflate(content, entry, feed.limits))
            count = _read_document(root, steps, top, entry, found)
        except (ArchiveError, MemberError) as error:
            tally.refuse(entry, error.rule, error.problem)
            continue
        if not count and rule.allow_empty:
            tally.ignored += 1
        elif not count:
            tally.refuse(entry, "member.empty", "there is no record at the record path")
        if len(found[rule.member].rows) >= ROWS_AT_ONCE:
            yield from _tables(found)
    yield from _tables(found)


def _root(data: bytes) -> etree._Element:
    """The document's root; raises MemberError `member.encoding`, `member.dtd` or `member.xml`."""
    _refuse_bad_encoding(data)
    if b"DOCTYPE" in data or data.startswith(WIDE_BOMS) or b"\0" in data[:4]:
        _refuse_doctype(data)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError):
        # The parser's own words may quote the document.
        raise MemberError("member.xml", "it is not well-formed") from None


def _refuse_bad_encoding(data: bytes) -> None:
    declared = DECLARED.match(data.removeprefix(UTF8_BOM))
    encoding = "utf-16" if data.startswith(WIDE_BOMS) else declared[1].decode() if declared else "utf-8"
    try:
        data.decode(encoding)
    except LookupError:
        raise MemberError("member.encoding", "it declares an encoding that is not known") from None
    except UnicodeError:
        raise MemberError("member.encoding", "its text is not in its encoding") from None


def _refuse_doctype(data: bytes) -> None:
    """Looks for a DOCTYPE with a parser that stops at it, before any entity could be declared."""
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise MemberError("member.dtd", "it has a DOCTYPE")

    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        raise MemberError("member.xml", "it is not well-formed") from None


def _compiled(rule: Member, feed: Feed, constants: Mapping[str, str | None]) -> tuple[list[str], _Record]:
    steps = _steps(rule.record_path or "", rule)
    return steps, _record(rule, None, feed, constants)


def _record(rule: Member, parent: Member | None, feed: Feed, constants: Mapping[str, str | None]) -> _Record:
    columns = sourced(rule.columns)
    parent_slots = {c.name: n for n, c in enumerate(sourced(parent.columns))} if parent else {}
    record = _Record(rule, [None] * len(columns), _Node(), [])
    for slot, column in enumerate(columns):
        source = column.source or ""
        if source.startswith("$parent."):
            record.from_parent.append((slot, parent_slots[source.removeprefix("$parent.")]))
        elif source.startswith("$"):
            record.template[slot] = constants.get(source)
        else:
            _place(record.node, source, slot, rule)
    for child in feed.children_of(rule.member):
        child_record = _record(child, rule, feed, constants)
        record.node.at(_steps(child.record_path or "", rule)).records.append(child_record)
    return record


def _place(node: _Node, source: str, slot: int, rule: Member) -> None:
    path, _, attribute = source.rpartition("@") if "@" in source else (source, "", "")
    target = node.at(_steps(path, rule))
    if attribute:
        target.attributes.append((_qualified(attribute, rule), slot))
    else:
        target.text.append(slot)


def _steps(path: str, rule: Member) -> list[str]:
    return [_qualified(step, rule) for step in path.strip("/").split("/") if step not in ("", ".")]


def _qualified(name: str, rule: Member) -> str:
    prefix, colon, local = name.rpartition(":")
    return f"{{{rule.namespaces[prefix]}}}{local}" if colon else name


def _nested(node: _Node) -> Iterator[_Record]:
    for record in node.records:
        yield record
        yield from _nested(record.node)
    for child in node.children.values():
        yield from _nested(child)


def _read_document(
    root: etree._Element, steps: Sequence[str], top: _Record, entry: Entry, found: Mapping[str, _Found]
) -> int:
    """Adds the document's rows to `found`; returns how many records it holds."""
    numbers = dict.fromkeys(found, 0)
    elements = [root] if steps and root.tag == steps[0] else []
    for step in steps[1:]:
        elements = [child for element in elements for child in element.iterchildren(step)]
    for element in elements:
        _read_record(element, top, None, entry, found, numbers)
    return len(elements)


def _read_record(
    element: etree._Element,
    record: _Record,
    parent: RawRow | None,
    entry: Entry,
    found: Mapping[str, _Found],
    numbers: dict[str, int],
) -> None:
    row = record.template.copy()
    for slot, parent_slot in record.from_parent:
        row[slot] = parent[parent_slot] if parent else None
    children: list[tuple[_Record, etree._Element]] = []
    _walk(element, record.node, row, children)
    numbers[record.rule.member] += 1
    found[record.rule.member].rows.append((entry.index, entry.name, numbers[record.rule.member], None, *row))
    for child, place in children:
        _read_record(place, child, row, entry, found, numbers)


def _walk(element: etree._Element, node: _Node, row: RawRow, children: list[tuple[_Record, etree._Element]]) -> None:
    """Takes what `node` wants from `element`; of several elements at one path the first counts, be it empty."""
    for slot in node.text:
        if row[slot] is None:
            row[slot] = _own_text(element)
    for name, slot in node.attributes:
        if row[slot] is None:
            row[slot] = element.get(name)
    if node.children:
        for child in element:
            step = node.children.get(child.tag)
            if step is not None:
                children.extend((record, child) for record in step.records)
                _walk(child, step, row, children)


def _own_text(element: etree._Element) -> str:
    text = element.text or ""
    return text + "".join(child.tail or "" for child in element) if len(element) else text


def _tables(found: Mapping[str, _Found]) -> Iterator[Rows]:
    for name, one in found.items():
        if one.rows:
            schema = raw_schema(one.record.rule.columns)
            columns = [
                pa.array(values, kind.type) for values, kind in zip(zip(*one.rows, strict=True), schema, strict=True)
            ]
            yield Rows(name, pa.Table.from_arrays(columns, schema=schema))
            one.rows = []
