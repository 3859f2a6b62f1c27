"""The whole way of a zip: delivered, claimed, loaded, kept; which of its rows are the newest today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from spark_jobs.errors import LakeError
from spark_jobs.jobs.wanted import Wanted
from spark_jobs.landing.agent import DeliveryNote
from spark_jobs.landing.claim import Manifest, feed_of
from spark_jobs.landing.places import Place, notes_under_way, places_of
from spark_jobs.rules.inserts import literal
from spark_jobs.rules.model import Feed
from spark_jobs.tables import ledger
from spark_jobs.tables.access import Access
from spark_jobs.tables.rule_store import read_rules

MOST_ZIPS = 20
OUTCOMES = ("loaded", "duplicate", "ignored", "quarantined")
ROW_OUTCOMES = ("loaded", "duplicate", "quarantined")
MOMENT = "yyyy-MM-dd'T'HH:mm:ssX"

ROWS_TODAY = """
    SELECT {name} AS name, count_if(_batch = {batch} OR NOT _deleted) AS newest,
           count_if(_batch = {batch} AND _deleted) AS deletes, count_if(_batch <> {batch} AND _deleted) AS withdrawn
    FROM raw.{table} WHERE _zip_id = {zip_id}"""


def trace(access: Access, said: str, names: bool = False) -> list[dict[str, Any]]:
    """What became of each delivery that `said` may mean (see `Wanted.read`), the first one landed in front.

    A dict has the keys of `_delivered` and, if the ledger knows the zip, those of `_taken_in`; `name` only with `names`.
    At most MOST_ZIPS are traced. Raises LakeError if there is none, or if the beginning of an id fits several.
    """
    wanted = Wanted.read(said)
    # Landing and claimed first: what moves on meanwhile is then found in the ledger, and not missed.
    notes = {note.zip_id: note for note in notes_under_way(access.site) if wanted.fits(note)}
    rows = {row["zip_id"]: row for row in access.records(_ledger_rows(wanted.condition))}
    wanted.refuse_ambiguous([*notes, *rows])
    if not notes and not rows:
        raise LakeError(
            said,
            "no zip of such an id, name or content is in landing, claimed or in the ledger",
            "Ids have 32 characters, 8 are enough: lake sql 'SELECT zip_id, landed_at FROM ops.ledger'",
        )
    feeds = read_rules(access).feeds if notes.keys() - rows.keys() else {}
    found = [
        _taken_in(access, row) if (row := rows.get(zip_id)) else _waiting(access, notes[zip_id], feeds)
        for zip_id in [*rows, *(notes.keys() - rows.keys())][:MOST_ZIPS]
    ]
    for one in found:
        one["replay_waits"] = one["zip_id"] in notes and notes[one["zip_id"]].replay > 0
        if not names:
            del one["name"]
    return sorted(found, key=lambda one: (one["landed_at"], one["zip_id"]))


def moment(column: str) -> str:
    """A time stamp as ISO 8601 text in UTC: the same over every way to the lake."""
    return f"date_format({column}, {literal(MOMENT)})"


def _ledger_rows(condition: str) -> str:
    return (
        f"SELECT *, {moment('landed_at')} AS landed, {moment('committed_at')} AS committed"
        f" FROM ops.ledger WHERE {condition} ORDER BY landed_at, zip_id LIMIT {MOST_ZIPS + 1}"
    )


def _waiting(access: Access, note: DeliveryNote, feeds: Mapping[str, Feed]) -> dict[str, Any]:
    """A zip that the ledger does not know yet."""
    places = places_of(access.site, note.zip_id)
    claimed = next((place for place in places if place.kind == "claimed"), None)
    one = {
        **_delivered(asdict(note), note.landed_at[:19] + "Z", places),
        "state": "claimed" if claimed else "landed",
        "batch": claimed.batch if claimed else None,
    }
    if claimed and (found := _manifest(claimed)):
        return {**one, "feed": found.feed, "revision": found.revision}
    taking = feed_of(note, feeds.values())
    return {**one, "feed": taking[0].feed if taking else None, "revision": taking[0].revision if taking else None}


def _manifest(claimed: Place) -> Manifest | None:
    try:
        return Manifest.read(claimed.path.parent)
    except FileNotFoundError:  # not written yet, or done
        return None


def _delivered(of: Mapping[str, Any], landed_at: str, places: list[Place]) -> dict[str, Any]:
    said = [{**asdict(place), "path": str(place.path)} for place in places]
    return {
        **{key: of[key] for key in ("zip_id", "name", "folder", "sha256", "bytes")},
        "landed_at": landed_at,
        "places": said,
    }


def _taken_in(access: Access, row: Mapping[str, Any]) -> dict[str, Any]:
    """A zip that the ledger knows."""
    zip_id = literal(row["zip_id"])
    duplicates = access.records(
        f"SELECT zip_id FROM ops.ledger WHERE duplicate_of = {zip_id} ORDER BY landed_at, zip_id"
    )
    return {
        **_delivered(row, row["landed"], places_of(access.site, row["zip_id"])),
        **{key: row[key] for key in ("state", "rule", "feed", "revision", "batch", "duplicate_of")},
        "replays": row["replay"] or 0,
        "committed_at": row["committed"],
        "members": {"all": row["members"], **{outcome: row[f"members_{outcome}"] for outcome in OUTCOMES}},
        "rows": {outcome: row[f"rows_{outcome}"] for outcome in ROW_OUTCOMES},
        "warnings": row["warnings"],
        "tables": _tables(access, row),
        "quarantine": access.records(
            "SELECT rule, coalesce(state, 'open') AS state, revision, count(*) AS entries FROM ops.quarantine"
            f" WHERE zip_id = {zip_id} GROUP BY 1, 2, 3 ORDER BY entries DESC, rule, state, revision"
        ),
        "duplicates": [other["zip_id"] for other in duplicates],
    }


def _tables(access: Access, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A dict a target table: rows loaded, the commit, and what became of them since.

    `newest` rows are the newest version of their key today, `deletes` of which are deletes; `superseded` ones lost
    against another version; `withdrawn` ones are of an earlier reading, and marked as deleted by a replay.
    """
    commits, loaded = ledger.commits_of(row), ledger.rows_of(row)
    if len(commits) == 1 and not loaded:  # a row of before rows were counted by table
        loaded = dict.fromkeys(commits, row["rows_loaded"])
    if not commits:
        return []
    parts = [
        ROWS_TODAY.format(name=literal(t), table=t, batch=literal(row["batch"]), zip_id=literal(row["zip_id"]))
        for t in commits
    ]
    today = {one["name"]: one for one in access.records(" UNION ALL ".join(parts))}
    known = bool(loaded)
    return [
        {
            "table": name,
            "commit": commit,
            "loaded": (count := loaded.get(name, 0) if known else None),
            "newest": today[name]["newest"],
            "deletes": today[name]["deletes"],
            "superseded": max(count - today[name]["newest"], 0) if count is not None else None,
            "withdrawn": today[name]["withdrawn"],
        }
        for name, commit in commits.items()
    ]
