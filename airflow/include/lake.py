"""Running a command of the lake from a task. The lake has a Python environment of its own; only JSON comes back."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from include.places import COMMAND

Process = subprocess.Popen[str]
_FRAME = re.compile(r'^  File ".*?([^/"]+)", line (\d+), in (\S+)$', re.MULTILINE)
FRAMES_SHOWN = 6
END_SECONDS = 30


class LakeOperator(BaseOperator):
    """Runs `lake <command> --json`; returns the counts in its result, which are all that is logged of it.

    With `skip_if` the task is skipped where that key of the result is true. The command's processes end with the task; every
    command can be begun again after that.
    """

    template_fields: Sequence[str] = ("command",)

    def __init__(self, *, command: Sequence[str], skip_if: str = "", **more: Any) -> None:
        super().__init__(**more)
        self.command = list(command)
        self.skip_if = skip_if
        self._process: Process | None = None

    def execute(self, context: Any) -> dict[str, float]:
        """Runs the command and waits for its end."""
        result = ask(*self.command, started=self._note)
        found = counts(result)
        self.log.info("lake %s: %s", " ".join(self.command), found)
        if self.skip_if and result.get(self.skip_if):
            raise AirflowSkipException(f"nothing to do: {self.skip_if}")
        return found

    def on_kill(self) -> None:
        """Ends the command."""
        if self._process:
            end(self._process)

    def _note(self, process: Process) -> None:
        self._process = process


def ask(*command: str, started: Callable[[Process], None] | None = None) -> dict[str, Any]:
    """The result of `lake <command> --json`; `started` is given the process as soon as it runs.

    Raises AirflowException with the problem that the command names: those texts hold no value from the data. Of an
    error that nobody foresaw only the places in the code are shown, because its text might.
    """
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(  # noqa: S603
            [COMMAND, *command, "--json"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True, start_new_session=True,
        )  # fmt: skip
        if started:
            started(process)
        try:
            out, _ = process.communicate()
        except BaseException:  # the time is up: nothing may go on by itself
            end(process)
            raise
        result = _last_object(out)
        if process.returncode:
            why = _told(result) or _places(said, process.returncode)
            raise AirflowException(f"lake {' '.join(command[:2])}: {why}")
        return result


def counts(result: Mapping[str, Any], name: str = "") -> dict[str, float]:
    """The numbers of a result by their dotted names; lists count their entries, and sum up the numbers in them."""
    found: dict[str, float] = {}
    for key, value in result.items():
        path = f"{name}{key}"
        if isinstance(value, bool | int | float):
            found[path] = value
        elif isinstance(value, Mapping):
            found |= counts(value, f"{path}.")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            found[path] = len(value)
            for entry in value:
                inner = counts(entry, f"{path}.") if isinstance(entry, Mapping) else {}
                found |= {inside: found.get(inside, 0) + number for inside, number in inner.items()}
    return found


def end(process: Process) -> None:
    """Ends a command with all that it has started."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


def _last_object(out: str) -> dict[str, Any]:
    lines = out.splitlines()
    try:
        result = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return result if isinstance(result, dict) else {}


def _told(result: Mapping[str, Any]) -> str:
    """What a failed command says of itself, for people."""
    entries = [result, *(entry for entry in result.get("editions", ()) if isinstance(entry, Mapping))]
    return "; ".join(text for entry in entries for text in _problem(entry))


def _problem(entry: Mapping[str, Any]) -> Iterator[str]:
    match entry.get("error"):
        case {"where": "SQL"}:
            yield "SQL is refused"  # in Spark's own words, which may quote what it stumbled over
        case {"where": where, "problem": problem}:
            yield f"{where}: {problem}"
        case str() as problem:
            yield f"{entry.get('report', '')} {entry.get('date', '')}: {problem}"
        case _ if entry.get("wrong"):
            yield f"{entry['wrong']} wrong"


def _places(said: IO[str], code: int) -> str:
    """Where in the code a command ended that did not say why."""
    said.seek(0)
    frames = _FRAME.findall(said.read())[-FRAMES_SHOWN:]
    where = ", ".join(f"{file}:{line}" for file, line, _ in frames)
    return f"ended with {code}" + (f" at {where}" if where else "")
