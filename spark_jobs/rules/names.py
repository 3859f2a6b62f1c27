"""Names that rules give to things, and helpers that word findings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from sqlglot.dialects.presto import Presto

from spark_jobs.rules.model import Finding

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
# An INSERT, a view or an expression that names such a column would need quotes, which differ between engines.
RESERVED = frozenset(Presto.Generator.RESERVED_KEYWORDS)


def check_name(name: str) -> list[str]:
    """What is wrong with the name of a feed, member rule, check, target table or column."""
    if name.startswith("_"):
        return [f"the name {name} starts with _, which is kept for the lake's own columns"]
    if not IDENTIFIER.fullmatch(name):
        return [f"the name {name!r} is not 1 to 63 lower case letters, digits and _, a letter first"]
    return [f"the name {name} is a reserved word of SQL"] if name in RESERVED else []


def check_zone(zone: str | None) -> list[str]:
    """Whether a time zone exists."""
    try:
        ZoneInfo("UTC" if zone is None else zone)
    except (KeyError, ValueError, OSError):
        return [f"there is no time zone {zone!r}: write one such as America/New_York or UTC"]
    return []


def repeated(names: Iterable[str]) -> list[str]:
    """The names that occur more than once."""
    return sorted(name for name, count in Counter(names).items() if count > 1)


def findings(where: str, problems: Iterable[str], hint: str = "", fatal: bool = True) -> Iterator[Finding]:
    """A finding for each problem, all in one place."""
    return (Finding(where, problem, hint, fatal) for problem in problems)
