"""How a contender is driven: it is told on stdin what to do and answers on stdout, a JSON object a line.

Whoever drives it takes the time from the order to the answer. The contender's own start, and what it does before the
first order, is outside.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol


class Contender(Protocol):
    """Takes in waves of zips. `table` is where their rows go: one for the warm-up, one for what is measured."""

    def prepare(self, drop: str, table: str) -> None:
        """Puts the zips of the folder `drop` where the contender expects them; not timed."""

    def run(self, drop: str, table: str) -> None:
        """Takes them in; timed, from the first look at the waiting zips until every row can be read."""

    def check(self, table: str, truth: str) -> dict[str, Any]:
        """What the table holds, or how that differs from the folder `truth`; not timed."""


def serve(open_contender: Callable[[dict[str, Any]], AbstractContextManager[Contender]]) -> None:
    """Runs the contender of this process until stdin ends; its settings are in the JSON file that is the argument."""
    settings = json.loads(Path(sys.argv[1]).read_text())
    # Answers have stdout for themselves: what libraries print there goes to stderr.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with open_contender(settings) as contender:
        for answer in _answers(contender):
            print(json.dumps(answer), file=answers, flush=True)


def _answers(contender: Contender) -> Iterator[dict[str, Any]]:
    yield {"ready": os.getpid()}
    for line in sys.stdin:
        order = json.loads(line)
        yield {"done": getattr(contender, order.pop("do"))(**order)}
