"""A proposal as YAML, with its questions and evidence as comments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spark_jobs.inference.propose import Proposal
from spark_jobs.rules.yaml_files import to_yaml

MEMBER = re.compile(r"  - \{?member: (\w+)")
COLUMN = re.compile(r"      - \{name: (\w+)")
KEY = re.compile(r"(\w+):")

FEED_HEADER = """\
# Proposed by lake feed infer from {zips}. Go through every TODO, then:
#   lake feed check FOLDER; lake feed dry-run FOLDER SAMPLE.zip; lake feed apply FOLDER
# TODO owner and description. phi was guessed from names: look at each.
"""
TARGET_HEADER = """\
# Proposed by lake feed infer. record_key, partition_by, index and buckets are fixed once the table is there.
"""


def feed_yaml(proposal: Proposal) -> str:
    """The rule file of the feed; `rules.yaml_files.parse` reads it as `proposal.feed`."""
    rows = ", ".join(f"{count} rows of {name}" for name, count in proposal.rows.items())
    notes = "".join(f"# Note: {note}\n" for note in proposal.notes)
    return FEED_HEADER.format(zips=rows) + notes + "".join(_feed_lines(proposal))


def target_yaml(proposal: Proposal, name: str) -> str:
    """The rule file of a target table."""
    missing = proposal.comments.get((name, "no order_by"))
    question = f"# TODO {missing}\n" if missing else ""
    lines = []
    for line in to_yaml(proposal.targets[name]).splitlines():
        key = KEY.match(line)
        comment = proposal.comments.get((name, key[1]), "") if key else ""
        lines.append(f"{line}  # {comment}\n" if comment else f"{line}\n")
    return TARGET_HEADER + question + "".join(lines)


def _feed_lines(proposal: Proposal) -> Iterator[str]:
    member = ""
    for line in to_yaml(proposal.feed).splitlines():
        rule, column, key = MEMBER.match(line), COLUMN.match(line), KEY.match(line)
        comment = ""
        if rule:
            member = rule[1]
            comment = proposal.comments.get((member, ""), "")
        elif column:
            comment = proposal.comments.get((member, column[1]), "")
        elif key:
            comment = proposal.comments.get(("", key[1]), "")
        yield f"{line}  # TODO {comment}\n" if comment else f"{line}\n"
