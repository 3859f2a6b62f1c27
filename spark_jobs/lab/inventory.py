"""Which hosts a lab has: read from the Ansible inventory that deploys them, the one place for names and addresses."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from spark_jobs.errors import LakeError
from spark_jobs.site import ENVIRONMENT, REPOSITORY

LABS = ENVIRONMENT.resolve() / "lab"
DEFAULT = REPOSITORY / "inventory" / "lab"
# The host's end of a link is named vb-<host>, and Linux allows 15 characters.
HOST_NAME = re.compile(r"[a-z][a-z0-9-]{0,11}")


@dataclass(frozen=True)
class Host:
    """A lab host: its name, its address, and the folder of its disk."""

    name: str
    address: str
    folder: Path

    @property
    def root(self) -> Path:
        """Where its disk is mounted."""
        return self.folder / "root"

    @property
    def console(self) -> Path:
        """What it says at boot; kept when the lab is taken down, to be read if it did not come up."""
        return LABS / f"console-{self.name}.log"

    @property
    def link(self) -> str:
        """This machine's end of its network cable."""
        return f"vb-{self.name}"


@dataclass(frozen=True)
class Lab:
    """The hosts of one inventory, behind one bridge."""

    inventory: Path
    bridge: str
    gateway: ipaddress.IPv4Interface
    hosts: tuple[Host, ...]

    @property
    def name(self) -> str:
        """The inventory's name."""
        return self.inventory.name

    @property
    def folder(self) -> Path:
        """Disks, keys and logs of the lab."""
        return LABS / self.name

    @property
    def key(self) -> Path:
        """The private key that opens every host of the lab."""
        return self.folder / "ssh" / "key"

    @property
    def known_hosts(self) -> Path:
        """The public keys that its hosts have."""
        return self.folder / "ssh" / "known_hosts"

    def host(self, name: str) -> Host:
        """The host of that name."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise LakeError(f"host {name}", f"{self.inventory.name} has none of that name", f"There are: {self._names()}.")

    def _names(self) -> str:
        return ", ".join(host.name for host in self.hosts)


def read_lab(inventory: Path) -> Lab:
    """The lab that `inventory/hosts.yml` describes.

    Raises LakeError if the inventory is not one of a lab: it must name `lab_bridge` and `lab_gateway`, and an address a host.
    """
    inventory = inventory.expanduser().resolve()
    path = inventory / "hosts.yml"
    if not path.is_file():
        raise LakeError(str(inventory), "there is no inventory (no hosts.yml)", "Use: --site inventory/lab")
    everything = (yaml.safe_load(path.read_text()) or {}).get("all", {})
    variables = everything.get("vars", {})
    try:
        gateway = ipaddress.IPv4Interface(variables["lab_gateway"])
        hosts = [_host(inventory.name, name, given, gateway) for name, given in everything["hosts"].items()]
        return Lab(inventory, variables["lab_bridge"], gateway, tuple(hosts))
    except ValueError as error:  # of ipaddress, which says what is wrong
        raise LakeError(str(path), f"lab_gateway or an ansible_host is no address: {error}") from None
    except KeyError as error:
        raise LakeError(
            str(path), f"{error.args[0]} is not set", "A lab's inventory has it; see inventory/lab."
        ) from None


def _host(lab: str, name: str, variables: dict[str, Any], gateway: ipaddress.IPv4Interface) -> Host:
    address = variables["ansible_host"]
    if not HOST_NAME.fullmatch(name):
        raise LakeError(f"host {name}", "expected at most 12 of a-z, 0-9 and -, a letter first")
    if ipaddress.IPv4Address(address) not in gateway.network:
        raise LakeError(f"host {name}", f"{address} is not in the lab's network {gateway.network}")
    return Host(name, address, LABS / lab / "hosts" / name)
