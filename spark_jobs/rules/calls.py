"""The functions that rule expressions may call: deterministic, and none that reaches beyond its arguments."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from difflib import get_close_matches

from spark_jobs.rules.lexer import Token, text_of
from spark_jobs.rules.regexes import check_regex

MANY = 50

# name: the fewest and the most arguments
FUNCTIONS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("lower", "upper", "trim", "ltrim", "rtrim", "length", "reverse", "initcap"), (1, 1)),
    **dict.fromkeys(("left", "right", "instr", "contains", "startswith", "endswith"), (2, 2)),
    **dict.fromkeys(("substr", "substring", "lpad", "rpad"), (2, 3)),
    **dict.fromkeys(("concat", "coalesce"), (1, MANY)),
    **dict.fromkeys(("concat_ws", "greatest", "least"), (2, MANY)),
    **dict.fromkeys(("replace", "split_part", "translate"), (3, 3)),
    **dict.fromkeys(("nullif", "nvl", "ifnull"), (2, 2)),
    "nvl2": (3, 3),
    "if": (3, 3),
    "cast": (1, 1),
    **dict.fromkeys(("abs", "ceil", "floor", "sign"), (1, 1)),
    "round": (1, 2),
    **dict.fromkeys(("mod", "pmod", "power"), (2, 2)),
    **dict.fromkeys(("year", "quarter", "month", "day", "dayofmonth", "dayofweek", "dayofyear", "weekofyear"), (1, 1)),
    **dict.fromkeys(("hour", "minute", "second", "last_day"), (1, 1)),
    **dict.fromkeys(("unix_date", "unix_seconds", "unix_millis", "unix_micros"), (1, 1)),
    **dict.fromkeys(("timestamp_seconds", "timestamp_millis", "timestamp_micros"), (1, 1)),
    **dict.fromkeys(("date_add", "date_sub", "datediff", "add_months", "months_between", "date_format"), (2, 2)),
    "to_date": (1, 2),
    "to_timestamp": (1, 2),
    "make_date": (3, 3),
    "regexp_extract": (2, 3),
    "regexp_replace": (3, 3),
    "md5": (1, 1),
    "sha2": (2, 2),
}
# These stand before a parenthesis without being called.
OPENERS = {"and", "or", "not", "in", "between", "like", "is", "case", "when", "then", "else", "div", "decimal"}
DATE_FORMATS = {"date_format", "to_date", "to_timestamp"}
REGEXES = {"rlike", "regexp_extract", "regexp_replace"}
_DATE_LETTERS = re.compile(r"'[^']*'|y{4}|yy|M{1,4}|d{1,2}|H{1,2}|m{1,2}|s{1,2}|S{1,6}|D{1,3}|E{1,4}|[^A-Za-z']")


def check_calls(tokens: Sequence[Token], keywords: Collection[str]) -> list[str]:
    """What is wrong with the calls and literals of an expression."""
    return [problem for place in range(len(tokens)) for problem in _check_at(tokens, place, keywords)]


def _check_at(tokens: Sequence[Token], place: int, keywords: Collection[str]) -> Iterator[str]:
    token = tokens[place]
    following = tokens[place + 1] if place + 1 < len(tokens) else None
    if token.kind != "word" or following is None:
        return
    name = token.text.lower()
    if following.kind == "string" and name not in keywords:
        yield from _check_typed_text(name, following)
    elif name == "rlike":
        yield from _check_literal(name, [following])
    elif following.text == "(" and name not in OPENERS:
        yield from _check_call(name, _arguments(tokens, place + 2))


def _check_call(name: str, arguments: list[list[Token]]) -> Iterator[str]:
    if name not in FUNCTIONS:
        near = get_close_matches(name, list(FUNCTIONS), 1)
        yield f"the function {name} is not allowed" + (f"; did you mean {near[0]}?" if near else _ALLOWED)
        return
    fewest, most = FUNCTIONS[name]
    if not fewest <= len(arguments) <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
        yield f"{name} takes {wanted} arguments, not {len(arguments)}"
    elif name in REGEXES | DATE_FORMATS and len(arguments) > 1:
        yield from _check_literal(name, arguments[1])


def _arguments(tokens: Sequence[Token], place: int) -> list[list[Token]]:
    """The tokens of each argument, from the one after the opening parenthesis."""
    arguments: list[list[Token]] = [[]]
    depth = 1
    for token in tokens[place:]:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0:
            break
        if depth == 1 and token.text == ",":
            arguments.append([])
        else:
            arguments[-1].append(token)
    return arguments if arguments != [[]] else []


def _check_literal(name: str, argument: list[Token]) -> Iterator[str]:
    """A pattern that came from the data, or does not compile, would fail a batch for one row."""
    if len(argument) != 1 or argument[0].kind != "string":
        yield f"the pattern of {name} must be a text between single quotes"
    elif name in REGEXES:
        yield from (f"the pattern of {name}: {problem}" for problem in _check_java_regex(argument[0]))
    elif _DATE_LETTERS.sub("", text_of(argument[0])):
        yield f"the pattern of {name} may use yyyy MM dd HH mm ss S, E, D and punctuation"


def _check_java_regex(literal: Token) -> list[str]:
    single = re.search(r"(?<!\\)(?:\\\\)*\\([A-Za-z])", literal.text)
    if single:
        return [f"write \\\\{single[1]}: Spark reads \\{single[1]} as {single[1]}"]
    return check_regex(text_of(literal), ("(?P", "Java knows no (?P...)"))


def _check_typed_text(name: str, literal: Token) -> Iterator[str]:
    """`date '2026-03-01'` and `timestamp '...'`; any other word before a text is a mistake."""
    kinds = {"date": date, "timestamp": datetime}
    try:
        if name not in kinds or not kinds[name].fromisoformat(literal.text[1:-1]):
            yield f"{name} stands before the text at character {literal.place}: an operator or comma is missing"
    except ValueError:
        yield f"the text at character {literal.place} is no {name}"


_ALLOWED = f"; allowed are {', '.join(sorted(FUNCTIONS))}"
