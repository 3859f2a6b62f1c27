"""The type of a column from its texts, by the very code that reads them later."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from spark_jobs.formats import raw_schema, type_columns
from spark_jobs.rules.model import Column

# Texts that mean "nothing" everywhere; these alone may stand in a proposal.
NULL_TOKENS = ("-", "--", "?", ".", "NULL", "null", "Null", "N/A", "n/a", "NA", "None", "none", "NaN", "nan", "unknown",
               "UNKNOWN", "Unknown", "UNK", "*")  # fmt: skip
BOOLEANS = ("true/false", "Y/N", "yes/no", "Y,1/N,0", "T/F")
DATES = ("%Y-%m-%d", "%Y%m%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%m-%d-%Y", "%d-%m-%Y", "%Y/%m/%d")
TIMES = ("%H:%M:%S", "%H:%M:%S.%f", "%H:%M:%S%z", "%H:%M:%S.%f%z", "%H:%M")
TIMESTAMPS = (
    *(f"{day}{gap}{time}" for day in DATES if day != "%Y%m%d" for gap in "T " for time in TIMES),
    "%Y%m%d%H%M%S",
    "%Y%m%d%H%M",
    "%Y%m%d %H%M%S",
    "%Y%m%d%H%M%S%z",
)
SWAPPED = {"%m/%d/%Y": "%d/%m/%Y", "%m-%d-%Y": "%d-%m-%Y"}
# Digits that are a name of something: arithmetic makes no sense on them, and a zero in front does.
CODE = re.compile(
    r"(^|_)(id|code|npi|mrn|ssn|zip|postal|postcode|phone|fax|account|number|ndc|icd|cpt|loinc|snomed|key)(_|$)|phone"
)
LEADING_ZERO = r"^[+-]?0[0-9]"
EXPONENT = r"^[+-]?[0-9.]+[eE][+-]?[0-9]+$"
AS_MONEY = 0.9  # share of numbers with the same count of digits after the point
POINT = r"^[+-]?[0-9]+(\.[0-9]+)?$"
MOST_MISFITS = 0.02  # of many values; more make the column a text
MANY = 50
DIGITS_OF_A_DATE = 8
YEARS = (1850, 2150)
MOST_DIGITS = 18


@dataclass(frozen=True)
class Guess:
    """What a column seems to be. `rows` were seen, `filled` of them not null, `distinct` values among those.

    `misfits` values are none of the type and would be quarantined. `doubt` is a question for a person.
    """

    type: str
    format: str | None = None
    null_tokens: tuple[str, ...] = ()
    rows: int = 0
    filled: int = 0
    distinct: int = 0
    misfits: int = 0
    longest: int = 0
    doubt: str = ""

    @property
    def never_null(self) -> bool:
        """Whether every row has a value."""
        return self.rows > 0 and self.filled == self.rows

    @property
    def mostly_filled(self) -> bool:
        """Whether so few rows lack a value that those are likely mistakes."""
        return self.rows >= MANY and self.rows - self.filled <= MOST_MISFITS * self.rows


def guess(texts: pa.ChunkedArray | pa.Array, name: str) -> Guess:
    """The type of texts of a column called `name`, which are trimmed, with empty ones as null."""
    rows = len(texts)
    texts = pc.drop_null(texts)
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    filled = len(texts)
    if not filled:
        return Guess("string", rows=rows, doubt="no sample holds a value")
    distinct = pc.unique(texts)
    if isinstance(distinct, pa.ChunkedArray):
        distinct = distinct.combine_chunks()
    tokens = tuple(token for token in NULL_TOKENS if pc.any(pc.equal(distinct, token)).as_py())
    facts = {"rows": rows, "distinct": len(distinct), "longest": pc.max(pc.utf8_length(distinct)).as_py()}
    plain = texts.filter(pc.invert(pc.is_in(texts, value_set=pa.array(tokens, pa.string())))) if tokens else texts
    if not len(plain):
        return Guess("string", filled=filled, doubt="nothing but tokens that may mean null", **facts)
    for kind, form, doubt in _candidates(plain, name):
        misfits = _misfits(plain, kind, form)
        if misfits == 0 or (len(plain) >= MANY and misfits <= MOST_MISFITS * len(plain)):
            return Guess(kind, form, tokens, filled=len(plain), misfits=misfits, doubt=doubt, **facts)
    doubt = f"{', '.join(tokens)} may mean null here" if tokens else ""
    return Guess("string", filled=filled, doubt=doubt, **facts)


def _candidates(texts: pa.Array, name: str) -> Iterator[tuple[str, str | None, str]]:
    """Type, format and doubt, the narrowest first."""
    some = texts.slice(0, 2000)
    for tokens in BOOLEANS:
        if _has_both(some, tokens):
            yield "boolean", None if tokens == "true/false" else tokens, ""
    for pattern in DATES if _has_dates(some) else ():
        if _may_be(some, "date", pattern) and _is_of_our_time(texts, "date", pattern):
            yield "date", None if pattern == "%Y-%m-%d" else pattern, _day_doubt(some, "date", pattern)
    for pattern in TIMESTAMPS if _has_dates(some) else ():
        if _may_be(some, "timestamp", pattern) and _is_of_our_time(texts, "timestamp", pattern):
            zone = "" if "%z" in pattern else "which time zone? UTC if none is said"
            yield "timestamp", pattern, "; ".join(filter(None, (_day_doubt(some, "timestamp", pattern), zone)))
    if pc.any(pc.match_substring_regex(texts, LEADING_ZERO)).as_py() and not _any_point(texts):
        return
    if CODE.search(name) and not _any_point(texts):
        return
    yield "int", None, ""
    yield "long", None, ""
    yield from _with_point(texts)


def _with_point(texts: pa.Array) -> Iterator[tuple[str, str | None, str]]:
    """A decimal where nearly all have as many digits after the point, as money has; else a double, which takes any."""
    numbers = texts.filter(pc.match_substring_regex(texts, POINT))
    if len(numbers) and not pc.any(pc.match_substring_regex(texts, EXPONENT)).as_py():
        scales = pc.value_counts(pc.utf8_length(pc.replace_substring_regex(numbers, r"^[^.]*\.?", "")))
        scale, count = max(((one["values"].as_py(), one["counts"].as_py()) for one in scales), key=lambda pair: pair[1])
        if 0 < scale <= 6 and count >= AS_MONEY * len(texts):
            yield f"decimal({MOST_DIGITS},{scale})", None, "how many digits at most?"
    yield "double", None, ""


def _misfits(texts: pa.Array, kind: str, form: str | None) -> int:
    nulls: int = _typed(texts, kind, form).null_count
    return nulls


def _typed(texts: pa.Array, kind: str, form: str | None) -> pa.ChunkedArray:
    column = (Column("value", kind, source="value", format=form),)
    raw = pa.table(
        {
            "_member_index": pa.repeat(pa.scalar(0, pa.int32()), len(texts)),
            "_member": pa.repeat("", len(texts)),
            "_row": pa.repeat(pa.scalar(0, pa.int64()), len(texts)),
            "_failures": pa.nulls(len(texts), pa.string()),
            "value": texts,
        },
        schema=raw_schema(column),
    )
    return type_columns(raw, column).column("value")


def _has_dates(texts: pa.Array) -> bool:
    """Whether some of the first values have as many digits as a date: spares a look by every pattern."""
    return any(sum(c.isdigit() for c in text) >= DIGITS_OF_A_DATE for text in texts.slice(0, MANY).to_pylist())


def _may_be(texts: pa.Array, kind: str, pattern: str) -> bool:
    """Whether nearly all of some values are of a pattern: spares the look at all of them."""
    return _misfits(texts, kind, pattern) <= MOST_MISFITS * len(texts)


def _is_of_our_time(texts: pa.Array, kind: str, pattern: str) -> bool:
    """Digits are dates only if all of them are of our time: 8 of them may be any number."""
    if not pattern.startswith("%Y%m%d"):
        return True
    years = pc.year(pc.drop_null(_typed(texts, kind, pattern)))
    return bool(pc.min(years).as_py() >= YEARS[0] and pc.max(years).as_py() <= YEARS[1])


def _day_doubt(texts: pa.Array, kind: str, pattern: str) -> str:
    for one, other in SWAPPED.items():
        if pattern.startswith(one) and _misfits(texts, kind, pattern.replace(one, other)) == 0:
            return "month or day first? both fit"
    return ""


def _has_both(texts: pa.Array, tokens: str) -> bool:
    """Whether true and false are both there; one letter alone is no boolean yet."""
    lower = pc.utf8_lower(texts)
    sides = [pa.array(side.lower().split(",")) for side in tokens.split("/")]
    if tokens == BOOLEANS[3] and not pc.any(pc.is_in(lower, value_set=pa.array(["y", "n"]))).as_py():
        return False
    return all(pc.any(pc.is_in(lower, value_set=side)).as_py() for side in sides)


def _any_point(texts: pa.Array) -> bool:
    return bool(pc.any(pc.match_substring(texts, ".")).as_py())
