"""`lake quarantine`: what was refused, and taking it in again once the rules are mended."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape

from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.jobs.quarantine import Selection, count_entries, entries
from spark_jobs.jobs.refused_text import add_texts
from spark_jobs.jobs.replay import Replay, land_replays, plan_replay
from spark_jobs.jobs.wanted import Wanted
from spark_jobs.tables.access import open_access

app = typer.Typer(no_args_is_help=True)

FeedOption = Annotated[str | None, typer.Option(help="Only entries of this feed.")]
RuleOption = Annotated[str | None, typer.Option(help="Only entries refused by this rule, as outcomes.md names it.")]
DayOption = Annotated[str | None, typer.Option(help="Only entries first refused on this day, YYYY-MM-DD, UTC.")]
ResolvedOption = Annotated[bool, typer.Option("--all/--open", help="Entries that a replay resolved, too.")]

LIST_EXAMPLES = """Examples:

lake quarantine list

lake quarantine list --feed encounters --day 2026-03-01

lake quarantine list --all --json"""
SHOW_EXAMPLES = """Examples:

lake quarantine show 3f0c9a1b

lake quarantine show --feed claims --rule type.paid --limit 5 --content"""
REPLAY_EXAMPLES = """Examples:

lake quarantine replay --feed encounters --rule type.admitted_at --dry-run

lake quarantine replay --zip 3f0c9a1b

lake quarantine replay --rule zip.no_feed"""


@app.command("list", epilog=LIST_EXAMPLES)
def list_entries(
    feed: FeedOption = None,
    rule: RuleOption = None,
    day: DayOption = None,
    resolved: ResolvedOption = False,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Counts what was refused by feed, rule, revision and the day it was refused first, most first."""
    output, selection = Output(json), Selection(None, feed, rule, _day(day), only_open=not resolved)
    with open_access(site(home), "lake quarantine list") as access:
        counts = count_entries(access, selection)
    if counts:
        output.table("Refused", list(counts[0]), [[*row.values()] for row in counts])
    else:
        output.say("Nothing is in quarantine that fits.")
    output.result({"entries": counts})


@app.command(epilog=SHOW_EXAMPLES)
def show(
    zip_: Annotated[
        str | None, typer.Argument(metavar="[ZIP]", help="Id of a zip or its beginning, its name, or a file.")
    ] = None,
    feed: FeedOption = None,
    rule: RuleOption = None,
    day: DayOption = None,
    resolved: ResolvedOption = False,
    limit: Annotated[int, typer.Option(help="Show at most so many entries.", min=1, max=1000)] = 20,
    content: Annotated[
        bool, typer.Option("--content", help="Show the refused text itself, also in --json: patients' records.")
    ] = False,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Shows single entries: which zip, member and row was refused, by which rule and why."""
    output = Output(json)
    selection = Selection(_zips(zip_), feed, rule, _day(day), only_open=not resolved)
    with open_access(site(home), "lake quarantine show") as access:
        found = entries(access, selection, limit + 1)
        more, found = len(found) > limit, found[:limit]
        if content:
            add_texts(access, found)
    _show_entries(output, found, content)
    if more:
        output.say(f"The first {limit} entries are shown; --limit shows more.")
    output.result({"entries": found, "more": more})


@app.command(epilog=REPLAY_EXAMPLES)
def replay(
    zip_: Annotated[
        str | None, typer.Option("--zip", help="Only this zip: id or its beginning, name, or file.")
    ] = None,
    feed: FeedOption = None,
    rule: RuleOption = None,
    day: DayOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Every zip with open entries.")] = False,
    same_rules: Annotated[
        bool,
        typer.Option("--same-rules", help="Also zips last read by the rules in force, after an upgrade of Carelake."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be replayed, land nothing.")] = False,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Lands zips with open entries once more, to be read by the rules in force now; an ingest takes them in."""
    output, selection = Output(json), Selection(_zips(zip_), feed, rule, _day(day))
    if selection.is_all != everything:
        problem = "what to replay was not said" if selection.is_all else "--all was given beside what narrows it down"
        raise LakeError("lake quarantine replay", problem, "Give --zip, --feed, --rule or --day, or else --all.")
    with open_access(site(home), "lake quarantine replay") as access:
        plan = plan_replay(access, selection, same_rules)
        landed = 0 if dry_run else land_replays(access.site, plan)
        running = access.lake is None
    _show_replay(output, plan, landed, dry_run, running)
    output.result({"landed": landed, **_as_json(plan, dry_run)})
    if plan.lost:
        raise LakeError(
            "lake quarantine replay",
            f"{len(plan.lost)} zips are neither in the vault nor in quarantine, {plan.lost[0]} for one",
            "Restore vault/ and quarantine/ from the backup, then replay again.",
        )


def _show_entries(output: Output, found: list[dict[str, Any]], content: bool) -> None:
    header = ["zip", "member", "row", "target", "rule", "reason", "state"]
    if not found:
        output.say("Nothing is in quarantine that fits.")
        return
    output.table("Refused", header, [_cells(entry) for entry in found])
    if content:
        output.say("[yellow]What follows are patients' records.[/]")
        for entry in found:
            zip_id, member, row, target, *_ = _cells(entry)
            places = {"member": member, "row": row, "target": target}
            place = ", ".join(f"{what} {which}" for what, which in places.items() if which not in (None, ""))
            output.say(f"\n[bold]{zip_id}[/] {place or 'the whole zip'}")
            output.say(escape(entry["content"] or "(a whole zip has no text)"))


def _cells(entry: dict[str, Any]) -> list[object]:
    member = entry["member_index"] if entry["member_index"] >= 0 else None
    texts = [escape(str(entry[name])) for name in ("rule", "reason", "state")]
    return [entry["zip_id"], member, entry["row"] or None, entry["target"], *texts]


def _show_replay(output: Output, plan: Replay, landed: int, dry_run: bool, running: bool) -> None:
    output.say(f"{len(plan.notes)} zips would be landed again." if dry_run else f"{landed} zips were landed again.")
    for feed, zips in sorted(plan.feeds.items()):
        output.say(f"  {feed}: {zips}")
    why = {
        "were read last by the rules that are in force still (--same-rules replays them)": plan.same_rules,
        "are taken by no feed in force": plan.no_feed,
        "are in landing or claimed already": plan.under_way,
    }
    for reason, zips in why.items():
        if zips:
            output.say(f"{len(zips)} {reason}.")
    if landed:
        output.say("The ingest that runs takes them in." if running else "Next: lake ingest --once")


def _as_json(plan: Replay, dry_run: bool) -> dict[str, Any]:
    left_out = {name: getattr(plan, name) for name in ("same_rules", "no_feed", "under_way", "lost")}
    return {"zips": [note.zip_id for note in plan.notes], "feeds": plan.feeds, **left_out, "dry_run": dry_run}


def _zips(said: str | None) -> Wanted | None:
    return Wanted.read(said) if said is not None else None


def _day(said: str | None) -> date | None:
    if said is None:
        return None
    try:
        return datetime.strptime(said, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise LakeError("--day", "it is no day", "Write it as YYYY-MM-DD, for example 2026-03-01.") from None
