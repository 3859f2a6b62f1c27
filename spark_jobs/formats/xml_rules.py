"""A member rule for XML made ready: the paths of its record, its columns and its children as names of elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from spark_jobs.formats.results import sourced
from spark_jobs.rules.model import Column, Feed, Member

Steps = tuple[str, ...]  # names of nested elements as lxml writes them: `name`, or `{namespace}name`


@dataclass(frozen=True)
class Source:
    """Where a text is, from the record on: in the element that the steps lead to, or in one of its attributes."""

    steps: Steps
    attribute: str | None


@dataclass(frozen=True)
class XmlRule:
    """A member rule, the way to its records (from the document, or from the parent's record), and its children.

    `sources` are the distinct sources that lead into the document; other columns are constants or the parent's.
    """

    rule: Member
    record: Steps
    sources: dict[str, Source]
    children: tuple[XmlRule, ...] = ()

    @cached_property
    def family(self) -> tuple[XmlRule, ...]:
        """This rule and its children."""
        return (self, *self.children)

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The sourced columns by name."""
        return {column.name: column for column in sourced(self.rule.columns)}


def make_ready(rule: Member, feed: Feed) -> XmlRule:
    """The rule with its children."""
    children = (_one(child, rule.namespaces | child.namespaces) for child in feed.children_of(rule.member))
    return _one(rule, rule.namespaces, tuple(children))


def _one(rule: Member, namespaces: Mapping[str, str], children: tuple[XmlRule, ...] = ()) -> XmlRule:
    texts = dict.fromkeys(column.source or "" for column in sourced(rule.columns))
    sources = {text: _source(text, namespaces) for text in texts if not text.startswith("$")}
    return XmlRule(rule, _steps(rule.record_path or "", namespaces), sources, children)


def _source(text: str, namespaces: Mapping[str, str]) -> Source:
    path, at, attribute = text.partition("@")
    # Attributes without prefix are in no namespace, whatever the default one is.
    name = _qualified(attribute, {**namespaces, "": ""}) if at else None
    return Source(_steps(path, namespaces), name)


def _steps(path: str, namespaces: Mapping[str, str]) -> Steps:
    return tuple(_qualified(step, namespaces) for step in path.split("/") if step not in ("", "."))


def _qualified(name: str, namespaces: Mapping[str, str]) -> str:
    prefix, _, local = name.rpartition(":")
    namespace = namespaces.get(prefix, "")
    return f"{{{namespace}}}{local}" if namespace else local
