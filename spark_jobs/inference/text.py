"""How the text of members is laid out: encoding, delimiter, quotes, header, or the positions of fixed-width columns."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spark_jobs.inference.names import safe
from spark_jobs.rules.model import Column, Member

DELIMITERS = ",;|\t^~"
QUOTING = (('"', None), ('"', "\\"), (None, None))
RECORDS = 300  # looked at in each member
START = 1 << 18  # characters looked at in each member
EVEN = 0.9  # share of records that must have the usual number of fields, or of lines the usual length
FEWEST_LINES, SHORTEST_LINE = 3, 8
TITLE = re.compile(r"[A-Za-z_#%][\w .()/%#:-]{0,62}")
SAME_HEADER = 0.5  # share of names that two headers have in common to be one layout
BLANK_BEFORE, FILLED_AT = 0.5, 0.1


@dataclass(frozen=True)
class TextLayout:
    """How text is to be read: a member rule without names, and its columns; None for `header` where there is none."""

    rule: Member
    header: tuple[str, ...] | None
    doubts: tuple[str, ...] = ()


def decode(data: bytes) -> tuple[str, str]:
    """The text of the start of a member, and its encoding."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").removeprefix("\ufeff"), "utf-16"
    try:
        return data.decode("utf-8").removeprefix("\ufeff"), "utf-8"
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 4:  # cut in the middle of a character
            return data[: error.start].decode("utf-8").removeprefix("\ufeff"), "utf-8"
        return data.decode("cp1252", "replace"), "cp1252"


def text_layout(texts: Sequence[str], is_csv: bool) -> TextLayout | None:
    """The layout that texts of one kind share, None if none can be seen."""
    starts = [text[:START] for text in texts if text.strip()]
    best = max(_dialects(starts), key=lambda found: found[0], default=None)
    if best is None:
        return _fixed(starts)
    (_, _, _), delimiter, quote, escape, fields = best
    members = [list(_records(text, delimiter, quote, escape)) for text in starts]
    header = _header(members, fields)
    titles = header or tuple(f"#{number}" for number in range(1, fields + 1))
    rule = Member(
        "text",
        format="csv" if is_csv else "delimited",
        header=header is not None,
        delimiter=delimiter,
        quote=quote,
        escape=escape,
        columns=_columns(titles),
    )
    doubts = () if header else ("no header was seen: give the columns their names",)
    return TextLayout(rule, header, doubts)


def _columns(titles: Sequence[str]) -> tuple[Column, ...]:
    columns: list[Column] = []
    for title in titles:
        name = f"column_{title[1:]}" if re.fullmatch(r"#\d+", title) else title
        columns.append(Column(safe(name, [column.name for column in columns]), source=title))
    return tuple(columns)


def _dialects(texts: Sequence[str]) -> Iterator[tuple[tuple[float, int, int], str, str | None, str | None, int]]:
    """Ways to split the texts into as many fields everywhere, each with how good it is."""
    for delimiter in DELIMITERS:
        for place, (quote, escape) in enumerate(QUOTING):
            counts = [Counter(map(len, _records(text, delimiter, quote, escape))) for text in texts]
            usual = [count.most_common(1)[0][1] for count in counts if count]
            if not usual:
                continue
            together = sum(counts, Counter[int]())
            fields = together.most_common(1)[0][0]
            # Deliveries may lack a column or have one more; within one of them records are alike.
            share = sum(usual) / together.total()
            if fields > 1 and share >= EVEN:
                yield (round(share, 4), fields, -place), delimiter, quote, escape, fields


def _records(text: str, delimiter: str, quote: str | None, escape: str | None) -> Iterator[list[str]]:
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=quote,
        escapechar=escape,
        quoting=csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL,
    )
    try:
        for number, record in enumerate(reader):
            if number > RECORDS:
                return
            if record:
                yield record
    except csv.Error:
        return


def _header(members: Sequence[list[list[str]]], fields: int) -> tuple[str, ...] | None:
    """The names in the first records, if there is more to say so than that they look like names: they could be data."""
    firsts = [tuple(cell.strip() for cell in records[0]) for records in members if records]
    titles = Counter(first for first in firsts if _is_titles(first))
    if not titles:
        return None
    title, count = titles.most_common(1)[0]
    bodies = [record for records in members for record in records[1:] if len(record) == len(title)]
    differs = any(_mostly_digits(bodies, place) for place in range(len(title)))
    if any(record[place].strip() == name for record in bodies for place, name in enumerate(title)):
        return None
    if not (differs or count > 1) or len(title) < fields / 2:
        return None
    names = dict.fromkeys(title)
    for other in titles:  # deliveries may lack some columns, or have more
        if len(set(other) & set(title)) >= SAME_HEADER * len(title) and titles[other] > 1:
            names.update(dict.fromkeys(other))
    return tuple(names)


def _is_titles(cells: tuple[str, ...]) -> bool:
    return len(set(cells)) == len(cells) and all(TITLE.fullmatch(cell) for cell in cells)


def _mostly_digits(records: Sequence[list[str]], place: int) -> bool:
    values = [record[place] for record in records if record[place].strip()]
    return bool(values) and sum(any(c.isdigit() for c in value) for value in values) > len(values) / 2


def _fixed(texts: Sequence[str]) -> TextLayout | None:
    """Lines of one length, parted where blanks end and text begins."""
    lines = [line for text in texts for line in text[: text.rfind("\n") + 1].splitlines()[:RECORDS] if line.strip()]
    lengths = Counter(map(len, lines))
    if len(lines) < FEWEST_LINES:
        return None
    length, count = lengths.most_common(1)[0]
    if length < SHORTEST_LINE or count < EVEN * len(lines):
        return None
    even = [line for line in lines if len(line) == length]
    blank = [sum(line[place] == " " for line in even) / len(even) for place in range(length)]
    starts = [0, *(p for p in range(1, length) if blank[p - 1] >= BLANK_BEFORE and blank[p] <= FILLED_AT)]
    spans = [(start + 1, end) for start, end in zip(starts, [*starts[1:], length], strict=True)]
    columns = tuple(Column(f"column_{n}", source=f"{a}-{b}") for n, (a, b) in enumerate(spans, 1))
    doubts = (
        "columns are parted where blanks end: part those that touch by the sender's description, and give them names",
    )
    return TextLayout(Member("text", format="fixed", columns=columns), None, doubts)
