"""What keeps an edition from being made, and what is said then; the answers of Spark are given."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from spark_jobs.errors import LakeError
from spark_jobs.jobs import report as job
from spark_jobs.jobs.report import LateError, make_edition, run_report
from spark_jobs.rules.model import Report
from spark_jobs.rules.revisions import RuleSet
from spark_jobs.site import Site
from spark_jobs.tables.access import Access, Answer, QueryError
from tests.unit.rules_samples import FEED

DAY = date(2026, 2, 11)
SQL = "SELECT clinic, count(*) AS visits FROM lake.visit GROUP BY clinic"
TYPES = [("clinic", "string"), ("visits", "bigint")]


def micros(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def access(tmp_path, rows=(("A", 1),), types=TYPES, landed=("2026-02-11 22:00",)):
    """A lake whose ledger says, each time it is asked, when the feed's last zip landed; the last time is then repeated."""
    times = list(landed)

    def run(statement, most):
        if statement.startswith("DESCRIBE QUERY"):
            if isinstance(types, Exception):
                raise types
            return Answer(("col_name", "data_type"), types)
        if "ops.ledger" in statement:
            text = times.pop(0) if len(times) > 1 else times[0]
            return Answer(("feed", "landed", "zips"), [("visits", micros(text), 3)] if text else [])
        if isinstance(rows, Exception):
            raise rows
        return Answer(tuple(name for name, _ in types), list(rows)[:most])

    return Access(Site(tmp_path), run)


def made(tmp_path, late_too=False, changes=None, **given):
    report = Report("visits", 1, "Visits", SQL, **(changes or {}))
    return make_edition(access(tmp_path, **given), RuleSet(feeds={"visits": FEED}), report, DAY, late_too)


@pytest.mark.parametrize(
    ("changes", "given", "says"),
    [
        ({"columns": ("visits", "clinic")}, {}, "its SQL gives the columns clinic, visits, and not visits, clinic"),
        ({"min_rows": 2}, {}, "its SQL gives 1 rows, expected are 2 to 10,000"),
        ({"max_rows": 1}, {"rows": [("A", 1), ("B", 2)]}, "its SQL gives more than 1 rows"),
        ({}, {"types": [("clinic", "array<string>"), ("visits", "bigint")]}, "column clinic is array<string>"),
        ({"totals": ("clinic",)}, {}, "adds up column clinic, which is string"),
        ({"charts": ("bars visits by ward",)}, {}, "names column ward, which its SQL does not give"),
        ({}, {"types": QueryError("SQL", "no column clinic")}, "its SQL is refused: no column clinic"),
        ({}, {"rows": QueryError("SQL", "The value 'Jane Doe' cannot be cast")}, "its SQL fails on the data"),
    ],
)
def test_an_answer_that_is_not_as_expected_makes_no_edition(tmp_path, changes, given, says):
    with pytest.raises(LakeError, match="report visits, 2026-02-11") as refused:
        made(tmp_path, changes=changes, **given)
    assert says in str(refused.value)
    assert "Jane Doe" not in str(refused.value)


@pytest.mark.parametrize(
    ("hours", "landed", "late"),
    [
        (24, "2026-02-11 00:00", False),
        (24, "2026-02-10 23:59", True),
        (2, "2026-02-11 22:00", False),
        (2, "2026-02-11 21:59", True),
        (-3, "2026-02-12 02:59", True),
        (-3, "2026-02-12 03:00", False),
        (24, "", True),
    ],
)
def test_a_feed_is_late_by_the_end_of_the_day(tmp_path, hours, landed, late):
    given = {"changes": {"fresh_hours": hours}, "landed": (landed,)}
    if late:
        with pytest.raises(LateError, match="late: visits") as refused:
            made(tmp_path, **given)
        assert refused.value.feeds == ("visits",)
    edition = made(tmp_path, late_too=True, **given)
    assert edition.delivered[0].is_late == late
    assert any(check.startswith("Made although late: visits") for check in edition.checks) == late


def test_waiting_ends_as_soon_as_the_feed_has_delivered(tmp_path, monkeypatch):
    report = Report("visits", 1, "Visits", SQL, outputs=("csv",))
    monkeypatch.setattr(job, "read_rules", lambda _: RuleSet(feeds={"visits": FEED}, reports={"visits": report}))
    monkeypatch.setattr(job, "SECONDS_BETWEEN_LOOKS", 0.01)
    lake = access(tmp_path, landed=("", "2026-02-09 10:00", "2026-02-11 23:00"))
    done = run_report(lake, "visits", DAY, wait_seconds=60)
    assert done.files["csv"].read_text() == "clinic,visits\nA,1\n"
    assert done.files["csv"].parent == tmp_path / "reports" / "visits" / "2026-02-11"
    with pytest.raises(LateError):
        run_report(access(tmp_path, landed=("",)), "visits", DAY, wait_seconds=0.05)
    with pytest.raises(LakeError, match="no revision of it is in force"):
        run_report(lake, "visit", DAY)


def test_cells_come_in_their_types_from_a_session_and_over_jdbc(tmp_path):
    types = [("day", "date"), ("at", "timestamp"), ("amount", "decimal(10,2)"), ("rate", "double")]
    over_jdbc = ("2026-02-11", micros("2026-02-11 10:00"), "12.50", 0.5)
    session = (DAY, micros("2026-02-11 10:00"), Decimal("12.50"), 0.5)
    for row in (over_jdbc, session):
        edition = made(tmp_path, rows=[row, (None,) * 4], types=types)
        assert edition.rows == (
            (DAY, datetime(2026, 2, 11, 10, tzinfo=UTC), Decimal("12.50"), 0.5),
            (None,) * 4,
        )
