"""Whether all that landed during `lake bench latency` ended as it must: each zip once, each table as its truth says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from spark_jobs.cli.bench.latency_load import BROKEN_FEED, Landed, Load
from spark_jobs.tables.access import Access

TABLES_A_QUESTION = 10


@dataclass(frozen=True)
class Account:
    """A zip in the ledger: its rows there, state, rows loaded, batch, when its tables were committed (system's clock)."""

    entries: int
    state: str
    rows: int
    batch: str
    committed: float


def accounts_of(access: Access) -> dict[str, Account]:
    """What the ledger says of every zip."""
    rows = access.records(
        "SELECT zip_id, count(*) AS entries, max(state) AS state, max(rows_loaded) AS rows,"
        " max(batch) AS batch,"
        " max(unix_micros(committed_at)) / 1e6 AS committed FROM ops.ledger GROUP BY zip_id"
    )
    return {row.pop("zip_id"): Account(**row) for row in rows}


def zip_differences(landed: Sequence[Landed], accounts: Mapping[str, Account]) -> Iterator[str]:
    """Zips without exactly one ledger entry of the state and rows that they must have."""
    wrong = 0
    for one in landed:
        account = accounts.get(one.zip_id)
        state = "quarantined" if one.feed == BROKEN_FEED else "loaded"
        wrong += account is None or (account.entries, account.state, account.rows) != (1, state, one.rows)
    if wrong:
        yield f"{wrong} of {len(landed)} zips are not in the ledger as they must be"
    if len(accounts) > len(landed):
        yield f"the ledger has {len(accounts)} zips, and {len(landed)} landed"


def table_differences(access: Access, load: Load) -> Iterator[str]:
    """Tables whose rows, or the sum of their charges, are not those of the truth."""
    names = list(load.feeds)
    for first in range(0, len(names), TABLES_A_QUESTION):
        some = names[first : first + TABLES_A_QUESTION]
        parts = [
            f"SELECT '{name}' AS name, count(*) AS rows, cast(sum(charges) * 100 AS bigint) AS cents FROM lake.{name}"
            for name in some
        ]
        for row in access.records(" UNION ALL ".join(parts)):
            truth = load.feeds[row["name"]].truth
            if (row["rows"], row["cents"]) != (truth.rows, truth.cents):
                yield f"lake.{row['name']} has {row['rows']} rows, and {truth.rows} were sent, or their charges differ"
