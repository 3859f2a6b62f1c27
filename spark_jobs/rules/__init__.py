"""Typed model of the rule tables and its validation; imports neither Spark nor Airflow.

- `model`: `Feed`, `Member`, `Column`, `Check`, `Limits`, `TargetTable`, `Report`, `Finding`.
- `revisions`: `in_force(rows) -> RuleSet` from all rows of the rule tables; `next_revision(rows, kind, name)`.
- `rows`: `rows_of(item) -> {table: rows}` in the order to insert them; `feed_from_rows`, `target_from_row`,
  `report_from_row` back.
- `yaml_files`: `load(path) -> RuleFiles`, `load_file`, `parse`, `to_yaml`.
- `held`: what rules may not change of the tables that exist (`HeldTable`).
- `validate`: `check_feed(feed, targets, others)`, `check_target(target)`; `report_checks`: `check_report(report)`; each
  a list of `Finding`.
- `report_checks`: also `sql_for(report, day)`, `feeds_of(report, feeds)`; `schedules`, `charts`: when a report is asked, what it draws.
- `expressions`: `check_expression(text, known_columns, condition)`, `references(text)`.
- `ddl`: `statements()`, the CREATE statements of `hive_ddl/` in order; `tables()`, what they say.

What cannot be used raises `RuleError`; what is wrong with usable rules is a `Finding`, fatal or a warning.
"""
