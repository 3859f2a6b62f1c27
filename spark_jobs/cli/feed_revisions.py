"""`lake feed disable`, `enable`, `rollback` and `export`: new revisions of earlier ones, and files of what is in force."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from spark_jobs.cli.feed import refuse_plan, show_plan
from spark_jobs.cli.feed_history import FeedArgument, show_changes
from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.rules.applying import Rule, name_of, plan_apply
from spark_jobs.rules.history import history
from spark_jobs.rules.model import Feed, Report, TargetTable
from spark_jobs.rules.revising import feed_in_force, gone_back, with_paused
from spark_jobs.rules.revisions import in_force
from spark_jobs.rules.yaml_files import load_file, to_yaml
from spark_jobs.tables.access import Access, open_access
from spark_jobs.tables.held import held_tables
from spark_jobs.tables.rule_store import insert_rows, read_rows, read_rules, stopped_feeds

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be inserted, insert nothing.")]
FOLDERS = {Feed: "feeds", TargetTable: "targets", Report: "reports"}
GOES_ON = "A higher revision sets a stopped feed going again: its waiting zips are taken in by the next round."


def register(app: typer.Typer) -> None:
    """Adds the commands of this module to `lake feed`."""
    app.command(epilog="Example: lake feed disable encounters")(disable)
    app.command(epilog="Example: lake feed enable encounters")(enable)
    app.command(epilog="Example: lake feed rollback encounters\n\nExample: lake feed rollback encounters --to 3")(
        rollback
    )
    app.command(epilog="Example: lake feed export encounters --out metadata_tables --force")(export)


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
        rows, held, stopped = read_rows(access), held_tables(access), stopped_feeds(access)
        now = feed_in_force(in_force(rows, held), feed)
        new = gone_back(rows, history(rows, "feed", feed, held, stopped), to)
        show_changes(output, now, new, "to be inserted")
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
        rules = read_rules(access)
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
        rows, held, stopped = read_rows(access), held_tables(access), stopped_feeds(access)
        now = feed_in_force(in_force(rows, held), feed)
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
    now = datetime.now(UTC).isoformat(timespec="seconds")
    plan = plan_apply(rows, [new], now, getpass.getuser(), held_tables(access))
    if not (plan.refused or dry_run):
        insert_rows(access, plan.rows)
    show_plan(output, plan, dry_run)
    refuse_plan(plan, what)


def _say_state(output: Output, new: Feed, was_stopped: bool) -> None:
    output.say("Its zips wait in landing." if new.paused else "Its zips are taken in by the next round of the ingest.")
    if was_stopped and not new.paused:
        output.say(GOES_ON)
    output.say(f"A rule file of it is behind now; write it anew with: lake feed export {new.feed} --out FOLDER --force")


def _file_of(rule: Rule) -> Path:
    return Path(FOLDERS[type(rule)]) / f"{name_of(rule).partition(' ')[2]}.yaml"


def _says(path: Path, rule: Rule) -> bool:
    """Whether a file says just this."""
    try:
        return load_file(path) == rule
    except LakeError:
        return False
