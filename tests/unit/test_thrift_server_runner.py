"""What runs a Thrift Server ends it where it has lost its executors, and never otherwise."""

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from spark_jobs.site import REPOSITORY

FILE = REPOSITORY / "ansible/roles/thrift_server/files/run.py"
LOOK_SECONDS, LOST_SECONDS = 0.05, 1.0
ENDED_BY_SIGTERM = -15


@pytest.fixture
def runner(monkeypatch):
    spec = spec_from_file_location("runner", FILE)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.signal, "signal", lambda *_: None)  # this process keeps its own handlers
    monkeypatch.setattr(module, "LOOK_SECONDS", LOOK_SECONDS)
    monkeypatch.setattr(module, "LOST_SECONDS", LOST_SECONDS)
    return module


@contextmanager
def pages(executors):
    """Pages that say these numbers of executors, look by look, and the last of them from then on; None is no answer."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.endswith("/applications"):
                return self.say([{"id": "one"}])
            count = executors.pop(0) if len(executors) > 1 else executors[0]
            if count is None:
                return self.send_error(503)
            return self.say([{"id": name} for name in ("driver", *range(count))])

        def say(self, answer):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def server_for(seconds):
    return [sys.executable, "-c", f"import time; time.sleep({seconds}); raise SystemExit(3)"]


def test_server_that_has_lost_all_executors_is_ended(runner):
    with pages([0, 2, 0]) as url:
        assert runner.main(url, server_for(60)) == ENDED_BY_SIGTERM


@pytest.mark.parametrize(
    "executors",
    [
        pytest.param([2], id="it has executors"),
        pytest.param([0], id="it has none yet"),
        pytest.param([2, 0, 0, 1], id="others came"),
        pytest.param([2, None], id="it does not say"),
    ],
)
def test_server_that_may_have_executors_runs_to_its_own_end(runner, executors):
    with pages(executors) as url:
        assert runner.main(url, server_for(2)) == 3


def test_server_ends_with_what_runs_it(tmp_path):
    began = tmp_path / "began"
    server = f"import pathlib, time; pathlib.Path({str(began)!r}).touch(); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, FILE, "http://127.0.0.1:1", sys.executable, "-c", server], stdout=subprocess.PIPE
    ) as runner:
        while not began.exists():
            assert runner.poll() is None
        runner.terminate()
        assert runner.stdout.read() == b""  # the server held it open too
        assert runner.wait() == 128 - ENDED_BY_SIGTERM
