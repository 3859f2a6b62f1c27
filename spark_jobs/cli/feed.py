"""`lake feed`: what is in force, what is wrong, and applying reviewed rule files."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.rules.applying import Plan, name_of, plan_apply
from spark_jobs.rules.inserts import Dialect, insert_statements
from spark_jobs.rules.model import Feed, Finding
from spark_jobs.rules.revisions import in_force
from spark_jobs.rules.yaml_files import load
from spark_jobs.site import REPOSITORY
from spark_jobs.tables.access import Access, open_access
from spark_jobs.tables.held import held_tables
from spark_jobs.tables.rule_store import insert_rows, read_rows, read_rules, stopped_feeds

app = typer.Typer(no_args_is_help=True)
RULE_FILES = REPOSITORY / "metadata_tables"

PathArgument = Annotated[
    Path, typer.Argument(help="A YAML file, or a folder of them.", show_default="metadata_tables/")
]


APPLY_EXAMPLES = """Examples:

lake feed apply metadata_tables/feeds/encounters.yaml

lake feed apply my_rules --print-sql > my_rules.sql; lake sql --file my_rules.sql"""


@app.command(epilog=APPLY_EXAMPLES)
def apply(
    path: PathArgument = RULE_FILES,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be inserted, insert nothing.")] = False,
    print_sql: Annotated[
        bool, typer.Option("--print-sql", help="Print the INSERT statements for any SQL tool, insert nothing.")
    ] = False,
    dialect: Annotated[Dialect, typer.Option(help="Whose SQL is printed.")] = "spark",
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Inserts the revisions of rule files that are not there yet: all of them, or none if one is wrong."""
    output = Output(json, aside=print_sql)
    with open_access(site(home), "lake feed apply") as access:
        plan = apply_rules(access, path, dry_run or print_sql)
    statements = insert_statements(plan.rows, dialect) if print_sql and not plan.refused else []
    if statements and not json:
        print("".join(f"{statement};\n" for statement in statements), end="")
    show_plan(output, plan, dry_run or print_sql, statements)
    refuse_plan(plan, "lake feed apply")


def refuse_plan(plan: Plan, what: str) -> None:
    """Raises LakeError where something spoke against a plan, which has been shown."""
    if plan.refused:
        raise LakeError(what, "nothing was inserted", "Mend what is found above and try again.")


def apply_rules(access: Access, path: Path, dry_run: bool = False) -> Plan:
    """Inserts what is new in the rule files at `path`, unless something is wrong with it; returns what was planned."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    plan = plan_apply(read_rows(access), load(path), now, getpass.getuser(), held_tables(access))
    if not (dry_run or plan.refused):
        insert_rows(access, plan.rows)
    return plan


def show_plan(output: Output, plan: Plan, dry_run: bool, statements: Sequence[str] = ()) -> None:
    """What applying did, or would do."""
    show_findings(output, plan.findings)
    verb = "refused" if plan.refused else "would insert" if dry_run else "inserted"
    for rule in plan.new:
        output.say(f"{verb} {name_of(rule)}, revision {rule.revision}")
    output.say(f"{len(plan.unchanged)} of {len(plan.unchanged) + len(plan.new)} were there already.")
    new = [{"what": name_of(rule), "revision": rule.revision} for rule in plan.new]
    output.result(
        {
            "inserted": [] if plan.refused or dry_run else new,
            "planned": new,
            "unchanged": len(plan.unchanged),
            "findings": _plain(plan.findings),
            **({"statements": list(statements)} if statements else {}),
        }
    )


@app.command(epilog="Example: lake feed check\n\nExample: lake feed check my_feed.yaml")
def check(
    path: Annotated[Path | None, typer.Argument(help="Check these rule files against the lake instead.")] = None,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Says what is wrong with the rules in the tables, or with rule files before they are applied."""
    output = Output(json)
    with open_access(site(home), "lake feed check") as access:
        findings = read_rules(access).findings if path is None else apply_rules(access, path, dry_run=True).findings
    show_findings(output, findings)
    fatal = sum(finding.fatal for finding in findings)
    output.say(f"{fatal} errors, {len(findings) - fatal} warnings." if findings else "Nothing is wrong.")
    output.result({"findings": _plain(findings)})
    if fatal:
        raise typer.Exit(1)


@app.command("list", epilog="Example: lake feed list")
def list_feeds(home: HomeOption = HOME, json: JsonOption = False) -> None:
    """Lists the feeds: which revision is in force, where its zips land, which tables it fills."""
    output = Output(json)
    with open_access(site(home), "lake feed list") as access:
        rows, stopped, held = read_rows(access), stopped_feeds(access), held_tables(access)
    rules = in_force(rows, held)
    names = sorted({row["feed"] for row in rows["feed"] if row["feed"]})
    feeds = [_summary(name, rules.feeds.get(name), stopped) for name in names]
    output.table(
        "Feeds", ["feed", "revision", "state", "landing folder", "target tables", "owner"], [f.values() for f in feeds]
    )
    show_findings(output, rules.findings)
    output.result({"feeds": feeds, "findings": _plain(rules.findings)})


@app.command(epilog="Example: lake feed show encounters")
def show(
    feed: Annotated[str, typer.Argument(help="Name of the feed.")], home: HomeOption = HOME, json: JsonOption = False
) -> None:
    """Shows the revision of a feed that is in force: members, columns, checks and target tables."""
    output = Output(json)
    with open_access(site(home), "lake feed show") as access:
        rules = read_rules(access)
    if feed not in rules.feeds:
        raise LakeError(feed, "no revision of such a feed is in force", f"In force: {', '.join(sorted(rules.feeds))}.")
    found = rules.feeds[feed]
    output.say(f"[bold]{found.feed}[/], revision {found.revision}: {found.description}")
    output.say(f"takes landing/{found.landing_folder}/ {escape(found.name_pattern)}")
    for member in found.members:
        what = f"fills {member.target}" if member.action == "read" else "is ignored"
        header = ["column", "type", "source", "required", "PHI", "description"]
        rows = [
            [c.name, c.type, c.source or c.expression or c.default, "yes" if c.required else "", c.phi, c.description]
            for c in member.columns
        ]
        output.table(f"{member.member} ({member.pattern or 'children of ' + str(member.parent)}) {what}", header, rows)
    output.table(
        "Checks",
        ["check", "member", "expectation", "action"],
        [[c.check, c.member, c.expression, c.action] for c in found.checks],
    )
    targets = [rules.targets[name] for name in found.targets]
    output.table(
        "Target tables",
        ["table", "record key", "ordered by", "deleted when", "partition", "index"],
        [
            [
                t.target,
                ", ".join(t.record_key),
                t.order_by,
                f"{t.delete_column} in {', '.join(t.delete_values)}" if t.delete_column else None,
                t.partition_by,
                t.index,
            ]
            for t in targets
        ],
    )
    output.result({"feed": _as_dict(found), "targets": [_as_dict(target) for target in targets]})


def show_findings(output: Output, findings: Iterable[Finding]) -> None:
    """Findings for people, errors in red."""
    for finding in findings:
        mark = "[bold red]error[/]" if finding.fatal else "[yellow]warning[/]"
        output.say(f"{mark} {escape(f'{finding.where}: {finding.problem}. {finding.hint}')}")


def _summary(name: str, feed: Feed | None, stopped: set[tuple[str, int]]) -> dict[str, Any]:
    if feed is None:
        return {
            "feed": name,
            "revision": None,
            "state": "none in force",
            "folder": None,
            "targets": None,
            "owner": None,
        }
    state = "stopped" if (name, feed.revision) in stopped else "paused" if feed.paused else "in force"
    return {
        "feed": name,
        "revision": feed.revision,
        "state": state,
        "folder": feed.landing_folder,
        "targets": ", ".join(feed.targets),
        "owner": feed.owner,
    }


def _plain(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [vars(finding) for finding in findings]


def _as_dict(rule: Any) -> dict[str, Any]:
    return asdict(rule)
