"""Members to Arrow tables, by the rules: XML, CSV, delimited and fixed-width text.

for item in read_zip(content, feed, constants):   # Rows(rule, table of raw text) ..., at last a ZipSummary
    typed = type_columns(item.table, columns)     # raw text to typed columns, failures told row by row
"""

from spark_jobs.formats.results import MemberEvent, Rows, ZipSummary, raw_schema
from spark_jobs.formats.types import arrow_schema, arrow_type, type_columns
from spark_jobs.formats.zips import read_zip

__all__ = ["MemberEvent", "Rows", "ZipSummary", "arrow_schema", "arrow_type", "raw_schema", "read_zip", "type_columns"]
