-- Columns: where each column of a target table comes from. One row a column, member rule and revision.
-- Written by: lake feed apply, or a data engineer's INSERT, before the row in rules.feed. Read by: the ingest job.
-- How to use: give a source, or an expression, or neither and a default (a constant). An expression may use columns of lower position
--   and known functions only. lake feed check names what it refuses.
-- Predicates: a step of an XML path may have some, all of which must hold, each [@code='v'], [path/@code='v'] or [path='v']. It holds
--   where one of the attributes or elements that it names has that text, white space at both ends left out. Of the elements that a source
--   leads to, the first counts, whatever it holds. In Presto write each single quote within a text twice, in Spark put such a text in double quotes.
-- Numbers: $row changes where a sender adds or leaves out a row, so let it be part of a record key only where the rows have no id.
CREATE TABLE IF NOT EXISTS rules.feed_column (
  feed string COMMENT 'Feed (required)',
  revision int COMMENT 'Revision of the feed (required)',
  member string COMMENT 'Member rule that the column belongs to (required)',
  position int COMMENT 'Order of the columns. No two of a member rule share a position (required)',
  name string COMMENT 'Name of the column in the target table: lower case letters, digits and _, not starting with _ (required)',
  type string COMMENT 'string, int, long, double, boolean, date, timestamp or decimal(p,s) (NULL: string)',
  source string COMMENT "Where the text comes from. XML: a path, Patient/@mrn or section[code/@code='8716-3']/title. CSV: the name in the header, or #3. Fixed width: 11-20. Any: $name.facility, $extract_time, $member, $row, $parent.encounter_id (NULL: derived or constant)",
  expression string COMMENT 'Spark SQL over columns of lower position (NULL: not derived)',
  format string COMMENT 'date and timestamp: pattern of %Y %m %d %H %M %S %f %z and literals. boolean: true tokens/false tokens, such as Y,1/N,0 (NULL: ISO 8601, true/false)',
  zone string COMMENT 'Time zone of timestamps without offset, such as America/New_York (NULL: UTC)',
  required boolean COMMENT 'True: a row where it is null is quarantined (NULL: false)',
  default string COMMENT 'Replaces a null, written as the source would write it (NULL: none)',
  null_tokens array<string> COMMENT 'Texts that mean null, besides the empty one (NULL: none)',
  trim boolean COMMENT 'White space at both ends is cut (NULL: true)',
  phi string COMMENT 'none, identifier, quasi or clinical: what the column says about a patient (NULL: none)',
  description string COMMENT 'What the column means, shown in every SQL tool (NULL: no description)'
)
COMMENT 'Columns that member rules fill. Inserted before the row in rules.feed.'
STORED AS ORC
