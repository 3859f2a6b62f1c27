"""The command line: every command explains itself, and speaks to machines."""

import json
import subprocess
import sys

import pytest
import typer

from spark_jobs.cli.main import WORDS, command_line


def commands(group, *path):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


COMMANDS = dict(commands(typer.main.get_command(command_line())))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_command_has_help_with_an_example_and_json(path):
    command = COMMANDS[path]
    assert command.help
    assert f"lake {' '.join(path)}" in command.epilog
    assert "--json" in {option for parameter in command.params for option in parameter.opts}
    assert all(parameter.help for parameter in command.params if parameter.param_type_name == "option")


def test_error_says_where_what_and_what_next_and_is_json_for_machines(tmp_path):
    command = [sys.executable, "-m", "spark_jobs.cli", "ingest", "--home", str(tmp_path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    error = json.loads(done.stdout.splitlines()[-1])["error"]
    assert error == {
        "where": "lake ingest",
        "problem": "how long to run was not said",
        "hint": "Use: lake ingest --once, or --continuous",
    }
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("word", sorted(WORDS))
def test_word_of_the_command_line_is_found_where_it_is_looked_for_alone(word):
    assert word in typer.main.get_command(command_line(word)).commands


def test_every_command_is_found_when_its_word_is_said():
    assert {path[0] for path in COMMANDS} == WORDS


ONLY_FOR_REPORTS = ("matplotlib", "pandas", "reportlab")
ONLY_FOR_TABLES = ("pyspark", "pyarrow", "sqlglot")


@pytest.mark.parametrize(
    ("command", "others"),
    [
        ("--help", ONLY_FOR_REPORTS),
        ("lab status", ONLY_FOR_REPORTS + ONLY_FOR_TABLES),
        ("status --site nowhere", ONLY_FOR_REPORTS + ONLY_FOR_TABLES),
    ],
    ids=["help", "lab", "site"],
)
def test_command_starts_without_what_only_others_need(command, others):
    program = f"""
import sys
from spark_jobs.cli.main import main
sys.argv[1:] = {command.split()}
try:
    main()
except SystemExit:
    print(sorted({set(others)} & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.endswith("[]\n"), done.stderr
