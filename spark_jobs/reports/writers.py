"""What writes an edition, by the kind of file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from spark_jobs.reports.charts import Drawing, draw_all
from spark_jobs.reports.edition import Edition
from spark_jobs.reports.html import as_html
from spark_jobs.reports.pdf import as_pdf
from spark_jobs.reports.sheets import as_csv, as_xlsx

__all__ = ["WRITERS", "draw_all"]

WRITERS: dict[str, Callable[[Edition, Sequence[Drawing]], bytes]] = {
    "csv": lambda edition, _: as_csv(edition),
    "xlsx": as_xlsx,
    "html": as_html,
    "pdf": as_pdf,
}
