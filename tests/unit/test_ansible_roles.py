"""The roles: every variable is described, every description has its variable, every component its playbook and its proof."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from spark_jobs.site import HUDI_BUNDLE, REPOSITORY, Site
from spark_jobs.tables.session import settings

ANSIBLE = REPOSITORY / "ansible"
ROLES = sorted((ANSIBLE / "roles").iterdir())
COMPONENTS = (
    *("host", "zookeeper", "hdfs", "yarn", "postgresql", "metastore"),
    *("thrift_server", "presto", "haproxy", "edge", "airflow"),
)


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


def test_code_of_the_jobs_is_packed_to_the_same_bytes_each_time():
    pack = ["sh", str(ANSIBLE / "roles/carelake/files/pack.sh")]
    first, second = (subprocess.run(pack, cwd=REPOSITORY, capture_output=True, check=True).stdout for _ in range(2))
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        names = archive.getnames()
    assert first == second
    assert names[-1] == "lake"
    assert "spark_jobs/cli/__main__.py" in names


@pytest.mark.parametrize("component", COMPONENTS)
def test_component_has_a_playbook_and_a_proof(component):
    assert (ANSIBLE / "playbooks" / f"{component}.yml").exists()
    tasks = ANSIBLE / "roles" / component / "tasks"
    assert {"main.yml", "preflight.yml", "configure.yml", "service.yml", "verify.yml"} <= {
        p.name for p in tasks.iterdir()
    }
    assert f"playbooks/{component}.yml" in (ANSIBLE / "site.yml").read_text()
    assert f"name: {component}\n" in (ANSIBLE / "playbooks/verify.yml").read_text()


@pytest.mark.parametrize("site", ["lab", "lab-small", "single", "production"])
def test_variables_of_an_inventory_are_known_to_a_role(site):
    known = {name for role in ROLES for name in (read(role / "defaults/main.yml") or {})}
    given = read(Path(REPOSITORY) / "inventory" / site / "group_vars/all.yml")
    assert {name for name in given if not name.startswith(("ansible_", "lab_"))} <= known


def test_destroying_finds_what_roles_write_outside_of_their_own_folders():
    templates = {path for role in ROLES for path in (role / "templates").glob("*.j2")}
    # Those have no comments, or none that would do no harm; they lie in a folder that is removed whole.
    assert {path.name for path in templates if "Managed by Ansible" not in path.read_text()} <= {"racks.j2"}


@pytest.mark.parametrize("folder", sorted((ANSIBLE / "artifacts").iterdir()), ids=lambda folder: folder.name)
def test_every_artifact_has_checksums(folder):
    jars, packages = folder / "SHA256SUMS", folder / "requirements.lock"
    assert (folder / "pom.xml").exists() == jars.exists()
    assert jars.exists() or packages.exists()
    lines = jars.read_text().splitlines() if jars.exists() else []
    assert all(len(line.split("  ")[0]) == 64 and line.endswith((".jar", ".tar.gz")) for line in lines)
    if packages.exists():
        assert packages.read_text().count("==") <= packages.read_text().count("--hash=sha256:")


def test_cluster_says_to_spark_what_the_embedded_lake_says():
    embedded, role = settings(Site(Path("/lake"))), read(ANSIBLE / "roles/spark/vars/main.yml")
    for group in ("spark_engine_settings", "spark_hudi_settings"):
        said = {
            name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in role[group].items()
        }
        assert said == {name: embedded[name] for name in said}
    assert {name for name in embedded if "hudi" in embedded[name].lower()} <= set(role["spark_hudi_settings"]) | {
        "spark.driver.extraClassPath"
    }


def test_cluster_and_embedded_lake_have_the_same_hudi():
    _, name, version = HUDI_BUNDLE.split(":")
    assert f"{name}-{version}.jar" in (ANSIBLE / "artifacts/spark/SHA256SUMS").read_text()
