"""The small lab, deployed by the playbooks: what they promise, on real hosts."""

import shutil
import subprocess
import time

import pytest

from spark_jobs.lab import ansible
from spark_jobs.lab.state import lab_that_is_up
from spark_jobs.site import REPOSITORY
from tests.lab.machine import await_services, hosts, on_host, recap, run_lake, start_again, until_said

HOSTS = {"n1", "n2", "n3"}
FAILOVER_SECONDS = 60


@pytest.mark.parametrize("site", ["lab", "lab-small", "single", "production"])
def test_inventory_holds_its_promises(deployed, site):
    run_lake("lab", "deploy", "--site", f"inventory/{site}", "--playbook", "inventory")


def test_inventory_whose_yarn_lacks_room_is_refused_with_figures(deployed, tmp_path):
    site = shutil.copytree(REPOSITORY / "inventory/single", tmp_path / "small")
    (site / "host_vars").mkdir()
    (site / "host_vars/lake1.yml").write_text("yarn_node_memory_mb: 8704\n")
    with pytest.raises(AssertionError, match="a compaction in all nodemanagers: 9216 MB and 9 cores in 8704 MB"):
        run_lake("lab", "deploy", "--site", str(site), "--playbook", "inventory")


def test_second_deploy_changes_nothing(deployed):
    assert recap(run_lake("lab", "deploy")) == dict.fromkeys(HOSTS, (0, 0, 0))


def test_check_mode_would_change_nothing(deployed):
    assert recap(run_lake("lab", "deploy", "--check", "--playbook", "postgresql")) == dict.fromkeys(
        ("n2", "n3"), (0, 0, 0)
    )
    # By Ansible alone, as on a control node that has no Mitogen.
    command = [
        str(ansible.VENV / "bin" / "ansible-playbook"),
        "--inventory",
        str(lab_that_is_up().inventory),
        "--check",
    ]
    done = subprocess.run(
        [*command, "site.yml"], cwd=ansible.ANSIBLE, env=ansible.environment(), capture_output=True, text=True
    )
    assert recap(done.stdout) == dict.fromkeys(HOSTS, (0, 0, 0)), done.stdout


def test_a_host_is_entered_by_its_name(deployed):
    assert run_lake("lab", "ssh", "n2", "--", "hostname").strip() == "n2"


def test_hosts_are_hardened_as_their_units_say(deployed):
    hdfs = ("hdfs-namenode", "hdfs-journalnode", "hdfs-zkfc", "hdfs-datanode")
    for unit in ("zookeeper", *hdfs, "yarn-nodemanager", "metastore", "thrift-server", "presto", "haproxy"):
        shown = on_host("n1", f"systemctl show {unit} -p User,NoNewPrivileges,ProtectSystem,PrivateTmp,SubState")
        assert {"NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes", "SubState=running"} <= {*shown.split()}
        assert "User=root" not in shown


def test_only_what_changed_is_restarted(deployed):
    before = started()
    on_host("n3", "touch /etc/carelake/zookeeper/zoo.cfg")
    run_lake("lab", "deploy", "--playbook", "zookeeper")
    after = started()
    assert {unit for unit in before if before[unit] != after[unit]} == {("n3", "zookeeper")}


def test_hdfs_goes_on_when_the_host_of_the_active_namenode_loses_power(deployed):
    active = active_namenode()
    other = next(iter({"n1", "n2"} - {active}))
    on_host("n3", put("/tmp/before", "before"))
    run_lake("lab", "kill", active)
    killed = time.monotonic()
    assert hosts()[active]["state"] == "off"
    on_host("n3", put("/tmp/after", "after"))
    assert time.monotonic() - killed < FAILOVER_SECONDS
    assert on_host("n3", as_hdfs("hdfs dfs -cat /tmp/before /tmp/after")).split() == ["before", "after"]
    assert active_namenode() == other
    start_again(active)
    await_both_namenodes()
    assert on_host("n3", as_hdfs("hdfs dfs -cat /tmp/before /tmp/after")).split() == ["before", "after"]


def test_hdfs_goes_on_when_the_cable_of_the_active_namenode_is_pulled(deployed):
    active = active_namenode()
    run_lake("lab", "cut", active)
    cut = time.monotonic()
    on_host("n3", put("/tmp/cut", "cut"))
    assert time.monotonic() - cut < FAILOVER_SECONDS
    run_lake("lab", "join", active)
    await_services(active)
    await_both_namenodes()
    assert on_host("n3", as_hdfs("hdfs dfs -cat /tmp/cut")).split() == ["cut"]


def test_hosts_that_all_lost_power_boot_into_a_working_site(deployed):
    on_host("n3", put("/tmp/blackout", "before"))
    for host in sorted(HOSTS):
        run_lake("lab", "kill", host)
    for host in sorted(HOSTS):
        run_lake("lab", "start", host)
    run_lake("lab", "verify")
    assert on_host("n3", as_hdfs("hdfs dfs -cat /tmp/blackout")).split() == ["before"]


def as_hdfs(command):
    return f"sudo -u hdfs bash -ec '{command}'"


def put(path, text):
    return as_hdfs(f"echo {text} | hdfs dfs -put -f - {path}")


def await_both_namenodes():
    """Waits until one NameNode is active and the other stands by."""
    both = ["active", "standby"]
    command = as_hdfs("hdfs haadmin -getAllServiceState")
    until_said("n3", command, lambda said: sorted(line.split()[-1] for line in said.splitlines() if line) == both)


def active_namenode():
    states = on_host("n3", as_hdfs("hdfs haadmin -getAllServiceState")).splitlines()
    return next(line.split(":")[0] for line in states if line.split()[-1] == "active")


def started():
    """When each service of each host was started."""
    wanted = "ExecMainStartTimestampMonotonic"
    question = f"systemctl show 'zookeeper*' 'hdfs-*' 'yarn-*' -p Id,{wanted}"
    found = {}
    for host in sorted(HOSTS):
        for unit in on_host(host, question).strip().split("\n\n"):
            said = dict(line.split("=", 1) for line in unit.splitlines())
            found[host, said["Id"].removesuffix(".service")] = said[wanted]
    return found
