"""How the records of a delimited text are told apart, and what becomes of those whose quotes are broken.

PyArrow takes a quote as such at the start of a field only, reads text after a closing quote as part of the value, and
lets a quote that is never closed swallow the rest of the text. The latter two merge records without an error. So
broken quotes are found before PyArrow sees them: the record is refused up to the end of the line on which the broken
quote opens, and reading goes on with the next line.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from functools import cached_property

from spark_jobs.errors import RuleError
from spark_jobs.formats.text import LONGEST_RECORD, whole_lines
from spark_jobs.rules.model import Member

LINE_END = re.compile(rb"\r\n|\n|\r")
TRIES = 4  # line ends, from the last one back, that are tried as the end of a record before all of them are looked at


@dataclass(frozen=True)
class Dialect:
    """Delimiter, quote and escape character of a text, each one ASCII character.

    `refused` is the line that stands in for a record with broken quotes: nobody can guess it.
    """

    delimiter: str
    quote: str | None
    escape: str | None
    refused: str = field(default_factory=lambda: f"refused-{secrets.token_hex(16)}")

    @classmethod
    def of(cls, rule: Member) -> Dialect:
        """The dialect that a member rule says. Raises RuleError."""
        for name, text in {"delimiter": rule.delimiter, "quote": rule.quote, "escape": rule.escape}.items():
            if text is not None and (len(text) != 1 or not text.isascii()):
                raise RuleError(f"member {rule.member}", f"its {name} is not one ASCII character")
        return cls(rule.delimiter, rule.quote, rule.escape)

    def cut(self, block: bytes, last: bool) -> tuple[bytes, int]:
        """The whole records at the start of a block, broken ones replaced, and how many bytes of the block they took."""
        if not self.escape and not self._has_quotes(block):
            return whole_lines(block, last)
        if last and self._is_sound(block):
            return block, len(block)
        end = 0 if last else self._likely_end(block)
        return (block[:end], end) if end else self._repaired(block, last)

    def _has_quotes(self, block: bytes) -> bool:
        return self.quote is not None and self.quote.encode() in block

    def _is_sound(self, block: bytes) -> bool:
        """Whether every quoted field is closed, right before a delimiter or the end of its record."""
        return not self._has_quotes(block) or self._quote not in self._quoted.findall(b"\n" + block)

    def _likely_end(self, block: bytes) -> int:
        """Where the last whole record ends, if it is one of the last few line ends and all before it is sound."""
        end = len(block)
        for _ in range(TRIES):
            end = max(block.rfind(b"\n", 0, end), block.rfind(b"\r", 0, end))
            escapes = end - len(block[:end].rstrip(self._escape)) if self.escape else 0
            if end > 0 and escapes % 2 == 0 and self._is_sound(block[: end + 1]):
                return end + 1
        return 0

    def _repaired(self, block: bytes, last: bool) -> tuple[bytes, int]:
        """What `cut` does, where some quote is broken or not closed yet."""
        text = b"\n" + block
        parts: list[bytes] = []
        at = 0  # the line end before the next record
        while True:
            end, broken = self._whole_records(text, at)
            parts.append(text[at + 1 : end + 1])
            at = end
            line_end = LINE_END.search(text, broken) if broken >= 0 else None
            if broken < 0 or not (last or (line_end and self._is_surely_broken(text, at, broken))):
                break
            parts.append(f"{self.refused}\n".encode())
            at = line_end.end() - 1 if line_end else len(text) - 1
        if last:
            parts.append(text[at + 1 :])
            at = len(text) - 1
        return b"".join(parts), at

    def _whole_records(self, text: bytes, at: int) -> tuple[int, int]:
        """The last line end before a broken quote that ends a record, and that quote's place (-1: none is broken)."""
        end = gap = at
        for match in self._quoted.finditer(text, at):
            end = max(end, _last_line_end(text, gap, match.start() + 1))
            if match[1] is not None:
                return end, match.start(1)
            gap = match.end()
        return max(end, _last_line_end(text, gap, len(text))), -1

    def _is_surely_broken(self, text: bytes, record: int, quote: int) -> bool:
        """Whether text follows where the quote closes, or its record is too long for more text to be waited for."""
        return self._closed.match(text, quote) is not None or len(text) - record > LONGEST_RECORD

    @property
    def _quote(self) -> bytes:
        return (self.quote or "").encode()

    @property
    def _escape(self) -> bytes:
        return (self.escape or "").encode()

    @cached_property
    def _closed(self) -> re.Pattern[bytes]:
        """A quoted field, whatever follows it."""
        quote, escape = re.escape(self._quote), re.escape(self._escape)
        pair = quote + quote + (b"|" + escape + b"." if escape else b"")
        plain = b"[^%b%b]*" % (quote, escape)
        return re.compile(b"%b%b(?:(?:%b)%b)*%b(?!%b)" % (quote, plain, pair, plain, quote, quote), re.DOTALL)

    @cached_property
    def _quoted(self) -> re.Pattern[bytes]:
        """Every quoted field with the character before it; group 1 is its quote where it is broken."""
        delimiter, quote = re.escape(self.delimiter.encode()), re.escape(self._quote)
        escaped = re.escape(self._escape) + b".|" if self.escape else b""
        field_ = b"[%b\r\n](?:%b(?=[%b\r\n]|\\Z)|(%b))" % (delimiter, self._closed.pattern, delimiter, quote)
        return re.compile(escaped + (field_ if quote else b"(?!)()"), re.DOTALL)


def _last_line_end(text: bytes, start: int, stop: int) -> int:
    return max(text.rfind(b"\n", start, stop), text.rfind(b"\r", start, stop))
