"""The last of the tier, by its name: taking the lake off the hosts, and the lab down."""

import pytest

from spark_jobs.errors import LakeError
from spark_jobs.lab import ansible
from spark_jobs.lab.state import lab_that_is_up
from tests.lab.machine import look, on_host, run_lake

USERS = "hdfs yarn hive spark presto zookeeper clinic"


def test_another_answer_than_the_name_of_the_site_destroys_nothing(deployed):
    with pytest.raises(LakeError):
        destroy("no")
    assert on_host("n1", "systemctl is-active zookeeper hdfs-namenode").split() == ["active", "active"]


def test_destroying_leaves_nothing_of_the_lake_on_the_hosts(deployed):
    destroy("lab-small")
    for host in ("n1", "n2", "n3"):
        assert on_host(host, "ls -d /srv/carelake /opt/carelake /etc/carelake 2>/dev/null || true") == ""
        assert on_host(host, "grep -rl 'Managed by Ansible' /etc /usr/local || true") == ""
        assert on_host(host, f"getent passwd {USERS} || true") == ""
        assert on_host(host, "pgrep java || true") == ""


def test_down_leaves_the_machine_as_it_was(machine_before, deployed):
    run_lake("lab", "down")
    assert look() == machine_before


def destroy(answer):
    inventory = lab_that_is_up().inventory
    ansible.run_playbook(inventory, "playbooks/destroy.yml", ("--extra-vars", f"destroy_site={answer}"))
