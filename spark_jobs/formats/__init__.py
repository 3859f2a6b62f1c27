"""Members of a zip to Arrow tables, by the rules of a feed.

    for item in read_zip(content, feed, constants):
        if isinstance(item, Rows):            # raw text of one member rule: `raw_schema(rule.columns)`
            ...
        else:                                 # a ZipSummary, always last
            ...
    typed = type_columns(pa.concat_tables(raw_tables), rule.columns)

- `read_zip` raises `ZipError` (`.rule`, `.members`) before it yields anything, where the zip as a whole is refused.
  Every member ends in one place: `ZipSummary.ignored` counts it, `ZipSummary.quarantined` names it, or it has rows.
- `Rows.rule` is the member rule's name, `Rows.table` has `_member_index` int32, `_member` string, `_row` int64 (from 1,
  within the member and rule), `_failures` string (null, or a line `<rule>: <reason>` for each thing that is wrong), then
  a string column for every sourced column, in the rule's order. At most some tens of thousands of rows a table; rows of
  one member may come in several tables, and not in order.
- `constants` are keyed by source: `{"$name.facility": "CA1234", "$extract_time": "2026-03-01T10:00:00+00:00"}`.
- `type_columns` keeps `_...` and any further columns, adds `type.<column>` and `required.<column>` to `_failures`, and
  returns the columns of `arrow_schema(columns)`: sourced ones and constants (a default alone). Derived columns, and
  whether they are null, are left to Spark. It is fast on some thousands of rows and slow on a few.
- No failure, reason or error holds a value of the data; rules, columns, counts and places only.
"""

from spark_jobs.formats.results import MemberEvent, Rows, ZipSummary, raw_schema
from spark_jobs.formats.types import arrow_schema, arrow_type, type_columns
from spark_jobs.formats.zips import read_zip

__all__ = ["MemberEvent", "Rows", "ZipSummary", "arrow_schema", "arrow_type", "raw_schema", "read_zip", "type_columns"]
