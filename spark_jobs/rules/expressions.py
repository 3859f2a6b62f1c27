"""Rule expressions: Spark SQL cut down to known, deterministic functions of the row's own columns.

Two gates, neither of which trusts the other: a lexer of our own lets only plain words, numbers, strings and operators
pass, with every call by name; then sqlglot parses the text. What both accept, Spark reads the same way.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from functools import lru_cache

import sqlglot
from sqlglot import exp

from spark_jobs.rules import lexer
from spark_jobs.rules.calls import FUNCTIONS, OPENERS, check_calls

KEYWORDS = OPENERS - {"decimal"} | {"rlike", "null", "true", "false", "end", "as", "if"}
TYPES = {"string", "int", "bigint", "long", "double", "boolean", "date", "timestamp", "decimal"}
MOST_CHARACTERS = 4000
MOST_NESTED = 40

_NOT_A_VALUE = (exp.Star, exp.Alias, exp.Tuple, exp.Query, exp.Window, exp.AggFunc, exp.Lambda, exp.Placeholder)
_CONDITIONS = (
    *(exp.Predicate, exp.Connector, exp.Not, exp.Boolean, exp.Column, exp.Case, exp.If, exp.Coalesce, exp.Cast),
    *(exp.RegexpLike, exp.Contains, exp.StartsWith, exp.EndsWith),
)


def check_expression(text: str, known_columns: Collection[str], condition: bool = False) -> list[str]:
    """What is wrong with an expression over these columns; with `condition`, it must be true or false too."""
    problems, words, is_condition = _analyse(text)
    if problems:
        return list(problems)
    unknown = sorted(words - set(known_columns))
    found = [f"there is no column {name} to refer to{_nearest(name, known_columns)}" for name in unknown]
    if condition and not is_condition:
        found.append("it must be a condition, true or false")
    return found


def references(text: str) -> set[str]:
    """The columns that an expression refers to; empty if it is refused."""
    problems, words, _ = _analyse(text)
    return set() if problems else set(words)


def is_accepted(text: str) -> bool:
    """Whether an expression is one, whatever columns there are."""
    return not _analyse(text)[0]


def parse(text: str) -> exp.Expr:
    """The tree of an expression that `check_expression` accepts."""
    return sqlglot.parse_one(text, dialect="spark")


@lru_cache(maxsize=10_000)  # rules are read afresh for each batch, and seldom differ
def _analyse(text: str) -> tuple[tuple[str, ...], frozenset[str], bool]:
    if not text.strip() or len(text) > MOST_CHARACTERS:
        return (f"it must have 1 to {MOST_CHARACTERS} characters",), frozenset(), False
    tokens, problems = lexer.tokens(text)
    problems = problems or lexer.check_nesting(tokens, MOST_NESTED) or check_calls(tokens, KEYWORDS)
    if problems:
        return tuple(problems), frozenset(), False
    try:
        tree = parse(text)
    except sqlglot.ParseError as error:
        return (f"it cannot be parsed: {_first_words(error)}",), frozenset(), False
    if odd := tree.find(*_NOT_A_VALUE):
        return (f"it must be one value of a row, without {odd.sql(dialect='spark')!r}",), frozenset(), False
    words = {word.lower() for word in lexer.bare_words(tokens)}
    columns = {column.name.lower() for column in tree.find_all(exp.Column)}
    return (), frozenset(columns | (words - KEYWORDS - TYPES)), _is_condition(tree)


def _is_condition(tree: exp.Expr) -> bool:
    return isinstance(tree.unnest(), _CONDITIONS)


def _first_words(error: sqlglot.ParseError) -> str:
    detail = error.errors[0] if error.errors else {}
    return f"{detail.get('description', 'it is incomplete')} (column {detail.get('col', '?')})"


def _nearest(name: str, known: Collection[str]) -> str:
    if name in FUNCTIONS:
        return f"; to call the function, write {name}(...)"
    near = get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""
