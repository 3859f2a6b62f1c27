"""Real Debian hosts on one machine, for the playbooks to be proved on: systemd-nspawn on overlay disks behind a bridge."""
