"""`lake bench ingest`, tiny: every contender takes in all that it should, and the result has its keys. Speeds are not judged."""

from __future__ import annotations

import pytest

from tests.bench.commands import run_bench

TINY = ("--zips", 10, "--warm-up-zips", 10, "--rounds", 1)


def test_contenders_hold_what_the_truth_says(tmp_path):
    result = run_bench("ingest", *TINY, "--work", tmp_path)
    assert result["differences"] == []
    assert set(result["contenders"]) == set("abcd")
    for key in ("files_per_s", "ratio_a_b", "ratio_a_c", "ratio_a_d"):
        assert result[key] > 0
        assert result["spread"][key]["min"] <= result["spread"][key]["max"]
    for contender in result["contenders"].values():
        assert contender["peak_mb"] > 0
        for wave in ("cold", "warm"):
            assert {"files_per_s", "inflated_mb_per_s", "packed_mb_per_s", "seconds", "cpu_seconds"} <= set(
                contender[wave]
            )


@pytest.mark.parametrize("format_", ["csv", "delimited", "fixed"])
def test_text_formats_hold_what_the_truth_says(format_, tmp_path):
    result = run_bench("ingest", "--format", format_, *TINY, "--work", tmp_path)["formats"][format_]
    assert result["differences"] == []
    assert result["rows_per_s"] > 0
    assert result["ratio_a_s"] > 0


def test_a_day_is_told_from_what_was_taken_in(tmp_path):
    result = run_bench("ingest", "--day", "--zips", 20, "--warm-up-zips", 10, "--work", tmp_path)
    assert result["differences"] == []
    assert result["day_minutes"] == pytest.approx(15_000_000 / result["files_per_s"] / 60, rel=0.01)
