"""Local times as moments, by the rules of a time zone."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

LOCAL = pa.timestamp("us")
UTC = pa.timestamp("us", "UTC")
DAY = 86_400_000_000  # microseconds


def in_zone(local: pa.Array, zone: str | None) -> pa.Array:
    """Local times as moments in UTC: the earlier one in an hour that occurs twice, the gap's end in one that is skipped.

    Looking a zone up costs microseconds, so it is done twice a day that occurs, and once a value on those days alone
    on which the offset changes.
    """
    micros = local.cast(pa.int64())
    if zone in (None, "UTC") or micros.null_count == len(micros):
        return micros.cast(UTC)
    since_midnight = pc.subtract(micros, pc.multiply(pc.divide(micros, DAY), DAY))
    # Division rounds towards zero: times before 1970 are put to the day they are of.
    before = pc.if_else(pc.less(since_midnight, 0), DAY, 0)
    days = pc.dictionary_encode(pc.subtract(pc.subtract(micros, since_midnight), before))
    start = days.dictionary
    shift = pc.subtract(_moments(start, zone), start)
    last = pc.add(start, DAY - 1)
    steady = pc.equal(shift, pc.subtract(_moments(last, zone), last))
    moments = pc.add(micros, pc.take(shift, days.indices))
    changing = pc.invert(pc.take(steady, days.indices))
    if pc.any(changing).as_py():
        changing = pc.fill_null(changing, False)
        moments = pc.replace_with_mask(moments, changing, _moments(micros.filter(changing), zone))
    return moments.cast(UTC)


def _moments(micros: pa.Array, zone: str | None) -> pa.Array:
    local = micros.cast(LOCAL)
    return pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest").cast(pa.int64())
