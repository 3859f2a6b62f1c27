"""What a delivery tells: a document or a line, and the row that it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Told:
    """Bytes of a document or line, its source time in microseconds, and the values of its row in the target's order.

    `rule` refuses the row, or, where the bytes are `malformed`, the member.
    """

    data: bytes
    source: int
    values: tuple
    rule: str | None = None
    malformed: bool = False
