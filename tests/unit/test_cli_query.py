"""Statements of a file, as `lake sql --file` runs them."""

from dataclasses import replace

import pytest

from spark_jobs.cli.query import read_statements
from spark_jobs.errors import LakeError
from spark_jobs.rules.inserts import insert_statements
from spark_jobs.rules.rows import rows_of
from tests.unit.rules_samples import FEED, TARGET


def statements(tmp_path, text):
    file = tmp_path / "some.sql"
    file.write_text(text)
    return read_statements(file)


def test_statements_end_where_a_line_ends_in_a_semicolon(tmp_path):
    text = "-- first;\nSELECT 1,\n  'a;b'\n;\n\nSELECT 2; -- no end\n FROM t;\nSELECT 3"
    assert statements(tmp_path, text) == ["SELECT 1,\n  'a;b'\n", "SELECT 2; -- no end\n FROM t", "SELECT 3"]


def test_what_is_no_file_of_statements_is_said(tmp_path):
    with pytest.raises(LakeError, match="can't be read"):
        read_statements(tmp_path / "none.sql")
    with pytest.raises(LakeError, match="no statement"):
        statements(tmp_path, "-- nothing\n")


def test_printed_inserts_are_read_back_one_by_one_whatever_their_texts_hold(tmp_path):
    rows = [rows_of(TARGET), rows_of(replace(FEED, description="it's;\nnot \\ over;\r\nyet"))]
    printed = insert_statements(rows)
    assert statements(tmp_path, "".join(f"{one};\n" for one in printed)) == printed
