"""Small zips and feeds for tests of the readers."""

import io
import zipfile
from collections import defaultdict

from spark_jobs.formats import Rows, read_zip, type_columns
from spark_jobs.rules.model import Column, Feed, Limits, Member


def zip_of(*members, method=zipfile.ZIP_DEFLATED):
    """A zip of (name, bytes) members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return buffer.getvalue()


def feed_of(*members, limits=None):
    limits = limits or Limits()
    return Feed(feed="f", revision=1, landing_folder="f", name_pattern=".*", members=members, limits=limits)


def xml_rule(**more):
    columns = (Column("id", source="@id", required=True), Column("name", source="Person/Name"))
    return Member("doc", 1, pattern="*.xml", format="xml", record_path="/Doc", target="t", columns=columns, **more)


def csv_rule(**more):
    columns = (Column("a", source="a", required=True), Column("b", source="b", type="int"))
    return Member("line", 2, pattern="*.csv", format="csv", target="t", **{"columns": columns, **more})


def read(content, feed):
    """(typed rows by rule as dicts, summary) of a zip."""
    rows, summary = {}, None
    for item in read_zip(content, feed, {}):
        if isinstance(item, Rows):
            rule = next(m for m in feed.readers if m.member == item.rule)
            rows.setdefault(item.rule, []).extend(type_columns(item.table, rule.columns).to_pylist())
        else:
            summary = item
    return rows, summary


def refused(summary):
    return {event.member_index: event.rule for event in summary.quarantined}


def outcomes(rows, summary):
    """By (place, name) of each member that is not ignored: loaded, the rule that refuses it, or those that refuse rows.

    Holds that every member has one outcome.
    """
    by_member = defaultdict(set)
    for row in (row for found in rows.values() for row in found):
        failures = (row["_failures"] or "loaded").splitlines()
        by_member[row["_member_index"], row["_member"]] |= {line.partition(":")[0] for line in failures}
    for event in summary.quarantined:
        assert (event.member_index, event.member) not in by_member
        by_member[event.member_index, event.member] = {event.rule}
    assert len(by_member) + summary.ignored == summary.members
    return by_member


def told(rows, summary):
    """All that is told of failures and warnings, as one text."""
    failures = [row["_failures"] for found in rows.values() for row in found if row["_failures"]]
    return "\n".join([*failures, *(event.reason for event in (*summary.quarantined, *summary.warnings))])
