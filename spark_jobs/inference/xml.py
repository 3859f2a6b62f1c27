"""The structure of XML documents: which element is a record, which are its columns, and which repeat."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lxml import etree

from spark_jobs.inference.names import safe, snake
from spark_jobs.rules.model import Column, Member
from spark_jobs.rules.paths import SOURCE

Path = tuple[str, ...]  # elements from the root, {namespace}local each

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
HARDENED = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
MOST_COLUMNS = 150
MOST_PATHS = 5000  # of all documents; what is beyond is left out
REALLY_REPEATED = 0.02  # share of parents in which an element must repeat to be a row of its own
MANY_RECORDS = 20  # of one kind in a document make it a list of records


@dataclass
class Structure:
    """What the elements of some documents are like, by path."""

    documents: int = 0
    seen: Counter[Path] = field(default_factory=Counter)
    repeated: Counter[Path] = field(default_factory=Counter)  # parents that hold it more than once
    parents: Counter[Path] = field(default_factory=Counter)  # parents that hold it
    with_text: set[Path] = field(default_factory=set)
    attributes: dict[Path, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    children: dict[Path, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    prefixes: dict[str, str] = field(default_factory=dict)  # namespace -> prefix

    def add(self, data: bytes, cut: bool) -> str | None:
        """Takes a document in; returns its root, None if it is not well-formed (up to where it is cut)."""
        parser = etree.XMLPullParser(events=("start", "end", "start-ns"), **HARDENED)
        try:
            parser.feed(data)
            if not cut:
                parser.close()
            return self._walk(parser.read_events())
        except etree.XMLSyntaxError:
            return None

    def is_repeated(self, path: Path) -> bool:
        """Whether an element is a row of its own: there more than once, and not by mistake."""
        return self.repeated[path] > REALLY_REPEATED * self.parents[path]

    def below(self, path: Path) -> Iterator[Path]:
        """The children of an element, in order of first sight."""
        return ((*path, name) for name in self.children.get(path, ()))

    def _walk(self, events: Iterable[Any]) -> str | None:
        stack: list[tuple[str, Counter[str]]] = []
        root = None
        for event, item in events:
            if event == "start-ns":
                self._declare(*item)
            elif event == "start":
                if item.getroottree().docinfo.doctype:
                    return None
                root = root or item.tag
                if stack:
                    stack[-1][1][item.tag] += 1
                stack.append((item.tag, Counter()))
            else:
                path = tuple(name for name, _ in stack)
                self._note(path, item, stack.pop()[1])
                item.clear(keep_tail=True)
        self.documents += root is not None
        return root

    def _note(self, path: Path, element: Any, children: Counter[str]) -> None:
        if len(self.seen) >= MOST_PATHS and path not in self.seen:
            return
        self.seen[path] += 1
        if any(text and text.strip() for text in (element.text, *(child.tail for child in element))):
            self.with_text.add(path)
        self.attributes[path].update(dict.fromkeys(name for name in element.attrib if not name.startswith(XSI)))
        for name, count in children.items():
            if (*path, name) not in self.seen:
                continue
            self.children[path][name] = None
            self.parents[*path, name] += 1
            self.repeated[*path, name] += count > 1

    def _declare(self, prefix: str | None, namespace: str) -> None:
        if namespace not in self.prefixes and not namespace.endswith("XMLSchema-instance"):
            wanted = prefix or "n"
            taken = set(self.prefixes.values())
            number = 2
            while wanted in taken:
                wanted, number = f"{prefix or 'n'}{number}", number + 1
            self.prefixes[namespace] = wanted


def xml_rules(structure: Structure, root: str) -> tuple[Member, list[Member], list[str]]:
    """The rule of the records under a root, those of its repeated children, and doubts."""
    doubts: list[str] = []
    record = _record(structure, (root,))
    columns, repeated = _columns_of(structure, record, doubts)
    own = safe(_local(record[-1]), fallback="record")
    rule = Member(own, format="xml", record_path="/" + _written(structure, record), columns=columns)
    rule = _with_namespaces(rule, structure)
    children: list[Member] = []
    for path in repeated:
        inner: list[str] = []
        own_columns, deeper = _columns_of(structure, path, inner)
        if deeper:
            doubts.append(
                f"{len(deeper)} elements repeated within {_local(path[-1])} are not read: rows have one level"
            )
        if own_columns:
            name = safe(_local(path[-1]), [own, *(child.member for child in children)], fallback="child")
            place = _written(structure, path[len(record) :])
            children.append(
                _with_namespaces(Member(name, parent=own, record_path=place, columns=own_columns), structure)
            )
    return rule, children, doubts


def _record(structure: Structure, root: Path) -> Path:
    """The element that is a record: the root, or what a wrapper around records repeats."""
    path = root
    while True:
        below = list(structure.below(path))
        if len(below) == 1 and not structure.attributes[path]:
            path = below[0]
            if structure.is_repeated(path):
                return path
            continue
        for one in structure.below(root):
            if (
                structure.seen[one] >= MANY_RECORDS * max(1, structure.documents)
                and len(list(structure.below(one))) > 1
            ):
                return one
        if len(list(structure.below(root))) == 1 and structure.is_repeated(next(structure.below(root))):
            return next(structure.below(root))
        return root


def _columns_of(structure: Structure, record: Path, doubts: list[str]) -> tuple[tuple[Column, ...], list[Path]]:
    """Columns read from a record, and the elements below it that repeat."""
    sources: list[tuple[Path, str | None]] = []
    repeated: list[Path] = []
    waiting = [record]
    while waiting:
        path = waiting.pop(0)
        sources += [(path, attribute) for attribute in structure.attributes[path]]
        if path in structure.with_text:
            sources.append((path, None))
        further: list[Path] = []
        for child in structure.below(path):
            (repeated if structure.is_repeated(child) else further).append(child)
        waiting = [*further, *waiting]
    written = {place: _source(structure, place[0][len(record) :], place[1]) for place in sources}
    fit = [place for place in sources if SOURCE.fullmatch(written[place])]
    if len(fit) < len(sources):
        doubts.append(f"{len(sources) - len(fit)} elements or attributes have names that rules can't write")
    if len(fit) > MOST_COLUMNS:
        doubts.append(f"{len(fit) - MOST_COLUMNS} further elements and attributes are not read")
    names: dict[tuple[Path, str | None], str] = {}
    for path, attribute in sorted(
        fit[:MOST_COLUMNS], key=lambda place: len(place[0])
    ):  # the nearest have the short names
        names[path, attribute] = _name(record, path, attribute, list(names.values()))
    return tuple(Column(names[place], source=written[place]) for place in fit[:MOST_COLUMNS]), repeated


def _name(record: Path, path: Path, attribute: str | None, taken: list[str]) -> str:
    """`Patient/@mrn` as patient_mrn, `Status` as status, the record's own `@id` as encounter_id."""
    steps = [_local(step) for step in path[len(record) :]]
    words = [*steps, *([_local(attribute)] if attribute else [])] or [_local(path[-1])]
    if words == ["id"]:
        words = [_local(record[-1]), "id"]
    for count in range(min(2, len(words)) if attribute or snake(words[-1]) in ("name", "id", "code", "type", "value")
                       else 1, len(words) + 1):  # fmt: skip
        name = safe("_".join(snake(word) for word in words[-count:]))
        if name not in taken:
            return name
    return safe("_".join(snake(word) for word in words), taken)


def _source(structure: Structure, steps: Path, attribute: str | None) -> str:
    written = _written(structure, steps)
    if attribute is None:
        return written or "."
    at = f"@{_step(structure, attribute)}"
    return f"{written}/{at}" if written else at


def _written(structure: Structure, steps: Path) -> str:
    return "/".join(_step(structure, step) for step in steps)


def _step(structure: Structure, name: str) -> str:
    namespace, _, local = name.rpartition("}")
    prefix = structure.prefixes.get(namespace[1:]) if namespace else None
    return f"{prefix}:{local}" if prefix else local


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _with_namespaces(rule: Member, structure: Structure) -> Member:
    """The rule with the namespaces that its paths name."""
    text = " ".join([rule.record_path or "", *(column.source or "" for column in rule.columns)])
    used = {prefix: name for name, prefix in structure.prefixes.items() if f"{prefix}:" in text}
    return replace(rule, namespaces=used)
