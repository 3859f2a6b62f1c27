"""The extract time of zips: when a facility made them, read from the zip's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from spark_jobs.batches.judge import BIAS_MICROS
from spark_jobs.formats import raw_schema, type_columns
from spark_jobs.landing.claim import ClaimedZip
from spark_jobs.rules.model import Column, Feed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ExtractTime:
    """An extract time as ISO 8601 text (UTC) and as the 20 digits that order rows; `refusal` says why there is none."""

    text: str | None
    order: str
    refusal: str | None = None


def extract_times(feed: Feed, zips: Sequence[ClaimedZip]) -> list[ExtractTime]:
    """The extract time of each zip; without one in the name it is the time when the zip landed."""
    if feed.extract_part is None:
        return [_known(datetime.fromisoformat(z.note.landed_at)) for z in zips]
    column = Column(
        "extract_time", "timestamp", source="$extract_time", format=feed.extract_format, zone=feed.extract_zone
    )
    rows = [
        {"_member_index": 0, "_member": "", "_row": n, "extract_time": z.parts.get(feed.extract_part)}
        for n, z in enumerate(zips)
    ]
    typed = type_columns(pa.Table.from_pylist(rows, raw_schema((column,))), (column,))
    moments = typed.column("extract_time").cast(pa.int64()).to_pylist()
    return [_known(_moment(micros)) if micros is not None else _unknown(feed) for micros in moments]


def _moment(micros: int) -> datetime:
    seconds, rest = divmod(micros, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def _known(moment: datetime) -> ExtractTime:
    since = moment - EPOCH
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return ExtractTime(moment.isoformat(timespec="microseconds"), f"{micros + BIAS_MICROS:020d}")


def _unknown(feed: Feed) -> ExtractTime:
    return ExtractTime(None, "0" * 20, f"part {feed.extract_part} of its name is no time as the feed's rules say")
