"""What a run of the ingest tells while it goes on, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from spark_jobs.batches.run import BatchResult
from spark_jobs.rules.model import Finding


@dataclass
class IngestReport:
    """What a run came to, in counts; it never holds a value from the data.

    `failed`: batches that are still claimed, and the kind of error. `isolated`: feeds set aside after failures.
    """

    zips: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("loaded", "duplicate", "ignored", "quarantined"), 0)
    )
    members: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("loaded", "duplicate", "ignored", "quarantined"), 0)
    )
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("loaded", "duplicate", "quarantined"), 0))
    batches: int = 0
    failures: int = 0
    backlog: int = 0
    stopped: dict[str, str] = field(default_factory=dict)
    isolated: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    findings: Sequence[Finding] = ()

    def add(self, result: BatchResult) -> None:
        """Counts a finished batch."""
        self.batches += 1
        self.failed.pop(result.batch, None)
        if result.stopped_by and result.feed:
            self.stopped[result.feed] = result.stopped_by
        for account in result.accounts:
            self.zips[account.state] += 1
            for outcome in self.members:
                self.members[outcome] += getattr(account, f"members_{outcome}")
            for outcome in self.rows:
                self.rows[outcome] += getattr(account, f"rows_{outcome}")


def _ignore(*_: object) -> None:
    pass


@dataclass(frozen=True)
class Listener:
    """Who is told how a run goes: after each change, of each batch that ended (with seconds), of what needs a person."""

    progress: Callable[[IngestReport], None] = _ignore
    finished: Callable[[BatchResult, float], None] = _ignore
    alarm: Callable[[str], None] = _ignore


NOBODY = Listener()
