-- Feeds: which zips they are, and how they are taken in. One row a revision.
-- Written by: lake feed apply, or a data engineer's INSERT (Spark, Thrift Server or Presto). Read by: the ingest job, afresh for each batch.
-- How to use: insert the member, column and check rows of a revision first and this row last: a revision takes force with
--   this row. Never change a row: insert a higher revision. Look at what is wrong with: lake feed check
-- Columns left out of an INSERT are NULL, and NULL means what the comment says. Instants are ISO 8601 text in UTC: Spark and
--   Presto read a TIMESTAMP in ORC by the zone of their own session, and would disagree.
CREATE TABLE IF NOT EXISTS rules.feed (
  feed string COMMENT 'Name of the feed: lower case letters, digits and _ (required)',
  revision int COMMENT 'Counts from 1. The highest enabled revision that is whole and valid is in force (required)',
  landing_folder string COMMENT 'Folder under landing/ where its zips arrive (required)',
  name_pattern string COMMENT 'Regular expression that the whole given name of a zip matches. Named parts, (?P<facility>...), are there for columns as $name.facility (required)',
  extract_part string COMMENT 'Named part of name_pattern that says when the zip was extracted (NULL: the extract time is when the zip landed)',
  extract_format string COMMENT 'Pattern of that part: %Y %m %d %H %M %S %f %z and literals (NULL: ISO 8601)',
  extract_zone string COMMENT 'Time zone of that part if its pattern has no %z, such as America/New_York (NULL: UTC)',
  max_members int COMMENT 'A zip with more members is quarantined (NULL: 10000)',
  max_member_bytes bigint COMMENT 'A member that inflates to more bytes is quarantined (NULL: 2147483648)',
  max_zip_bytes bigint COMMENT 'A zip whose members inflate to more bytes in all is quarantined (NULL: 4294967296)',
  max_ratio int COMMENT 'A member over 1 MB that inflates to more than so many times its packed size is quarantined (NULL: 200)',
  batch_zips int COMMENT 'At most so many zips in a batch (NULL: 500)',
  batch_bytes bigint COMMENT 'At most so many packed bytes in a batch, beyond its first zip (NULL: 268435456)',
  priority int COMMENT 'A zip is due so many seconds after it landed, and the earliest due is served first (NULL: 100)',
  owner string COMMENT 'Who answers for the feed, an address (NULL: nobody named)',
  description string COMMENT 'What the feed delivers (NULL: no description)',
  enabled boolean COMMENT 'False: this revision is a draft and never used (NULL: true)',
  paused boolean COMMENT 'True: this revision is in force but takes in no zips, they wait in landing/ (NULL: false)',
  members int COMMENT 'How many rows of rules.feed_member belong to this revision. With fewer or more it is not used (required)',
  columns int COMMENT 'How many rows of rules.feed_column belong to this revision (required)',
  checks int COMMENT 'How many rows of rules.feed_check belong to this revision (required)',
  applied_at string COMMENT 'When this row was inserted, ISO 8601 in UTC, for people (NULL: not recorded)',
  applied_by string COMMENT 'Who inserted this row, for people (NULL: not recorded)'
)
COMMENT 'Feeds: which zips they are, and how they are taken in. One row a revision, inserted last.'
STORED AS ORC
