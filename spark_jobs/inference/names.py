"""Names: of columns and rules from what the data calls them, and the pattern that the names of zips follow."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from spark_jobs.rules.names import RESERVED
from spark_jobs.rules.validate import TAKEN_ENDINGS

LONGEST_NAME = 63
PIECE = re.compile(r"[A-Za-z0-9]+|[^A-Za-z0-9]")
# Dates as one piece of a name: digits, and the pattern they are read by.
STAMPS = ((14, "%Y%m%d%H%M%S"), (12, "%Y%m%d%H%M"), (8, "%Y%m%d"))
DASHED = re.compile(r"\d{4}-\d{2}-\d{2}")
MOSTLY, FEW = 0.75, 4  # share of more than so many names that must be dates: one may be mistyped
SHORT_WORD = 5  # letters; a longer one that is seen once may be somebody's name


@dataclass(frozen=True)
class ZipNames:
    """The pattern that the names of zips follow; `extract_part` is the part that says when they were extracted."""

    pattern: str
    extract_part: str | None = None
    extract_format: str | None = None
    parts: tuple[str, ...] = ()
    is_certain: bool = True  # every name follows the pattern for sure


def zip_names(names: Sequence[str], known: str) -> ZipNames:
    """What names of zips have in common. Of a word seen once it is not told whether it varies, unless it is `known`."""
    protected = [DASHED.sub(lambda match: match[0].replace("-", "\0"), name) for name in names]
    split = [re.findall(r"(?:\d{4}\0\d{2}\0\d{2})|[A-Za-z0-9]+|[^A-Za-z0-9]", name) for name in protected]
    shapes = Counter(_separators(pieces) for pieces in split)
    shape, count = shapes.most_common(1)[0]
    if count < len(names) and count <= MOSTLY * len(names):
        return ZipNames(r".*\.zip", is_certain=False)
    split = [pieces for pieces in split if _separators(pieces) == shape]
    written: list[str] = []
    parts: list[str] = []
    stamp: tuple[str, str] | None = None
    for seen in zip(*split, strict=True):
        pattern = None if stamp else _stamp(seen)
        if pattern:
            stamp = ("extracted", pattern)
            parts.append("extracted")
            written.append(f"(?P<extracted>{_shape(seen)})")
        elif _is_fixed(seen, known):
            written.append(re.escape(seen[0]))
        else:
            parts.append(f"part_{len([part for part in parts if part != 'extracted']) + 1}")
            written.append(f"(?P<{parts[-1]}>{_shape(seen)})")
    part, form = stamp or (None, None)
    return ZipNames("".join(written), part, form, tuple(parts), is_certain=count == len(names))


def snake(text: str) -> str:
    """`PatientID`, `patient id` and `PATIENT_ID` as patient_id."""
    text = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3_\2\4", text)
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:LONGEST_NAME].strip("_")


def safe(name: str, taken: Iterable[str] = (), fallback: str = "column") -> str:
    """A name that rules may use, not one of those taken."""
    name = snake(name) or fallback
    if not name[0].isalpha():
        name = f"{fallback}_{name}"
    if name in RESERVED or name.endswith(TAKEN_ENDINGS):
        name += "_value"
    taken, number, plain = set(taken), 2, name[: LONGEST_NAME - 4]
    while name in taken:
        name, number = f"{plain}_{number}", number + 1
    return name


def _separators(pieces: Sequence[str]) -> tuple[str, ...]:
    """What stands between the words of a name, which tells how many there are."""
    return tuple("" if piece[0].isalnum() else piece for piece in pieces)


def _stamp(seen: Sequence[str]) -> str | None:
    """The pattern by which every one of these pieces is a date of our time."""
    texts = [text.replace("\0", "-") for text in seen]
    for length, pattern in (*STAMPS, (10, "%Y-%m-%d")):
        dates = sum(len(text) == length and _is_date(text, pattern) for text in texts)
        if dates == len(texts) or dates >= MOSTLY * len(texts) > FEW:
            return pattern
    return None


def _is_date(text: str, pattern: str) -> bool:
    try:
        return 1990 <= datetime.strptime(text, pattern).year <= 2100
    except ValueError:
        return False


def _is_fixed(seen: Sequence[str], known: str) -> bool:
    if not seen[0].isalnum():
        return True
    if len(set(seen)) > 1 or any(character.isdigit() for character in seen[0]):
        return False
    # A piece that every one of several zips has is no patient's; of a single zip a long word may be.
    return len(seen) > 1 or len(seen[0]) <= SHORT_WORD or seen[0].lower() in known.lower()


def _shape(seen: Sequence[str]) -> str:
    """The narrowest simple expression for pieces: `[A-Z]{2}\\d{4}`, or what kinds of characters there are."""
    shapes = {_runs(text) for text in seen}
    if len(shapes) == 1:
        return shapes.pop()
    texts = "".join(seen)
    return r"\d+" if texts.isdigit() else "[A-Za-z]+" if texts.isalpha() else "[A-Za-z0-9]+"


def _runs(text: str) -> str:
    kinds = {"0": r"\d", "A": "[A-Z]", "a": "[a-z]", "-": "-"}
    classes = "".join("0" if c.isdigit() else "A" if c.isupper() else "-" if c == "\0" else "a" for c in text)
    runs = [match[0] for match in re.finditer(r"(.)\1*", classes)]
    return "".join(kinds[run[0]] + (f"{{{len(run)}}}" if len(run) > 1 else "") for run in runs)
