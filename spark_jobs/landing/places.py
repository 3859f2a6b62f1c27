"""Where a zip's bytes are: waiting in landing, claimed, in the vault or in quarantine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from spark_jobs.landing import vault
from spark_jobs.landing.agent import DeliveryNote
from spark_jobs.landing.files import AnyPath
from spark_jobs.site import Site


@dataclass(frozen=True)
class Place:
    """A place of a zip's bytes: `length` bytes from `offset` in `path`; `batch` names the batch that has claimed it.

    `kind` is landing, claimed, vault (packed in a bundle), vault/open (not packed yet) or quarantine.
    """

    kind: str
    path: AnyPath
    offset: int
    length: int
    batch: str | None = None


def places_of(site: Site, zip_id: str) -> list[Place]:
    """Every place where the zip's bytes are now, in the order of its way. A zip that is being replayed has two."""
    name = f"{zip_id}.zip"
    places = [_whole("landing", path) for path in site.landing.glob(f"*/{name}")]
    places += [_whole("claimed", path, path.parent.name) for path in site.claimed.glob(f"*/*/{name}")]
    location = vault.locate(site.vault, [zip_id]).get(zip_id)
    if location is not None:
        kind = "vault/open" if location.path.name == name else "vault"
        places.append(Place(kind, location.path, location.offset, location.length))
    if (site.quarantine / name).exists():
        places.append(_whole("quarantine", site.quarantine / name))
    return [place for place in places if place is not None]


def kept_bytes(site: Site, zip_id: str) -> bytes | None:
    """The bytes of a zip that went through, from the vault or from quarantine; None if neither has it."""
    found = vault.find(site.vault, zip_id)
    if found is not None:
        return found
    try:
        return (site.quarantine / f"{zip_id}.zip").read_bytes()
    except FileNotFoundError:
        return None


def notes_under_way(site: Site) -> Iterator[DeliveryNote]:
    """The notes of zips in landing and in claimed batches. Nothing is adopted, and what moves meanwhile is left out."""
    for path in [*site.landing.glob("*/*.zip"), *site.claimed.glob("*/*/*.zip")]:
        try:
            yield DeliveryNote(**json.loads(path.with_suffix(".json").read_bytes()))
        except FileNotFoundError:
            continue


def _whole(kind: str, path: AnyPath, batch: str | None = None) -> Place | None:
    try:
        return Place(kind, path, 0, path.stat().st_size, batch)
    except FileNotFoundError:  # moved on since it was listed
        return None
