"""What the `type` and `format` of a column allow: patterns of instants, tokens of booleans, defaults."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

from spark_jobs.rules.model import DECIMAL, SCALAR_TYPES, Column

# what a directive reads, and the directive it makes no sense without
DIRECTIVES = {
    "%Y": (r"(?P<Y>\d{4})", None),
    "%m": (r"(?P<m>\d{2})", "%Y"),
    "%d": (r"(?P<d>\d{2})", "%m"),
    "%H": (r"(?P<H>\d{2})", "%d"),
    "%M": (r"(?P<M>\d{2})", "%H"),
    "%S": (r"(?P<S>\d{2})", "%M"),
    "%f": (r"(?P<f>\d{1,6})", "%S"),
    "%z": (r"(?:Z|[+-]\d{2}:?\d{2})", "%H"),
}
DAY = ("%Y", "%m", "%d")
ISO_DATE = "%Y-%m-%d"
ISO_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:?\d{2})?")
BITS = {"int": 31, "long": 63}
_PIECE = re.compile(r"%.|%$|[^%]", re.DOTALL)


def check_type(name: str) -> list[str]:
    """What is wrong with the name of a type."""
    if name in SCALAR_TYPES:
        return []
    match = DECIMAL.fullmatch(name)
    if match is None:
        return [f"the type {name} is not known: write {', '.join(SCALAR_TYPES)} or decimal(p,s)"]
    precision, scale = int(match[1]), int(match[2])
    fits = 1 <= precision <= 38 and scale <= precision
    return [] if fits else [f"{name} is no type: a decimal has 1 to 38 digits in all, and no more after the point"]


def check_pattern(pattern: str) -> list[str]:
    """What is wrong with a pattern of a date or timestamp."""
    pieces = _PIECE.findall(pattern)
    directives = [piece for piece in pieces if piece[0] == "%"]
    unknown = [piece for piece in directives if piece not in DIRECTIVES]
    if unknown:
        return [f"the pattern {pattern} has {unknown[0]}: known are {' '.join(DIRECTIVES)} and literals"]
    found = [f"the pattern {pattern} has {piece} twice" for piece in DIRECTIVES if directives.count(piece) > 1]
    lacks = {*DAY, *(DIRECTIVES[piece][1] for piece in directives)} - {*directives, None}
    found += [f"the pattern {pattern} lacks {piece}" for piece in sorted(map(str, lacks))]
    for piece, following in zip(pieces, [*pieces[1:], ""], strict=True):
        if piece == "%f" and (following.isdigit() or following in {*DIRECTIVES} - {"%z"}):
            found.append(f"the pattern {pattern} is ambiguous: %f reads 1 to 6 digits, and digits follow it")
    return found


def check_tokens(tokens: str) -> list[str]:
    """What is wrong with the tokens of a boolean, such as `Y,1/N,0`."""
    sides = tokens.lower().split("/")
    if len(sides) != 2 or not all(token.strip() for side in sides for token in side.split(",")):
        return [f"the format {tokens} is not of the form true tokens/false tokens, such as Y,1/N,0"]
    both = set(sides[0].split(",")) & set(sides[1].split(","))
    return [f"the token {token} of the format {tokens} means both true and false" for token in sorted(both)]


def check_default(column: Column) -> list[str]:
    """Whether the default is text that the column's type and format read as a value."""
    if column.default is None or _is_value(column.default, column):
        return []
    written = f" written as {column.format}" if column.format else ""
    return [f"the default {column.default!r} is no {column.type}{written}"]


def _is_value(text: str, column: Column) -> bool:
    if column.type == "string":
        return text != ""
    if column.type in BITS:
        bound = 1 << BITS[column.type]
        return bool(re.fullmatch(r"[+-]?\d{1,20}", text)) and -bound <= int(text) < bound
    if column.type == "double":
        return bool(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text))
    if column.type == "boolean":
        return text.lower() in re.split("[,/]", (column.format or "true/false").lower())
    return _is_instant(text, column) if column.type in ("date", "timestamp") else _is_decimal(text, column.type)


def _is_decimal(text: str, name: str) -> bool:
    match = DECIMAL.fullmatch(name)
    if match is None or not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text):
        return False
    scaled = Decimal(text).scaleb(int(match[2]))
    return scaled == scaled.to_integral_value() and abs(scaled) < 10 ** int(match[1])


def _is_instant(text: str, column: Column) -> bool:
    if column.format is None and column.type == "timestamp":
        return bool(ISO_TIMESTAMP.fullmatch(text)) and _exists(text[:19], "%Y-%m-%dT%H:%M:%S")
    pattern = column.format or ISO_DATE
    regex = "".join(DIRECTIVES[p][0] if p in DIRECTIVES else re.escape(p) for p in _PIECE.findall(pattern))
    match = re.fullmatch(regex, text)
    if match is None:
        return False
    parts = {name: value for name, value in match.groupdict().items() if name != "f"}
    return _exists(" ".join(parts.values()), " ".join(f"%{name}" for name in parts))


def _exists(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text, pattern)
    except ValueError:
        return False
    return True
