"""XML documents to rows, fast: many documents wrapped into one, and one xml2arrow parse for all of them.

xml2arrow is lax, so only documents get that far that hold nothing that it reads otherwise than the exact reader, and
that are well-formed: by a strict parser (`admit`, `read`), or, if they are plain, but for two things that xml2arrow does
hold them to (`admit_unparsed`, `read_unparsed`): their tags match, and they have one root. A `<!--` here and `-->` there
is not let in, nor is an open tag here and its end there: that end is another than its wrapper's. The name of the wrapper
is random, so that no document can hold it, and what comes out is counted.
"""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from xml2arrow import XmlToArrowParser

from spark_jobs.formats.text import codec_name
from spark_jobs.formats.xml_gate import Gate
from spark_jobs.formats.xml_rows import Found
from spark_jobs.formats.xml_rules import Names, Source, Test, XmlRule, names_of


class FastReader:
    """Reads documents by a rule and its children that `fits` says to be plain enough."""

    def __init__(self, rule: XmlRule) -> None:
        self._rule = rule
        self._gate = Gate(rule)
        self._wrapper = f"w{secrets.token_hex(16)}"
        self._parser = _parser(self._tables())

    @staticmethod
    def fits(rule: XmlRule) -> bool:
        """Whether xml2arrow can read the rule: no namespaces, no tests, short ways, and children in containers alone."""
        sources = [source for one in rule.family for source in one.sources.values()]
        steps = [step for one in rule.family for step in one.record]
        steps += [step for source in sources for step in (*source.steps, source.attribute or "")]
        plain = not any(isinstance(step, Test) or "{" in step for step in steps)
        return plain and codec_name(rule.rule.encoding) == "utf-8" and len(rule.record) in (1, 2) and _are_alone(rule)

    def admit(self, data: bytes) -> bytes | None:
        """The document as `read` may have it, or None where the exact reader has to read it."""
        return self._gate.admit(data)

    def admit_unparsed(self, data: bytes) -> bytes | None:
        """The document as `read_unparsed` may have it, or None where it has to be admitted by itself."""
        return self._gate.admit_unparsed(data)

    def read(self, documents: Sequence[bytes]) -> list[Found] | None:
        """The rows of admitted documents, in the order of the rule's family; None if one needs the exact reader."""
        count, name = len(documents), self._wrapper.encode()
        start, end = b"<%b>" % name, b"</%b>" % name
        wrapped = b"<r>%b%b%b</r>" % (start, (end + start).join(documents), end)
        try:
            tables = self._parser.parse(wrapped)
        except BaseException as error:  # a panic of the Rust parser is no Exception
            if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
                raise
            return None
        if len(tables["wrapper"]) != count:
            return None
        return self._found([tables[str(place)] for place in range(len(self._rule.family))])

    def read_unparsed(self, documents: Sequence[bytes]) -> list[Found] | None:
        """The rows of documents that were admitted unparsed; None if one is not well-formed or needs the exact reader."""
        found = self.read(documents)
        one_root_each = found is not None and found[0].members.equals(pa.array(range(len(documents)), pa.int32()))
        return found if one_root_each else None

    def _tables(self) -> list[dict[str, object]]:
        no_name = self._wrapper
        wrapped = f"/r/{self._wrapper}"
        top = "/".join((wrapped, *names_of(self._rule.record)))
        tables = [_table("wrapper", wrapped, ["m"], (), no_name)]
        tables.append(_table("0", top, ["m", "r"], self._rule.sources.values(), no_name))
        for place, child in enumerate(self._rule.children, 1):
            record = "/".join((top, *names_of(child.record)))
            tables.append(_table(str(place), record, ["m", "r", f"c{place}"], child.sources.values(), no_name))
        return tables

    def _found(self, batches: list[pa.RecordBatch]) -> list[Found]:
        tops = batches[0].column("<m>")
        found = []
        for place, (one, batch) in enumerate(zip(self._rule.family, batches, strict=True)):
            members = batch.column("<m>")
            parents = None
            if place:
                # The first row of its document, and as many on as records stand before the parent's.
                parents = pc.add(pc.index_in(members, value_set=tops), batch.column("<r>").cast(pa.int32()))
            texts = {source: batch.column(f"f{slot}") for slot, source in enumerate(one.sources)}
            found.append(Found(members.cast(pa.int32()), parents, texts))
        return found


def _are_alone(rule: XmlRule) -> bool:
    """Whether nothing but a child's rows is read from its container: xml2arrow makes a row of all that is."""
    records: list[Names] = [names_of(child.record) for child in rule.children]
    containers = [record[:-1] for record in records]
    ways = [source.names for source in rule.sources.values()] + records
    through = [sum(way[: len(container)] == container for way in ways) for container in containers]
    return all(containers) and through == [1] * len(containers)


def _table(name: str, record: str, levels: list[str], sources: Iterable[Source], no_name: str) -> dict[str, object]:
    """A table of xml2arrow's configuration; `no_name` is an attribute that no element has, as there must be a field."""
    paths = ["/".join((record, *s.names)) + (f"/@{s.attribute}" if s.attribute else "") for s in sources]
    fields = [
        {"name": f"f{slot}", "xml_path": path, "data_type": "Utf8", "nullable": True}
        for slot, path in enumerate(paths or [f"{record}/@{no_name}"])
    ]
    return {"name": name, "xml_path": record.rpartition("/")[0], "levels": levels, "fields": fields}


def _parser(tables: list[dict[str, object]]) -> XmlToArrowParser:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(json.dumps({"tables": tables}))  # JSON is YAML
        file.flush()
        return XmlToArrowParser(Path(file.name))
