"""The base image of every lab host: a minimal Debian, made once and kept; sources and certificates are this machine's."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from spark_jobs.errors import LakeError
from spark_jobs.lab.commands import run
from spark_jobs.lab.disks import remove_folder
from spark_jobs.lab.inventory import LABS

RELEASE = "bookworm"
PACKAGES = "systemd,systemd-sysv,dbus,openssh-server,python3,python3-apt,iproute2,ca-certificates,procps"
# Debian packages that the roles install: kept in the image as files, not installed, so that each host need not fetch them.
FETCHED = ("openjdk-17-jre-headless", "chrony", "postgresql-15", "haproxy", "acl")
COMPANY_CERTIFICATES = Path("/usr/local/share/ca-certificates")
SOURCES = (
    "apt-get",
    "indextargets",
    "--format",
    "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)",
    "Created-By: Packages",
)


def make_image(log: Path) -> Path:
    """The folder of the base image; made if this recipe, from these sources, was not made before. Takes two minutes."""
    sources = _sources()
    recipe = repr((RELEASE, PACKAGES, FETCHED, sources, _settings(), Path(__file__).read_text()))
    image = LABS / f"image-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    if not image.exists():
        half_made = image.with_suffix(".partial")
        remove_folder(half_made)
        _build(half_made, sources, log)
        half_made.rename(image)
    return image


def _build(root: Path, sources: Sequence[str], log: Path) -> None:
    mirror = next(line.split()[1] for line in sources if line.split()[2] == RELEASE)
    root.mkdir()
    root.chmod(0o755)  # or no user of a host but root could enter any folder
    run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", RELEASE, root, mirror, log=log)
    (root / "etc/apt/sources.list").write_text("\n".join(sources) + "\n")
    (root / "etc/apt/apt.conf.d/50lab").write_text(_settings())
    # Hosts of a lab may lose their last writes at a real power cut: dpkg need not sync each file.
    (root / "etc/dpkg/dpkg.cfg.d/lab").write_text("force-unsafe-io\n")
    if COMPANY_CERTIFICATES.is_dir():
        shutil.copytree(COMPANY_CERTIFICATES, root / "usr/local/share/ca-certificates", dirs_exist_ok=True)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    _inside(root, log, "update-ca-certificates")
    _inside(root, log, "apt-get -q clean && apt-get -q update")
    _inside(root, log, f"apt-get -qy --no-install-recommends --download-only install {' '.join(FETCHED)}")
    # Without lists, the time of their folder would make Ansible's cache_valid_time think them fresh.
    _inside(root, log, "rm -rf /var/lib/apt/lists/* && touch --date=@0 /var/lib/apt/lists")
    # Identities are each host's own.
    _inside(root, log, "rm -f /etc/hostname /etc/ssh/ssh_host_* && : > /etc/machine-id")
    _inside(root, log, "systemctl enable systemd-networkd ssh && systemctl disable systemd-networkd-wait-online")


def _inside(root: Path, log: Path, script: str) -> None:
    run("chroot", root, "sh", "-ec", script, log=log)


def _sources() -> list[str]:
    """The machine's own Debian sources as lines of a sources.list, whatever form they have here."""
    targets = {line for line in run(*SOURCES).splitlines() if line.endswith(" Debian")}
    lines = sorted(f"deb {' '.join(target.split()[:3])}" for target in targets)
    if not any(line.split()[2] == RELEASE for line in lines):
        raise LakeError("lake lab up", f"this machine has no package lists of Debian {RELEASE}", "Use: apt-get update")
    return lines


def _settings() -> str:
    """How this machine's apt reaches its sources: proxies and the like."""
    dump = run("apt-config", "dump", "--no-empty", "Acquire").splitlines()
    return "".join(f"{line}\n" for line in dump if line.lower().startswith(("acquire::http::", "acquire::https::")))
