"""Plots as SVG text: bars with their spread, and lines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP = 900, 330, 90, 76
BAR, GAP = 18, 14
PLOT_HEIGHT = 260
COLOURS = ("#1b6b72", "#8fc1b5", "#c9743a", "#7a6a9b")
INK, FAINT = "#1d2a30", "#d5dcdf"


@dataclass(frozen=True)
class Bar:
    """A value with the least and the most of its repetitions, in the colour of its series."""

    series: str
    value: float
    least: float
    most: float


def draw_bars(title: str, unit: str, groups: Mapping[str, Sequence[Bar]]) -> str:
    """Horizontal bars, a group a label; each series has its colour, explained at the top."""
    series = list(dict.fromkeys(bar.series for bars in groups.values() for bar in bars))
    ticks = _ticks(max(bar.most for bars in groups.values() for bar in bars))
    scale = (WIDTH - LEFT - RIGHT) / ticks[-1]
    parts, y = [], TOP + GAP
    for label, bars in groups.items():
        middle = y + len(bars) * BAR / 2
        parts.append(_text(LEFT - 10, middle + 4, label, anchor="end"))
        for bar in bars:
            parts += _bar(bar, y, scale, COLOURS[series.index(bar.series)])
            y += BAR
        y += GAP
    grid = [_line(LEFT + tick * scale, TOP, LEFT + tick * scale, y) for tick in ticks]
    grid += [_text(LEFT + tick * scale, y + 16, f"{tick:,.10g}", size=11, anchor="middle") for tick in ticks]
    foot = _text(LEFT + (WIDTH - LEFT - RIGHT) / 2, y + 34, unit, size=11, anchor="middle")
    return _svg(y + 46, [*_head(title, series), *grid, *parts, foot])


def draw_lines(title: str, x_unit: str, y_unit: str, series: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """A line a series over one x axis that begins at 0; both axes are linear."""
    points = [point for line in series.values() for point in line]
    across, up = (_ticks(max(point[axis] for point in points)) for axis in (0, 1))
    left, width = 70, WIDTH - 70 - 30
    bottom = TOP + PLOT_HEIGHT

    def place(x: float, y: float) -> tuple[float, float]:
        return left + x / across[-1] * width, bottom - y / up[-1] * PLOT_HEIGHT

    parts = []
    for tick in up:
        parts.append(_line(left, place(0, tick)[1], left + width, place(0, tick)[1]))
        parts.append(_text(left - 8, place(0, tick)[1] + 4, f"{tick:,.10g}", size=11, anchor="end"))
    parts += [_text(place(tick, 0)[0], bottom + 16, f"{tick:,.10g}", size=11, anchor="middle") for tick in across]
    for name, colour in zip(series, COLOURS, strict=False):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in series[name]))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
    parts.append(_text(left + width / 2, bottom + 34, x_unit, size=11, anchor="middle"))
    parts.append(_text(left - 8, TOP - 8, y_unit, size=11, anchor="end"))
    return _svg(bottom + 46, [*_head(title, list(series)), *parts])


def _bar(bar: Bar, y: float, scale: float, colour: str) -> Iterable[str]:
    width, middle = bar.value * scale, y + BAR / 2
    yield f'<rect x="{LEFT}" y="{y + 2}" width="{max(width, 1):.1f}" height="{BAR - 4}" fill="{colour}"/>'
    ends = [LEFT + one * scale for one in (bar.least, bar.most)]
    if ends[1] - ends[0] >= 1:
        yield _line(ends[0], middle, ends[1], middle, INK)
        yield from (_line(end, middle - 4, end, middle + 4, INK) for end in ends)
    yield _text(max(LEFT + width, ends[1]) + 6, middle + 4, _number(bar.value), size=12)


def _head(title: str, series: Sequence[str]) -> Iterable[str]:
    yield _text(16, 26, title, size=16, weight="bold")
    x = 16.0
    for name, colour in zip(series, COLOURS, strict=False):
        if name:
            yield f'<rect x="{x}" y="38" width="12" height="12" fill="{colour}"/>'
            yield _text(x + 18, 48, name, size=12)
            x += 40 + 7.2 * len(name)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _ticks(most: float) -> list[float]:
    """Five steps or so from 0 to a round number that is not below `most`."""
    if most <= 0:
        return [0, 1]
    raw = most / 5
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw)
    return [step * number for number in range(math.ceil(most / step - 1e-9) + 1)]


def _text(x: float, y: float, text: str, size: int = 13, anchor: str = "start", weight: str = "normal") -> str:
    font = f'font-size="{size}" font-weight="{weight}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {font} fill="{INK}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str = FAINT) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="1"/>'


def _svg(height: float, parts: Iterable[str]) -> str:
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}"'
    font = f'height="{height:.0f}" font-family="DejaVu Sans, Helvetica, Arial, sans-serif">'
    ground = f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>'
    return "\n".join([f"{opening} {font}", ground, *parts, "</svg>"]) + "\n"
