"""Tells documents that are nothing but tags, text and comments, and sound ones, from those that a parser has to look at.

To be made of sound tags, text and comments, down to characters and references, is a regular language, and RE2 tells it
in one pass, in time that is linear in the length of a document. Two things of a well-formed document are no matter of
regular languages: that its tags match, which is left to xml2arrow, and that the attributes of a tag have different
names. An expression tells where they begin with different letters; elsewhere a closer look is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import re2

from spark_jobs.formats.xml_rules import XmlRule, names_of

SPACE = r"[ \t\n]"
NAME_REST = r"[A-Za-z0-9_.\-]*"  # no colon: what has a namespace is not plain
NAME = rf"[A-Za-z_]{NAME_REST}"
KEY = rf"[A-WYZa-wyz_]{NAME_REST}"  # neither is xmlns
WIDE = r"\x{80}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}"
TEXT = rf"[\t\n\x20-%'-;=?-\x7F{WIDE}]"  # no & < >
QUOTED = rf"[\t\n !#-%'-;=?-\x7F{WIDE}]", rf"[\t\n\x20-%(-;=?-\x7F{WIDE}]"  # no " and no ' respectively
COMMENTED = rf"[\t\n\x20-%'-,.-;=?-\x7F{WIDE}]"  # no -
# Decimal ones up to 54,999 and hexadecimal ones of at most four digits, with neither surrogates nor control characters.
REFERENCE = (
    r"&(?:lt|gt|amp|quot|apos|#(?:9|10|13|3[2-9]|[4-9][0-9]|[1-9][0-9]{2,3}|[1-4][0-9]{4}|5[0-4][0-9]{3})"
    r"|#x(?:[9AaDd]|[2-9A-Fa-f][0-9A-Fa-f]|[1-9A-Fa-f][0-9A-Fa-f]{2}|[1-9A-Ca-c][0-9A-Fa-f]{3}));"
)
ATTRIBUTE = rf"""{SPACE}+{KEY}=(?:"(?:{QUOTED[0]}|{REFERENCE})*"|'(?:{QUOTED[1]}|{REFERENCE})*')"""
MOST_ATTRIBUTES = 8  # so that there are few combinations of them
INSIDE = rf"(?:{ATTRIBUTE}){{0,{MOST_ATTRIBUTES}}}{SPACE}*"
COMMENT = rf"<!--(?:-?{COMMENTED})*-->"
CONTENT = rf"(?:{TEXT}|<{NAME}{INSIDE}/?>|</{NAME}{SPACE}*>|{REFERENCE}|{COMMENT})*"
AROUND = rf"(?:{SPACE}|{COMMENT})*"
INITIALS = "ABCDEFGHIJKLMNOPQRSTUVWYZabcdefghijklmnopqrstuvwyz_"
NO_NAME = r"\x00"
TAG = re.compile(rb"<[^<>!/][^<>]*>")
ITS_KEYS = re.compile(rb"[ \t\n]([^ \t\n=<>\"']+)=[\"']")


class PlainDocuments:
    """Tells which documents are plain, for a rule whose record is the root, and its children."""

    def __init__(self, rule: XmlRule) -> None:
        root = re.escape(names_of(rule.record)[0])
        # Compiled ones are kept by the library, with what they have learnt of documents.
        self._sound = re2.compile(rf"{AROUND}<{root}{INSIDE}>{CONTENT}</{root}{SPACE}*>{AROUND}")
        texts, others = ("|".join(map(re.escape, names)) or NO_NAME for names in elements_read(rule))
        empty = rf"<(?:{texts})(?:{SPACE}[^<>]*)?(?:/>|><)"
        # No expression that knows which elements it has seen: there are too many combinations of them.
        self._repeating = re2.compile("|".join((empty, *_repeated_initials())))
        self._others = re.compile(rf"<({others})[\s/>]".encode())

    def is_sound(self, data: bytes) -> bool:
        """Whether a document is well-formed and plain, if its tags match and no attribute is twice in one of them."""
        return self._sound.fullmatch(data) is not None

    def may_repeat(self, data: bytes) -> bool:
        """Whether an attribute, or an element that is read, may be twice in a sound document where that matters.

        It matters with elements whose text is read only if there is one without.
        """
        names = self._others.findall(data)
        return len(set(names)) < len(names) or self._repeating.search(data) is not None


def has_attribute_twice(sound: bytes) -> bool:
    """Whether an attribute may be twice in a tag of a sound document, looked at more closely."""
    keys = (ITS_KEYS.findall(tag) for tag in TAG.findall(sound))
    return any(len(set(names)) < len(names) for names in keys)


def elements_read(rule: XmlRule) -> tuple[list[str], list[str]]:
    """Names of elements whose text is read wherever anything of them is, and of the others that attributes are read of."""
    sources = [(place, source) for place, one in enumerate(rule.family) for source in one.sources.values()]
    ways = {(place, source.names) for place, source in sources if source.names}
    of_texts = {(place, source.names) for place, source in sources if source.attribute is None}
    others = {names[-1] for _, names in ways - of_texts}
    return sorted({names[-1] for _, names in ways} - others), sorted(others)


def _repeated_initials() -> Iterator[str]:
    """Tags with two attributes that begin with the same letter."""
    for initial in INITIALS:
        key = rf"""{SPACE}{initial}{NAME_REST}=["']"""
        yield f"<[^<>!/][^<>]*{key}[^<>]*{key}"
