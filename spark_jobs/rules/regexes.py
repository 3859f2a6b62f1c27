"""Regular expressions that come from rules: they must compile, and must not take for ever on an unlucky text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MOST_CHARACTERS = 500
MOST_WIDE = 4  # each `.*` multiplies the work by the length of the text

_PIECE = re.compile(
    r"""(?P<wide>\.|\\[wWSD]|\[\^\]?(?:\\.|[^\]\\])*\])
      | (?P<plain>\\.|\[\]?(?:\\.|[^\]\\])*\])
      | (?P<open>\((?:\?(?:P?<[A-Za-z_]\w*>|P[=]\w+|<?[=!:]|[aimsux-]+:?))?)
      | (?P<close>\))
      | (?P<quantifier>(?:[*+?]|\{\d*,?\d*\})[?+]?)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


def check_regex(pattern: str, refused: tuple[str, str] = ("", "")) -> list[str]:
    """What is wrong with a pattern; `refused` names a piece that must not occur, and why."""
    if not pattern or len(pattern) > MOST_CHARACTERS:
        return [f"it must have 1 to {MOST_CHARACTERS} characters"]
    if refused[0] and refused[0] in pattern:
        return [refused[1]]
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return [f"it is no regular expression: {error}"]
    return _Scan().run(pattern)


@dataclass
class _Scan:
    """Walks over the pieces of a pattern; `groups` says of each open group if its text can match in several ways."""

    groups: list[bool] = field(default_factory=lambda: [False])
    after_group: bool = False
    after_wide: bool = False
    wide: int = 0

    def run(self, pattern: str) -> list[str]:
        for piece in _PIECE.finditer(pattern):
            if piece.lastgroup == "quantifier" and self._quantify(piece.group()):
                return [f"a repetition within a repetition, at {piece.start() + 1}, can take for ever: spell one out"]
            self._step(str(piece.lastgroup), piece.group())
        return [f"more than {MOST_WIDE} wide repetitions such as .* take too long"] if self.wide > MOST_WIDE else []

    def _quantify(self, quantifier: str) -> bool:
        """Note a quantifier; True if it repeats a group that can itself match in several ways."""
        fewest, most = _bounds(quantifier)
        dangerous = self.after_group and (most is None or most > 1)
        self.wide += self.after_wide and most is None
        if fewest != most:
            self.groups[-1] = True
        return dangerous

    def _step(self, kind: str, text: str) -> None:
        self.after_group = kind == "close" and self.groups[-1]
        self.after_wide = kind == "wide"
        if kind == "open":
            self.groups.append(False)
        elif kind == "close" and len(self.groups) > 1:
            several = self.groups.pop()
            self.groups[-1] |= several
        elif text == "|":
            self.groups[-1] = True


def _bounds(quantifier: str) -> tuple[int, int | None]:
    simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
    if quantifier[0] in simple:
        return simple[quantifier[0]]
    low, comma, high = quantifier.strip("?+")[1:-1].partition(",")
    fewest = int(low or 0)
    return fewest, int(high) if high else None if comma else fewest
