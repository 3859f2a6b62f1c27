"""The lab's cables: a bridge, a masquerade towards the machine's uplink, and a link a host that can be cut."""

from __future__ import annotations

import json
from pathlib import Path

from spark_jobs.errors import LakeError
from spark_jobs.lab.commands import run, succeeds
from spark_jobs.lab.inventory import Host, Lab

FORWARDING = Path("/proc/sys/net/ipv4/conf")


def uplink() -> str:
    """The interface of the default route."""
    routes = json.loads(run("ip", "-json", "route", "show", "default"))
    if not routes:
        raise LakeError("lake lab up", "this machine has no default route, so its hosts could reach no registry")
    return str(routes[0]["dev"])


def forwards(interface: str) -> bool:
    """Whether what comes in by `interface` is passed on."""
    return (FORWARDING / interface / "forwarding").read_text().strip() == "1"


def set_forwarding(interface: str, on: bool) -> None:
    """Passes on what comes in by `interface`, or no longer. Other interfaces, and the machine's ip_forward, stay."""
    (FORWARDING / interface / "forwarding").write_text("1" if on else "0")


def lay_cables(lab: Lab, to: str) -> None:
    """Makes bridge and masquerade where they are missing; `to` is the uplink."""
    if not link_exists(lab.bridge):
        _refuse_used_network(lab)
        run("ip", "link", "add", lab.bridge, "type", "bridge")
    run("ip", "address", "replace", str(lab.gateway), "dev", lab.bridge)
    run("ip", "link", "set", lab.bridge, "up")
    set_forwarding(lab.bridge, True)
    set_forwarding(to, True)
    for rule in _rules(lab):
        if not succeeds("iptables", "-w", *_at(rule, "--check")):
            run("iptables", "-w", *_at(rule, "--insert"))


def remove_cables(lab: Lab) -> None:
    """Removes what `lay_cables` made, as far as it is there."""
    for rule in _rules(lab):
        while succeeds("iptables", "-w", *_at(rule, "--delete")):
            pass
    if link_exists(lab.bridge):
        run("ip", "link", "delete", lab.bridge)


def link_exists(name: str) -> bool:
    """Whether the machine has a network link of that name."""
    return Path("/sys/class/net", name).exists()


def plug(host: Host, plugged: bool) -> None:
    """Pulls a host's network cable, or puts it back."""
    run("ip", "link", "set", host.link, "up" if plugged else "down")


def is_plugged(host: Host) -> bool:
    """Whether the host has a cable and it is not pulled."""
    flags = Path("/sys/class/net", host.link, "flags")
    return flags.exists() and bool(int(flags.read_text(), 16) & 1)


def _refuse_used_network(lab: Lab) -> None:
    used = run("ip", "-json", "route", "show", "root", str(lab.gateway.network))
    if json.loads(used or "[]"):
        raise LakeError(
            "lake lab up", f"the network {lab.gateway.network} is in use here", "Change the lab's inventory."
        )


def _rules(lab: Lab) -> list[list[str]]:
    """Rules as arguments of iptables: table, chain, rest."""
    network, bridge = str(lab.gateway.network), lab.bridge
    return [
        ["nat", "POSTROUTING", "--source", network, "!", "--out-interface", bridge, "--jump", "MASQUERADE"],
        ["filter", "FORWARD", "--in-interface", bridge, "--jump", "ACCEPT"],
        ["filter", "FORWARD", "--out-interface", bridge, "--jump", "ACCEPT"],
    ]


def _at(rule: list[str], action: str) -> list[str]:
    table, chain, *rest = rule
    return ["--table", table, action, chain, *rest]
