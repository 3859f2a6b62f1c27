"""The commands of the getting-started page, run as they stand there."""

import json
import shlex
import subprocess
import sys

import pyarrow.parquet as pq

from spark_jobs.site import REPOSITORY

PAGE = REPOSITORY / "docs" / "getting-started.md"


def commands(folder):
    """Arguments of every `$ ./lake ...` of the page, its folders moved below `folder`."""
    for line in PAGE.read_text().splitlines():
        if line.startswith("$ ./lake "):
            yield shlex.split(line.removeprefix("$ ./lake ").replace("/tmp/", f"{folder}/"))


def test_every_command_works_and_the_last_one_counts_what_the_truth_says(tmp_path):
    for arguments in commands(tmp_path):
        done = subprocess.run(
            [sys.executable, "-m", "spark_jobs.cli", *arguments, "--json"],
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
        )
        print(done.stderr)
        assert done.returncode == 0, (arguments, done.stderr)
    expected = pq.read_metadata(tmp_path / "my-deliveries" / "truth" / "tables" / "encounter.parquet").num_rows
    assert json.loads(done.stdout.splitlines()[-1])["rows"] == [[expected]]
