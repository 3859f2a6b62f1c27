"""A small valid feed and target table that the tests of the rules bend until they are refused."""

from dataclasses import replace

from spark_jobs.rules.model import Column, Feed, Member, TargetTable
from spark_jobs.rules.rows import rows_of
from spark_jobs.rules.validate import check_feed

KEY = (
    Column("facility_id", source="FACILITY", required=True),
    Column("visit_id", source="VISIT", required=True, phi="identifier"),
)
REGION = Column("region", expression="substr(facility_id, 1, 2)", required=True)
CHANGED = Column("changed_at", "timestamp", source="CHANGED", required=True)
STATE = Column("state", source="STATE")
COLUMNS = (*KEY, REGION, CHANGED, STATE)

MEMBER = Member("visit", position=1, pattern="*.csv", target="visit", format="csv", columns=COLUMNS)
FEED = Feed("visits", 1, "visits", r"V_(?P<facility>\w{6})_(?P<at>\d{14})\.zip", (MEMBER,))
TARGET = TargetTable(
    target="visit",
    revision=1,
    record_key=("facility_id", "visit_id"),
    order_by="changed_at",
    delete_column="state",
    delete_values=("gone",),
    partition_by="region",
)

XML = replace(
    MEMBER,
    pattern="*.xml",
    format="xml",
    record_path="/Visit",
    columns=tuple(replace(c, source=c.source and f"@{c.source}") for c in COLUMNS),
)
CHILD = Member(
    "vital",
    position=2,
    parent="visit",
    record_path="Vitals/Vital",
    target="vital",
    columns=(
        Column("visit_id", source="$parent.visit_id", required=True, phi="identifier"),
        Column("no", "int", source="@no", required=True),
    ),
)
VITAL = TargetTable("vital", 1, ("visit_id", "no"))


def with_columns(*columns, member=MEMBER, feed=FEED):
    """The sample feed with more columns, each in place of one of its name."""
    names = {column.name for column in columns}
    kept = tuple(column for column in member.columns if column.name not in names)
    return replace(feed, members=(replace(member, columns=(*kept, *columns)),))


def with_member(feed=FEED, **changes):
    """The sample feed with its member rule changed."""
    return replace(feed, members=(replace(feed.members[0], **changes),))


def problems(feed, *targets, others=()):
    """Everything that is said of a feed, as one text."""
    held = {target.target: target for target in (targets or (TARGET, VITAL))}
    return "\n".join(f"{f.where}: {f.problem} {f.hint}" for f in check_feed(feed, held, others))


def tables(*items):
    """The rule tables that hold these revisions."""
    rows = {}
    for item in items:
        for table, more in rows_of(item).items():
            rows.setdefault(table, []).extend(more)
    return rows
