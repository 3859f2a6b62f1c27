-- Target tables: what makes a row the same row, and which version of it is newest. One row a revision.
-- Written by: lake feed apply, or a data engineer's INSERT. Read by: the ingest job, the views, compaction.
-- How to use: insert before the first feed that fills it. The columns of a target table are those that its feeds fill.
CREATE TABLE IF NOT EXISTS rules.target_table (
  target string COMMENT 'Name of the table: lower case letters, digits and _ (required)',
  revision int COMMENT 'Counts from 1. The highest enabled, valid revision is in force (required)',
  record_key array<string> COMMENT 'Columns that make a row the same row, each required in every feed. Fixed once the table holds rows (required)',
  order_by string COMMENT 'Required timestamp, date or long column: the greatest is the newest version (NULL: the extract time of the zip)',
  delete_column string COMMENT 'Column that says whether a row is a delete (NULL: no deletes)',
  delete_values array<string> COMMENT 'Values of delete_column that mean delete (NULL: none)',
  partition_by string COMMENT 'Required string column that names the folder of a row, never one with PHI (NULL: not partitioned)',
  index string COMMENT 'bucket: the partition never changes for a record key. global: a row may move between partitions, at a cost (NULL: bucket)',
  buckets int COMMENT 'File groups of a partition with index bucket. Fixed once the table holds rows (NULL: 2)',
  compact_after int COMMENT 'Delta commits before compaction is scheduled (NULL: 10)',
  owner string COMMENT 'Who answers for the table, an address (NULL: nobody named)',
  description string COMMENT 'What a row of the table is (NULL: no description)',
  enabled boolean COMMENT 'False: this revision is a draft and never used (NULL: true)',
  applied_at string COMMENT 'When this row was inserted, ISO 8601 in UTC, for people (NULL: not recorded)',
  applied_by string COMMENT 'Who inserted this row, for people (NULL: not recorded)'
)
COMMENT 'Target tables: Hudi merge-on-read tables that feeds fill. One row a revision.'
STORED AS ORC
