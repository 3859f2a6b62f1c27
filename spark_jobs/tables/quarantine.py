"""The quarantine: a row for each zip, member or row that was refused, with the rule that refused it."""

from __future__ import annotations

from spark_jobs.tables.comments import column_list

_QUARANTINE = {
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
    "_order": ("string", "Ordering field: the later run of the job wins"),
}
QUARANTINE_COLUMNS = column_list(_QUARANTINE)
