"""`lake feed dry-run`: what sample zips would give, before anything is applied or landed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from pyspark.sql import SparkSession

from spark_jobs.batches.account import ZipAccount
from spark_jobs.batches.dry_run import DryRun, TargetFacts, dry_run
from spark_jobs.cli.feed import show_findings
from spark_jobs.cli.feed_history import is_path
from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.rules.applying import try_out
from spark_jobs.rules.model import Feed
from spark_jobs.rules.revising import feed_in_force
from spark_jobs.rules.revisions import RuleSet, in_force
from spark_jobs.rules.yaml_files import RuleFiles, load
from spark_jobs.tables.access import Access, open_access
from spark_jobs.tables.held import held_tables
from spark_jobs.tables.rule_store import read_rows
from spark_jobs.tables.session import open_scratch_session

EXAMPLES = """Examples:

lake feed dry-run encounters sample.zip

lake feed dry-run my_rules samples/*.zip --rows 3"""
MEMBERS = ("loaded", "duplicate", "ignored", "quarantined")


@dataclass(frozen=True)
class Trial:
    """What a dry run goes by: the rules, what was found about them, the session, and hashes the lake has loaded."""

    rules: RuleSet
    session: SparkSession
    access: Access | None

    def loaded_before(self, feed: str, hashes: set[str]) -> set[str]:
        """Those of the hashes that the feed has loaded."""
        if self.access is None or not hashes:
            return set()
        listed = ", ".join(f"'{text}'" for text in hashes)
        question = f"SELECT sha256 FROM ops.ledger WHERE feed = '{feed}' AND state = 'loaded' AND sha256 IN ({listed})"
        return {row["sha256"] for row in self.access.records(question)}


def register(app: typer.Typer) -> None:
    """Adds the command of this module to `lake feed`."""
    app.command("dry-run", epilog=EXAMPLES)(run)


def run(
    feed_or_path: Annotated[
        str,
        typer.Argument(
            metavar="FEED|PATH", help="A feed in force, or rule files of one feed that need not be applied yet."
        ),
    ],
    zips: Annotated[list[Path], typer.Argument(help="Sample zips, under the names they are delivered with.")],
    feed_name: Annotated[
        str | None, typer.Option("--feed", help="Which feed, if the rule files hold several.", show_default=False)
    ] = None,
    rows: Annotated[
        int, typer.Option(help="Show so many rows of each target table. They are patients' records.", min=0)
    ] = 0,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Shows what sample zips would give by a feed's rules: outcomes, columns, checks, times. Writes nothing.

    Zips are numbered in the order given. Targets that the rule files lack come from the lake, if there is one.
    """
    output = Output(json)
    _refuse_missing(zips)
    files = load(feed_or_path) if is_path(feed_or_path) else None
    name = feed_or_path if files is None else _only_feed(files, feed_name, feed_or_path)
    with _trial(home, files) as trial:
        findings = _findings(trial.rules, files)
        show_findings(output, findings)
        feed = _feed(trial.rules, name, files)
        if feed is None:
            output.result({"feed": name, "findings": [vars(finding) for finding in findings]})
            raise typer.Exit(1)
        result = dry_run(trial.session, feed, trial.rules.targets, zips, rows)
        before = trial.loaded_before(feed.feed, {account.zip.note.sha256 for account in result.accounts})
    show_result(output, feed, result, before)
    output.result({"findings": [vars(finding) for finding in findings], **as_dict(feed, result, before)})


def show_result(output: Output, feed: Feed, result: DryRun, loaded_before: set[str]) -> None:
    """A dry run for people."""
    output.say(f"[bold]{feed.feed}[/], revision {feed.revision}. Nothing was written.")
    header = ["zip", "state", "rule", "members", *MEMBERS, "rows loaded", "rows quarantined", "note"]
    output.table("Zips", header, (_zip_row(n, a, loaded_before) for n, a in enumerate(result.accounts, 1)))
    for target in result.targets:
        _show_target(output, target)
    if result.checks:
        cells = ([c.check, c.member, c.action, c.rows] for c in result.checks)
        output.table("Checks", ["check", "member", "action", "rows that break it"], cells)
    if result.failures:
        failures = ([f.rule, f.count, _places(f.places)] for f in result.failures)
        output.table("What was refused", ["rule", "count", "first places (zip/member/row)"], failures)
    for warning, count in result.warnings.items():
        output.say(f"[yellow]warning[/] {warning}: {count} members")
    if result.stopped_by:
        output.say(f"[bold red]The feed would be stopped[/] by {', '.join(result.stopped_by)}, and nothing loaded.")
    output.say(
        f"{_rows(result)} rows. Inflating and parsing took {result.seconds_parsed:.1f} s"
        f" ({_rate(result):,} rows/s), judging and counting {result.seconds_judged:.1f} s."
    )


def as_dict(feed: Feed, result: DryRun, loaded_before: set[str]) -> dict[str, Any]:
    """A dry run for machines; zips in the order given."""
    zips = [
        {**{k: v for k, v in vars(a).items() if k != "zip"}, "loaded_before": a.zip.note.sha256 in loaded_before}
        for a in result.accounts
    ]
    facts = asdict(result)
    del facts["accounts"]
    more = {"stopped_by": list(result.stopped_by), "rows_per_second": _rate(result)}
    return {"feed": feed.feed, "revision": feed.revision, "zips": zips, **facts, **more}


@contextmanager
def _trial(home: Path, files: RuleFiles | None) -> Iterator[Trial]:
    """Rules and a session: those of the lake where there is one that this process can have."""
    where = site(home)
    with ExitStack() as stack:
        if not where.metastore.exists():
            if files is None:
                raise LakeError(str(home), "there is no lake", "Give rule files, or make one with: lake feed apply")
            yield Trial(try_out({}, files), stack.enter_context(_scratch_session()), None)
            return
        access = stack.enter_context(open_access(where, "lake feed dry-run"))
        rows, held = read_rows(access), held_tables(access)
        rules = in_force(rows, held) if files is None else try_out(rows, files, held)
        session = access.lake.session if access.lake else stack.enter_context(_scratch_session())
        yield Trial(rules, session, access)


@contextmanager
def _scratch_session() -> Iterator[SparkSession]:
    with TemporaryDirectory(prefix="carelake-scratch-") as folder:
        session = open_scratch_session(Path(folder))
        try:
            yield session
        finally:
            session.stop()


def _refuse_missing(zips: list[Path]) -> None:
    # Numbers, not names: a name may identify a patient.
    missing = [str(number) for number, path in enumerate(zips, 1) if not (path.is_file() and os.access(path, os.R_OK))]
    if missing:
        raise LakeError("lake feed dry-run", f"zip {', '.join(missing)} of those given is no file that can be read")


def _only_feed(files: RuleFiles, name: str | None, path: str) -> str:
    if name is None and len(files.feeds) == 1:
        return next(iter(files.feeds))
    if name not in files.feeds:
        known = ", ".join(sorted(files.feeds)) or "none"
        raise LakeError(path, "expected the rules of one feed", f"Name it with --feed. There are: {known}.")
    return name


def _findings(rules: RuleSet, files: RuleFiles | None) -> list[Any]:
    """What bears on the rules that are tried: about their names alone, since others may be wrong in a lake too."""
    if files is None:
        return []
    names = [*(f"feed {name}," for name in files.feeds), *(f"target {name}," for name in files.targets)]
    return [finding for finding in rules.findings if any(name in finding.where for name in names)]


def _feed(rules: RuleSet, name: str, files: RuleFiles | None) -> Feed | None:
    """The feed that is tried, or None if the rules given are refused."""
    if files is None:
        return feed_in_force(rules, name)
    found, given = rules.feeds.get(name), files.feeds[name]
    same = found is not None and replace(given, revision=found.revision, enabled=True) == found
    return found if same else None


def _zip_row(number: int, account: ZipAccount, loaded_before: set[str]) -> list[object]:
    note = "loaded before: a duplicate" if account.zip.note.sha256 in loaded_before else None
    members = (getattr(account, f"members_{outcome}") for outcome in MEMBERS)
    rows = account.rows_loaded, account.rows_quarantined
    return [number, account.state, account.rule, account.members, *members, *rows, note]


def _show_target(output: Output, target: TargetFacts) -> None:
    partitions = f", {target.partition_count} partitions: {', '.join(target.partitions)}" if target.partitions else ""
    output.say(
        f"[bold]{target.target}[/]: {target.rows_loaded} rows loaded, {target.rows_quarantined} quarantined,"
        f" {target.merged} of them merge with others by record key, {target.deletes} deletes{partitions}"
    )
    cells = ([c.name, c.type, c.nulls, c.shortest, c.longest] for c in target.columns)
    output.table("", ["column", "type", "nulls", "shortest", "longest"], cells)
    if target.sample:
        output.table("", list(target.sample[0]), (list(row.values()) for row in target.sample))


def _places(places: tuple[tuple[int, int, int], ...]) -> str:
    return ", ".join("/".join(map(str, place)) for place in places)


def _rows(result: DryRun) -> int:
    return sum(account.rows_loaded + account.rows_quarantined for account in result.accounts)


def _rate(result: DryRun) -> int:
    return round(_rows(result) / result.seconds_parsed) if result.seconds_parsed else 0
