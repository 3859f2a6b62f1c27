"""The command line: every command explains itself, and speaks to machines."""

import json
import subprocess
import sys

import pytest
import typer

from spark_jobs.cli.main import app


def commands(group, *path):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


COMMANDS = dict(commands(typer.main.get_command(app)))


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


def test_commands_start_without_what_few_of_them_need():
    program = "import sys, spark_jobs.cli.main; print({'matplotlib', 'pandas', 'reportlab'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
