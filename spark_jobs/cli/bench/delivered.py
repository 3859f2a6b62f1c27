"""What benchmarks deliver: zips made for them, and the rules of `metadata_tables/` that read them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from spark_jobs.rules.model import TargetTable
from spark_jobs.rules.yaml_files import load
from spark_jobs.site import REPOSITORY
from tests.bench.making import write_zips

RULES = REPOSITORY / "metadata_tables"
WARM_UP_NAME = "warm_up"
# Feed and target table of each format.
FEEDS = {
    "xml": ("encounters", "encounter"),
    "csv": ("claims", "claim_line"),
    "delimited": ("bed_census", "bed"),
    "fixed": ("lab_results", "lab_result"),
}


@dataclass(frozen=True)
class Zips:
    """Waves of zips and what must become of them; `counts` of each wave are those of its makers."""

    folder: Path

    @property
    def counts(self) -> Sequence[dict[str, int]]:
        """Files, rows and bytes of each wave."""
        return json.loads((self.folder / "truth" / "summary.json").read_text())["waves"]

    @property
    def waves(self) -> list[Path]:
        """The folder of each wave, with `<landing folder>/<zip>` in it."""
        return sorted((self.folder / "drop").iterdir(), key=lambda path: int(path.name))

    @property
    def truth(self) -> Path:
        """What a lake must hold after the last wave."""
        return self.folder / "truth" / str(len(self.waves))


@dataclass(frozen=True)
class Delivered:
    """Zips of one format, those to warm up with, and the folder of the rules for both."""

    format: str
    measured: Zips
    warm_up: Zips
    rules: Path

    @property
    def target(self) -> TargetTable:
        """The table that the measured zips fill."""
        return load(self.rules).targets[FEEDS[self.format][1]]

    @property
    def warm_up_target(self) -> TargetTable:
        """The table that the warm-up fills."""
        return load(self.rules).targets[WARM_UP_NAME]


def make_delivered(folder: Path, format_: str, zips: int, warm_up_zips: int) -> Delivered:
    """Makes the zips that are not there yet in `folder`, and the rules anew."""
    return Delivered(
        format_,
        _make_zips(folder / f"{format_}-{zips}", format_, zips, seed=1),
        _make_zips(folder / f"{format_}-warm-up-{warm_up_zips}", format_, warm_up_zips, seed=2),
        _write_rules(folder / f"{format_}-rules", format_),
    )


def _make_zips(folder: Path, format_: str, zips: int, seed: int) -> Zips:
    if not (folder / "truth" / "summary.json").exists():
        write_zips(folder, format_, zips, seed=seed)
    return Zips(folder)


def _write_rules(folder: Path, format_: str) -> Path:
    """Writes the rules of a format's feed without child rows, and the same under other names for the warm-up, to `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    feed_name, target_name = FEEDS[format_]
    feed = yaml.safe_load((RULES / "feeds" / f"{feed_name}.yaml").read_text())
    target = yaml.safe_load((RULES / "targets" / f"{target_name}.yaml").read_text())
    feed["members"] = [member for member in feed["members"] if "parent" not in member]
    _write(folder / "feeds", feed_name, feed)
    _write(folder / "targets", target_name, target)
    for member in feed["members"]:
        if "target" in member:
            member["target"] = WARM_UP_NAME
    _write(folder / "feeds", WARM_UP_NAME, feed | {"feed": WARM_UP_NAME, "landing_folder": WARM_UP_NAME})
    _write(folder / "targets", WARM_UP_NAME, target | {"target": WARM_UP_NAME})
    return folder


def _write(folder: Path, name: str, rule: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(rule, sort_keys=False, allow_unicode=True))
