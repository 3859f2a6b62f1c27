"""Which version of a row is the newest, by the documented order, and what was remarkable on the way."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa

from tests.simulator.columns import INT, LONG, TEXT, Target, to_array

PROVENANCE = {"_zip_name": TEXT, "_member_index": INT, "_row": LONG}


class Versions:
    """The newest version of every row of one target table."""

    def __init__(self, target: Target, kinds: Counter) -> None:
        self.target, self.kinds = target, kinds
        self.bulk: list[pa.Table] = []  # rows whose keys occur only once, deletes among them
        self._best: dict[tuple, tuple] = {}
        self._key_of = target.key_of()
        self._delete_at = target.position(target.delete_column)
        self._partition_at = target.position(target.partition) if target.partition else None

    def add(self, values: tuple, order: tuple, zip_name: str) -> None:
        """Take up a version; `order` is source time, extract time, hash, member, row."""
        key = self._key_of(values)
        best = self._best.get(key)
        if best is None:
            if self._deletes(values):
                self.kinds["delete.absent"] += 1
        else:
            self._remark(best, values, order)
            if order < best[0]:
                return
        self._best[key] = (order, zip_name, values)

    def _deletes(self, values: tuple) -> bool:
        return values[self._delete_at] == self.target.delete_value

    def _remark(self, best: tuple, values: tuple, order: tuple) -> None:
        old_order, _, old = best
        wins, kinds = order > old_order, self.kinds
        if order[0] == old_order[0]:
            kinds[_tie(order, old_order)] += 1
        elif not wins:
            kinds["order.late_older"] += 1
        if self._deletes(values) != self._deletes(old):
            what = "delete" if self._deletes(values) else "reinsert"
            kinds[f"{what}.{'wins' if wins else 'late'}"] += 1
        if self._partition_at is not None and values[self._partition_at] != old[self._partition_at]:
            kinds[f"move.{'forward' if wins else 'late'}"] += 1

    def table(self) -> pa.Table:
        """The rows as readers see them."""
        return self._assemble(deleted=False)

    def deleted(self) -> pa.Table:
        """The record keys of rows whose newest version is a delete."""
        return self._assemble(deleted=True).select(list(self.target.key))

    def _assemble(self, deleted: bool) -> pa.Table:
        kept = [entry for entry in self._best.values() if self._deletes(entry[2]) == deleted]
        lines = [(*values, name, order[3], order[4]) for order, name, values in kept]
        kinds = self.target.columns | PROVENANCE
        columns = list(zip(*lines, strict=True)) if lines else [()] * len(kinds)
        arrays = [to_array(list(column), kind) for column, kind in zip(columns, kinds.values(), strict=True)]
        return pa.concat_tables([pa.table(arrays, names=list(kinds)), *self._bulk(deleted)])

    def _bulk(self, deleted: bool) -> list[pa.Table]:
        return [_matching(rows, self.target, deleted) for rows in self.bulk]


def _tie(order: tuple, old: tuple) -> str:
    for place, kind in ((1, "extract"), (2, "sha256"), (3, "member")):
        if order[place] != old[place]:
            return f"tie.{kind}"
    return "tie.row"


def _matching(rows: pa.Table, target: Target, deleted: bool) -> pa.Table:
    import pyarrow.compute as pc  # noqa: PLC0415 - slow to load, and only the edge case needs it

    deletes = pc.equal(rows[target.delete_column], target.delete_value)
    return rows.filter(deletes if deleted else pc.invert(deletes))
