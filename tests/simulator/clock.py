"""Moments as integers, and their texts in the formats of the feeds."""

from __future__ import annotations

import calendar
import datetime as dt
from functools import cache
from zoneinfo import ZoneInfo

DAY, HOUR, SECOND = 86_400, 3_600, 1_000_000  # day and hour in seconds, second in microseconds
START = calendar.timegm((2026, 2, 9, 0, 0, 0))  # when the first wave's day begins, UTC
EASTERN = ZoneInfo("America/New_York")
EPOCH = dt.date(1970, 1, 1)


@cache
def day_text(day: int, form: str = "%Y-%m-%d") -> str:
    """A day since 1970 as text."""
    return (EPOCH + dt.timedelta(days=day)).strftime(form)


def to_day(text: str) -> int | None:
    """Days since 1970 of an ISO date, None of an empty text."""
    return (dt.date.fromisoformat(text) - EPOCH).days if text else None


def utc_text(seconds: int, form: str = "%Y-%m-%d", between: str = " ", colon: str = ":") -> str:
    """A moment in UTC: date, separator, time."""
    day, rest = divmod(seconds, DAY)
    hour, rest = divmod(rest, HOUR)
    return f"{day_text(day, form)}{between}{hour:02d}{colon}{rest // 60:02d}{colon}{rest % 60:02d}"


def stamp(seconds: int) -> str:
    """A moment in UTC as fourteen digits."""
    return utc_text(seconds, "%Y%m%d", "", "")


@cache
def _eastern_offset(day: int) -> int:
    noon = dt.datetime.combine(EPOCH + dt.timedelta(days=day), dt.time(12), EASTERN)
    return int(noon.utcoffset().total_seconds())


def steady(seconds: int) -> int:
    """The moment, or one two days earlier where New York's clocks change within a day of it."""
    day = seconds // DAY
    changes = _eastern_offset(day - 1) != _eastern_offset(day + 1)
    return seconds - 2 * DAY if changes else seconds


def eastern_text(seconds: int) -> str:
    """A moment as New York's clocks show it; only for steady moments."""
    return utc_text(seconds + _eastern_offset(seconds // DAY), between="T")


def offset_text(micros: int, offset_minutes: int, sign: str, digits: int) -> str:
    """A moment with a fraction of at least `digits` digits and an offset written as `sign` says (`Z`, `:` or none)."""
    seconds, fraction = divmod(micros, SECOND)
    shortest = f"{fraction:06d}".rstrip("0")
    local = utc_text(seconds + offset_minutes * 60, between="T")
    return f"{local}.{shortest.ljust(digits, '0')}{_offset(offset_minutes, sign)}"


def _offset(minutes: int, sign: str) -> str:
    if sign == "Z":
        return "Z"
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}{sign}{rest:02d}"
