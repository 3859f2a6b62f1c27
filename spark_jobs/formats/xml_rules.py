"""A member rule for XML made ready: the paths of its record, its columns and its children as names of elements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from spark_jobs.formats.results import sourced
from spark_jobs.rules.model import Column, Feed, Member
from spark_jobs.rules.paths import Predicate, Step, XmlPath, parse_path
from spark_jobs.rules.sources import namespaces_of

Names = tuple[str, ...]  # names of nested elements as lxml writes them: `name`, or `{namespace}name`


@dataclass(frozen=True)
class Test:
    """Whether one of the elements that the names lead to, or its attribute, has the text `value`."""

    names: Names
    attribute: str | None
    value: str


Steps = tuple[str | Test, ...]  # names of nested elements, each followed by the tests that it has to pass


@dataclass(frozen=True)
class Source:
    """Where a text is, from the record on: in the element that the steps lead to, or in one of its attributes."""

    steps: Steps
    attribute: str | None

    @cached_property
    def names(self) -> Names:
        """The steps without tests."""
        return names_of(self.steps)


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
    children = (_one(child, namespaces_of(child, feed)) for child in feed.children_of(rule.member))
    return _one(rule, rule.namespaces, tuple(children))


def names_of(steps: Steps) -> Names:
    """The steps without tests."""
    return tuple(step for step in steps if isinstance(step, str))


def _one(rule: Member, namespaces: Mapping[str, str], children: tuple[XmlRule, ...] = ()) -> XmlRule:
    texts = dict.fromkeys(column.source or "" for column in sourced(rule.columns))
    sources = {text: _source(parse_path(text), namespaces) for text in texts if not text.startswith("$")}
    return XmlRule(rule, _source(parse_path(rule.record_path or ""), namespaces).steps, sources, children)


def _source(path: XmlPath, namespaces: Mapping[str, str]) -> Source:
    steps = (part for step in path.steps for part in _parts(step, namespaces))
    # Attributes without prefix are in no namespace, whatever the default one is.
    attribute = _qualified(path.attribute, {**namespaces, "": ""}) if path.attribute else None
    return Source(tuple(steps), attribute)


def _parts(step: Step, namespaces: Mapping[str, str]) -> Iterator[str | Test]:
    yield _qualified(step.name, namespaces)
    for predicate in step.predicates:
        yield _test(predicate, namespaces)


def _test(predicate: Predicate, namespaces: Mapping[str, str]) -> Test:
    source = _source(predicate.path, namespaces)
    return Test(source.names, source.attribute, predicate.value.strip())


def _qualified(name: str, namespaces: Mapping[str, str]) -> str:
    prefix, _, local = name.rpartition(":")
    namespace = namespaces.get(prefix, "")
    return f"{{{namespace}}}{local}" if namespace else local
