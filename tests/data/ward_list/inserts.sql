-- A feed of a kind the lake has never seen, by plain INSERTs: fixed-width lists of wards.
INSERT INTO rules.target_table (target, revision, record_key, order_by, delete_column, delete_values, partition_by, owner, description) VALUES
  ('ward', 1, array('site', 'ward'), 'listed_at', 'state', array('closed'), 'site', 'wards@carelake.example', 'One row a ward of a site');
INSERT INTO rules.feed_column (feed, revision, member, position, name, type, source, format, zone, required, null_tokens, description) VALUES
  ('ward_list', 1, 'ward', 1, 'site', 'string', '1-6', NULL, NULL, true, NULL, 'Site'),
  ('ward_list', 1, 'ward', 2, 'ward', 'string', '7-10', NULL, NULL, true, NULL, 'Ward'),
  ('ward_list', 1, 'ward', 3, 'state', 'string', '11-16', NULL, NULL, true, NULL, 'open or closed'),
  ('ward_list', 1, 'ward', 4, 'beds', 'int', '17-19', NULL, NULL, false, array('---'), 'Beds'),
  ('ward_list', 1, 'ward', 5, 'listed_at', 'timestamp', '20-31', '%Y%m%d%H%M', 'America/New_York', true, NULL, 'When it was listed');
INSERT INTO rules.feed_check (feed, revision, position, check, member, expression, action, description) VALUES
  ('ward_list', 1, 1, 'known_state', 'ward', "state in ('open', 'closed')", 'quarantine', 'A ward is open or closed');
INSERT INTO rules.feed_member (feed, revision, member, position, pattern, target, format) VALUES
  ('ward_list', 1, 'ward', 1, '*.txt', 'ward', 'fixed');
INSERT INTO rules.feed (feed, revision, landing_folder, name_pattern, members, columns, checks, owner, description) VALUES
  ('ward_list', 1, 'wards', 'WARDS_\\d+\\.zip', 1, 5, 1, 'wards@carelake.example', 'Wards of all sites');
