"""The sizing model: what it foretells of loads, with costs of the order that the benchmarks measure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spark_jobs.sizing import Costs, Load, grown, size_of
from spark_jobs.sizing.model import DAYS, HOUR


@pytest.fixture
def costs() -> Costs:
    return Costs(
        cpu_of_file=1e-3,
        cpu_of_commit=2.0,
        packed_of_file=1_200.0,
        rows_of_file=0.6,
        table_of_row=300.0,
        ledger_of_zip=500.0,
        memory_of_core=1.5e9,
        files_of_group=6.0,
        files_of_timeline=150.0,
    )


def test_more_load_never_needs_less(costs):
    brief = Load()
    for changed in (
        replace(brief, zips_per_day=brief.zips_per_day * 1.2),
        replace(brief, files_per_zip=300),
        replace(brief, stored_zips=1e8),
        replace(brief, peak_hour_share=0.2),
    ):
        before, after = size_of(brief, costs), size_of(changed, costs)
        assert all(getattr(after, name) >= getattr(before, name) for name in vars(before))
        assert after != before


def test_growth_keeps_what_was_delivered(costs):
    loads = dict(grown(Load(), 0.2, 5))
    assert list(loads) == ["first year", *(f"year {number}" for number in range(2, 7)), "100 times"]
    assert loads["year 6"].zips_per_day == pytest.approx(77_000 * 1.2**5)
    assert loads["year 6"].kept_zips == pytest.approx(77_000 * DAYS * sum(1.2**year for year in range(6)))
    assert loads["100 times"].peak_zips_per_s == pytest.approx(350_000 / HOUR)
