"""The picture of a cluster says what the inventories say."""

import pytest
import yaml

from spark_jobs.lab import picture
from spark_jobs.site import REPOSITORY

SITES = sorted((REPOSITORY / "inventory").glob("*/hosts.yml"))
KINDS = {"masters", "workers", "sql"}  # of hosts, made of no service


def test_the_picture_is_up_to_date():
    assert picture.PICTURE.read_text() == picture.draw(), "run: python -m spark_jobs.lab.picture"


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.parent.name)
def test_every_group_with_hosts_is_in_the_picture(path):
    inventory = yaml.safe_load(path.read_text())["all"]
    drawn = {group: service for layer in picture.LAYERS.values() for group, service in layer.items()}
    used = {group for group, hosts in picture.groups(inventory).items() if hosts} - KINDS
    assert used <= set(drawn)
    text = picture.draw(path.parent)
    assert all(drawn[group].title in text for group in used)
