"""A lab as a whole: up, down and how it is. Every step looks at what is there, so that each can be repeated anywhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from spark_jobs.errors import LakeError
from spark_jobs.lab import network, processes
from spark_jobs.lab.commands import install_packages, missing_packages, run
from spark_jobs.lab.disks import mount_disk, remove_folder
from spark_jobs.lab.image import make_image
from spark_jobs.lab.inventory import LABS, Host, Lab
from spark_jobs.lab.state import forget_state, note_state, read_state

BUILD_LOG = LABS / "build.log"


@dataclass(frozen=True)
class HostStatus:
    """How a host is: `running`, or `off`; with its cable, or without."""

    name: str
    address: str
    state: str
    plugged: bool


def prepare_machine() -> list[str]:
    """Installs the Debian packages that a lab needs and this machine lacks; returns their names."""
    LABS.mkdir(parents=True, exist_ok=True)
    packages = missing_packages()
    if packages:
        install_packages(packages, BUILD_LOG)
    return packages


def make_base_image() -> Path:
    """The folder of the image that hosts are made from: made if it is not there, and older ones removed where no lab is up."""
    image = make_image(BUILD_LOG)
    if read_state() is None:
        _remove_other_images(image)
    return image


def up(lab: Lab) -> None:
    """Starts every host of the lab that does not run; ends when their ssh answers. A lab that does not come up is taken down again.

    One that was up before stays as far as it is: its disks may hold a deployment.
    """
    _refuse_other(lab)
    was_up = read_state() is not None
    image = make_base_image()
    try:
        uplink = network.uplink()
        state = note_state(lab, uplink, network.forwards(uplink))
        network.lay_cables(lab, state.uplink)
        _make_keys(lab)
        for host in lab.hosts:
            mount_disk(lab, host, image)
        _note_host_keys(lab)
        start(lab, lab.hosts)
    except BaseException:
        if not was_up:
            down(lab)
        raise


def start(lab: Lab, hosts: tuple[Host, ...]) -> None:
    """Boots hosts side by side."""
    with ThreadPoolExecutor(len(hosts)) as pool:
        list(pool.map(lambda host: processes.start_host(lab, host), hosts))
        list(pool.map(processes.await_ssh, hosts))


def down(lab: Lab) -> None:
    """Ends the hosts, removes their disks, and leaves the machine as it was."""
    with ThreadPoolExecutor(len(lab.hosts)) as pool:
        list(pool.map(processes.kill_host, lab.hosts))
    remove_folder(lab.folder)
    network.remove_cables(lab)
    state = read_state()
    if state and state.of_this_boot and not state.forwarded:
        network.set_forwarding(state.uplink, False)
    forget_state()


def status(lab: Lab) -> list[HostStatus]:
    """How each host is."""
    return [_status(host) for host in lab.hosts]


def _status(host: Host) -> HostStatus:
    state = "running" if processes.first_process(host) else "off"
    return HostStatus(host.name, host.address, state, network.is_plugged(host))


def _refuse_other(lab: Lab) -> None:
    state = read_state()
    if state is None and network.link_exists(lab.bridge):
        raise LakeError("lake lab up", f"the link {lab.bridge} is there: another checkout's lab is up, or was left")
    if state and state.inventory != str(lab.inventory):
        raise LakeError("lake lab up", f"the lab {Path(state.inventory).name} is up", "Use first: lake lab down")


def _remove_other_images(image: Path) -> None:
    for other in LABS.glob("image-*"):
        if other != image:
            remove_folder(other)


def _make_keys(lab: Lab) -> None:
    lab.key.parent.mkdir(parents=True, exist_ok=True)
    if not lab.key.exists():
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"lab {lab.name}", "-f", lab.key)


def _note_host_keys(lab: Lab) -> None:
    keys = (
        f"{host.address} {(host.root / 'etc/ssh/ssh_host_ed25519_key.pub').read_text().strip()}\n" for host in lab.hosts
    )
    lab.known_hosts.write_text("".join(keys))
