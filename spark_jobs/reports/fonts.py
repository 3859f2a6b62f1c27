"""The fonts of charts and PDF: DejaVu Sans, which comes with matplotlib, so that paper looks the same on every machine."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import matplotlib as mpl
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD = "DejaVuSans", "DejaVuSans-Bold"
UNKNOWN = "\ufffd"


@cache
def register() -> None:
    """Makes the fonts known to the PDF writer."""
    for name in (REGULAR, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(_folder() / f"{name}.ttf")))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)


def drawable(text: str) -> str:
    """The text with a mark for each character that the font lacks; pages and sheets show it as it is."""
    known = _characters()
    return "".join(letter if ord(letter) in known else UNKNOWN for letter in text)


@cache
def _characters() -> frozenset[int]:
    return frozenset(mpl.ft2font.FT2Font(str(_folder() / f"{REGULAR}.ttf")).get_charmap())


def _folder() -> Path:
    return Path(mpl.get_data_path()) / "fonts" / "ttf"
