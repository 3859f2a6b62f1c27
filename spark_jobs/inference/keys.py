"""What makes a row the same row: columns that are never null and, together, never twice the same in the sample."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pyarrow as pa

from spark_jobs.inference.columns import texts
from spark_jobs.inference.values import Guess

KEYED = ("string", "int", "long", "date")
NAMED = re.compile(r"(^|_)(id|no|number|nr|key|code|mrn|uuid)$|(^|_)id_|facility|^column_\d+$")
SOMEONE = re.compile(r"patient|person|subject|mrn|member|npi|ssn")
# What a row says about itself, or about the message it came in, rather than which row it is.
SAID = re.compile(
    r"(^|_)(message|msg|batch|trace|hop|software|device|phone|income|expens\w*|charges?|count|floor|age|status|state|name|note"
    r"|display|value|amount|reason|sex|gender|race|language|city|postal|address|unit|digest|build|version)(_|$)"
)
MOST_COLUMNS = 4
MOST_TRIED = 10  # columns that combinations are made of
NEARLY = 0.97  # of rows that come in versions or belong to others; the rest may have been sent twice


@dataclass(frozen=True)
class Key:
    """A candidate for a record key. `is_unique` unless nothing better was found; `evidence` in counts alone."""

    columns: tuple[str, ...]
    is_unique: bool
    evidence: str


def find_key(table: pa.Table, guesses: Mapping[str, Guess], thing: str, always: Sequence[str] = ()) -> Key:
    """The smallest set of likely columns that is unique over the rows of a `thing`, `always` included."""
    table = _without_repeats(table, guesses)
    likely, count = _likely(guesses, thing, always), len(table)
    values = {name: texts(table, name) for name in guesses}
    for size in range(0 if always else 1, MOST_COLUMNS + 1):
        for more in combinations(likely, size):
            distinct = _distinct(values, (*always, *more))
            if distinct == count:
                return Key((*always, *more), True, f"unique and never null in {count} rows of the sample")
            if always and distinct >= NEARLY * count:
                return Key((*always, *more), True, f"{distinct} different ones in {count} rows of the sample")
    names = (*always, *likely[:1]) or tuple(guesses)[:1]
    distinct = _distinct(values, names)
    return Key(names, False, f"{distinct} different ones in {count} rows: is it the key of rows sent more than once?")


def version_key(table: pa.Table, guesses: Mapping[str, Guess], thing: str, order_by: str | None) -> Key:
    """As `find_key`; where rows come in versions, what is unique together with the time of the version."""
    plain = find_key(table, guesses, thing)
    if order_by is None or (plain.is_unique and all(NAMED.search(name) for name in plain.columns)):
        return plain
    table = _without_repeats(table, guesses)
    count = len(table)
    likely = [name for name in _likely(guesses, thing, ()) if NAMED.search(name)]
    values = {name: texts(table, name) for name in (*likely, order_by)}
    things = _distinct(values, likely)
    for size in range(1, MOST_COLUMNS):
        for names in combinations(likely, size):
            distinct, versions = _distinct(values, names), _distinct(values, (*names, order_by))
            # A key tells things apart as well as all numbers and codes of theirs do; the time alone tells versions.
            if distinct >= NEARLY * things and versions >= NEARLY * count:
                evidence = f"{distinct} different ones in {count} rows, {versions} together with {order_by}"
                return Key(names, True, f"{evidence}: rows seem to be sent again when they change")
    return plain


def _likely(guesses: Mapping[str, Guess], thing: str, always: Sequence[str]) -> list[str]:
    """Columns that keys are made of, the likeliest first."""
    fit = [
        name
        for name, guess in guesses.items()
        if name not in always
        and (guess.never_null or guess.mostly_filled)
        and guess.type in KEYED
        and not SAID.search(name)
    ]
    fit.sort(key=lambda name: _unlikely(name, thing, guesses[name]))
    return fit[:MOST_TRIED]


def _unlikely(name: str, thing: str, guess: Guess) -> tuple[bool, bool, bool, bool]:
    """Sorts names that say so first, the thing's own before; else columns stay in the order of the data."""
    own = name.startswith(thing) and NAMED.search(name) is not None
    others = SOMEONE.search(name) is not None and SOMEONE.search(thing) is None
    return not NAMED.search(name), not own, others, guess.type == "date"


def _without_repeats(table: pa.Table, guesses: Mapping[str, Guess]) -> pa.Table:
    """The rows, those that are the same in every column taken once: a delivery sent twice tells nothing of keys."""
    return table.select(list(guesses)).group_by(list(guesses)).aggregate([])


def _distinct(values: Mapping[str, pa.Array], names: Sequence[str]) -> int:
    """How many different rows there are of some columns, those with a null left out."""
    if not names:
        return 0
    table = pa.table({name: values[name] for name in names}).drop_null()
    distinct: int = table.group_by(list(names)).aggregate([]).num_rows
    return distinct
