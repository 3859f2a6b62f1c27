"""`lake feed history` and `diff`: what became of the revisions of a feed, and what they changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.rules.applying import Rule, name_of
from spark_jobs.rules.diff import Change, count_changes, diff
from spark_jobs.rules.held import Held
from spark_jobs.rules.history import Revision, history, numbers, rule_of
from spark_jobs.rules.model import Feed, Report, TargetTable
from spark_jobs.rules.revising import feed_in_force
from spark_jobs.rules.revisions import RuleSet, in_force
from spark_jobs.rules.yaml_files import load
from spark_jobs.tables.access import open_access
from spark_jobs.tables.held import held_tables
from spark_jobs.tables.rule_store import read_rows, stopped_feeds

FeedArgument = Annotated[str, typer.Argument(help="Name of the feed.")]
DIFF_EXAMPLES = """Examples:

lake feed diff encounters

lake feed diff encounters --from 1 --to 3

lake feed diff metadata_tables/feeds/encounters.yaml"""


def register(app: typer.Typer) -> None:
    """Adds the commands of this module to `lake feed`."""
    app.command("history", epilog="Example: lake feed history encounters")(show_history)
    app.command("diff", epilog=DIFF_EXAMPLES)(show_diff)


def show_history(feed: FeedArgument, home: HomeOption = HOME, json: JsonOption = False) -> None:
    """Lists every revision of a feed and of its target tables: its state, who applied it when, what it changed."""
    output = Output(json)
    with open_access(site(home), "lake feed history") as access:
        rows, held, stopped = read_rows(access), held_tables(access), stopped_feeds(access)
    revisions = _with_stops(history(rows, "feed", feed, held, stopped), stopped)
    if not revisions:
        known = ", ".join(sorted({row["feed"] for row in rows["feed"] if row["feed"]})) or "none"
        raise LakeError(f"feed {feed}", "no revision of such a feed is there", f"There are: {known}.")
    targets = {name: history(rows, "target", name, held) for name in _targets(revisions)}
    for title, listed in {f"Feed {feed}": revisions, **{f"Target table {n}": h for n, h in targets.items()}}.items():
        header = ["revision", "state", "applied", "by", "against", "what changed", "reasons"]
        output.table(title, header, (_history_row(revision) for revision in listed))
    output.result(
        {
            "feed": feed,
            "revisions": [_as_dict(revision) for revision in revisions],
            "targets": {name: [_as_dict(revision) for revision in own] for name, own in targets.items()},
        }
    )


def show_diff(
    feed_or_path: Annotated[
        str, typer.Argument(metavar="FEED|PATH", help="Name of a feed, or a rule file or a folder of them.")
    ],
    from_: Annotated[
        int | None,
        typer.Option("--from", help="This revision.", show_default="the one in force before the other", min=1),
    ] = None,
    to: Annotated[int | None, typer.Option(help="Against this one.", show_default="the one in force", min=1)] = None,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Shows field by field what a revision of a feed changed, or what applying rule files would change."""
    output = Output(json)
    path = Path(feed_or_path)
    files = list(load(path)) if is_path(feed_or_path) else None
    if files is not None and (from_ or to):
        raise LakeError("lake feed diff", "--from and --to go with the name of a feed", "Leave them out with a path.")
    with open_access(site(home), "lake feed diff") as access:
        rows, held = read_rows(access), held_tables(access)
    if files is None:
        pairs = _two_revisions(rows, held, feed_or_path, from_, to)
    else:
        pairs = _against_force(in_force(rows, held), files)
    for before, after in pairs:
        show_changes(output, before, after, "of the file" if files is not None else "")
    output.result({"rules": [_pair_as_dict(before, after) for before, after in pairs]})


def is_path(text: str) -> bool:
    """Whether an argument that may be the name of a feed is the path of rule files."""
    return Path(text).exists() or text.endswith((".yaml", ".yml")) or "/" in text


def show_changes(output: Output, before: Rule | None, after: Rule, whose: str) -> None:
    """The differences for people, the revisions in front."""
    against = f"against revision {before.revision}" if before else "which is new"
    output.say(f"[bold]{name_of(after)}[/], revision {after.revision} {whose} {against}".replace("  ", " "))
    changes = diff(before, after)
    for change in changes:
        output.console.print(f"  {change}", markup=False)
    if not changes:
        output.say("  nothing differs")


def _two_revisions(
    rows: Any, held: Held, feed: str, from_: int | None, to: int | None
) -> list[tuple[Rule | None, Rule]]:
    """The two revisions of a feed to be compared."""
    after = feed_in_force(in_force(rows, held), feed) if to is None else rule_of(rows, "feed", feed, to)
    if from_ is None:
        used = [one for one in history(rows, "feed", feed, held) if one.was_used and one.revision < after.revision]
        lower = [number for number in numbers(rows, "feed", feed) if number < after.revision]
        from_ = used[0].revision if used else lower[-1] if lower else None
    return [(rule_of(rows, "feed", feed, from_) if from_ is not None else None, after)]


def _against_force(rules: RuleSet, files: Iterable[Rule]) -> list[tuple[Rule | None, Rule]]:
    held: dict[type, Any] = {Feed: rules.feeds, TargetTable: rules.targets, Report: rules.reports}
    named = ((rule, name_of(rule).partition(" ")[2]) for rule in files)
    return [(held[type(rule)].get(name), rule) for rule, name in named]


def _pair_as_dict(before: Rule | None, after: Rule) -> dict[str, Any]:
    changes = diff(before, after)
    return {
        "what": name_of(after),
        "from": before.revision if before else None,
        "to": after.revision,
        "changes": [asdict(change) for change in changes],
        "counts": count_changes(changes),
    }


def _with_stops(revisions: Sequence[Revision], stopped: Mapping[tuple[str, int], str]) -> list[Revision]:
    """The revisions with what stopped them among their reasons."""
    return [
        replace(one, reasons=(*one.reasons, f"stopped by {rule}"))
        if (rule := stopped.get((one.name, one.revision)))
        else one
        for one in revisions
    ]


def _targets(revisions: Sequence[Revision]) -> list[str]:
    """The target tables that any revision of a feed fills, those of the highest revision first."""
    rules = (one.rule for one in revisions)
    return list(dict.fromkeys(name for rule in rules if isinstance(rule, Feed) for name in rule.targets))


def _history_row(one: Revision) -> list[object]:
    return [
        one.revision,
        one.state,
        one.applied_at,
        one.applied_by,
        one.against,
        _counted(one.changes) if one.against else ("first" if one.rule else None),
        "; ".join(one.reasons),
    ]


def _counted(changes: Sequence[Change]) -> str:
    """`columns 1 added, 2 changed; checks 1 removed`, or the fields where the rule itself alone changed."""
    said = []
    for part, kinds in count_changes(changes).items():
        if part in ("feed", "target", "report"):
            said.append(", ".join(f.name for change in changes if change.part == part for f in change.fields))
        else:
            said.append(f"{part}s " + ", ".join(f"{n} {kind}" for kind, n in kinds.items()))
    return "; ".join(said) or "nothing"


def _as_dict(one: Revision) -> dict[str, Any]:
    kept = {name: value for name, value in vars(one).items() if name not in ("rule", "changes", "kind", "name")}
    changes = one.changes if one.against else ()
    return {**kept, "counts": count_changes(changes), "changes": [asdict(change) for change in changes]}
