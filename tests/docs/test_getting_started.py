"""The commands of the getting-started page, run as they stand there."""

import pyarrow.parquet as pq

from tests.docs.pages import Page


def test_every_command_works_and_the_last_one_counts_what_the_truth_says(tmp_path):
    page = Page("getting-started.md", tmp_path)
    page.run()
    expected = pq.read_metadata(tmp_path / "my-deliveries" / "truth" / "tables" / "encounter.parquet").num_rows
    assert page.answers_to("sql")[-1]["rows"] == [[expected]]
