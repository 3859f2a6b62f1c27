"""Rules kept as reviewed YAML files, in and out: `metadata_tables/{feeds,targets,reports}/*.yaml`."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

from spark_jobs.errors import RuleError
from spark_jobs.rules.layout import default_of
from spark_jobs.rules.model import Check, Column, Feed, Limits, Member, Report, TargetTable
from spark_jobs.rules.schema import KINDS, refuse_misfits

Rule = Feed | TargetTable | Report
Item = TypeVar("Item", Feed, TargetTable, Report)

EXTRACT = ("part", "format", "zone")
CHILDREN = {"members", "checks", "columns", "limits"}
FIRST = ("check", "member", "feed", "target", "report", "revision", "title", "owner")
WIDTH = 4096  # a column of a feed is one line, however long


@dataclass
class RuleFiles:
    """What a folder of rule files holds, by name."""

    feeds: dict[str, Feed] = field(default_factory=dict)
    targets: dict[str, TargetTable] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Rule]:
        """Target tables first: feeds need them."""
        yield from self.targets.values()
        yield from self.feeds.values()
        yield from self.reports.values()


def load(path: Path | str) -> RuleFiles:
    """The rules of a YAML file, or of every one under a folder; raises `RuleError` at the first that is no rule."""
    path = Path(path)
    if not path.exists():
        raise RuleError(str(path), "there is no such file or folder")
    found = RuleFiles()
    for file in sorted(path.rglob("*.yaml")) if path.is_dir() else [path]:
        _add(found, load_file(file), str(file))
    return found


def load_file(path: Path | str) -> Rule:
    """The feed, target table or report that a YAML file describes."""
    return parse(Path(path).read_text(encoding="utf-8"), str(path))


def parse(text: str, where: str = "YAML") -> Rule:
    """The feed, target table or report that a YAML text describes; `where` names the text in errors."""
    try:
        # The loader is a SafeLoader, which makes plain values only.
        data: Any = yaml.load(text, Loader=_Loader)  # noqa: S506
    except yaml.YAMLError as error:
        raise RuleError(where, f"this is no YAML: {error}") from None
    kind = next((kind for kind in KINDS if isinstance(data, dict) and kind in data), None)
    if kind is None:
        raise RuleError(where, f"expected a mapping with one of the keys {', '.join(KINDS)}", "Name what it describes.")
    refuse_misfits(kind, data, where)
    if kind == "feed":
        return _feed(data)
    return TargetTable(**_tuples(data)) if kind == "target" else Report(**_tuples(data))


def to_yaml(item: Rule) -> str:
    """The YAML file of a rule, without what is left at its default; `parse` reads it back the same."""
    data = _lean(item)
    if isinstance(item, Feed):
        data = _feed_data(item, data)
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)


def _add(found: RuleFiles, item: Rule, where: str) -> None:
    if isinstance(item, Feed):
        _put(found.feeds, item.feed, item, where)
    elif isinstance(item, TargetTable):
        _put(found.targets, item.target, item, where)
    else:
        _put(found.reports, item.report, item, where)


def _put(held: dict[str, Item], name: str, item: Item, where: str) -> None:
    if name in held:
        raise RuleError(where, f"{name} is described by another file too", "Keep one file for each.")
    held[name] = item


def _feed(data: dict[str, Any]) -> Feed:
    extract = {f"extract_{key}": value for key, value in data.get("extract_time", {}).items()}
    own = {key: value for key, value in data.items() if key not in {"extract_time", *CHILDREN}}
    members = [_member(place, member) for place, member in enumerate(data["members"], 1)]
    members.sort(key=lambda member: member.position)
    checks = [Check(**check) for check in data.get("checks", [])]
    limits = Limits(**data.get("limits", {}))
    return Feed(**own, **extract, members=tuple(members), checks=tuple(checks), limits=limits)


def _member(place: int, data: dict[str, Any]) -> Member:
    columns = tuple(Column(**_tuples(column)) for column in data.get("columns", []))
    return Member(**{"position": place, **data, "columns": columns})


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}


def _feed_data(feed: Feed, data: dict[str, Any]) -> dict[str, Any]:
    """A feed as its YAML has it: the extract time, limits and children nested."""
    extract = {key: data.pop(f"extract_{key}") for key in EXTRACT if f"extract_{key}" in data}
    limits = _lean(feed.limits)
    checks = [_Line(_lean(check)) for check in feed.checks]
    nested = {"extract_time": _Line(extract), "limits": _Line(limits), "members": _members(feed), "checks": checks}
    return data | {key: value for key, value in nested.items() if value}


def _members(feed: Feed) -> list[dict[str, Any]]:
    """Member rules, their position left out where their place in the list says it."""
    listed = []
    for place, member in enumerate(feed.members, 1):
        data = _lean(member) | {"position": member.position}
        if member.position == place:
            del data["position"]
        columns = [_Line(_lean(column)) for column in member.columns]
        listed.append(data | ({"columns": columns} if columns else {}))
    return listed


def _lean(item: Any) -> dict[str, Any]:
    """The fields of a dataclass that are not at their default, children left out, names first."""
    left_out = set() if isinstance(item, Report) else CHILDREN  # a report's columns are plain names
    kept = [f for f in fields(item) if f.name not in left_out and getattr(item, f.name) != default_of(f)]
    kept.sort(key=lambda f: FIRST.index(f.name) if f.name in FIRST else len(FIRST))
    values = {f.name: getattr(item, f.name) for f in kept}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


class _Line(dict[str, Any]):
    """A mapping written on one line."""


class _Dumper(yaml.SafeDumper):
    """Writes columns and checks on one line each, and longer texts as blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value]
        for (key, _), earlier in zip(node.value, range(len(keys)), strict=True):
            if key.value in keys[:earlier]:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value} is given twice", key.start_mark)
        return super().construct_mapping(node, deep)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


def _line(dumper: yaml.SafeDumper, data: _Line) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=True)


_Dumper.add_representer(_Line, _line)
_Dumper.add_representer(str, _text)
