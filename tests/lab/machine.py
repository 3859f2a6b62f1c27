"""Running `./lake` and commands on lab hosts, and looking at what a lab may have left on the machine."""

import json
import re
import shlex
import subprocess
import time
from pathlib import Path

import yaml

from spark_jobs.lab.state import lab_that_is_up
from spark_jobs.site import REPOSITORY

MINUTE = 60
# Four times what a first deploy takes with the machine to itself; one that was three times slower was met.
LONGEST_SECONDS = 2700
START_MINUTES = 5


def run_lake(*arguments):
    """Runs `./lake`, shows what it says where it fails, and returns its stdout."""
    return _stdout(str(REPOSITORY / "lake"), *arguments)


def on_host(host, command):
    """Runs a shell command on a lab host, as `./lake lab ssh` does, and is not kept waiting by the start of a Python."""
    return _stdout(*enter(host), command)


def enter(host):
    """The command that enters a lab host as root."""
    lab = lab_that_is_up()
    options = ["-o", f"UserKnownHostsFile={lab.known_hosts}", "-o", "LogLevel=ERROR"]
    return ["ssh", "-i", str(lab.key), *options, f"root@{lab.host(host).address}"]


def host_of(group):
    """The first host of a group of the inventory."""
    groups = yaml.safe_load((lab_that_is_up().inventory / "hosts.yml").read_text())["all"]["children"]
    return next(iter(groups[group]["hosts"]))


def start_again(host):
    """Boots a host that was killed, and waits until it runs all that it ran before."""
    run_lake("lab", "start", host)
    await_services(host)


def await_services(host):
    """Waits until every service that the playbooks have made on a host runs."""
    units = "$(grep -l 'Managed by Ansible' /etc/systemd/system/*.service | xargs -n1 basename)"
    until_said(host, f"systemctl is-active {units} | sort -u", lambda said: said == "active")


def until(ask, is_so=bool, minutes=START_MINUTES, every=2):
    """Asks until the answer is so, and returns it; where it never is, says what the last one was."""
    deadline = time.monotonic() + minutes * MINUTE
    while not is_so(answer := ask()):
        assert time.monotonic() < deadline, f"the last answer of {minutes} minutes: {answer}"
        time.sleep(every)
    return answer


def until_said(host, command, is_so):
    """Asks on a host until the answer is so."""
    until(lambda: _said(host, command), is_so)


def copy_to(host, source, target, owner):
    """Copies a local folder to a host, for a user there."""
    unpack = f"rm -rf {target}; mkdir -p {target}; tar -C {target} -xf -; chown -R {owner}: {target}"
    subprocess.run(f"tar -C {source} -cf - . | {shlex.join([*enter(host), unpack])}", shell=True, check=True)


def hosts():
    """State of each host of the lab that is up."""
    status = json.loads(run_lake("lab", "status", "--json").splitlines()[-1])
    return {host["name"]: host for host in status["hosts"]}


def recap(output):
    """Changed and failed tasks of each host, from what ansible-playbook says at its end."""
    found = re.findall(r"^(\w+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", output, re.M)
    return {host: (int(changed), int(unreachable), int(failed)) for host, changed, unreachable, failed in found}


def look():
    """What a lab changes while it is up: links, addresses, rules, mounts, forwarding, processes."""
    forwarding = Path("/proc/sys/net/ipv4").glob("conf/*/forwarding")
    rules = (line for line in _stdout("iptables-save").splitlines() if line.startswith("-A"))
    return {
        "links": sorted(link["ifname"] for link in json.loads(_stdout("ip", "-json", "link"))),
        "addresses": sorted(re.findall(r"inet (\S+)", _stdout("ip", "address"))),
        "rules": sorted(re.sub(r"\[\d+:\d+\]", "", rule) for rule in rules),
        "mounts": sorted(Path("/proc/self/mounts").read_text().splitlines()),
        "forwarding": {str(path): path.read_text() for path in [*forwarding, Path("/proc/sys/net/ipv4/ip_forward")]},
        "keepers": [line for line in _stdout("ps", "-eo", "args").splitlines() if line.startswith("systemd-nspawn")],
    }


def _said(host, command):
    try:
        return on_host(host, command).strip()
    except AssertionError as error:  # what it asks is not there yet
        return str(error)


def _stdout(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired as late:
        said = "\n".join((part or b"").decode(errors="replace") for part in (late.stdout, late.stderr))
        raise AssertionError(
            f"{shlex.join(command)} took over {LONGEST_SECONDS} s; what it had said:\n{said}"
        ) from None
    assert done.returncode == 0, f"{shlex.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
