"""Cuts an expression into words, numbers, strings and operators; anything else is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple


class Token(NamedTuple):
    """A piece of an expression: its kind (word, number, string or operator), text and place, counted from 1."""

    kind: str
    text: str
    place: int


# What is refused stands first: it would otherwise be cut into pieces that are allowed. A double minus starts a comment.
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<refused>--|/\*|\*/|->)
      | (?P<number>\d+(?:\.\d+)?(?![\w.]))
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<string>'(?:[^'\\]|\\.)*')
      | (?P<operator><=>|<=|>=|<>|!=|==|\|\||[-+*/%=<>(),])""",
    re.VERBOSE | re.DOTALL,
)
_INSTEAD = {
    '"': "put text between single quotes",
    "`": "a column name needs no quotes",
    "'": "a text is not closed",
    "->": "functions of functions are not allowed",
    "--": "comments are not allowed; write - -1 for a double minus",
    "/*": "comments are not allowed",
    ";": "one expression only",
}


def tokens(text: str) -> tuple[list[Token], list[str]]:
    """The pieces of an expression, and what is wrong with it."""
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup == "refused":
            odd = match.group() if match else text[place]
            return found, [f"{odd!r} at character {place + 1} is not allowed: {_INSTEAD.get(odd, 'not known here')}"]
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group(), place + 1))
        place = match.end()
    return found, _check_strings(found)


def check_nesting(found: Sequence[Token], most: int) -> list[str]:
    """Whether parentheses pair up and are no deeper than a parser can follow."""
    depth = 0
    for token in found:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth < 0:
            return [f"the parenthesis at character {token.place} closes nothing"]
        if depth > most:
            return [f"it is nested more than {most} deep"]
    return ["a parenthesis is not closed"] if depth else []


def bare_words(found: Sequence[Token]) -> Iterator[str]:
    """The words that call nothing."""
    for token, following in zip(found, [*found[1:], None], strict=True):
        if token.kind == "word" and not (following and following.text == "("):
            yield token.text


def text_of(string: Token) -> str:
    """What a string means once Spark has read its backslashes."""
    return re.sub(r"\\(.)", r"\1", string.text[1:-1], flags=re.DOTALL)


def _check_strings(found: Sequence[Token]) -> list[str]:
    """Prefixes of strings (r'', x'') and doubled quotes mean one thing to Spark and another to sqlglot."""
    for before, token in pairwise(found):
        if token.kind != "string":
            continue
        if before.kind == "string":
            return [f"two texts in a row at character {token.place}: write a quote within a text as \\'"]
        if before.kind == "word" and len(before.text) == 1:
            return [f"the prefix {before.text} of the text at character {token.place} is not allowed"]
    return []
