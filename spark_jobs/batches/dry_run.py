"""What sample zips would give by some rules, with the code that the ingest uses; nothing is written but links to them."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from spark_jobs.batches.account import ZipAccount, account_duplicate, account_parsed, account_refused, named_counts
from spark_jobs.batches.batch import NO_FEED, Batch
from spark_jobs.batches.judge import Judged, fit_rows, judge
from spark_jobs.batches.parse import parse
from spark_jobs.landing.agent import DeliveryNote
from spark_jobs.landing.claim import ClaimedZip, Manifest, feed_of
from spark_jobs.rules.model import Feed, TargetTable

BATCH = "dry-run"
PLACES = 3  # of each failure, the first so many are told
MOST_PARTITIONS = 50
RULE_LINE = r"^(row|type|required|partition|check)\.[a-z0-9_]+:"


@dataclass(frozen=True)
class ColumnFacts:
    """A column of the rows that would be loaded: how many are null, how long their texts are; never a value."""

    name: str
    type: str
    nulls: int
    shortest: int | None
    longest: int | None


@dataclass(frozen=True)
class TargetFacts:
    """What a target table would be given. `merged` rows share a record key with another row of the sample.

    `partitions` holds the names of at most MOST_PARTITIONS of the `partition_count` partitions.
    """

    target: str
    rows_loaded: int
    rows_quarantined: int
    merged: int
    deletes: int
    partition_count: int
    partitions: tuple[str, ...]
    columns: tuple[ColumnFacts, ...]
    sample: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class CheckFacts:
    """A check and how many rows break it."""

    check: str
    member: str
    action: str
    rows: int


@dataclass(frozen=True)
class FailureFacts:
    """A rule that was broken, how often, and the first places: zip (counted from 1), member index, row."""

    rule: str
    count: int
    places: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class DryRun:
    """What the zips would give: `accounts` in the order of the zips, and facts about rows. Times in seconds.

    A row that breaks several rules counts in each of `failures`.
    """

    accounts: tuple[ZipAccount, ...]
    targets: tuple[TargetFacts, ...] = ()
    checks: tuple[CheckFacts, ...] = ()
    failures: tuple[FailureFacts, ...] = ()
    warnings: Mapping[str, int] = field(default_factory=dict)
    seconds_parsed: float = 0.0
    seconds_judged: float = 0.0

    @property
    def stopped_by(self) -> tuple[str, ...]:
        """Checks with action stop that rows break: the ingest would load nothing and stop the feed."""
        return tuple(check.check for check in self.checks if check.action == "stop" and check.rows)


def dry_run(
    session: SparkSession, feed: Feed, targets: Mapping[str, TargetTable], zips: Sequence[Path], sample_rows: int = 0
) -> DryRun:
    """Reads and judges `zips` as a batch of `feed`; holds `sample_rows` rows of each target table, patients' records.

    A zip whose bytes were in an earlier one is a duplicate, as it would be when that one was loaded.
    """
    claimed = [_claimed(feed, number, path) for number, path in enumerate(zips, 1)]
    opened = list({z.note.sha256: z for z in reversed(claimed) if isinstance(z, ClaimedZip)}.values())
    if not opened:
        return DryRun(tuple(_accounts(claimed, {})))
    with TemporaryDirectory(prefix="carelake-dry-run-") as folder:
        for z in opened:
            (Path(folder) / f"{z.note.zip_id}.zip").symlink_to(zips[_number(z.note) - 1].resolve())
        manifest = Manifest(BATCH, 0, feed.feed, feed.revision, {}, tuple(opened))
        return _judged(session, Batch(manifest, Path(folder), feed, targets), claimed, sample_rows)


def _claimed(feed: Feed, number: int, path: Path) -> ClaimedZip | DeliveryNote:
    """A zip as it would be claimed, or its note alone if the feed does not take its name."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    zip_id = f"{number:08d}{sha256[:24]}"
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    note = DeliveryNote(zip_id, path.name, feed.landing_folder, sha256, path.stat().st_size, now)
    taken = feed_of(note, [feed])
    return ClaimedZip(note, taken[1]) if taken else note


def _number(note: DeliveryNote) -> int:
    return int(note.zip_id[:8])


def _judged(
    session: SparkSession, batch: Batch, claimed: Sequence[ClaimedZip | DeliveryNote], sample_rows: int
) -> DryRun:
    feed = batch.feed
    assert feed is not None
    started = time.monotonic()
    parsed = parse(session, batch).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        parsed.count()
        parsed_at = time.monotonic()
        judged = [judge(parsed, feed, member, batch.targets[member.target or ""]) for member in feed.readers]
        accounts = {a.zip.note.sha256: a for a in account_parsed(batch.to_open, parsed, judged)[0]}
        result = DryRun(
            accounts=tuple(_accounts(claimed, accounts)),
            targets=tuple(_target_facts(name, judged, sample_rows) for name in feed.targets),
            checks=tuple(_check_facts(feed, judged)),
            failures=tuple(_failures(parsed, judged)),
            warnings=_warnings(parsed),
            seconds_parsed=round(parsed_at - started, 3),
        )
        return replace(result, seconds_judged=round(time.monotonic() - parsed_at, 3))
    finally:
        parsed.unpersist()


def _accounts(claimed: Sequence[ClaimedZip | DeliveryNote], opened: Mapping[str, ZipAccount]) -> list[ZipAccount]:
    """An account a zip: those not taken, those opened, and those with the bytes of an earlier one."""
    accounts: list[ZipAccount] = []
    for z in claimed:
        if isinstance(z, DeliveryNote):
            accounts.append(account_refused(ClaimedZip(z, refusal=NO_FEED)))
            continue
        account = opened[z.note.sha256]
        if account.zip is not z and account.state == "loaded":
            accounts.append(account_duplicate(z, vars(account)))
        else:
            accounts.append(replace(account, zip=z))
    return accounts


def _target_facts(name: str, judged: Sequence[Judged], sample_rows: int) -> TargetFacts:
    own = [one for one in judged if one.target.target == name]
    target = own[0].target
    rows = reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), [fit_rows(j, BATCH) for j in own])
    kinds = {column.name: column.type for one in own for column in one.member.columns}
    counted = rows.agg(
        F.count(F.lit(1)).alias("_rows"),
        F.count_if("_deleted").alias("_deletes"),
        F.countDistinct(*target.record_key).alias("_keys"),
        *(fact for column in kinds for fact in _facts_of(column)),
    ).first()
    assert counted is not None
    columns = [
        ColumnFacts(column, kind, counted[f"_n_{column}"], counted[f"_min_{column}"], counted[f"_max_{column}"])
        for column, kind in kinds.items()
    ]
    count, partitions = _partitions(rows, target)
    return TargetFacts(
        target=name,
        rows_loaded=counted["_rows"],
        rows_quarantined=sum(one.rows.where("_failures IS NOT NULL").count() for one in own),
        merged=counted["_rows"] - counted["_keys"],
        deletes=counted["_deletes"],
        partition_count=count,
        partitions=partitions,
        columns=tuple(columns),
        sample=tuple(row.asDict() for row in rows.select(*kinds).limit(sample_rows).collect()) if sample_rows else (),
    )


def _facts_of(column: str) -> list[Any]:
    length = F.length(F.col(column).cast("string"))
    nulls = F.count_if(F.col(column).isNull())
    return [nulls.alias(f"_n_{column}"), F.min(length).alias(f"_min_{column}"), F.max(length).alias(f"_max_{column}")]


def _partitions(rows: DataFrame, target: TargetTable) -> tuple[int, tuple[str, ...]]:
    """How many partitions would be written, and the names of some; rules keep PHI out of them."""
    if target.partition_by is None:
        return 1, ()
    names = rows.select(F.col(target.partition_by).alias("name")).distinct()
    return names.count(), tuple(row.name for row in names.orderBy("name").limit(MOST_PARTITIONS).collect())


def _check_facts(feed: Feed, judged: Sequence[Judged]) -> list[CheckFacts]:
    broken: dict[tuple[str, str], int] = {}
    for one in judged:
        lines = one.rows.select(_checks_broken().alias("rule"))
        for row in lines.select(F.explode("rule").alias("rule")).groupBy("rule").count().collect():
            broken[one.member.member, row["rule"]] = row["count"]
    return [CheckFacts(c.check, c.member, c.action, broken.get((c.member, f"check.{c.check}"), 0)) for c in feed.checks]


def _checks_broken() -> Any:
    """The checks that a row breaks, whatever their action; each once."""
    refused = F.transform(
        F.split(F.coalesce("_failures", F.lit("")), "\n"), lambda line: F.substring_index(line, ":", 1)
    )
    return F.array_distinct(F.concat(refused, F.coalesce("_warnings", F.array())))


def _failures(parsed: DataFrame, judged: Sequence[Judged]) -> list[FailureFacts]:
    """What refused members and rows, the most frequent first; zips refused whole are told by their accounts."""
    place = [F.substring("_zip_id", 1, 8).cast("int").alias("zip"), F.col("_member_index").alias("member")]
    line = F.explode(F.split("_failures", "\n")).alias("line")
    rows = [
        one.rows.where("_failures IS NOT NULL")
        .select(*place, F.col("_row").alias("row"), line)
        .where(F.col("line").rlike(RULE_LINE))
        for one in judged
    ]
    members = parsed.where("_kind = '_member' AND _failures IS NOT NULL")
    whole = members.select(*place, F.lit(0).cast("bigint").alias("row"), F.col("_failures").alias("line"))
    every = reduce(DataFrame.unionAll, [*rows, whole]).withColumn("rule", F.substring_index("line", ":", 1))
    ranked = Window.partitionBy("rule").orderBy("zip", "member", "row")
    first = every.withColumn("rank", F.row_number().over(ranked)).withColumn(
        "count", F.count(F.lit(1)).over(Window.partitionBy("rule"))
    )
    found: dict[str, FailureFacts] = {}
    for row in first.where(F.col("rank") <= PLACES).orderBy("rule", "rank").collect():
        earlier = found.get(row["rule"], FailureFacts(row["rule"], row["count"], ()))
        places = (*earlier.places, (row["zip"], row["member"], row["row"]))
        found[row["rule"]] = replace(earlier, places=places)
    return sorted(found.values(), key=lambda facts: (-facts.count, facts.rule))


def _warnings(parsed: DataFrame) -> dict[str, int]:
    """Warnings about members, by name; those about rows are in the checks."""
    noticed: Counter[str] = Counter()
    for row in parsed.where("_kind = '_zip'").select("_warnings").collect():
        noticed.update(named_counts(row["_warnings"]))
    return dict(noticed)
