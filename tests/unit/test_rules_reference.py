"""DDL, model, JSON Schema and reference page say the same."""

from dataclasses import fields
from typing import get_args

import pytest

from spark_jobs.rules import ddl, model, reference
from spark_jobs.rules.layout import TABLES
from spark_jobs.rules.names import RESERVED
from spark_jobs.rules.report_checks import OUTPUTS
from spark_jobs.rules.schema import schema

DOCS = {table.name.split(".")[1]: table for table in ddl.tables()}
FEED = schema("feed")["properties"]
MEMBER = FEED["members"]["items"]["properties"]
SCHEMAS = {
    model.Member: MEMBER,
    model.Column: MEMBER["columns"]["items"]["properties"],
    model.Check: FEED["checks"]["items"]["properties"],
    model.Limits: FEED["limits"]["properties"],
    model.TargetTable: schema("target")["properties"],
    model.Report: schema("report")["properties"],
}


def test_the_reference_page_is_up_to_date():
    assert reference.PAGE.read_text() == reference.page(), "run: python -m spark_jobs.rules.reference"


def test_there_is_a_statement_for_every_rule_table_and_for_stops():
    assert set(DOCS) == {*TABLES, "feed_stop"}
    assert [table.name for table in ddl.tables() if table.name.startswith("ops.")] == ["ops.feed_stop"]


@pytest.mark.parametrize("table", TABLES)
def test_the_statement_has_the_columns_of_the_model_in_order(table):
    assert [(c.name, c.type) for c in DOCS[table].columns] == [(c.name, c.type) for c in TABLES[table]]


@pytest.mark.parametrize("table", DOCS)
def test_every_table_and_column_says_what_it_is(table):
    doc = DOCS[table]
    assert doc.comment
    assert any(note.startswith("Written by: ") for note in doc.notes)
    assert any(note.startswith("How to use: ") for note in doc.notes)
    # The embedded metastore takes no comment of more than 256 characters.
    assert [column.name for column in doc.columns if not 10 <= len(column.comment) <= 256] == []


@pytest.mark.parametrize(
    ("table", "column"), [(table, column.name) for table, columns in TABLES.items() for column in columns]
)
def test_the_comment_says_what_null_means(table, column):
    rule = next(c for c in TABLES[table] if c.name == column)
    comment = next(c.comment for c in DOCS[table].columns if c.name == column)
    if rule.required:
        assert comment.endswith("(required)")
    elif rule.default in (None, "", (), {}):
        assert "(NULL: " in comment
    else:
        assert comment.endswith(f"(NULL: {shown(rule.default)})")


def shown(default):
    if isinstance(default, tuple):
        return ", ".join(default)
    return str(default).lower() if isinstance(default, bool) else str(default)


@pytest.mark.parametrize("table", DOCS)
def test_every_engine_inserts_without_quotes_or_surprises(table):
    types = {"string", "int", "bigint", "boolean", "array<string>", "map<string,string>"}
    assert {column.type for column in DOCS[table].columns} <= types
    assert [column.name for column in DOCS[table].columns if column.name in RESERVED] == []


def test_statements_can_be_run_again_and_split_by_simple_clients():
    for statement in ddl.statements():
        assert " IF NOT EXISTS " in statement
        assert ";" not in statement
        assert "--" not in statement


def test_schemas_are_created_before_their_tables():
    assert ddl.statements()[:2] == ["CREATE SCHEMA IF NOT EXISTS ops", "CREATE SCHEMA IF NOT EXISTS rules"]


@pytest.mark.parametrize("cls", SCHEMAS)
def test_the_json_schema_has_the_fields_and_defaults_of_the_model(cls):
    properties = SCHEMAS[cls]
    assert set(properties) == {field.name for field in fields(cls)}
    defaults = {f.name: f.default for f in fields(cls) if "default" in properties[f.name] and f.name != "columns"}
    for name, default in defaults.items():
        stated = properties[name]["default"]
        assert (stated in ([], {})) or stated == default or tuple(stated) == default


def test_the_json_schema_of_a_feed_has_the_fields_of_the_model():
    flat = {f"extract_{part}" for part in FEED["extract_time"]["properties"]}
    assert set(FEED) - {"extract_time"} | flat == {field.name for field in fields(model.Feed)}


def test_the_json_schema_has_the_choices_of_the_model():
    assert MEMBER["action"]["enum"] == [*get_args(model.Action)]
    assert MEMBER["format"]["enum"] == [*get_args(model.Format), None]
    assert SCHEMAS[model.Column]["phi"]["enum"] == [*get_args(model.Phi)]
    assert SCHEMAS[model.Check]["action"]["enum"] == [*get_args(model.Severity)]
    assert SCHEMAS[model.TargetTable]["index"]["enum"] == [*get_args(model.Index)]
    assert SCHEMAS[model.Report]["outputs"]["items"]["enum"] == [*OUTPUTS]


def test_no_schema_lets_an_unknown_key_pass():
    open_objects = [
        s for s in _objects(schema("feed")) if "properties" in s and s.get("additionalProperties") is not False
    ]
    assert open_objects == []


def _objects(node):
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _objects(value)
