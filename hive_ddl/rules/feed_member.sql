-- Member rules: which members of a zip go to which reader, and the target table that their rows fill. One row a member rule and revision.
-- Written by: lake feed apply, or a data engineer's INSERT, before the row in rules.feed. Read by: the ingest job.
-- How to use: the first rule, by position, whose pattern matches the name of a member takes it. What none takes is quarantined. A rule
--   with a parent has no pattern: it reads repeated children of the records that the parent rule reads.
-- ESCAPE is a reserved word in Presto, hence escape_char.
CREATE TABLE IF NOT EXISTS rules.feed_member (
  feed string COMMENT 'Feed (required)',
  revision int COMMENT 'Revision of the feed (required)',
  member string COMMENT 'Name of the member rule, unique in the revision (required)',
  position int COMMENT 'Rules are tried in this order. No two of a revision share a position (NULL: 0)',
  action string COMMENT 'read, or ignore: leave the members that match unread (NULL: read)',
  pattern string COMMENT 'Glob on the name of the member: * matches anything, / included, upper and lower case alike. Required unless parent is set (NULL: none)',
  parent string COMMENT 'Member rule whose XML records hold these rows as children (NULL: not a child)',
  target string COMMENT 'Target table that the rows fill. Required to read (NULL: none)',
  format string COMMENT 'xml, csv, delimited or fixed. Required to read, except of a child (NULL: none)',
  encoding string COMMENT 'Encoding of the text, as Python names it: utf-8, cp1252, iso-8859-1 (NULL: utf-8)',
  record_path string COMMENT "XML: path of the element that is a record. From the root, /Encounter, or from the record of the parent, VitalSigns/VitalSign or section[code/@code='8716-3']/entry. Required for XML (NULL: none)",
  namespaces map<string,string> COMMENT 'XML: prefix to namespace, for the prefixes used in paths. The empty prefix is the default namespace, of elements without a prefix and never of attributes. A child may use those of its parent (NULL: none)',
  header boolean COMMENT 'csv and delimited: the first line names the columns (NULL: true)',
  delimiter string COMMENT 'csv and delimited: the one character between fields. In Presto write a tab as chr(9) (NULL: ,)',
  quote string COMMENT 'csv and delimited: the one character around a field. Empty text: fields are never quoted (NULL: ")',
  escape_char string COMMENT 'csv and delimited: the one character before a quote or delimiter that is meant literally (NULL: a quote is doubled)',
  allow_empty boolean COMMENT 'True: a member without a row is ignored and not quarantined (NULL: false)',
  description string COMMENT 'What these members are (NULL: no description)'
)
COMMENT 'Member rules of feeds: which members are read how into which target table. Inserted before the row in rules.feed.'
STORED AS ORC
