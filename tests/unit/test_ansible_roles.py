"""The roles: every variable is described, every description has its variable, every component its playbook and its proof."""

from pathlib import Path

import pytest
import yaml

from spark_jobs.site import REPOSITORY

ANSIBLE = REPOSITORY / "ansible"
ROLES = sorted((ANSIBLE / "roles").iterdir())
COMPONENTS = ("host", "zookeeper", "hdfs", "yarn", "postgresql", "metastore")


def read(path):
    return yaml.safe_load(path.read_text()) if path.exists() else {}


def described(role):
    """Options of all entry points: those with a default, and those that must be given."""
    options, required = {}, set()
    for entry in read(role / "meta/argument_specs.yml").get("argument_specs", {}).values():
        for name, option in entry.get("options", {}).items():
            (required.add(name) if option.get("required") else options.update({name: option}))
    return options, required


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_argument_specs_and_defaults_name_the_same_variables(role):
    options, required = described(role)
    defaults = read(role / "defaults/main.yml") or {}
    assert set(options) == set(defaults) - required
    assert all(option["description"].endswith(".") for option in options.values())


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_variables_carry_the_name_of_their_role(role):
    names = {*(read(role / "defaults/main.yml") or {}), *(read(role / "vars/main.yml") or {})}
    assert {name for name in names if not name.startswith(f"{role.name}_")} == set()


@pytest.mark.parametrize("component", COMPONENTS)
def test_component_has_a_playbook_and_a_proof(component):
    assert (ANSIBLE / "playbooks" / f"{component}.yml").exists()
    tasks = ANSIBLE / "roles" / component / "tasks"
    assert {"main.yml", "preflight.yml", "configure.yml", "service.yml", "verify.yml"} <= {
        p.name for p in tasks.iterdir()
    }
    assert f"playbooks/{component}.yml" in (ANSIBLE / "site.yml").read_text()
    assert f"name: {component}\n" in (ANSIBLE / "playbooks/verify.yml").read_text()


@pytest.mark.parametrize("site", ["lab", "lab-small"])
def test_variables_of_an_inventory_are_known_to_a_role(site):
    known = {name for role in ROLES for name in (read(role / "defaults/main.yml") or {})}
    given = read(Path(REPOSITORY) / "inventory" / site / "group_vars/all.yml")
    assert {name for name in given if not name.startswith(("ansible_", "lab_"))} <= known


def test_every_artifact_has_checksums():
    for folder in (ANSIBLE / "artifacts").iterdir():
        lines = (folder / "SHA256SUMS").read_text().splitlines()
        assert lines
        assert all(len(line.split("  ")[0]) == 64 and line.endswith((".jar", ".tar.gz")) for line in lines)
