-- Reports: a named question, its SQL and who reads the answer. One row a revision.
-- Written by: lake report apply, or a report owner's INSERT. Read by: the report job and the report DAGs.
-- How to use: write one SELECT in Spark SQL over lake.<target table>, ops.ledger and the like.
CREATE TABLE IF NOT EXISTS rules.report (
  report string COMMENT 'Name of the report: lower case letters, digits and _ (required)',
  revision int COMMENT 'Counts from 1. The highest enabled, valid revision is in force (required)',
  title string COMMENT 'Heading of the report (required)',
  sql string COMMENT 'One SELECT in Spark SQL (required)',
  schedule string COMMENT '@hourly, @daily, @weekly, @monthly or five cron fields, in UTC (NULL: @daily)',
  outputs array<string> COMMENT 'Files to write: html, csv, json, parquet (NULL: html)',
  recipients string COMMENT 'Addresses that get the answer, parted by commas (NULL: nobody)',
  owner string COMMENT 'Who answers for the report, an address (NULL: nobody named)',
  description string COMMENT 'What the report answers (NULL: no description)',
  enabled boolean COMMENT 'False: this revision is a draft and never used (NULL: true)',
  applied_at string COMMENT 'When this row was inserted, ISO 8601 in UTC, for people (NULL: not recorded)',
  applied_by string COMMENT 'Who inserted this row, for people (NULL: not recorded)'
)
COMMENT 'Reports: one SELECT each, run on a schedule. One row a revision.'
STORED AS ORC
