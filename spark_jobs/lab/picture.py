"""The picture of a cluster: which services are on which hosts, drawn from the groups of an inventory.

To draw it anew: `python -m spark_jobs.lab.picture`
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import yaml

from spark_jobs.site import REPOSITORY

SITE = REPOSITORY / "inventory" / "production"
PICTURE = REPOSITORY / "docs" / "explanation" / "architecture.svg"
ROLE = REPOSITORY / "ansible" / "roles" / "lake"

COLUMN, LABEL, GAP, LINE = 270, 110, 10, 16
INK, FAINT, GROUND = "#1d2a30", "#d5dcdf", "#f4f7f7"


@dataclass(frozen=True)
class Service:
    """What the hosts of a group run: the ports at which it answers, as role `lake` names them, and what it asks itself."""

    title: str
    ports: tuple[str, ...] = ()
    asks: str = ""


# The layers of a lake, and in each what a group of the inventory runs.
LAYERS = {
    "deliveries": {"edges": Service("SFTP drop", ("sftp",))},
    "questions": {
        "proxies": Service("HAProxy", ("presto", "hive"), "Presto's coordinators, Thrift Servers"),
        "presto_coordinators": Service("Presto coordinator", ("presto_server",), "metastores, HDFS"),
        "presto_workers": Service("Presto worker", ("presto_server",), "its host's HAProxy, HDFS"),
        "thrift_servers": Service("Spark Thrift Server", ("thrift_server",), "metastores, HDFS, YARN"),
    },
    "jobs": {
        "resourcemanagers": Service("YARN ResourceManager", ("resourcemanager_http",), "ZooKeeper"),
        "nodemanagers": Service("YARN NodeManager, jobs", (), "ResourceManagers, metastores, HDFS"),
        "airflows": Service("Airflow", ("airflow",), "PostgreSQL, the lake's command"),
    },
    "metadata": {
        "metastores": Service("Hive metastore", ("metastore",), "PostgreSQL, HDFS"),
        "postgresqls": Service("PostgreSQL, kept by Patroni", ("postgresql", "patroni"), "ZooKeeper"),
    },
    "data": {
        "namenodes": Service("HDFS NameNode", ("namenode", "namenode_http"), "JournalNodes, ZooKeeper"),
        "journalnodes": Service("HDFS JournalNode", ("journalnode",)),
        "datanodes": Service("HDFS DataNode", ("datanode",), "NameNodes"),
    },
    "agreement": {"zookeepers": Service("ZooKeeper", ("zookeeper",))},
}


def draw(site: Path = SITE) -> str:
    """The picture as SVG text: a column a kind of host, a row a layer."""
    inventory = yaml.safe_load((site / "hosts.yml").read_text())["all"]
    hosts = list(inventory["hosts"])
    kinds = list(dict.fromkeys(_kind(host) for host in hosts))
    width = LABEL + len(kinds) * (COLUMN + GAP) + GAP
    parts, y = list(_heads(kinds, hosts)), 60.0
    for layer, services in LAYERS.items():
        cells = [list(_boxes(services, kind, inventory)) for kind in kinds]
        height = max(sum(map(_height, boxes)) for boxes in cells)
        if not height:
            continue
        parts.append(f'<rect x="0" y="{y}" width="{width}" height="{height + GAP}" fill="{GROUND}"/>')
        parts.append(_text(GAP, y + 26, layer, weight="bold"))
        for column, boxes in enumerate(cells):
            parts += _column(boxes, LABEL + column * (COLUMN + GAP), y + GAP)
        y += height + 2 * GAP
    return _svg(width, y, parts)


def groups(inventory: dict[str, Any]) -> dict[str, list[str]]:
    """The hosts of each group, those of its children included."""
    children = inventory["children"]

    def members(name: str) -> list[str]:
        group = children[name] or {}
        return [
            *(group.get("hosts") or {}),
            *(host for child in group.get("children") or {} for host in members(child)),
        ]

    return {name: members(name) for name in children}


def _kind(host: str) -> str:
    return re.sub(r"\d+$", "", host)


def _boxes(services: dict[str, Service], kind: str, inventory: dict[str, Any]) -> Iterator[list[str]]:
    """The lines of the box of each service that is on hosts of a kind."""
    of_kind = sum(_kind(host) == kind for host in inventory["hosts"])
    members = groups(inventory)
    for group, service in services.items():
        here = sum(_kind(host) == kind for host in members.get(group, []))
        if here:
            lines = [f"on {here} of {of_kind}" if here < of_kind else "on each"]
            if service.ports:
                lines[0] += f", at {', '.join(str(_port(name)) for name in service.ports)}"
            if service.asks:
                lines.append(f"asks {service.asks}")
            yield [service.title, *lines]


def _port(name: str) -> int:
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    return int(defaults[f"lake_port_{name}"])


def _height(box: list[str]) -> int:
    return len(box) * LINE + 2 * GAP


def _column(boxes: list[list[str]], x: float, y: float) -> Iterator[str]:
    for title, *lines in boxes:
        height = _height([title, *lines]) - GAP
        yield f'<rect x="{x}" y="{y}" width="{COLUMN}" height="{height}" rx="4" fill="#ffffff" stroke="{FAINT}"/>'
        yield _text(x + GAP, y + 19, title, weight="bold")
        for number, line in enumerate(lines):
            yield _text(x + GAP, y + 19 + LINE * (number + 1), line, size=11)
        y += height + GAP


def _heads(kinds: Sequence[str], hosts: Sequence[str]) -> Iterator[str]:
    for column, kind in enumerate(kinds):
        count = sum(_kind(host) == kind for host in hosts)
        x = LABEL + column * (COLUMN + GAP)
        yield _text(x, 34, f"{kind}: {count}", size=15, weight="bold")
        yield f'<rect x="{x}" y="42" width="{COLUMN}" height="3" fill="#1b6b72"/>'


def _text(x: float, y: float, text: str, size: int = 13, weight: str = "normal") -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{INK}">{escape(text)}</text>'


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" width="{width}"'
    font = f'height="{height:.0f}" font-family="DejaVu Sans, Helvetica, Arial, sans-serif">'
    ground = f'<rect width="{width}" height="{height:.0f}" fill="#ffffff"/>'
    return "\n".join([f"{opening} {font}", ground, *parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
