-- Stops: feeds that a check with action stop has halted. One row a stop.
-- Written by: the ingest job, when a row breaks such a check. Read by: the ingest job before it claims zips, lake feed list.
-- How to use: a feed is stopped while a row exists here for its revision in force. Look into the reason, then apply a higher
--   revision of the feed (the same rules will do): it takes in the waiting zips. Rows are never removed.
-- stopped_at is text, not TIMESTAMP: Spark and Presto read a TIMESTAMP in ORC by the zone of their own session.
CREATE TABLE IF NOT EXISTS ops.feed_stop (
  feed string COMMENT 'Feed that is stopped (required)',
  revision int COMMENT 'Revision of the feed that is stopped (required)',
  rule string COMMENT 'Check that stopped it, as check.<name> (required)',
  zip_id string COMMENT 'Opaque id of the zip that broke the check (required)',
  batch string COMMENT 'Batch that the zip was in (required)',
  reason string COMMENT 'What was found: table, columns, rule and count, never a value from the data (required)',
  stopped_at string COMMENT 'When, ISO 8601 in UTC (required)'
)
COMMENT 'Feeds stopped by a check. A feed is stopped while a row exists for its revision in force. Rows are only added.'
STORED AS ORC
