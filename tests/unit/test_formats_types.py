"""Typing held against the standard library: zones, calendars and numbers, thousands of values at a time."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_jobs.formats import arrow_schema, raw_schema, type_columns
from spark_jobs.formats.results import FAILURES
from spark_jobs.rules.model import Column

ZONES = [
    "America/New_York",
    "Europe/Lisbon",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/St_Johns",
]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def typed(texts, column, failures=None):
    count = len(texts)
    arrays = [pa.array([0] * count, pa.int32()), pa.array(["m"] * count), pa.array(range(count), pa.int64())]
    arrays += [pa.array(failures or [None] * count, pa.string()), pa.array(texts, pa.string())]
    return type_columns(pa.Table.from_arrays(arrays, schema=raw_schema((column,))), (column,))


def moment(local, zone):
    """As outcomes.md has it: the earlier of two, the gap's end for none."""
    at = local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    if at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local:
        return at
    # In a gap fold=0 reads the offset before it, fold=1 the one after: the gap ends where they change over.
    low, high = local.replace(tzinfo=ZoneInfo(zone), fold=1).astimezone(UTC), at
    while high - low > timedelta(microseconds=1):
        middle = low + (high - low) / 2
        passed = middle.astimezone(ZoneInfo(zone)).replace(tzinfo=None) > local
        low, high = (low, middle) if passed else (middle, high)
    return high


@pytest.mark.parametrize("zone", ZONES)
def test_local_times_around_every_change_of_the_clock(zone):
    rng = random.Random(zone)
    changes = [
        day
        for day in (datetime(1935, 1, 1) + timedelta(days=n) for n in range(36_500))
        if ZoneInfo(zone).utcoffset(day) != ZoneInfo(zone).utcoffset(day + timedelta(days=1))
    ]
    near = [
        rng.choice(changes) + timedelta(minutes=rng.randrange(-600, 2000), microseconds=rng.randrange(9))
        for _ in range(3000)
    ]
    column = Column("c", "timestamp", source="x", format="%Y-%m-%d %H:%M:%S.%f", zone=zone)
    texts = [local.strftime("%Y-%m-%d %H:%M:%S.%f") for local in near]
    values = typed(texts, column)["c"].to_pylist()
    assert values == [moment(local, zone) for local in near]


@settings(max_examples=100, deadline=None)
@given(
    st.permutations(["%Y", "%m", "%d", "%H", "%M", "%S"]),
    st.sampled_from(["", "-", "/", ".", " T ", "\\1", "("]),
    st.integers(),
)
def test_any_order_of_directives(directives, between, seed):
    rng = random.Random(seed)
    moments = [EPOCH.replace(tzinfo=None) + timedelta(seconds=rng.randrange(-(10**10), 10**11)) for _ in range(20)]
    pattern = between.join(directives)
    texts = [at.strftime(pattern.replace("%Y", f"{at.year:04d}")) for at in moments]
    values = typed(texts, Column("c", "timestamp", source="x", format=pattern))["c"].to_pylist()
    assert values == [at.replace(tzinfo=UTC) for at in moments]


def test_every_day_of_the_calendar_and_no_other():
    texts = [
        f"{y:04d}-{m:02d}-{d:02d}" for y in (0, 1, 1900, 2000, 2023, 2024, 9999) for m in range(14) for d in range(33)
    ]
    values = typed(texts, Column("c", "date", source="x"))["c"].to_pylist()
    assert values == [day_or_none(text) for text in texts]


def day_or_none(text):
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


DIGITS = st.from_regex(r"\A[+-]?0{0,3}[0-9]{0,24}(\.[0-9]{0,6}0{0,30})?([eE][0-9])?\Z")


@settings(max_examples=200, deadline=None)
@given(st.lists(DIGITS, max_size=10), st.sampled_from([(1, 0), (2, 2), (12, 2), (38, 0), (38, 38), (38, 10)]))
def test_decimals_are_exact_or_none(texts, kind):
    precision, scale = kind
    column = Column("c", f"decimal({precision},{scale})", source="x")
    for text, value in zip(texts, typed(texts, column)["c"].to_pylist(), strict=True):
        assert value == decimal_or_none(text, precision, scale), text


def decimal_or_none(text, precision, scale):
    sign_free = text.lstrip("+-")
    whole, point, fraction = sign_free.partition(".")
    if not whole.isdigit() or (point and not fraction.isdigit()):
        return None
    unscaled = int(whole + fraction) * 10**scale
    size = 10 ** len(fraction)
    fits = unscaled % size == 0 and unscaled // size < 10**precision
    sign = "-" if text.startswith("-") else ""
    return Decimal(f"{sign}{unscaled // size}E-{scale}") if fits else None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-(10**20), 10**20).map(str), max_size=10), st.sampled_from([("int", 31), ("long", 63)]))
def test_integers_within_their_bits(texts, kind):
    name, bits = kind
    values = typed([f" {text}\n" for text in texts], Column("c", name, source="x"))["c"].to_pylist()
    assert values == [int(text) if -(1 << bits) <= int(text) < 1 << bits else None for text in texts]


def test_rows_that_could_not_be_read_have_that_failure_alone():
    column = Column("c", "int", source="x", required=True)
    table = typed([None, "x", None, "1"], column, ["row.ragged: expected 2 fields, found 1", None, None, None])
    failures = ["row.ragged: expected 2 fields, found 1", "type.c: no int", "required.c: it is null", None]
    assert table[FAILURES].to_pylist() == failures


def test_further_columns_pass_through_constants_are_filled_and_derived_ones_left_out():
    columns = (Column("a", source="x"), Column("b", "long", default="7"), Column("c", expression="a", required=True))
    raw = typed(["t", None], columns[0]).append_column("_zip_id", pa.array(["z", "z"]))
    table = type_columns(raw, columns)
    assert table.column_names == ["_member_index", "_member", "_row", "_zip_id", FAILURES, "a", "b"]
    assert (table["b"].to_pylist(), table[FAILURES].null_count) == ([7, 7], 2)
    assert arrow_schema(columns) == pa.schema([("a", pa.string()), ("b", pa.int64())])


def test_failures_are_told_in_the_order_of_the_columns():
    columns = tuple(Column(name, "int", source=name, required=True) for name in "ab")
    raw = pa.Table.from_pylist(
        [{"_member_index": 0, "_member": "m", "_row": 1, "a": "x", "b": " "}], raw_schema(columns)
    )
    assert type_columns(raw, columns)[FAILURES].to_pylist() == ["type.a: no int\nrequired.b: it is null"]


def test_no_rows_are_typed_as_well():
    columns = tuple(
        Column(kind, kind, source="x") for kind in ("string", "int", "double", "boolean", "date", "timestamp")
    )
    assert type_columns(raw_schema(columns).empty_table(), columns).num_rows == 0
