"""Disks of lab hosts: one base image, an overlay a host; and mounts, told from what the kernel says."""

from __future__ import annotations

import shutil
from pathlib import Path

from spark_jobs.lab.commands import run
from spark_jobs.lab.inventory import Host, Lab

MOUNTS = Path("/proc/self/mounts")
# Where a stub on this machine answers, the hosts can't reach it: the first file names those it asks.
RESOLVERS = (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf"))


def mounts_below(folder: Path) -> list[Path]:
    """Mount points at and below `folder`, the deepest first."""
    fields = (line.split(" ") for line in MOUNTS.read_text().splitlines())
    points = (Path(field[1].encode().decode("unicode_escape")) for field in fields)
    return sorted((point for point in points if point.is_relative_to(folder)), reverse=True)


def remove_folder(folder: Path) -> None:
    """Removes a folder that nothing is mounted in any more; unmounts what still is."""
    for point in mounts_below(folder):
        run("umount", point)
    if folder.exists():
        shutil.rmtree(folder)


def mount_disk(lab: Lab, host: Host, image: Path) -> None:
    """Mounts the host's disk, the image below what the host wrote; a new disk gets the host's name, network and keys."""
    if host.root in mounts_below(host.folder):
        return
    upper, work = host.folder / "upper", host.folder / "work"
    new = not upper.exists()
    for folder in (host.root, work, upper):
        folder.mkdir(parents=True, exist_ok=True)
    for folder in (host.root, upper):
        folder.chmod(0o755)
    layers = f"lowerdir={image},upperdir={upper},workdir={work}"
    run("mount", "-t", "overlay", "overlay", "-o", layers, host.root)
    if new or not (host.root / "etc/hostname").exists():
        _name_host(lab, host)


def _name_host(lab: Lab, host: Host) -> None:
    etc = host.root / "etc"
    prefix = lab.gateway.network.prefixlen
    network = f"[Match]\nName=host0\n\n[Network]\nAddress={host.address}/{prefix}\nGateway={lab.gateway.ip}\n"
    _write(etc / "systemd/network/10-lab.network", network)
    _write(etc / "resolv.conf", next(path for path in RESOLVERS if path.is_file()).read_text())
    _write(etc / "hosts", "127.0.0.1 localhost\n")
    _write(host.root / "root/.ssh/authorized_keys", lab.key.with_suffix(".pub").read_text(), 0o600)
    run("ssh-keygen", "-A", "-f", host.root)
    _write(etc / "hostname", f"{host.name}\n")  # the last: a host without a name is prepared again


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o755)
    path.write_text(text)
    path.chmod(mode)
