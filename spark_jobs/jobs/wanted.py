"""Which zips a person means: by id, given name, or a zip file in hand."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from spark_jobs.errors import LakeError
from spark_jobs.landing.agent import DeliveryNote
from spark_jobs.rules.inserts import literal

BEGINNING_OF_ID = re.compile("[0-9a-f]{8,32}")


@dataclass(frozen=True)
class Wanted:
    """The zips of an id that begins with `beginning`, of a given `name`, or of the hash of a file in hand."""

    said: str
    beginning: str | None = None
    name: str | None = None
    sha256: str | None = None

    @classmethod
    def read(cls, said: str) -> Wanted:
        """What a person said: the path of a zip file, an id or 8 and more characters of its beginning, or a name."""
        path = Path(said)
        if path.is_file():
            with path.open("rb") as file:
                return cls(said, sha256=hashlib.file_digest(file, "sha256").hexdigest())
        return cls(said, beginning=said if BEGINNING_OF_ID.fullmatch(said) else None, name=said)

    @property
    def condition(self) -> str:
        """The zips as a condition on `ops.ledger` in SQL."""
        if self.sha256:
            return f"sha256 = {literal(self.sha256)}"
        by_id = f"zip_id LIKE '{self.beginning}%' OR " if self.beginning else ""
        return f"({by_id}name = {literal(self.name)})"

    def fits(self, note: DeliveryNote) -> bool:
        """Whether a delivery note is of such a zip."""
        if self.sha256:
            return note.sha256 == self.sha256
        return note.name == self.name or bool(self.beginning and note.zip_id.startswith(self.beginning))

    def refuse_ambiguous(self, zip_ids: Collection[str]) -> None:
        """Raises LakeError if the beginning of an id fits several of `zip_ids`."""
        if self.beginning and sum(zip_id.startswith(self.beginning) for zip_id in set(zip_ids)) > 1:
            raise LakeError(self.said, "several zips have an id that begins so", "Give more characters of the id.")
