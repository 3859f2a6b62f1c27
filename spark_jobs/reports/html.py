"""An edition as one HTML page that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from spark_jobs.reports.charts import Drawing
from spark_jobs.reports.edition import Edition
from spark_jobs.reports.wording import cut_note, freshness, show, shown_rows

# Every value is escaped but the drawings, which matplotlib writes.
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def as_html(edition: Edition, drawings: Sequence[Drawing]) -> bytes:
    """The page."""
    totals = edition.totals
    return (
        _ENVIRONMENT.get_template("page.html.j2")
        .render(
            edition=edition,
            drawings=drawings,
            rows=shown_rows(edition),
            totals=[show(value) if value is not None else "" for value in totals] if totals else None,
            cut_note=cut_note(edition),
            freshness=freshness,
        )
        .encode()
    )
