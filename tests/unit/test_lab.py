"""Which hosts a lab has, and what is asked of its inventory."""

import pytest
import yaml

from spark_jobs.errors import LakeError
from spark_jobs.lab.commands import missing_packages
from spark_jobs.lab.inventory import read_lab
from spark_jobs.site import REPOSITORY

SITES = ("lab", "lab-small")


def write(folder, host="n1", address="10.9.8.11", **variables):
    given = {"lab_bridge": "bridge", "lab_gateway": "10.9.8.1/24", **variables}
    text = yaml.safe_dump({"all": {"vars": given, "hosts": {host: {"ansible_host": address}}}})
    (folder / "hosts.yml").write_text(text)
    return folder


@pytest.mark.parametrize("site", SITES)
def test_labs_of_the_repository_can_be_made(site):
    lab = read_lab(REPOSITORY / "inventory" / site)
    assert lab.name == site
    assert len({host.address for host in lab.hosts}) == len(lab.hosts) >= 3
    assert len(lab.bridge) <= 15  # Linux's limit for a link's name
    assert all(len(host.link) <= 15 for host in lab.hosts)


def test_labs_share_neither_bridge_nor_network():
    labs = [read_lab(REPOSITORY / "inventory" / site) for site in SITES]
    assert len({lab.bridge for lab in labs}) == len({lab.gateway.network for lab in labs}) == len(labs)


def test_hosts_get_folders_and_links_of_their_own(tmp_path):
    lab = read_lab(write(tmp_path))
    host = lab.host("n1")
    assert (host.address, host.link) == ("10.9.8.11", "vb-n1")
    assert host.root.is_relative_to(lab.folder)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"host": "a-very-long-name"}, "12"),
        ({"host": "../n1"}, "12"),
        ({"address": "10.9.7.11"}, "network"),
        ({"lab_gateway": "here"}, "lab_gateway"),
    ],
)
def test_inventory_that_makes_no_lab_is_refused(tmp_path, given, problem):
    with pytest.raises(LakeError, match=problem):
        read_lab(write(tmp_path, **given))


def test_host_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(LakeError, match="There are: n1"):
        read_lab(write(tmp_path)).host("n9")


def test_folder_without_inventory_is_refused(tmp_path):
    with pytest.raises(LakeError, match=r"hosts\.yml"):
        read_lab(tmp_path)


def test_missing_tools_are_told_by_their_packages():
    assert missing_packages({"sh": "dash", "no-such-tool": "some-package"}) == ["some-package"]
