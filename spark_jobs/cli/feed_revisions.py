"""`lake feed history`, `diff`, `disable`, `enable`, `rollback` and `export`: the revisions of a feed."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from spark_jobs.cli.feed import refuse_plan, show_plan
from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.rules.applying import Rule, name_of, plan_apply
from spark_jobs.rules.diff import Change, count_changes, diff
from spark_jobs.rules.history import Revision, history, numbers, rule_of
from spark_jobs.rules.model import Feed, Report, TargetTable
from spark_jobs.rules.revising import feed_in_force, gone_back, with_paused
from spark_jobs.rules.revisions import RuleSet, in_force
from spark_jobs.rules.yaml_files import load, load_file, to_yaml
from spark_jobs.tables.access import Access, open_access
from spark_jobs.tables.rule_store import insert_rows, read_rows, stopped_feeds

FeedArgument = Annotated[str, typer.Argument(help="Name of the feed.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be inserted, insert nothing.")]
FOLDERS = {Feed: "feeds", TargetTable: "targets", Report: "reports"}
GOES_ON = "A higher revision sets a stopped feed going again: its waiting zips are taken in by the next round."


def register(app: typer.Typer) -> None:
    """Adds the commands of this module to `lake feed`."""
    app.command("history", epilog="Example: lake feed history encounters")(show_history)
    app.command("diff", epilog=DIFF_EXAMPLES)(show_diff)
    app.command(epilog="Example: lake feed disable encounters")(disable)
    app.command(epilog="Example: lake feed enable encounters")(enable)
    app.command(epilog="Example: lake feed rollback encounters\n\nExample: lake feed rollback encounters --to 3")(
        rollback
    )
    app.command(epilog="Example: lake feed export encounters --out metadata_tables --force")(export)


DIFF_EXAMPLES = """Examples:

lake feed diff encounters

lake feed diff encounters --from 1 --to 3

lake feed diff metadata_tables/feeds/encounters.yaml"""


def show_history(feed: FeedArgument, home: HomeOption = HOME, json: JsonOption = False) -> None:
    """Lists every revision of a feed and of its target tables: its state, who applied it when, what it changed."""
    output = Output(json)
    with open_access(site(home), "lake feed history") as access:
        rows, stopped = read_rows(access), stopped_feeds(access)
    revisions = history(rows, "feed", feed, stopped=stopped)
    if not revisions:
        known = ", ".join(sorted({row["feed"] for row in rows["feed"] if row["feed"]})) or "none"
        raise LakeError(f"feed {feed}", "no revision of such a feed is there", f"There are: {known}.")
    targets = {name: history(rows, "target", name) for name in _targets(revisions)}
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
        rows = read_rows(access)
    pairs = _two_revisions(rows, feed_or_path, from_, to) if files is None else _against_force(in_force(rows), files)
    for before, after in pairs:
        _show_changes(output, before, after, "of the file" if files is not None else "")
    output.result({"rules": [_pair_as_dict(before, after) for before, after in pairs]})


def disable(
    feed: FeedArgument, dry_run: DryRunOption = False, home: HomeOption = HOME, json: JsonOption = False
) -> None:
    """Pauses a feed, by a higher revision with the same rules: its zips wait in landing until it is enabled."""
    _set_paused(Output(json), home, feed, True, dry_run)


def enable(
    feed: FeedArgument, dry_run: DryRunOption = False, home: HomeOption = HOME, json: JsonOption = False
) -> None:
    """Sets a paused or stopped feed going again, by a higher revision with the same rules."""
    _set_paused(Output(json), home, feed, False, dry_run)


def rollback(
    feed: FeedArgument,
    to: Annotated[
        int | None,
        typer.Option(help="The revision to go back to.", show_default="the last one in force before", min=1),
    ] = None,
    dry_run: DryRunOption = False,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Goes back to the rules of an earlier revision of a feed, by inserting them as a higher one."""
    output = Output(json)
    with open_access(site(home), "lake feed rollback") as access:
        rows, stopped = read_rows(access), stopped_feeds(access)
        now = feed_in_force(in_force(rows), feed)
        new = gone_back(rows, history(rows, "feed", feed, stopped=stopped), to)
        _show_changes(output, now, new, "to be inserted")
        _insert(output, access, rows, new, dry_run, "lake feed rollback")
    if not dry_run:
        _say_state(output, new, (feed, now.revision) in stopped)


def export(
    feed: FeedArgument,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write feeds/ and targets/ into.", show_default="to stdout")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that say something else.")] = False,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Writes a feed and its target tables, as they are in force, as rule files."""
    output = Output(json)
    with open_access(site(home), "lake feed export") as access:
        rules = in_force(read_rows(access))
    found = feed_in_force(rules, feed)
    exported: list[Rule] = [found, *(rules.targets[name] for name in found.targets)]
    if out is None:
        texts = [f"# {_file_of(rule)}\n{to_yaml(rule)}" for rule in exported]
        if not json:
            print("---\n".join(texts), end="")
        output.result({"files": [{"path": str(_file_of(rule)), "yaml": to_yaml(rule)} for rule in exported]})
        return
    written = write_rules(output, out, exported, force)
    output.result({"files": [str(path) for path in written]})


def write_rules(output: Output, out: Path, rules: Sequence[Rule], force: bool) -> list[Path]:
    """Writes rule files under `out`; raises LakeError before the first if one is there that says something else."""
    paths = [out / _file_of(rule) for rule in rules]
    taken = [str(p) for p, rule in zip(paths, rules, strict=True) if p.exists() and not _says(p, rule)]
    if taken and not force:
        raise LakeError(", ".join(taken), "there already, and says something else", "Overwrite it with --force.")
    for path, rule in zip(paths, rules, strict=True):
        if path.exists() and _says(path, rule):
            output.say(f"{path} says the same already")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_yaml(rule), encoding="utf-8")
        output.say(f"wrote {path}: {name_of(rule)}, revision {rule.revision}")
    return paths


def _set_paused(output: Output, home: Path, feed: str, paused: bool, dry_run: bool) -> None:
    what = f"lake feed {'disable' if paused else 'enable'}"
    with open_access(site(home), what) as access:
        rows, stopped = read_rows(access), stopped_feeds(access)
        now = feed_in_force(in_force(rows), feed)
        new = with_paused(rows, now, paused, stopped)
        if new is None:
            output.say(f"feed {feed}, revision {now.revision} is {'paused' if paused else 'taking in zips'} already.")
            output.result({"inserted": [], "planned": [], "unchanged": 1, "findings": []})
            return
        _insert(output, access, rows, new, dry_run, what)
    if not dry_run:
        _say_state(output, new, (feed, now.revision) in stopped)


def _insert(output: Output, access: Access, rows: Any, new: Feed, dry_run: bool, what: str) -> None:
    """Inserts a revision unless it would not come into force."""
    plan = plan_apply(rows, [new], datetime.now(UTC).isoformat(timespec="seconds"), getpass.getuser())
    if not (plan.refused or dry_run):
        insert_rows(access, plan.rows)
    show_plan(output, plan, dry_run)
    refuse_plan(plan, what)


def _say_state(output: Output, new: Feed, was_stopped: bool) -> None:
    output.say("Its zips wait in landing." if new.paused else "Its zips are taken in by the next round of the ingest.")
    if was_stopped and not new.paused:
        output.say(GOES_ON)
    output.say(f"A rule file of it is behind now; write it anew with: lake feed export {new.feed} --out FOLDER --force")


def is_path(text: str) -> bool:
    """Whether an argument that may be the name of a feed is the path of rule files."""
    return Path(text).exists() or text.endswith((".yaml", ".yml")) or "/" in text


def _two_revisions(rows: Any, feed: str, from_: int | None, to: int | None) -> list[tuple[Rule | None, Rule]]:
    """The two revisions of a feed to be compared."""
    after = feed_in_force(in_force(rows), feed) if to is None else rule_of(rows, "feed", feed, to)
    if from_ is None:
        used = [one for one in history(rows, "feed", feed) if one.was_used and one.revision < after.revision]
        lower = [number for number in numbers(rows, "feed", feed) if number < after.revision]
        from_ = used[0].revision if used else lower[-1] if lower else None
    return [(rule_of(rows, "feed", feed, from_) if from_ is not None else None, after)]


def _against_force(rules: RuleSet, files: Iterable[Rule]) -> list[tuple[Rule | None, Rule]]:
    held: dict[type, Any] = {Feed: rules.feeds, TargetTable: rules.targets, Report: rules.reports}
    named = ((rule, name_of(rule).partition(" ")[2]) for rule in files)
    return [(held[type(rule)].get(name), rule) for rule, name in named]


def _show_changes(output: Output, before: Rule | None, after: Rule, whose: str) -> None:
    """The differences for people, the revisions in front."""
    against = f"against revision {before.revision}" if before else "which is new"
    output.say(f"[bold]{name_of(after)}[/], revision {after.revision} {whose} {against}".replace("  ", " "))
    changes = diff(before, after)
    for change in changes:
        output.console.print(f"  {change}", markup=False)
    if not changes:
        output.say("  nothing differs")


def _pair_as_dict(before: Rule | None, after: Rule) -> dict[str, Any]:
    changes = diff(before, after)
    return {
        "what": name_of(after),
        "from": before.revision if before else None,
        "to": after.revision,
        "changes": [asdict(change) for change in changes],
        "counts": count_changes(changes),
    }


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


def _file_of(rule: Rule) -> Path:
    return Path(FOLDERS[type(rule)]) / f"{name_of(rule).partition(' ')[2]}.yaml"


def _says(path: Path, rule: Rule) -> bool:
    """Whether a file says just this."""
    try:
        return load_file(path) == rule
    except LakeError:
        return False
