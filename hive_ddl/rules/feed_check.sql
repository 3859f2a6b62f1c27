-- Checks: expectations on the rows of a member rule. One row a check and revision.
-- Written by: lake feed apply, or a data engineer's INSERT, before the row in rules.feed. Read by: the ingest job.
-- How to use: state what is true of a good row. A row breaks a check only where the expression is false: null is not false.
CREATE TABLE IF NOT EXISTS rules.feed_check (
  feed string COMMENT 'Feed (required)',
  revision int COMMENT 'Revision of the feed (required)',
  position int COMMENT 'Order of the checks. No two of a revision share a position (required)',
  check string COMMENT 'Name of the check, unique in the revision: lower case letters, digits and _ (required)',
  member string COMMENT 'Member rule whose rows are checked (required)',
  expression string COMMENT 'Spark SQL condition over the columns of the member rule, true for a good row (required)',
  action string COMMENT 'What becomes of a row for which it is false: warn (loaded and counted), quarantine, or stop (quarantine, and the feed takes in no more zips until a higher revision) (NULL: quarantine)',
  description string COMMENT 'Why it is expected (NULL: no description)'
)
COMMENT 'Expectations on rows, each with its action. Inserted before the row in rules.feed.'
STORED AS ORC
