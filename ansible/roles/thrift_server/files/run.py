"""Runs a Thrift Server, and ends it where it has lost all its executors for good; systemd then starts it anew.

A ResourceManager that takes over while a host is dead never hears of that host's executors, so it never says that they have ended.
Spark waits to be told and asks for no others: every statement would wait until the host is back.

Usage: run.py URL-OF-ITS-PAGES COMMAND...
"""

import json
import signal
import subprocess
import sys
import time
from http.client import HTTPException
from urllib.request import urlopen

LOOK_SECONDS = 10
# Others are there within seconds of a loss that YARN knows of, unless the queue is full; then those who wait lose nothing.
LOST_SECONDS = 120
STOP_SECONDS = 60


def main(pages, command):
    """Runs the command to its end, which whoever asks this process to end brings about; returns its exit code."""
    server = subprocess.Popen(command)  # noqa: S603
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    had_some, last_seen = False, time.monotonic()
    while not has_ended(server):
        executors = count_executors(pages)
        if executors or executors is None:
            had_some, last_seen = had_some or bool(executors), time.monotonic()
        elif had_some and time.monotonic() > last_seen + LOST_SECONDS:
            print(f"Ended: it lost its executors {LOST_SECONDS} s ago and got no others.", file=sys.stderr, flush=True)
            end(server)
    return server.returncode


def end(server):
    """Asks it to end, and kills it if it does not."""
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def has_ended(server):
    """Whether it ends within the time from one look to the next."""
    try:
        server.wait(LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def count_executors(pages):
    """How many executors the server has; None if it does not say."""
    try:
        [application] = ask(f"{pages}/api/v1/applications")
        return sum(
            executor["id"] != "driver" for executor in ask(f"{pages}/api/v1/applications/{application['id']}/executors")
        )
    except (OSError, HTTPException, ValueError, LookupError):
        return None


def ask(url):
    """The JSON that is at an address."""
    with urlopen(url, timeout=LOOK_SECONDS) as answer:  # noqa: S310
        return json.load(answer)


if __name__ == "__main__":
    code = main(sys.argv[1], sys.argv[2:])
    sys.exit(code if code >= 0 else 128 - code)  # as a shell says it
