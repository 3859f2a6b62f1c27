"""Cuts a member's text into records, with the standard library's readers."""

from __future__ import annotations

import csv
import io
from collections import Counter
from xml.etree import ElementTree as ET

from tests.simulator.recount_values import Refused


def read_records(rule: dict, text: str, warnings: Counter) -> list[tuple[int, dict]]:
    """The records of a member, numbered, as texts by source; a record that can't be cut names the rule against it."""
    if rule["format"] == "xml":
        return _xml_records(rule, text)
    if rule["format"] == "csv":
        return _csv_records(rule, text, warnings)
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line]
    cut = _cut_fixed if rule["format"] == "fixed" else _cut_delimited
    return [(number, cut(rule, line)) for number, line in enumerate(lines, 1)]


def _xml_records(rule: dict, text: str) -> list[tuple[int, dict]]:
    if "<!DOCTYPE" in text:
        raise Refused("member.dtd")
    try:
        root = ET.fromstring(text)
    except ET.ParseError:
        raise Refused("member.xml") from None
    if f"/{root.tag}" != rule["record_path"]:
        return []
    sources = {column.get("source") for column in rule["columns"]}
    return [(1, {source: text_at(root, source) for source in sources if source and source[0] != "$"})]


def text_at(node: ET.Element, path: str) -> str | None:
    """The text directly in the first element, or the attribute, that the path leads to."""
    path, _, attribute = path.partition("@")
    found = node.find(path.rstrip("/")) if path else node
    if found is None or attribute:
        return None if found is None else found.get(attribute)
    return "".join([found.text or "", *(child.tail or "" for child in found)])


def _csv_records(rule: dict, text: str, warnings: Counter) -> list[tuple[int, dict]]:
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=rule.get("delimiter", ","), escapechar=rule.get("escape"), strict=True
    )
    lines = [line for line in reader if line]
    header = lines[0] if lines else []
    if len(lines) < 2 and (not header or set(header) >= _required(rule)):
        return []
    known = {column["source"] for column in rule["columns"] if "source" in column}
    if not set(header) >= _required(rule) or any(header.count(name) > 1 for name in known):
        raise Refused("member.header")
    warnings["member.unknown_columns"] += bool(set(header) - known)
    warnings["member.missing_columns"] += bool(known - set(header))
    return [(number, _cut_csv(header, known, line)) for number, line in enumerate(lines[1:], 1)]


def _required(rule: dict) -> set[str]:
    return {column["source"] for column in rule["columns"] if column.get("required") and "source" in column}


def _cut_csv(header: list[str], known: set[str], line: list[str]) -> dict:
    if len(line) != len(header):
        return {"refused": "row.ragged"}
    return dict.fromkeys(known) | dict(zip(header, line, strict=True))


def _cut_delimited(rule: dict, line: str) -> dict:
    fields = line.split(rule["delimiter"])
    if len(fields) != sum("source" in column for column in rule["columns"]):
        return {"refused": "row.ragged"}
    return {f"#{number}": text for number, text in enumerate(fields, 1)}


def _cut_fixed(rule: dict, line: str) -> dict:
    spans = {column["source"]: column["source"].split("-") for column in rule["columns"]}
    if len(line) > max(int(last) for _, last in spans.values()):
        return {"refused": "row.length"}
    return {source: line[int(first) - 1 : int(last)] for source, (first, last) in spans.items()}
