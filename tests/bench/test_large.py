"""`lake bench large` in a small way: every row arrives, small zips go on beside it, and memory is told."""

from tests.bench.commands import run_bench

WORKER_MB = 1024  # whatever the size of the member


def test_every_row_of_a_large_member_is_loaded_in_bounded_memory(tmp_path):
    told = run_bench("large", "--megabytes", 60, "--alone", 5, "--pace", 0.5, "--home", tmp_path / "lake")
    assert told["inflated_mb"] == 60
    assert told["large_rows_loaded"] == told["rows"] > 0
    assert told["small_beside"] > 0
    assert 0 < told["python_worker_peak_mb"] < WORKER_MB
