-- Stops: feeds that a check with action stop, or failing batches, have halted, and their resumptions. One row each.
-- Written by: the ingest job, when a row breaks such a check or zip after zip fails; lake ingest resume. Read by: the ingest job before it claims zips, lake feed list.
-- How to use: a feed is stopped while the last row of its revision in force is no resumption. Look into the reason, then resume
--   it (lake ingest resume FEED) or apply a higher revision: it takes in the waiting zips. Rows are never removed.
-- stopped_at is text, not TIMESTAMP: Spark and Presto read a TIMESTAMP in ORC by the zone of their own session.
CREATE TABLE IF NOT EXISTS ops.feed_stop (
  feed string COMMENT 'Feed that is stopped (required)',
  revision int COMMENT 'Revision of the feed that is stopped (required)',
  rule string COMMENT 'What stopped it, check.<name> or batch.failed, or resumed: it runs again (required)',
  zip_id string COMMENT 'Opaque id of the zip that broke the check or failed, empty for a resumption (required)',
  batch string COMMENT 'Batch that the zip was in, empty for a resumption (required)',
  reason string COMMENT 'What was found: table, columns, rule and count, never a value from the data (required)',
  stopped_at string COMMENT 'When, ISO 8601 in UTC (required)'
)
COMMENT 'Stopped feeds. A feed is stopped while the last row of its revision in force is no resumption. Rows are only added.'
STORED AS ORC
