"""What a report draws: `bars occupied, available by facility_id`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from spark_jobs.errors import RuleError

KINDS = ("bars", "stack", "lines")
_CHART = re.compile(rf"({'|'.join(KINDS)})\s+(\w+(?:\s*,\s*\w+)*)\s+by\s+(\w+)")
MOST_SERIES = 4  # as many colours can be told apart on paper


@dataclass(frozen=True)
class Chart:
    """The `values` of a report, summed up by its column `by`: as bars, as stacked bars, or as lines over days."""

    kind: str
    values: tuple[str, ...]
    by: str


def parse_chart(text: str) -> Chart:
    """The chart that a rule describes; raises RuleError."""
    match = _CHART.fullmatch(text.strip())
    if match is None:
        hint = f"Write {', '.join(KINDS)} <column>, ... by <column>, such as: bars beds by unit"
        raise RuleError("charts", f"the chart {text!r} is not understood", hint)
    values = tuple(re.split(r"\s*,\s*", match[2]))
    if len(values) > MOST_SERIES:
        raise RuleError(
            "charts", f"the chart {text!r} draws {len(values)} columns, at most {MOST_SERIES} can be told apart"
        )
    return Chart(match[1], values, match[3])
