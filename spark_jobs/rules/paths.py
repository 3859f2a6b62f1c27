"""Paths into XML documents, as rules write them: `Patient/@mrn`, `section[code/@code='8716-3']/entry/organizer`.

A step is the name of an element and perhaps a predicate or more, all of which must hold: `[@attribute='v']`,
`[path/@attribute='v']`, `[path='v']`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LOCAL = r"[A-Za-z_][\w.-]*"
_NAME = rf"(?:{_LOCAL}:)?{_LOCAL}"
_NAMES = rf"{_NAME}(?:/{_NAME})*"
_LEADS_TO = rf"@{_NAME}|{_NAMES}(?:/@{_NAME})?"
_PREDICATE = rf"\[(?:{_LEADS_TO})='[^']+'\]"
_STEP = rf"{_NAME}(?:{_PREDICATE})*"
_STEPS = rf"{_STEP}(?:/{_STEP})*"

SOURCE = re.compile(rf"\.|@{_NAME}|{_STEPS}(?:/@{_NAME})?")
ABSOLUTE = re.compile(rf"/{_STEPS}")
RELATIVE = re.compile(_STEPS)
PREFIX = re.compile(_LOCAL)
_PIECE = re.compile(rf"@(?P<attribute>{_NAME})|(?P<name>{_NAME})(?P<predicates>(?:{_PREDICATE})*)")
_PREDICATE_PARTS = re.compile(rf"\[({_LEADS_TO})='([^']+)'\]")


@dataclass(frozen=True)
class Predicate:
    """Holds where one of the elements or attributes that `path` leads to has the text `value`."""

    path: XmlPath
    value: str


@dataclass(frozen=True)
class Step:
    """The children of that name, with its prefix if it has one, for which the predicates hold."""

    name: str
    predicates: tuple[Predicate, ...] = ()


@dataclass(frozen=True)
class XmlPath:
    """Steps from element to element, none for `.`, and perhaps an attribute of the last one."""

    steps: tuple[Step, ...]
    attribute: str | None = None

    def has_predicates(self) -> bool:
        """Whether any of its steps has one."""
        return any(step.predicates for step in self.steps)

    def names(self) -> Iterator[str]:
        """Every name in it, those in predicates included."""
        for step in self.steps:
            yield step.name
            for predicate in step.predicates:
                yield from predicate.path.names()
        if self.attribute is not None:
            yield self.attribute


def parse_path(text: str) -> XmlPath:
    """The parts of a path that SOURCE, ABSOLUTE or RELATIVE matches."""
    steps: list[Step] = []
    attribute = None
    for piece in _PIECE.finditer(text):
        if piece["name"] is None:
            attribute = piece["attribute"]
        else:
            predicates = (Predicate(parse_path(m[1]), m[2]) for m in _PREDICATE_PARTS.finditer(piece["predicates"]))
            steps.append(Step(piece["name"], tuple(predicates)))
    return XmlPath(tuple(steps), attribute)
