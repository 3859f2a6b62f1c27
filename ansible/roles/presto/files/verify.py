"""Has Spark and Presto read each other's rows: a plain table filled by both, and a merge-on-read table. Usage: verify.py HOST PORT

HOST:PORT answers Hive JDBC; the command `presto` asks Presto.
"""

import subprocess
import sys

from pyhive import hive

MADE = (
    "DROP DATABASE IF EXISTS verify_presto CASCADE",
    "CREATE DATABASE verify_presto",
    "CREATE TABLE verify_presto.plain (id INT, name STRING) STORED AS ORC",
    "INSERT INTO verify_presto.plain VALUES (1, 'spark')",
    """CREATE TABLE verify_presto.merged (id INT, name STRING, day DATE, at BIGINT) USING hudi
    TBLPROPERTIES (type = 'mor', primaryKey = 'id', preCombineField = 'at')""",
    # The second statement's row for 1 is newer; that for 2 is late, and must lose.
    "INSERT INTO verify_presto.merged VALUES (1, 'a', DATE '2026-01-01', 1), (2, 'b', DATE '2026-01-02', 5)",
    "INSERT INTO verify_presto.merged VALUES (1, 'c', DATE '2026-01-03', 2), (2, 'd', DATE '2026-01-04', 4)",
)
MERGED = "SELECT id, name, CAST(day AS VARCHAR(10)) FROM verify_presto.merged ORDER BY id"


def by_hive(cursor, *statements):
    """Runs statements; the rows of the last one, if it is a SELECT: others have none that could be fetched."""
    for statement in statements:
        cursor.execute(statement)
    return cursor.fetchall() if statements[-1].startswith("SELECT") else []


def by_presto(statement):
    """The rows of a statement, each value as text."""
    command = ["presto", "--catalog", "hive", "--output-format", "TSV", "--execute", statement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(done.stderr)
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


def hold(what, rows, expected):
    """Ends with an error unless the rows are those expected."""
    if rows != expected:
        sys.exit(f"{what}: other rows than were written")


cursor = hive.connect(sys.argv[1], int(sys.argv[2]), username="verify").cursor()
by_hive(cursor, *MADE)
by_presto("INSERT INTO verify_presto.plain VALUES (2, 'presto')")
hold("Spark", by_hive(cursor, "SELECT * FROM verify_presto.plain ORDER BY id"), [(1, "spark"), (2, "presto")])
hold("Presto", by_presto(MERGED), [("1", "c", "2026-01-03"), ("2", "b", "2026-01-02")])
by_hive(cursor, "DROP DATABASE verify_presto CASCADE")
