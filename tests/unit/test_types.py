"""Typing: exactly what the rules say is a value, and everything else told row by row."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_jobs.formats import raw_schema, type_columns
from spark_jobs.rules.model import Column


def typed(texts, type_="string", **more):
    column = Column("c", type_, source="x", **more)
    rows = [{"_member_index": 0, "_member": "m", "_row": n, "c": text} for n, text in enumerate(texts)]
    table = type_columns(pa.Table.from_pylist(rows, raw_schema((column,))), (column,))
    failures = [line.split(":")[0] if line else None for line in table["_failures"].to_pylist()]
    return table["c"].to_pylist(), failures


@pytest.mark.parametrize(
    ("type_", "good", "bad"),
    [
        (
            "int",
            {"5": 5, "+5": 5, "-007": -7, "2147483647": 2**31 - 1},
            ["2147483648", "0x1F", "1e3", "5.0", "\u0665", "1 2"],
        ),
        ("long", {"-9223372036854775808": -(2**63)}, ["9223372036854775808", "1" * 40]),
        ("double", {"1.5": 1.5, "-1e3": -1000.0}, ["nan", "inf", "1e999", "1,5", "."]),
        (
            "decimal(6,2)",
            {"1.5": Decimal("1.50"), "-0001.10": Decimal("-1.10"), "1.500": Decimal("1.50")},
            ["1.555", "12345", "1e2", "."],
        ),
        ("boolean", {"TRUE": True, "false": False}, ["1", "yes"]),
        (
            "date",
            {"2024-02-29": date(2024, 2, 29)},
            ["2026-02-29", "2026-13-01", "2026-2-3", "0000-01-01", "2026-02-03x"],
        ),
    ],
)
def test_values_and_what_is_none(type_, good, bad):
    texts = [*good, *bad]
    values, failures = typed(texts, type_)
    assert values == [*good.values(), *[None] * len(bad)]
    assert failures == [*[None] * len(good), *["type.c"] * len(bad)]


@pytest.mark.parametrize(
    ("text", "pattern", "zone", "moment"),
    [
        ("2026-01-15T10:00:00", "%Y-%m-%dT%H:%M:%S", "America/New_York", (2026, 1, 15, 15)),
        ("20260715100000", "%Y%m%d%H%M%S", "America/New_York", (2026, 7, 15, 14)),
        ("2026-03-08T02:37:00", "%Y-%m-%dT%H:%M:%S", "America/New_York", (2026, 3, 8, 7)),
        ("2026-11-01T01:30:00", "%Y-%m-%dT%H:%M:%S", "America/New_York", (2026, 11, 1, 5, 30)),
        ("1890-01-01T00:00:00", "%Y-%m-%dT%H:%M:%S", "UTC", (1890, 1, 1)),
        ("2026-01-15T10:00:00.5+0200", "%Y-%m-%dT%H:%M:%S.%f%z", None, (2026, 1, 15, 8, 0, 0, 500_000)),
        ("2026-01-15 10:00:00Z", None, None, (2026, 1, 15, 10)),
        ("2026-01-15", None, None, (2026, 1, 15)),
        ("01/15/2026 (7h)", "%m/%d/%Y (%Hh)", None, None),
        ("2026-01-15T24:00:00", "%Y-%m-%dT%H:%M:%S", None, None),
        ("2026-01-15T10:00:00+25:00", "%Y-%m-%dT%H:%M:%S%z", None, None),
    ],
)
def test_timestamps_by_pattern_and_zone(text, pattern, zone, moment):
    expected = datetime(*moment, tzinfo=UTC) if moment else None
    assert typed([text], "timestamp", format=pattern, zone=zone)[0] == [expected]


def test_tokens_defaults_and_required():
    values, failures = typed([" a ", "", "NULL", None], required=True, null_tokens=("NULL",))
    assert (values, failures) == (["a", None, None, None], [None, *["required.c"] * 3])
    assert typed([None, "2"], "int", default="1") == ([1, 2], [None, None])
    assert typed(["y", "0"], "boolean", format="Y,1/N,0") == ([True, False], [None, None])


def test_no_value_is_in_a_failure():
    column = Column("c", "int", source="x")
    table = pa.Table.from_pylist(
        [{"_member_index": 0, "_member": "m", "_row": 1, "c": "secret"}], raw_schema((column,))
    )
    assert "secret" not in type_columns(table, (column,))["_failures"][0].as_py()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=12), st.from_regex(r"[+-]?[0-9.eE]{1,12}")), max_size=8))
def test_no_text_breaks_a_column(texts):
    for type_ in ("int", "long", "double", "decimal(10,3)", "boolean", "date", "timestamp"):
        values, failures = typed(texts, type_)
        for text, value, failure in zip(texts, values, failures, strict=True):
            empty = text is None or not text.strip()
            assert (value is None) == (empty or failure is not None)
