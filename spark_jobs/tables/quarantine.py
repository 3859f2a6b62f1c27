"""The quarantine: a row for each zip, member or row that was refused, with the rule that refused it."""

from __future__ import annotations

QUARANTINE = {
    "zip_id": ("string", "Zip; its bytes are in the vault, or in quarantine/ if it was refused as a whole"),
    "member_index": ("int", "Number of the member in the zip, from 0; -1 for the whole zip"),
    "target": ("string", "Target table that a refused row was for; empty for a member or zip"),
    "row": ("bigint", "Number of the row in the member, from 1; 0 for a whole member or zip"),
    "member": ("string", "Name of the member; may identify a patient"),
    "feed": ("string", "Feed; empty if none takes the zip"),
    "rule": ("string", "The first rule that refused it"),
    "reason": ("string", "All that was wrong, a line each, without any value"),
    "batch": ("string", "Batch that refused it"),
    "revision": ("int", "Revision of the feed's rules that was in force"),
    "_order": ("string", "Ordering field: the later run of the job wins, in it the later batch"),
    # Added later, and therefore last: null in rows of before, which are open.
    "state": ("string", "open, or resolved by a replay that did not refuse it again"),
    "first_refused_at": ("timestamp", "When it was refused first"),
    "refused_at": ("timestamp", "When it was refused last"),
    "resolved_by": ("string", "Batch of the replay that resolved it, or null"),
    "resolved_at": ("timestamp", "When it was resolved, or null"),
    "landed_on": ("string", "Day that the zip landed, UTC: the table's partition"),
}
KEY = ("zip_id", "member_index", "target", "row")
IS_OPEN = "coalesce(state, 'open') = 'open'"
