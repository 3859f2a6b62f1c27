"""Charts of an edition, drawn by matplotlib without any state of its own: as SVG for pages, as PNG for paper and sheets."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from spark_jobs.reports.edition import Edition, Value
from spark_jobs.reports.fonts import drawable
from spark_jobs.reports.wording import show
from spark_jobs.rules.charts import Chart, parse_chart

COLOURS = ("#1b6b72", "#8fc1b5", "#c9743a", "#7a6a9b")
INK, FAINT = "#1d2a30", "#d5dcdf"
MOST_BARS, MOST_GROUPS = 24, 12  # labels with one bar each, and with a bar for each column
MOST_TICKS = 11
WIDTH = 8.6  # inches
# The same drawing gives the same bytes, and no text is taken for a formula.
SETTINGS: Any = {
    "svg.hashsalt": "carelake",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "path.simplify": False,
}
PNG_DPI = 200


@dataclass(frozen=True)
class Drawing:
    """A chart that was drawn: what it shows in words, as SVG and as PNG, whose size is in inches."""

    title: str
    svg: str
    png: bytes
    width: float
    height: float


def draw_all(edition: Edition) -> list[Drawing]:
    """The charts that the report asks for, but those that would be empty."""
    drawings = (draw(edition, parse_chart(text)) for text in edition.report.charts)
    return [drawing for drawing in drawings if drawing]


def draw(edition: Edition, chart: Chart) -> Drawing | None:
    """One chart; values of rows with the same label are summed up. None if there is nothing but zeros."""
    labels, series = summed(edition, chart)
    if not any(map(any, series)):
        return None
    headings = {column.name: column.heading for column in edition.columns}
    names = [headings[name] for name in chart.values]
    title = f"{_listed(names)} by {headings[chart.by][:1].lower()}{headings[chart.by][1:]}"
    if chart.kind != "lines":
        labels, series, left_out = _largest(labels, series, MOST_GROUPS if _is_grouped(chart) else MOST_BARS)
        if left_out:
            title += f": the {len(labels)} largest, {left_out:,} more are in the table"
    with mpl.rc_context(SETTINGS):
        figure = _lines(labels, series, names) if chart.kind == "lines" else _bars(labels, series, names, chart.kind)
        width, height = figure.get_size_inches()
        return Drawing(title, _svg(figure), _png(figure), width, height)


def _is_grouped(chart: Chart) -> bool:
    return chart.kind == "bars" and len(chart.values) > 1


def _largest(labels: list[Value], series: list[list[float]], most: int) -> tuple[list[Value], list[list[float]], int]:
    """The first labels that have something to show, and how many more of those there are."""
    places = [n for n in range(len(labels)) if any(values[n] for values in series)]
    kept = places[:most]
    return [labels[n] for n in kept], [[values[n] for n in kept] for values in series], len(places) - len(kept)


def summed(edition: Edition, chart: Chart) -> tuple[list[Value], list[list[float]]]:
    """The labels and, for each of the chart's columns, the sum for each label; days in order, other labels the largest first."""
    by = edition.values(chart.by)
    columns = [edition.values(name) for name in chart.values]
    sums: dict[Value, list[float]] = {}
    for place, label in enumerate(by):
        into = sums.setdefault(label, [0.0] * len(columns))
        for number, column in enumerate(columns):
            into[number] += float(column[place] or 0)  # type: ignore[arg-type]
    if chart.kind == "lines":
        labels = sorted(sums, key=lambda label: (label is None, label))
    else:
        labels = sorted(sums, key=lambda label: (-sum(sums[label]), show(label)))
    return labels, [[sums[label][number] for label in labels] for number in range(len(columns))]


def _listed(names: Sequence[str]) -> str:
    lower = [names[0], *(f"{name[:1].lower()}{name[1:]}" for name in names[1:])]
    return lower[0] if len(lower) == 1 else f"{', '.join(lower[:-1])} and {lower[-1]}"


def _axes(height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.add_subplot()
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, colors=INK)
    return figure, axes


def _finish(figure: Figure, axes: Any, names: Sequence[str]) -> Figure:
    if len(names) > 1:
        figure.legend(loc="outside upper left", ncols=len(names), frameon=False, labelcolor=INK, handlelength=1.2)
    return figure


def _bars(labels: Sequence[Value], series: Sequence[Sequence[float]], names: Sequence[str], kind: str) -> Figure:
    thickness = 0.24 if kind == "stack" or len(series) == 1 else 0.16 * len(series)
    figure, axes = _axes((0.75 if len(series) > 1 else 0.4) + len(labels) * (thickness + 0.12))
    places = range(len(labels))
    share = 0.7 if kind == "stack" else 0.8 / len(series)
    base = [0.0] * len(labels)
    for number, (values, name) in enumerate(zip(series, names, strict=True)):
        shift = 0 if kind == "stack" else (number - (len(series) - 1) / 2) * share
        at = [place + shift for place in places]
        axes.barh(at, values, share, left=base if kind == "stack" else 0, color=COLOURS[number], label=name)
        if kind == "stack":
            base = [low + value for low, value in zip(base, values, strict=True)]
        else:
            _mark(axes, at, values)
    if kind == "stack":
        _mark(axes, places, base)
    axes.set_yticks([*places], [drawable(show(label)) for label in labels])
    axes.invert_yaxis()
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.grid(axis="x", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.margins(x=0.09, y=0.02)
    axes.set_xlim(left=0)
    return _finish(figure, axes, names)


def _mark(axes: Any, places: Sequence[float], values: Sequence[float]) -> None:
    """Writes each value at the end of its bar."""
    for place, value in zip(places, values, strict=True):
        text = f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
        axes.annotate(text, (value, place), (4, 0), textcoords="offset points", va="center", fontsize=8, color=INK)


def _lines(labels: Sequence[Value], series: Sequence[Sequence[float]], names: Sequence[str]) -> Figure:
    figure, axes = _axes(2.9)
    # Days and moments stand as far apart as they are, other labels side by side.
    at: list[Any] = [*labels] if all(isinstance(label, date) for label in labels) else [*range(len(labels))]
    for number, (values, name) in enumerate(zip(series, names, strict=True)):
        axes.plot(at, values, color=COLOURS[(0, 2, 3, 1)[number]], label=name, linewidth=1.8, marker="o", markersize=3)
    axes.set_ylim(bottom=min(0.0, *(min(values) for values in series)))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    every = -(-len(labels) // MOST_TICKS)
    told = range((len(labels) - 1) % every, len(labels), every)  # the last one among them
    axes.set_xticks([at[n] for n in told], [_tick(labels[n]) for n in told])
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.margins(x=0.02)
    return _finish(figure, axes, names)


def _tick(label: Value) -> str:
    return f"{label.day} {label:%b}" if isinstance(label, date) else drawable(show(label))


def _svg(figure: Figure) -> str:
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=PNG_DPI, metadata={"Software": None})
    return stream.getvalue()
