-- Reports: a named question, its SQL, when it is asked, and how the answer is checked and shown. One row a revision.
-- Written by: lake feed apply, or a report owner's INSERT. Read by: lake report, and whatever runs reports on a schedule.
-- How to use: write one SELECT in Spark SQL over lake.<target table>, ops.<table> or rules.<table>. :date is the day that an edition is about,
--   :<parameter> a value of parameters. What depends on when it is run (current_date and the like) is refused: an edition can be made again.
CREATE TABLE IF NOT EXISTS rules.report (
  report string COMMENT 'Name of the report: lower case letters, digits and _ (required)',
  revision int COMMENT 'Counts from 1. The highest enabled, valid revision is in force (required)',
  title string COMMENT 'Heading of the report (required)',
  sql string COMMENT 'One SELECT in Spark SQL, with :date and the parameters (required)',
  parameters map<string,string> COMMENT 'Name to value, used in the SQL as :name. A value that is a number or a day like 2026-03-01 is taken as such, any other as text (NULL: no parameters)',
  schedule string COMMENT 'nightly (01:00), weekly (Mondays 02:00), five cron fields, all in UTC, or on <table>, ... for each change of one of these tables (NULL: nightly)',
  columns array<string> COMMENT 'The columns that the answer must have, in order (NULL: whatever the SQL gives)',
  headings map<string,string> COMMENT 'Column to its heading, unit included (NULL: made from the names of the columns)',
  totals array<string> COMMENT 'Columns that a last row sums up (NULL: no such row)',
  charts array<string> COMMENT 'Each bars, stack or lines <column>, ... by <column>: values summed up by the last column (NULL: no charts)',
  min_rows int COMMENT 'With fewer rows no edition is made (NULL: 1)',
  max_rows int COMMENT 'With more rows no edition is made (NULL: 10000)',
  fresh_hours int COMMENT 'Each feed that fills a table of the SQL must have loaded a zip that landed at most so many hours before the end of the day, or later. Negative: so many after it (NULL: 24)',
  outputs array<string> COMMENT 'What to write: table (a partition of reports.<report>), csv, xlsx, html, pdf (NULL: html)',
  folder string COMMENT 'Folder below reports/ that gets the files, a folder for each day in it (NULL: the name of the report)',
  shows_patients boolean COMMENT 'True: rows may be of single patients or show identifiers. False: such SQL is refused (NULL: false)',
  owner string COMMENT 'Who answers for the report, an address (NULL: nobody named)',
  description string COMMENT 'What the report shows, for those who read it (NULL: no description)',
  enabled boolean COMMENT 'False: this revision is a draft and never used (NULL: true)',
  applied_at string COMMENT 'When this row was inserted, ISO 8601 in UTC, for people (NULL: not recorded)',
  applied_by string COMMENT 'Who inserted this row, for people (NULL: not recorded)'
)
COMMENT 'Reports: one SELECT each, asked for one day at a time. One row a revision.'
STORED AS ORC
