"""`lake bench ingest`: zips to rows, Carelake beside its peers on the same zips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from spark_jobs.cli.bench.contenders import CARELAKE, CORES, HEAP, Contender, Turn, contenders_of, take_turn
from spark_jobs.cli.bench.delivered import FEEDS, Delivered, make_delivered
from spark_jobs.cli.bench.figures import WAVES, differences, figures, per_day, unit_of, units_of
from spark_jobs.cli.bench.measuring import FOLDER, machine, own_folder
from spark_jobs.cli.output import JsonOption, Output
from spark_jobs.errors import LakeError

DAY_ZIPS = 5_200  # in each of two waves, of 195 files on average: 2,000,000 files and more


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    example = "Example: lake bench ingest --zips 1000 --json\n\nExample: lake bench ingest --day"
    app.command(epilog=f"{example}\n\nExample: lake bench ingest --format fixed --rounds 5")(ingest)


def ingest(
    zips: Annotated[
        int | None, typer.Option(help="Zips in each of the two waves; 400, or 5,200 for --day.", min=10)
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="xml, csv, delimited, fixed; text are the last three, all are all.")
    ] = "xml",
    rounds: Annotated[int, typer.Option(help="Turns that each contender gets.", min=1)] = 3,
    warm_up_zips: Annotated[int, typer.Option(help="Zips in each of the two waves of the warm-up.", min=10)] = 60,
    only: Annotated[str, typer.Option(help="Letters of the contenders that take part.")] = "abcds",
    day: Annotated[
        bool, typer.Option("--day", help="Carelake alone, 2,000,000 files and more, compactions included.")
    ] = False,
    work: Annotated[Path, typer.Option(help="Folder for zips and tables; the zips stay for the next time.")] = FOLDER
    / "ingest",
    json: JsonOption = False,
) -> None:
    """Files a second from waiting zips to committed rows: Carelake, two other ways of Spark, and the floor.

    Each contender takes in a wave of zips into an empty table, then a second one, most of it updates, into the filled
    table. All have the same zips, cores and heap; each runs in a process of its own, has taken in other zips to warm up,
    and is timed from the command to start on waiting zips to all rows committed. What it then holds is held against the
    truth. Text formats are counted in rows, beside Spark's own readers on files that were unzipped before.
    """
    output = Output(json)
    several = {"all": list(FEEDS), "text": [name for name in FEEDS if name != "xml"]}
    formats = several.get(format_, [format_])
    if not set(formats) <= set(FEEDS):
        raise LakeError(
            "lake bench ingest", f"there is no format {format_}", f"One of {', '.join([*FEEDS, *several])}."
        )
    about = {"machine": machine(), "cores": CORES, "heap": HEAP}
    with own_folder(work):
        if day:
            result = {**about, **_day(work, zips or DAY_ZIPS, warm_up_zips, output)}
        else:
            found = {name: _compare(work, name, zips or 400, warm_up_zips, rounds, only, output) for name in formats}
            result = {**about, "rounds": rounds, **found.pop("xml", {}), **({"formats": found} if found else {})}
    output.result(result)
    wrong = [
        *result.get("differences", ()),
        *(f for one in result.get("formats", {}).values() for f in one["differences"]),
    ]
    if wrong:
        raise LakeError("lake bench ingest", "; ".join(wrong))


def _compare(
    work: Path, format_: str, zips: int, warm_up_zips: int, rounds: int, only: str, output: Output
) -> dict[str, Any]:
    """All contenders of a format, in turns."""
    output.say(f"{format_}: zips are made, if they were not made before.")
    delivered = make_delivered(work, format_, zips, warm_up_zips)
    taking_part = [contender for contender in contenders_of(format_) if contender.key in only]
    turns: dict[Contender, list[Turn]] = {contender: [] for contender in taking_part}
    for number in range(1, rounds + 1):
        for contender in taking_part:
            turn = take_turn(contender, delivered, work / "runs")
            turns[contender].append(turn)
            output.say(f"Round {number}, {contender.key}, {contender.name}: {_speeds(delivered, turn)}")
    result = {"zips_a_wave": zips, **figures(delivered, turns)}
    _show(output, format_, result, rounds)
    return result


def _day(work: Path, zips: int, warm_up_zips: int, output: Output) -> dict[str, Any]:
    """Carelake's continuous ingest with its compactions, and what a day of the brief takes at that pace."""
    output.say("Zips are made, if they were not made before.")
    delivered = make_delivered(work, "xml", zips, warm_up_zips)
    output.say("They are taken in, and compactions carried out beside.")
    turn = take_turn(CARELAKE, delivered, work / "runs", continuous=True)
    counts = delivered.measured.counts
    result = {
        "zips": 2 * zips,
        **per_day(counts, turn),
        "differences": differences(CARELAKE, delivered.format, counts, turn),
    }
    output.table("A day of the brief: 77,000 zips, 15,000,000 files", ["figure", "value"], list(result.items()))
    return result


def _speeds(delivered: Delivered, turn: Turn) -> str:
    units = units_of(delivered.format, delivered.measured.counts)
    pairs = zip(WAVES, units, turn.seconds, strict=True)
    return ", ".join(f"{name} {count / seconds:,.0f} {unit_of(delivered.format)}/s" for name, count, seconds in pairs)


def _show(output: Output, format_: str, result: dict[str, Any], rounds: int) -> None:
    unit, rows = unit_of(format_), []
    for key, one in result["contenders"].items():
        speeds = [one[wave][f"{unit}_per_s"]["median"] for wave in WAVES]
        megabytes = [one[wave]["inflated_mb_per_s"] for wave in WAVES]
        rows.append([key, one["name"], *speeds, *megabytes, one["peak_mb"], result.get(f"ratio_a_{key}")])
    header: Sequence[str] = [
        "",
        "contender",
        f"{unit}/s cold",
        "warm",
        "MB/s cold",
        "warm",
        "peak MB",
        "a is faster by",
    ]
    output.table(f"{format_}: {CORES} cores, heap {HEAP}, medians of {rounds} rounds", header, rows)
