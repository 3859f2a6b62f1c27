"""The ingest job: takes in whatever has landed, batch by batch, until landing is empty or it is told to stop.

Crash-only: batches that an earlier run left in `claimed/` are run again first, from their manifests; everything else
is found again in landing.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial

from spark_jobs.batches.batch import Batch, rules_to_manifest
from spark_jobs.batches.run import BatchResult, Written, write_batch
from spark_jobs.errors import LakeError
from spark_jobs.jobs.accounting import Accounting
from spark_jobs.jobs.chores import Chore
from spark_jobs.jobs.compact import compact_pending
from spark_jobs.jobs.failures import log_alarm, log_failure
from spark_jobs.jobs.planning import Plan, Planned, is_worth_a_turn, kind_of, make_plan
from spark_jobs.jobs.progress import NOBODY, IngestReport, Listener
from spark_jobs.jobs.troubles import BEGINNINGS, Troubles
from spark_jobs.landing import vault
from spark_jobs.landing.agent import adopt
from spark_jobs.landing.claim import MANIFEST, Manifest, batch_folder, claim, landed_zips, release, unfinished_batches
from spark_jobs.landing.files import free_bytes, write_json
from spark_jobs.landing.lease import next_epoch
from spark_jobs.tables.access import access_of
from spark_jobs.tables.lake import Lake
from spark_jobs.tables.presto import show_in_presto
from spark_jobs.tables.rule_store import insert_stop
from spark_jobs.tables.session import share_fairly
from spark_jobs.tables.standing import standing

# A commit is mostly waiting: with fewer the cores idle.
BATCHES_A_CORE = 3
# One feed never has all of them: another one's zips find a free one at once.
SHARE_OF_A_FEED = 0.5
# How often landing is looked at while nothing happens, and how often it is planned again though nothing new landed.
POLL_SECONDS = 0.5
REPLAN_SECONDS = 15.0
# How often the vault is packed, and planned compactions are carried out, if there is something to do.
PACK_SECONDS, COMPACT_SECONDS, VIEWS_SECONDS = 2.0, 30.0, 5.0
# A zip that was put into landing by hand, and not renamed, may still grow: a continuous run leaves it alone for so long.
QUIET_SECONDS = 60.0
# Below this nothing more is claimed: what was begun needs room to end.
LEAST_FREE_BYTES = 1 << 30
FATAL = "zip.failed: the job ended each time that it was read"


def ingest_once(lake: Lake, listener: Listener = NOBODY) -> IngestReport:
    """Takes in all zips that wait, and those that a killed run left behind; returns what became of them."""
    return IngestRun(lake, listener).until_empty()


class IngestRun:
    """One run of the ingest job. One thread plans, claims and judges failures; a pool beside it writes batches.

    A batch leaves the pool once its tables are committed. The ledger is written aside, for all that wait for it at once.
    """

    def __init__(self, lake: Lake, listener: Listener = NOBODY) -> None:
        self.lake, self.listener = lake, listener
        self.report = IngestReport()
        self._epoch = next_epoch(lake.site)
        self._quiet_seconds = 0.0
        self._waits_for_room = self._told_of_full_disk = False
        self._number = 0
        self._troubles = Troubles()
        cores = os.cpu_count() or 1
        self._at_once, self._large_at_once = BATCHES_A_CORE * cores, max(1, cores // 2)
        self._pool = ThreadPoolExecutor(self._at_once, "batch")
        self._aside = ThreadPoolExecutor(4, "aside")  # the ledger and the chores
        self._running: dict[Future[Written | BatchResult], Batch] = {}
        self._accounting = Accounting(lake, self._aside)
        self._began: dict[str, float] = {}  # by batch
        self._ends = 0  # how often a batch left the pool or the ledger: then there is something new to plan
        self._left: list[Batch] = []  # claimed and not running: of an earlier run, or failed after they began to write
        self._halted: frozenset[str] = frozenset()
        self._planned_for: tuple[frozenset[str], int] | None = None
        self._planned_at = float("-inf")
        site = lake.site
        self._packing = Chore("vault", partial(vault.pack, site.vault), self._aside, site.logs, PACK_SECONDS)
        self._compaction = Chore("compaction", partial(_compact, lake), self._aside, site.logs, COMPACT_SECONDS)
        self._views = (
            [Chore("Presto's views", partial(show_in_presto, lake), self._aside, site.logs, VIEWS_SECONDS)]
            if site.cluster
            else []
        )

    def until_empty(self) -> IngestReport:
        """Runs until nothing is left that can be taken in now. Raises LakeError where the lake itself is not fit."""
        self._begin()
        try:
            while True:
                started = self._start_batches()
                if not (started or self._is_at_work()):
                    if not self._troubles.waiting():
                        break
                    time.sleep(POLL_SECONDS)
                self._do_chores(self._packing, *self._views)
                self._collect()
        finally:
            self._end()
        return self.report

    def until_stopped(self, stop: threading.Event) -> IngestReport:
        """Runs until `stop` is set: then no more is claimed, and what was claimed is run to its end."""
        self._quiet_seconds, self._waits_for_room = QUIET_SECONDS, True
        self._begin()
        try:
            while not stop.is_set():
                self._start_batches()
                self._do_chores(self._packing, self._compaction, *self._views)
                if not self._is_at_work():
                    stop.wait(POLL_SECONDS)
                self._collect()
            while self._is_at_work():
                self._collect()
        finally:
            self._end()
        return self.report

    def _begin(self) -> None:
        site = self.lake.site
        batches = [Batch.read(folder) for folder in unfinished_batches(site.claimed, site.landing)]
        self._left = [left for batch in batches if (left := self._taken_apart(batch))]
        if site.cluster:
            targets = map(self.lake.table, standing(self.lake).rules.targets.values())
            self.lake.to_show.update(table for table in targets if table.has_commits)

    def _taken_apart(self, batch: Batch) -> Batch | None:
        """The batch as it is, unless it has ended the process too often: then its zips are tried one by one.

        The one that still ends it is refused: the manifest says so before the batch is run again.
        """
        if batch.beginnings < BEGINNINGS or batch.began_to_write or not batch.feed:
            return batch
        if len(batch.manifest.zips) > 1:
            self._troubles.suspect(batch.feed.feed)
            release(self.lake.site.landing, batch.folder)
            return None
        self._alarm(f"batch {batch.name} ended the job {batch.beginnings} times: its zip is refused")
        zips = tuple(replace(z, refusal=FATAL) for z in batch.manifest.zips)
        write_json(batch.folder / MANIFEST, asdict(replace(batch.manifest, zips=zips)))
        return Batch.read(batch.folder)

    def _end(self) -> None:
        for pool in (self._pool, self._aside):
            pool.shutdown(wait=True, cancel_futures=True)
        vault.pack(self.lake.site.vault)
        if self.lake.site.cluster and is_alive(self.lake):
            try:
                show_in_presto(self.lake)
            except LakeError as error:
                log_failure(self.lake.site.logs, "Presto's views", error)

    def _start_batches(self) -> int:
        """Starts what can be started now; returns how many batches."""
        free = self._at_once - len(self._running)
        if not free or not self._has_room():
            return 0
        before = len(self._running)
        if self._left:
            self._start_left(free)
        with self._unless_disk_fills():
            self._start_landed()
        return len(self._running) - before

    def _start_landed(self) -> None:
        adopt(self.lake.site.landing, self._quiet_seconds)
        notes = landed_zips(self.lake.site.landing)
        self.report.backlog = len(notes)
        if (notes or self._left) and self._is_time_to_plan(frozenset(note.zip_id for note in notes)):
            plan = make_plan(self.lake, notes, self._troubles, self._feeds_at_work())
            self._halted = frozenset(plan.halted)
            self.report.findings = plan.findings
            self._claim(plan)

    def _start_left(self, free: int) -> None:
        waiting = self._halted | self._troubles.waiting()
        ready = [batch for batch in self._left if batch.manifest.feed not in waiting][:free]
        for batch in ready:
            self._left.remove(batch)
            self._start(batch, again=True)

    def _is_time_to_plan(self, landed: frozenset[str]) -> bool:
        """Planning asks the metastore and the ledger: not while nothing has changed that it depends on."""
        now, state = time.monotonic(), (landed, self._ends)
        pausing = bool(self._troubles.waiting())
        if state == self._planned_for and not pausing and now < self._planned_at + REPLAN_SECONDS:
            return False
        self._planned_for, self._planned_at = state, now
        return True

    def _claim(self, plan: Plan) -> None:
        for planned in plan.batches:
            if len(self._running) == self._at_once:
                self._planned_for = None
                break
            if self._may_start(planned):
                self._start(self._claimed(plan, planned), again=False)

    def _may_start(self, planned: Planned) -> bool:
        """Leaves room for other feeds, and lets the zips of a feed gather while a batch of theirs is being written."""
        at_work = [batch.manifest for batch in self._running.values()]
        of_feed = [m for m in at_work if m.feed == planned.feed_name]
        if len(of_feed) >= max(1, round(self._at_once * SHARE_OF_A_FEED)):
            return False
        kind = kind_of(planned.zips)
        if kind == "large" and sum(kind_of(m.zips) == "large" for m in at_work) >= self._large_at_once:
            return False
        return is_worth_a_turn(planned.zips) or not any(kind_of(m.zips) == kind for m in of_feed)

    def _claimed(self, plan: Plan, planned: Planned) -> Batch:
        feed, targets = planned.feed, plan.rules.targets
        manifest = Manifest(
            batch=f"{planned.feed_name or 'no_feed'}-{self._epoch:06d}-{self._number:04d}",
            epoch=self._epoch,
            feed=planned.feed_name,
            revision=feed.revision if feed else 0,
            rules=rules_to_manifest(feed, targets),
            zips=tuple(planned.zips),
        )
        self._number += 1
        site = self.lake.site
        try:
            return Batch(manifest, claim(site.landing, site.claimed, manifest), feed, targets)
        except OSError:
            release(site.landing, batch_folder(site.claimed, manifest))
            raise

    def _feeds_at_work(self) -> Counter[str | None]:
        return Counter(batch.manifest.feed for batch in self._running.values())

    def _start(self, batch: Batch, again: bool) -> None:
        self._began[batch.name] = time.monotonic()
        self._running[self._pool.submit(_run, self.lake, batch, again)] = batch

    def _is_at_work(self) -> bool:
        return bool(self._running) or not self._accounting.is_idle

    def _collect(self) -> None:
        """Waits a moment for batches to be written or entered into the ledger, and takes note of those that are."""
        ledger = [self._accounting.future] if self._accounting.future else []
        done, _ = wait([*self._running, *ledger], timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in done.intersection(self._running):
            self._note_written(self._running.pop(future), future)
        batches, results, error = self._accounting.take_ended()
        for written in batches if error else ():
            self._note_failure(written.batch, error)
        for result in results:
            self._note_end(result)
        self._accounting.go_on(others_to_come=bool(self._running))
        if done or batches:
            self._ends += 1
            self.listener.progress(self.report)

    def _note_written(self, batch: Batch, future: Future[Written | BatchResult]) -> None:
        if error := future.exception():
            self._note_failure(batch, error)
        elif isinstance(result := future.result(), Written):
            self._accounting.add(result)
        else:
            self._note_end(result)

    def _note_end(self, result: BatchResult) -> None:
        self.report.add(result)
        # A batch of zips that were refused unread says nothing about those that are read.
        if not result.accounts or any(account.zip.refusal is None for account in result.accounts):
            self._troubles.note_success(result.feed or "")
        self.report.isolated.pop(result.feed or "", None)
        self.listener.finished(result, time.monotonic() - self._began.pop(result.batch))
        if result.stopped_by:
            self._alarm(f"feed {result.feed} is stopped by {result.stopped_by}: its zips wait in landing")

    def _note_failure(self, batch: Batch, error: BaseException) -> None:
        """Gives the batch back where it wrote nothing, keeps it claimed where it did; isolates the feed if need be."""
        log_failure(self.lake.site.logs, batch.name, error)
        self._refuse_dead_session()
        self.report.failures += 1
        given_back = not batch.began_to_write
        if given_back:
            release(self.lake.site.landing, batch.folder)
        else:
            self._left.append(batch)
            self.report.failed[batch.name] = type(error).__name__
        if self._disk_is_full():  # that is no fault of its feed
            return
        zips = [z.note.zip_id for z in batch.manifest.zips]
        feed = batch.manifest.feed
        if self._troubles.note_failure(feed or "", batch.name, zips, given_back) and feed:
            self._isolate(batch, feed, type(error).__name__)

    def _isolate(self, batch: Batch, feed: str, kind: str) -> None:
        assert batch.feed is not None
        zip_id = batch.manifest.zips[0].note.zip_id
        reason = f"its batches failed again and again: {kind}"
        insert_stop(access_of(self.lake), batch.feed, "batch.failed", zip_id, batch.name, reason)
        self._halted |= {feed}
        self.report.isolated[feed] = kind
        self._alarm(f"feed {feed} is isolated: its batches fail ({kind}). Then: lake ingest resume {feed}")

    def _alarm(self, text: str) -> None:
        log_alarm(self.lake.site.logs, text)
        self.listener.alarm(text)

    def _refuse_dead_session(self) -> None:
        """A batch that took the JVM with it is no fault of the others: the next run begins with them again."""
        if not is_alive(self.lake):
            raise LakeError(str(self.lake.site.home), "Spark has ended", "Start again: claimed batches are run again.")

    def _has_room(self) -> bool:
        """Whether there is room to begin more. If not, a continuous run waits for it, any other ends with its batches."""
        if not self._disk_is_full():
            self._told_of_full_disk = False
            return True
        problem = f"less than {LEAST_FREE_BYTES >> 20} MB are free on its disk"
        if not (self._running or self._waits_for_room):
            raise LakeError(str(self.lake.site.home), problem, "Make room: nothing more is claimed until then.")
        if not self._told_of_full_disk:
            self._told_of_full_disk = True
            self._alarm(f"{problem}: nothing more is claimed until there is room")
        return False

    def _disk_is_full(self) -> bool:
        return free_bytes(self.lake.site.home) < LEAST_FREE_BYTES

    @contextmanager
    def _unless_disk_fills(self) -> Iterator[None]:
        """Gives up what is begun in the block where the disk fills meanwhile: `_has_room` tells of it next time."""
        try:
            yield
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            self._planned_for = None

    def _do_chores(self, *chores: Chore) -> None:
        for chore in chores:
            if chore.go_on():
                self._refuse_dead_session()


def is_alive(lake: Lake) -> bool:
    """Whether the session's JVM answers and has not stopped."""
    try:
        return not lake.session.sparkContext._jsc.sc().isStopped()
    except Exception:
        return False


def _run(lake: Lake, batch: Batch, again: bool) -> Written | BatchResult:
    share_fairly(lake.session, batch.manifest.feed or "no_feed")
    batch.begin()
    return write_batch(lake, batch, again)


def _compact(lake: Lake) -> None:
    share_fairly(lake.session, "upkeep")
    compact_pending(lake)
