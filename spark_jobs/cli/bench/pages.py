"""The page of figures beside docs/reference/benchmarks.md, written from the kept results alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from spark_jobs.cli.bench.figures import WAVES, unit_of

Kept = Mapping[str, Any]
HEAD = """# Figures

Written by `lake bench plot` from the results that `lake bench refresh` kept; [benchmarks.md](../benchmarks.md) says what they mean.
"""
# What a machine needs and a person does not.
LONG = ("backlog", "differences", "machine")


def figures_page(kept: Mapping[str, Kept], plots: Mapping[str, Sequence[str]]) -> str:
    """The whole page, a section a benchmark."""
    return "\n".join([HEAD, *(line for name, one in kept.items() for line in _section(name, one, plots.get(name, ())))])


def _section(name: str, kept: Kept, plots: Iterable[str]) -> Iterator[str]:
    machine = kept["machine"]
    yield f"## {name}"
    yield (
        f"`{kept['command']}` on {machine['date']}, commit {kept['commit']}: {machine['cores']} cores,"
        f" {machine['memory_gb']} GB, {machine['system']}; load average {machine['load_before']} before it began."
    )
    yield ""
    result = kept["result"]
    if name in {"ingest", "text"}:
        for format_, one in result.get("formats", {"xml": result}).items():
            yield from _contenders(format_, one)
    else:
        yield from _table(("figure", "value"), _scalars(result))
    yield from (f"![{plot}]({plot})\n" for plot in plots)


def _contenders(format_: str, result: Kept) -> Iterator[str]:
    unit = unit_of(format_)
    waves = {wave["wave"]: wave for wave in result["waves"]}
    sizes = ", ".join(f"{waves[name]['files']:,} files, {waves[name]['inflated_mb']} MB, {name}" for name in WAVES)
    yield f"**{format_}**, {unit} a second, median (least to most); {sizes}\n"
    header = (
        "contender",
        *WAVES,
        "MB/s inflated, warm",
        "MB/s packed, warm",
        "core-seconds, warm",
        "peak MB",
        "a is faster by",
        "a takes less CPU by",
    )
    yield from _table(header, (_contender(key, one, result, unit) for key, one in result["contenders"].items()))


def _contender(key: str, one: Kept, result: Kept, unit: str) -> Iterator[object]:
    yield f"{key}: {one['name']}"
    for wave in WAVES:
        speed = one[wave][f"{unit}_per_s"]
        yield f"{speed['median']:,} ({speed['min']:,} to {speed['max']:,})"
    warm = one["warm"]
    yield from (warm["inflated_mb_per_s"], warm["packed_mb_per_s"], warm["cpu_seconds"], f"{one['peak_mb']:,}")
    ratio = f"ratio_a_{key}"
    if ratio in result:
        yield f"{result[ratio]} ({result['spread'][ratio]['min']} to {result['spread'][ratio]['max']})"
        yield result["cpu"][ratio]
    else:
        yield from ("", "")


def _scalars(result: Kept, before: str = "") -> Iterator[tuple[str, object]]:
    for name, value in result.items():
        if name in LONG:
            continue
        if isinstance(value, Mapping):
            yield from _scalars(value, f"{before}{name}.")
        else:
            yield f"`{before}{name}`", f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value


def _table(header: Sequence[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield "|---" * len(header) + "|"
    yield from (f"| {' | '.join(map(str, row))} |" for row in rows)
    yield ""
