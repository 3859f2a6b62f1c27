"""Texts to values and rows to refusals, as `outcomes.md` words it, one value at a time."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

PARTS = {
    "%Y": r"(?P<Y>\d{4})", "%m": r"(?P<m>\d\d)", "%d": r"(?P<d>\d\d)", "%H": r"(?P<H>\d\d)", "%M": r"(?P<M>\d\d)",
    "%S": r"(?P<S>\d\d)", "%f": r"(?P<f>\d{1,6})", "%z": r"(?P<z>Z|[+-]\d\d:?\d\d)",
}  # fmt: skip
FOLDER = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# The rules' expressions in Python; null in, null out.
EXPRESSIONS = {
    "substr(facility_id, 1, 2)": lambda row: row["facility_id"] and row["facility_id"][:2],
    "cast(year(service_date) as string)": lambda row: row["service_date"] and str(row["service_date"].year),
    "(unix_seconds(discharged_at) - unix_seconds(admitted_at)) div 3600": lambda row: (
        row["discharged_at"]
        and row["admitted_at"]
        and (row["discharged_at"] - row["admitted_at"]) // dt.timedelta(0, 3600)
    ),
}
CHECKS = {
    "known_bed_state": lambda row: row["bed_state"] in ("O", "A", "C", "R"),
    "occupied_has_patient": lambda row: row["bed_state"] != "O" or row["patient_id"] is not None,
    "paid_not_above_billed": lambda row: row["paid"] is None or row["paid"] <= row["billed"],
    "discharge_not_before_admission": lambda row: (
        not (row["discharged_at"] and row["discharged_at"] < row["admitted_at"])
    ),
    "known_status": lambda row: row["status"] in ("admitted", "updated", "discharged", "cancelled"),
    "plausible_charges": lambda row: row["total_charges"] is None or row["total_charges"] < 1_000_000,
    "death_not_before_birth": lambda row: (
        not (row["death_date"] and row["birth_date"] and row["death_date"] < row["birth_date"])
    ),
}


class Refused(Exception):  # noqa: N818 - not an error of the program
    """A rule says no."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def judge(rule: dict, target: dict, checks: list[dict], record: dict, warnings: Counter) -> dict:
    """A row's values; raises Refused with the first rule that it breaks."""
    if "refused" in record:
        raise Refused(record["refused"])
    row: dict = {}
    for column in sorted(rule["columns"], key=lambda column: "expression" in column):
        if "expression" in column:
            row[column["name"]] = EXPRESSIONS[column["expression"]](row)
        else:
            row[column["name"]] = _value(column, record[column["source"]])
        if column.get("required") and row[column["name"]] is None:
            raise Refused(f"required.{column['name']}")
    partition = target.get("partition_by")
    if partition and not FOLDER.fullmatch(row[partition]):
        raise Refused(f"partition.{partition}")
    _check(checks, row, warnings)
    return {column["name"]: row[column["name"]] for column in rule["columns"]}


def _check(checks: list[dict], row: dict, warnings: Counter) -> None:
    broken = [check for check in checks if not CHECKS[check["check"]](row)]
    for check in broken:
        if check["action"] == "quarantine":
            raise Refused(f"check.{check['check']}")
    for check in broken:
        warnings[f"check.{check['check']}"] += 1


def _value(column: dict, text: object) -> object:
    if not isinstance(text, str | None):
        return text  # the extract time is a moment already
    text = (text or "").strip(" \t\r\n")
    if not text or text in column.get("null_tokens", ()):
        text = column.get("default")
    if text is None:
        return None
    try:
        return _convert(column, text)
    except ValueError:
        raise Refused(f"type.{column['name']}") from None


def _convert(column: dict, text: str) -> object:
    kind = column.get("type", "string")
    if kind == "string":
        return text
    if kind.startswith("decimal"):
        return _decimal(kind, text)
    return CONVERTERS[kind](text, column)


def _matching(pattern: str, text: str) -> str:
    if not re.fullmatch(pattern, text, re.ASCII):
        raise ValueError
    return text


def _whole(text: str, bits: int) -> int:
    value = int(_matching(r"[+-]?\d+", text))
    if not -(1 << bits) <= value < 1 << bits:
        raise ValueError
    return value


def _double(text: str) -> float:
    return float(_matching(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", text))


def _date(text: str, column: dict) -> dt.date:
    return parse_moment(text, {"format": column.get("format", "%Y-%m-%d")}).date()


def _decimal(kind: str, text: str) -> Decimal:
    precision, scale = map(int, re.findall(r"\d+", kind))
    value = Decimal(_matching(r"[+-]?\d+(\.\d+)?", text)).scaleb(scale)
    if value != int(value) or abs(value) >= 10**precision:
        raise ValueError
    return Decimal(int(value)).scaleb(-scale)


def _boolean(form: str, text: str) -> bool:
    true, false = ([token.lower() for token in part.split(",")] for part in form.split("/"))
    if text not in true + false:
        raise ValueError
    return text in true


@cache
def _pattern(form: str) -> re.Pattern:
    return re.compile("".join(PARTS.get(part, re.escape(part)) for part in re.split(r"(%.)", form)), re.ASCII)


def parse_moment(text: str, rule: dict) -> dt.datetime:
    """A text in the rule's format and zone as a moment in UTC; ValueError if it is none."""
    match = _pattern(rule["format"]).fullmatch(text)
    if not match:
        raise ValueError
    found = match.groupdict()
    parts = [int(found.get(name) or (1 if name in "md" else 0)) for name in "YmdHMS"]
    moment = dt.datetime(*parts, int((found.get("f") or "").ljust(6, "0")))
    zone = _offset(found["z"]) if found.get("z") else ZoneInfo(rule.get("zone", "UTC"))
    return moment.replace(tzinfo=zone).astimezone(dt.UTC)


def _offset(text: str) -> dt.timezone:
    if text == "Z":
        return dt.UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    return dt.timezone((-1 if text[0] == "-" else 1) * dt.timedelta(hours=hours, minutes=minutes))


CONVERTERS = {
    "int": lambda text, column: _whole(text, 31),
    "long": lambda text, column: _whole(text, 63),
    "double": lambda text, column: _double(text),
    "boolean": lambda text, column: _boolean(column.get("format", "true/false"), text.lower()),
    "date": _date,
    "timestamp": parse_moment,
}
