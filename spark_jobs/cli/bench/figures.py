"""What the turns of contenders come to: speeds, ratios, and how what they hold differs from the truth."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spark_jobs.cli.bench.contenders import CARELAKE, FLOOR, TEXT, USUAL, Contender, Turn
from spark_jobs.cli.bench.delivered import Delivered
from spark_jobs.cli.bench.measuring import spread

WAVES = ("cold", "warm")
MEGABYTE = 1_000_000
# The brief's day.
DAY_ZIPS, DAY_FILES = 77_000, 15_000_000
COLUMNS = {"xml": 25, "csv": 13, "delimited": 8, "fixed": 10}

Counts = Sequence[Mapping[str, int]]


def unit_of(format_: str) -> str:
    """What is counted: XML files hold a record each, text files many."""
    return "files" if format_ == "xml" else "rows"


def units_of(format_: str, counts: Counts) -> list[int]:
    """So many files or rows of each wave."""
    return [wave["members" if format_ == "xml" else "told"] for wave in counts]


def figures(delivered: Delivered, turns: Mapping[Contender, Sequence[Turn]]) -> dict[str, Any]:
    """What the turns come to, as the command's JSON says it. A ratio is that of the two turns of one round."""
    counts, unit = delivered.measured.counts, unit_of(delivered.format)
    total = sum(units_of(delivered.format, counts))
    cpu = {
        contender.key: statistics.median(sum(turn.cpu_seconds) for turn in some) for contender, some in turns.items()
    }
    speeds = {contender.key: [total / sum(turn.seconds) for turn in some] for contender, some in turns.items()}
    ours = speeds.get(CARELAKE.key, [])
    ratios = {
        f"ratio_a_{key}": [one / other for one, other in zip(ours, others, strict=True)]
        for key, others in speeds.items()
        if ours and key != CARELAKE.key
    }
    return {
        "waves": [_wave(delivered.format, name, wave) for name, wave in zip(WAVES, counts, strict=True)],
        "contenders": {one.key: _of_contender(delivered.format, one, counts, some) for one, some in turns.items()},
        "differences": [
            line for one, some in turns.items() for turn in some for line in differences(one, delivered.format, counts, turn)
        ],
        f"{unit}_per_s": round(statistics.median(ours)) if ours else None,
        **{name: round(statistics.median(values), 3) for name, values in ratios.items()},
        # Less CPU for the same work: this ratio also holds on a machine that is busy with other things.
        "cpu": {f"ratio_a_{key}": round(cpu[key] / cpu[CARELAKE.key], 3) for key in cpu if ours and key != CARELAKE.key},
        "spread": {
            f"{unit}_per_s": _rounded(ours, 0) if ours else None,
            **{name: _rounded(values, 3) for name, values in ratios.items()},
        },
    }  # fmt: skip


def per_day(counts: Counts, turn: Turn) -> dict[str, Any]:
    """The pace of one turn over all its waves, and how long a day of the brief takes at it."""
    files, seconds = sum(wave["members"] for wave in counts), sum(turn.seconds)
    return {
        "files": files,
        "seconds": round(seconds, 1),
        "files_per_s": round(files / seconds),
        "inflated_mb_per_s": round(sum(wave["inflated_bytes"] for wave in counts) / MEGABYTE / seconds, 1),
        "packed_mb_per_s": round(sum(wave["packed_bytes"] for wave in counts) / MEGABYTE / seconds, 1),
        "cpu_seconds": round(sum(turn.cpu_seconds), 1),
        "peak_mb": round(turn.peak_mb),
        "jvm_peak_mb": round(turn.jvm_mb),
        "rows": counts[-1]["rows"] + counts[-1]["deleted_rows"],
        "compactions": turn.found["compactions"],
        **{f"{name}_mb": round(size / MEGABYTE, 1) for name, size in turn.found["bytes"].items()},
        "packed_mb": round(sum(wave["packed_bytes"] for wave in counts) / MEGABYTE, 1),
        "day_minutes": round(DAY_FILES * seconds / files / 60, 1),
    }


def differences(contender: Contender, format_: str, counts: Counts, turn: Turn) -> list[str]:
    """How what a contender holds after its waves differs from the truth, a line each."""
    found = turn.found
    if contender == CARELAKE:
        return [f"a: {line}" for line in found["differences"]]
    expected = dict(_expected(contender, format_, counts))
    return [
        f"{contender.key}: {name} are {found[name]}, not {value}"
        for name, value in expected.items()
        if found[name] != value
    ]


def _expected(contender: Contender, format_: str, counts: Counts) -> Iterator[tuple[str, int]]:
    told, loaded, malformed = (sum(wave.get(name, 0) for wave in counts) for name in ("told", "loaded", "malformed"))
    if contender == USUAL:
        yield from ((name, counts[-1][name]) for name in ("rows", "deleted_rows"))
    elif contender == FLOOR:
        yield "rows", told - malformed
    else:
        yield "rows", told
        yield "columns", COLUMNS[format_]
        # A value that is none leaves a null in these, but for the beds, whose last column may be empty.
        yield "full_rows", told if format_ == "delimited" else loaded if contender == TEXT else told - malformed


def _of_contender(format_: str, contender: Contender, counts: Counts, turns: Sequence[Turn]) -> dict[str, Any]:
    waves = {}
    for at, (name, units) in enumerate(zip(WAVES, units_of(format_, counts), strict=True)):
        seconds = [turn.seconds[at] for turn in turns]
        middle = statistics.median(seconds)
        waves[name] = {
            f"{unit_of(format_)}_per_s": _rounded([units / one for one in seconds], 0),
            "inflated_mb_per_s": round(counts[at]["inflated_bytes"] / MEGABYTE / middle, 1),
            "packed_mb_per_s": round(counts[at]["packed_bytes"] / MEGABYTE / middle, 1),
            "seconds": _rounded(seconds, 2),
            "cpu_seconds": round(statistics.median(turn.cpu_seconds[at] for turn in turns), 2),
        }
    return {
        "name": contender.name,
        **waves,
        "peak_mb": round(max(turn.peak_mb for turn in turns)),
        "jvm_peak_mb": round(max(turn.jvm_mb for turn in turns)),
    }


def _wave(format_: str, name: str, wave: Mapping[str, int]) -> dict[str, Any]:
    return {
        "wave": name,
        "files": wave["members"],
        "rows": wave["told"],
        "inflated_mb": round(wave["inflated_bytes"] / MEGABYTE, 1),
        "packed_mb": round(wave["packed_bytes"] / MEGABYTE, 1),
    }


def _rounded(values: Sequence[float], digits: int) -> dict[str, float]:
    return {name: round(value, digits or None) for name, value in spread(values).items()}
