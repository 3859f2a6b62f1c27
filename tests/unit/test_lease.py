"""The lease: one process at a time, and never beside the JVM of one that was killed."""

import subprocess
import sys

import pytest

from spark_jobs.errors import LakeError
from spark_jobs.landing import lease
from spark_jobs.site import Site


def test_second_holder_is_told_who_has_the_lake(tmp_path):
    code = "import sys;from pathlib import Path;from spark_jobs.landing.lease import hold_lease;from spark_jobs.site import Site\n"
    code += "with hold_lease(Site(Path(sys.argv[1])), 'lake ingest'): print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(LakeError, match=rf"process {holder.pid} \(lake ingest\)"),
            lease.hold_lease(Site(tmp_path), "x"),
        ):
            pass
        holder.kill()
    with lease.hold_lease(Site(tmp_path), "lake sql"):
        pass


def test_lease_waits_for_the_jvm_of_a_killed_holder(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "JVM_END_SECONDS", 0.2)
    with subprocess.Popen(["sleep", "60"]) as jvm:
        lease.remember_jvm(Site(tmp_path), jvm.pid)
        with pytest.raises(LakeError, match="still works on it"), lease.hold_lease(Site(tmp_path), "x"):
            pass
        jvm.kill()
    with lease.hold_lease(Site(tmp_path), "x"):
        pass


def test_epochs_only_rise(tmp_path):
    assert [lease.next_epoch(Site(tmp_path)) for _ in range(3)] == [1, 2, 3]
