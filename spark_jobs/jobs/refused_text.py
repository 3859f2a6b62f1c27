"""The raw text of what was refused, read once more from the kept bytes. It shows patients' records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from spark_jobs.archives import open_member, open_zip
from spark_jobs.errors import LakeError
from spark_jobs.formats import Rows, read_zip
from spark_jobs.landing.places import kept_bytes
from spark_jobs.rules.candidates import feed_builder
from spark_jobs.rules.model import Feed, Limits
from spark_jobs.tables.access import Access
from spark_jobs.tables.rule_store import read_rows

LONGEST_TEXT = 2000
Place = tuple[str, int, int]  # target, member index, row


def add_texts(access: Access, entries: Sequence[dict[str, Any]]) -> None:
    """Adds `content` to each entry: the columns of a row, or the beginning of a member, at most LONGEST_TEXT characters.

    Rows are told by the rules that refused them. An entry of a whole zip has none (None).
    """
    feeds = _feeds(access, {(entry["feed"], entry["revision"]) for entry in entries})
    for zip_id in dict.fromkeys(entry["zip_id"] for entry in entries):
        of_zip = [entry for entry in entries if entry["zip_id"] == zip_id]
        content = kept_bytes(access.site, zip_id)
        for revision in {(entry["feed"], entry["revision"]) for entry in of_zip}:
            some = [entry for entry in of_zip if (entry["feed"], entry["revision"]) == revision]
            add_from_zip(content, feeds.get(revision), some)


def _feeds(access: Access, revisions: set[tuple[str, int]]) -> dict[tuple[str, int], Feed]:
    rows = read_rows(access)
    build = feed_builder(rows)
    own = {(row["feed"], row["revision"]): row for row in rows["feed"]}
    return {revision: build(own[revision]) for revision in revisions if revision in own}


def add_from_zip(content: bytes | None, feed: Feed | None, entries: Iterable[dict[str, Any]]) -> None:
    """Adds `content` to entries of one zip, refused by one revision of its feed (None: no feed took it)."""
    wanted = {_place(entry) for entry in entries if entry["row"]}
    rows = _row_texts(content, feed, wanted) if content and feed and wanted else {}
    limits = feed.limits if feed else Limits()
    for entry in entries:
        text = rows.get(_place(entry))
        if text is None and content and entry["member_index"] >= 0:
            text = _member_text(content, entry["member_index"], limits)
        entry["content"] = text if text is None or len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + " ..."


def _place(entry: Mapping[str, Any]) -> Place:
    return entry["target"], entry["member_index"], entry["row"]


def _row_texts(content: bytes, feed: Feed, wanted: set[Place]) -> dict[Place, str]:
    """Each wanted row as `column=text, ...`; those that could not be parted into columns are left out."""
    targets = {member.member: member.target or "" for member in feed.readers}
    found = {}
    try:
        for item in read_zip(content, feed, {}):
            if isinstance(item, Rows):
                for row in _among(item, wanted):
                    texts = [f"{k}={v}" for k, v in row.items() if not k.startswith("_") and v is not None]
                    place = (targets[item.rule], row["_member_index"], row["_row"])
                    if place in wanted and texts:
                        found[place] = ", ".join(texts)
    except LakeError:  # the zip as a whole is refused by now
        return found
    return found


def _among(rows: Rows, wanted: set[Place]) -> list[dict[str, Any]]:
    table = rows.table
    members = pc.is_in(
        table["_member_index"], value_set=_as_set(table["_member_index"], [place[1] for place in wanted])
    )
    numbers = pc.is_in(table["_row"], value_set=_as_set(table["_row"], [place[2] for place in wanted]))
    return table.filter(pc.and_(members, numbers)).to_pylist()  # type: ignore[no-any-return]


def _as_set(column: Any, values: list[int]) -> Any:
    return pa.array(values, column.type)


def _member_text(content: bytes, index: int, limits: Limits) -> str | None:
    try:
        entry = open_zip(content, limits)[index]
        with open_member(content, entry, limits) as stream:
            return stream.read(4 * LONGEST_TEXT).decode("utf-8", "replace")
    except LakeError as error:
        return f"(it can't be shown: {error.problem})"
