"""Runs a page of the documentation: its commands as they stand there, and the files it tells people to write."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spark_jobs.site import REPOSITORY, Site
from spark_jobs.tables.endpoint import read_address

LAKE = [sys.executable, "-m", "spark_jobs.cli"]
PATIENCE_SECONDS = 600
STEP = re.compile(
    r"^\$ \./lake (?P<command>[^\n]*)$"
    r"|^`(?P<path>/tmp/\S+)`:\n```yaml\n(?P<text>.*?)^```$"
    r"|In `(?P<edited>/tmp/\S+)`:$"
    r"|^\| `(?P<old>[^`]+)` \| `(?P<new>[^`]+)` \|$",
    re.MULTILINE | re.DOTALL,
)


class Page:
    """A page that is carried out in `folder`, which stands for its /tmp; `answers` are the results of its commands."""

    def __init__(self, name: str, folder: Path) -> None:
        self.text = (REPOSITORY / "docs" / name).read_text()
        self.folder = folder
        self.site = Site(folder / "my-lake")
        self.answers: list[tuple[list[str], dict[str, Any]]] = []
        self._behind: list[subprocess.Popen[bytes]] = []
        self._edited = Path()

    def run(self) -> None:
        """Every step in order. What was started behind is ended in any case."""
        try:
            for step in STEP.finditer(self.text):
                self._carry_out(step.groupdict())
        finally:
            for process in self._behind:
                process.terminate()
                process.wait()

    def answers_to(self, *beginning: str) -> list[dict[str, Any]]:
        """The results of the commands that begin so."""
        return [answer for command, answer in self.answers if tuple(command[: len(beginning)]) == beginning]

    def _carry_out(self, step: dict[str, str]) -> None:
        if step["path"]:
            path = Path(self._moved(step["path"]))
            assert path.exists(), f"{path} is to be edited, and no command has made it"
            path.write_text(step["text"])
        elif step["edited"]:
            self._edited = Path(self._moved(step["edited"]))
        elif step["old"]:
            text = self._edited.read_text()
            assert text.count(step["old"]) == 1, (self._edited, step["old"])
            self._edited.write_text(text.replace(step["old"], step["new"]))
        else:
            self._command(self._moved(step["command"]))

    def _command(self, line: str) -> None:
        arguments = shlex.split(line)
        if arguments[-1] == "&":
            self._behind.append(subprocess.Popen([*LAKE, *arguments[:-1]], cwd=REPOSITORY, stdout=subprocess.DEVNULL))
            self._until("the endpoint opens", lambda: read_address(self.site))
            return
        done = subprocess.run([*LAKE, *arguments, "--json"], capture_output=True, text=True, cwd=REPOSITORY)
        assert done.returncode == 0, (arguments, done.stderr)
        self.answers.append((arguments, json.loads(done.stdout.splitlines()[-1])))
        if self._behind:
            self._until("everything that landed is taken in", lambda: not list(self._waiting()))

    def _waiting(self) -> Iterator[Path]:
        yield from self.site.landing.glob("*/*.zip")
        yield from self.site.claimed.glob("*/*")

    def _moved(self, text: str) -> str:
        return text.replace("/tmp/", f"{self.folder}/")

    @staticmethod
    def _until(what: str, is_so: Any) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < deadline, what
            time.sleep(0.3)
