"""What a column may say about a patient, guessed from its name; in doubt more rather than less."""

from __future__ import annotations

import re

from spark_jobs.inference.values import Guess
from spark_jobs.rules.model import Phi

# Looked for in the words of a name, in this order.
NOBODY = re.compile(
    r"facility|hospital|clinic_|sender|sending|unit|currency|status$|operation|^op$|version|schema|priority"
)
IDENTIFIER = re.compile(
    r"name|(^|_)(first|last|middle|family|given|maiden)(_|$)|ssn|social|mrn|patient|person|subject|address|street|phone|mobile"
    r"|fax|e?mail|account|policy|member|subscriber|insured|claim|encounter|visit|stay|case|order|specimen|accession|license"
    r"|passport|device|serial|url|ip_|photo|signature|guarantor|npi|(^|_)(id|no|number|nr|key|uuid|guid)$"
)
QUASI = re.compile(
    r"birth|born|dob|death|died|deceased|(^|_)(sex|gender|race|age|zip|city|state|county|country|bed|room)(_|$)|postal|postcode"
    r"|ethnic|marital|language|religion|occupation|admi(t|ssion)|discharg|service|visit|taken|(_at|_on|date|time)$"
)
CLINICAL = re.compile(
    r"code|diagnos|icd|snomed|loinc|reason|procedure|result|value|test|lab|vital|note|comment|drug|medic|dose|allerg"
    r"|acuity|display|finding|symptom|severity|complaint|problem|condition"
)
VERSION = re.compile(
    r"updat|chang|modif|adjudicat|as_?of|last_|version|revis|extract|sent|created|message|issued|recorded"
)
FEW_VALUES = 20
MOSTLY_DISTINCT = 0.5


def guess_phi(name: str, guess: Guess) -> Phi:
    """What a column says about a patient. A text that is mostly different from row to row may identify one."""
    if guess.type in ("timestamp", "date") and VERSION.search(name):
        return "none"
    if not NOBODY.search(name):
        for kind, words in (("quasi", QUASI), ("clinical", CLINICAL), ("identifier", IDENTIFIER)):
            if kind != "identifier" and IDENTIFIER.search(name) and not _is_plain(guess):
                continue
            if words.search(name):
                return kind  # type: ignore[return-value]
    if guess.type == "string" and guess.distinct > FEW_VALUES:
        share = guess.distinct / max(1, guess.filled)
        return "identifier" if share > MOSTLY_DISTINCT and not NOBODY.search(name) else "quasi"
    return "none" if guess.type in ("string", "boolean") or NOBODY.search(name) else "quasi"


def is_version_time(name: str) -> bool:
    """Whether a time seems to be when a record was last changed."""
    return VERSION.search(name) is not None


def _is_plain(guess: Guess) -> bool:
    """Whether a value is a date or a measure, which is no name or number of somebody."""
    return guess.type in ("date", "timestamp", "boolean", "double") or guess.type.startswith("decimal")
