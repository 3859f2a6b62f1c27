"""Reads deliveries again by the rules' YAML and the standard library: slow, plain, and unaware of how they were made.

It is the second opinion on the truth: what the simulator says it wrote is compared with what is there.
"""

from __future__ import annotations

import fnmatch
import hashlib
import io
import re
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import yaml

from tests.simulator.recount_formats import read_records, text_at
from tests.simulator.recount_values import Refused, judge, parse_moment

RULES = Path(__file__).parents[2] / "metadata_tables"
MEGABYTE = 1 << 20
MOST_MEMBERS, MOST_RATIO = 10_000, 200


@dataclass
class Recount:
    """What became of everything: states of zips, outcomes of members, refusals, warnings and the newest rows."""

    states: dict[str, str] = field(default_factory=dict)
    members: dict[tuple[str, int], str] = field(default_factory=dict)
    refusals: Counter = field(default_factory=Counter)  # (zip, member, row, target, rule)
    warnings: dict[str, Counter] = field(default_factory=dict)
    best: dict[tuple, tuple] = field(default_factory=dict)  # (target, key) -> (order, values)
    loaded: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class Opened:
    """A zip that is being read."""

    rules: dict
    name: str
    facility: str
    extract: object
    sha256: str


def recount(drop: Path) -> Recount:
    """Read all deliveries in the order of their arrival."""
    feeds = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (RULES / "feeds").glob("*.yaml")}
    targets = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (RULES / "targets").glob("*.yaml")}
    result = Recount()
    for path in sorted(drop.glob("*/*/*"), key=lambda path: (path.stat().st_mtime, path.name)):
        result.warnings[path.name] = Counter()
        try:
            result.states[path.name] = _read_zip(result, path, feeds[path.parent.name], targets)
        except Refused as refused:
            result.states[path.name] = "quarantined"
            result.refusals[(path.name, None, None, None, refused.rule)] += 1
    return result


def _read_zip(result: Recount, path: Path, rules: dict, targets: dict) -> str:
    match = re.fullmatch(rules["name_pattern"], path.name)
    if not match:
        raise Refused("zip.no_feed")
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    if (rules["feed"], sha256) in result.loaded:
        return "duplicate"
    try:
        extract = parse_moment(match["extracted"], rules["extract_time"])
    except ValueError:
        raise Refused("zip.extract_time") from None
    opened = Opened(rules, path.name, match["facility"], extract, sha256)
    outcomes = _read_members(result, opened, _open(data), targets)
    if "loaded" in outcomes:
        result.loaded.add((rules["feed"], sha256))
        return "loaded"
    return "ignored" if outcomes == {"ignored"} else "quarantined"


def _open(data: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile:
        raise Refused("zip.damaged") from None


def _read_members(result: Recount, opened: Opened, file: zipfile.ZipFile, targets: dict) -> set[str]:
    infos = [info for info in file.infolist() if not info.is_dir()]
    if not infos:
        raise Refused("zip.empty")
    if len(infos) > MOST_MEMBERS:
        result.members |= {(opened.name, index): "quarantined" for index in range(len(infos))}
        raise Refused("zip.too_many_members")
    outcomes = set()
    for index, info in enumerate(infos):
        try:
            outcome = _read_member(result, opened, index, _rule_for(opened.rules, info), (file, info), targets)
        except Refused as refused:
            outcome = "quarantined"
            result.refusals[(opened.name, index, None, None, refused.rule)] += 1
        result.members[(opened.name, index)] = outcome
        outcomes.add(outcome)
    return outcomes


def _rule_for(rules: dict, info: zipfile.ZipInfo) -> dict:
    for member in rules["members"]:
        if "pattern" in member and fnmatch.fnmatchcase(info.filename.lower(), member["pattern"].lower()):
            return member
    raise Refused("member.unmatched")


def _read_member(result: Recount, opened: Opened, index: int, rule: dict, source: tuple, targets: dict) -> str:
    if rule.get("action") == "ignore":
        return "ignored"
    text = _text(*source)
    records = read_records(rule, text, result.warnings[opened.name])
    if not records:
        raise Refused("member.empty")
    names = {"$name.facility": opened.facility, "$extract_time": opened.extract}
    loaded = [_keep(result, opened, index, number, rule, record | names, targets) for number, record in records]
    for child in [child for child in opened.rules["members"] if child.get("parent") == rule["member"]]:
        root = ET.fromstring(text)
        parent = {f"$parent.{column['name']}": records[0][1].get(column.get("source")) for column in rule["columns"]}
        for number, node in enumerate(root.findall(child["record_path"]), 1):
            record = {
                column["source"]: text_at(node, column["source"]) for column in child["columns"] if "source" in column
            }
            loaded.append(_keep(result, opened, index, number, child, record | parent, targets))
    return "loaded" if any(loaded) else "quarantined"


def _text(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    if info.flag_bits & 1:
        raise Refused("member.encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused("member.method")
    if info.file_size > max(MEGABYTE, MOST_RATIO * info.compress_size):
        raise Refused("member.ratio")
    try:
        return file.read(info).decode("utf-8-sig")
    except (zipfile.BadZipFile, zlib.error):
        raise Refused("member.damaged") from None
    except UnicodeDecodeError:
        raise Refused("member.encoding") from None


def _keep(result: Recount, opened: Opened, index: int, number: int, rule: dict, record: dict, targets: dict) -> bool:
    target = targets[rule["target"]]
    checks = [check for check in opened.rules.get("checks", ()) if check["member"] == rule["member"]]
    try:
        values = judge(rule, target, checks, record, result.warnings[opened.name])
    except Refused as refused:
        result.refusals[(opened.name, index, number, rule["target"], refused.rule)] += 1
        return False
    order = (values[target["order_by"]], opened.extract, opened.sha256, index, number)
    key = (rule["target"], *(values[column] for column in target["record_key"]))
    values |= {"_zip_name": opened.name, "_member_index": index, "_row": number}
    if key not in result.best or order > result.best[key][0]:
        deleted = values[target["delete_column"]] in target["delete_values"]
        result.best[key] = (order, deleted, values)
    return True
