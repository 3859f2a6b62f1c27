"""When a report is asked: `nightly`, `weekly`, five cron fields in UTC, or `on <table>, ...`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, takewhile

from spark_jobs.errors import RuleError

NAMED = {"nightly": "0 1 * * *", "weekly": "0 2 * * 1"}
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))
LONGEST = 8 * 366 + 1  # days between two 29ths of February, where a century's end leaves one out
_ON = re.compile(r"on\s+(\w+\.\w+(?:\s*,\s*\w+\.\w+)*)")
_PART = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?")


@dataclass(frozen=True)
class Schedule:
    """Moments by five cron fields, or changes of `tables`; one of the two is empty."""

    cron: str = ""
    tables: tuple[str, ...] = ()


def parse_schedule(text: str) -> Schedule:
    """The schedule that a rule states; raises RuleError."""
    if match := _ON.fullmatch(text.strip()):
        return Schedule(tables=tuple(re.split(r"\s*,\s*", match[1])))
    cron = NAMED.get(text.strip(), text.strip())
    if len(cron.split()) != len(FIELDS):
        known = f"{', '.join(NAMED)}, five cron fields or on <table>"
        raise RuleError("schedule", f"the schedule {text!r} is not one of {known}")
    if last_moment(cron, datetime(2029, 1, 1, tzinfo=UTC)) is None:
        raise RuleError("schedule", f"the schedule {text!r} names a day that never comes")
    return Schedule(cron=cron)


def last_moment(cron: str, now: datetime) -> datetime | None:
    """The last moment up to `now`, both in UTC, that the cron fields name; None if there is none in eight years.

    As cron has it: where both days are restricted, either will do.
    """
    minutes, hours, days, months, weekdays = (
        _values(text, *field) for text, field in zip(cron.split(), FIELDS, strict=True)
    )
    weekdays = {day % 7 for day in weekdays}
    restricted = [not text.startswith("*") for text in (cron.split()[2], cron.split()[4])]
    any_of_two = all(restricted)
    for back in takewhile(lambda n: n < LONGEST, count()):
        day = (now - timedelta(days=back)).date()
        fits = day.day in days, day.isoweekday() % 7 in weekdays
        if day.month not in months or not (any(fits) if any_of_two else all(fits)):
            continue
        moments = (
            datetime(day.year, day.month, day.day, h, m, tzinfo=UTC)
            for h in sorted(hours, reverse=True)
            for m in sorted(minutes, reverse=True)
        )
        found = next((moment for moment in moments if moment <= now), None)
        if found is not None:
            return found
    return None


def _values(text: str, name: str, least: int, most: int) -> set[int]:
    """The numbers that one cron field stands for."""
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        low = least if match and match[1] else _number(match[2] if match else part, name, least, most)
        last = most if match and (match[1] or (match[4] and not match[3])) else low
        high = _number(match[3], name, least, most) if match and match[3] else last
        if low > high or (match and match[4] == "0"):
            raise RuleError("schedule", f"{part} is no {name}: it names nothing")
        found |= set(range(low, high + 1, int(match[4] or 1) if match else 1))
    return found


def _number(text: str, name: str, least: int, most: int) -> int:
    value = DAYS.index(text.upper()) if name == "day of the week" and text.upper() in DAYS else text
    if not str(value).isdecimal() or not least <= int(value) <= most:
        raise RuleError("schedule", f"{text} is no {name}: it goes from {least} to {most}")
    return int(value)
