"""XML documents to rows, exactly: hardened lxml and one walk along the paths that the rules name."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa
from lxml import etree

from spark_jobs.errors import MemberError
from spark_jobs.formats.xml_doubts import refuse_doctype, text_encoding
from spark_jobs.formats.xml_rows import Found
from spark_jobs.formats.xml_rules import Source, Steps, Test, XmlRule, names_of

# The limits of libxml2 (no huge_tree) hold: 256 levels, 10 MB a text; entities are neither declared nor expanded.
HARDENED = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "attribute_defaults": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
UNSEEN = "\0"  # no XML text holds it


@dataclass
class _Node:
    """An element on some path: which texts of a row it fills, where children are, and the rules it is a record of.

    `tested` is what it is besides, if it passes a test.
    """

    text: list[int] = field(default_factory=list)
    attributes: list[tuple[int, str]] = field(default_factory=list)
    records: list[int] = field(default_factory=list)
    nodes: dict[str, _Node] = field(default_factory=dict)
    tested: dict[Test, _Node] = field(default_factory=dict)

    def at(self, steps: Steps) -> _Node:
        """The node that the steps lead to, made where it is missing."""
        node = self
        for step in steps:
            if isinstance(step, str):
                node = node.nodes.setdefault(step, _Node())
            else:
                node = node.tested.setdefault(step, _Node())
        return node


class ExactReader:
    """Reads documents by a rule and its children, and keeps the rows found since they were last taken: `kept` of them."""

    def __init__(self, rule: XmlRule) -> None:
        self.rule = rule
        self._nodes = [_node(one.sources.values()) for one in rule.family]
        for place, child in enumerate(rule.children, 1):
            self._nodes[0].at(child.record).records.append(place)
        self._blank = [[UNSEEN] * len(one.sources) for one in rule.family]
        self._clear()

    def read(self, data: bytes, member: int) -> int:
        """Keep the rows of a document, and return how many records it has.

        `member` goes with the rows. Raises MemberError: `member.dtd`, `member.encoding` or `member.xml`.
        """
        root = parse(data, self.rule.rule.encoding)
        first, *others = names_of(self.rule.record)
        elements = _led_to([root], others) if root.tag == first else []
        for element in elements:
            self.add(element, member)
        return len(elements)

    def add(self, record: etree._Element, member: int) -> None:
        """Keep the rows of one record."""
        self._add(0, record, member)

    def take(self) -> list[Found]:
        """The rows kept, in the order of the rule's family; none are kept any more."""
        found = [self._found(place, one) for place, one in enumerate(self.rule.family)]
        self._clear()
        return found

    def _clear(self) -> None:
        # The texts of one row after those of the other: a list a row would take several times as much memory.
        self._texts: list[list[str | None]] = [[] for _ in self.rule.family]
        self._members = [array("i") for _ in self.rule.family]
        self._parents = [array("q") for _ in self.rule.family]
        self.kept = 0

    def _add(self, place: int, element: etree._Element, member: int) -> None:
        texts = self._texts[place]
        row = len(texts)
        texts += self._blank[place]
        self._members[place].append(member)
        self.kept += 1
        self._parents[place].append(len(self._members[0]) - 1)
        self._walk(element, self._nodes[place], texts, row, member)

    def _walk(self, element: etree._Element, node: _Node, texts: list[str | None], row: int, member: int) -> None:
        """Of several elements on one path the first counts, whatever it holds. `row`: where in `texts` its row starts."""
        for slot in node.text:
            if texts[row + slot] == UNSEEN:
                texts[row + slot] = _own_text(element)
        for slot, name in node.attributes:
            if texts[row + slot] == UNSEEN:
                texts[row + slot] = element.get(name)
        if node.nodes:
            for child in element:
                below = node.nodes.get(child.tag)
                if below is not None:
                    self._walk(child, below, texts, row, member)
        if node.tested:
            for test, also in node.tested.items():
                if _passes(element, test):
                    self._walk(element, also, texts, row, member)
        for place in node.records:
            self._add(place, element, member)

    def _found(self, place: int, rule: XmlRule) -> Found:
        width = len(rule.sources)
        texts = {
            source: pa.array(
                [None if text == UNSEEN else text for text in self._texts[place][slot::width]], pa.string()
            )
            for slot, source in enumerate(rule.sources)
        }
        members = pa.array(self._members[place], pa.int32())
        return Found(members, pa.array(self._parents[place], pa.int64()) if place else None, texts)


def parse(data: bytes, encoding: str) -> etree._Element:
    """The root of a document. Raises MemberError: `member.dtd`, `member.encoding` or `member.xml`."""
    if b"DOCTYPE" in data or b"\0" in data[:4]:
        refuse_doctype([data])
    own = text_encoding(data, encoding)
    try:
        parser = etree.XMLParser(**HARDENED, encoding=own.override)
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError):
        # What the parser says may hold text of the document.
        own.refuse_if_wrong([data])
        raise MemberError("member.xml", "it is not well-formed") from None
    if root.getroottree().docinfo.doctype:
        raise MemberError("member.dtd", "it has a DOCTYPE")
    return root


def _led_to(elements: list[etree._Element], names: Iterable[str]) -> list[etree._Element]:
    """The elements that the names lead to, in the order of the document."""
    for name in names:
        elements = [child for element in elements for child in element.iterchildren(name)]
    return elements


def _passes(element: etree._Element, test: Test) -> bool:
    for found in _led_to([element], test.names):
        text = _own_text(found) if test.attribute is None else found.get(test.attribute)
        if text is not None and text.strip() == test.value:
            return True
    return False


def _own_text(element: etree._Element) -> str | None:
    text: str = element.text or ""
    if len(element):
        text += "".join(child.tail or "" for child in element)
    return text or None


def _node(sources: Iterable[Source]) -> _Node:
    root = _Node()
    for slot, source in enumerate(sources):
        node = root.at(source.steps)
        if source.attribute is None:
            node.text.append(slot)
        else:
            node.attributes.append((slot, source.attribute))
    return root
