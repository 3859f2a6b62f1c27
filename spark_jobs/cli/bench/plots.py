"""The plots of docs/reference/benchmarks.md, each from the result of a benchmark as `lake bench refresh` keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from spark_jobs.cli.bench.drawing import Bar, draw_bars, draw_lines

Result = Mapping[str, Any]
FORMATS = {"csv": "CSV", "delimited": "delimited by pipes", "fixed": "fixed width"}


def plots_of(name: str, result: Result) -> dict[str, str]:
    """File name and SVG text of each plot of the benchmark `name`."""
    return dict(PLOTS[name](result)) if name in PLOTS else {}


def _ingest(result: Result) -> Iterator[tuple[str, str]]:
    groups = {
        f"{key}: {one['name']}": [_bar(wave, one[wave]["files_per_s"]) for wave in ("cold", "warm")]
        for key, one in result["contenders"].items()
    }
    yield "ingest.svg", draw_bars("Zips of XML documents to rows", "files a second", groups)
    yield "ingest-memory.svg", draw_bars("Peak memory of all processes", "MB", _memory(result["contenders"]))


def _text(result: Result) -> Iterator[tuple[str, str]]:
    """Both waves together: their rows by the median seconds of each."""
    groups = {}
    for name, one in result["formats"].items():
        rows = sum(wave["rows"] for wave in one["waves"])
        for contender in one["contenders"].values():
            seconds = [
                sum(contender[wave]["seconds"][which] for wave in ("cold", "warm"))
                for which in ("median", "max", "min")
            ]
            bar = Bar("", *(rows / one for one in seconds))
            groups[f"{FORMATS[name]}: {contender['name'].split(',')[0]}"] = [bar]
    yield "text.svg", draw_bars("Text files to rows", "rows a second", groups)


def _memory(contenders: Result) -> dict[str, list[Bar]]:
    return {
        f"{key}: {one['name']}": [Bar("", one["peak_mb"], one["peak_mb"], one["peak_mb"])]
        for key, one in contenders.items()
    }


def _latency(result: Result) -> Iterator[tuple[str, str]]:
    phases = {"alone": "", **({"beside two bad feeds": "disturbed_"} if "disturbed_p50_s" in result else {})}
    groups = {
        f"{share} % of zips within": [_single(phase, result[f"{prefix}p{share}_s"]) for phase, prefix in phases.items()]
        for share in (50, 95, 99)
    }
    yield "latency.svg", draw_bars("From landing to SQL, a peak hour's load on 100 feeds", "seconds", groups)
    for phase, series in result.get("backlog", {}).items():
        if series and phase != "warm":
            lines = {
                "landed, not yet claimed": [(at / 60, landed) for at, landed, _ in series],
                "claimed": [(at / 60, claimed) for at, _, claimed in series],
            }
            yield f"latency-backlog-{phase}.svg", draw_lines(f"Zips in waiting ({phase})", "minutes", "zips", lines)


def _growth(result: Result) -> Iterator[tuple[str, str]]:
    groups = {
        f"{int(rows):,} rows": [_single("seconds", cost["s"]), _single("core-seconds", cost["core_s"])]
        for rows, cost in result["upsert"].items()
    }
    title = f"An upsert of {result['batch_rows']:,} rows into tables of several sizes"
    yield "growth.svg", draw_bars(title, "seconds", groups)


def _bar(series: str, values: Result) -> Bar:
    return Bar(series, values["median"], values["min"], values["max"])


def _single(series: str, value: float) -> Bar:
    return Bar(series, value, value, value)


PLOTS: dict[str, Callable[[Result], Iterator[tuple[str, str]]]] = {
    "ingest": _ingest,
    "text": _text,
    "latency": _latency,
    "growth": _growth,
}
