"""Has one Thrift Server write a Hudi table, with a newer and a late row, and each of them read it. Usage: verify.py PORT HOST..."""

import sys

from pyhive import hive

TABLE = "verify.rows"
MADE = f"""
CREATE TABLE {TABLE} (id INT, name STRING, day DATE, at BIGINT) USING hudi
TBLPROPERTIES (type = 'mor', primaryKey = 'id', preCombineField = 'at')
"""
# The second statement's row for 1 is newer, that for 2 is late and must lose.
WRITTEN = (
    "(1, 'a', DATE '2026-01-01', 1), (2, 'b', DATE '2026-01-02', 5)",
    "(1, 'c', DATE '2026-01-03', 2), (2, 'd', DATE '2026-01-04', 4)",
)
EXPECTED = [(1, "c", "2026-01-03"), (2, "b", "2026-01-02")]


def ask(host, port, *statements):
    """Runs statements in one session; the rows of the last one, if it is a SELECT: others have none that could be fetched."""
    connection = hive.connect(host, int(port), username="verify")
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    rows = cursor.fetchall() if statements[-1].startswith("SELECT") else []
    connection.close()
    return rows


port, *hosts = sys.argv[1:]
dropped = "DROP DATABASE IF EXISTS verify CASCADE"
ask(
    hosts[0],
    port,
    dropped,
    "CREATE DATABASE verify",
    MADE,
    *(f"INSERT INTO {TABLE} VALUES {rows}" for rows in WRITTEN),
)
for host in hosts:
    rows = ask(host, port, f"SELECT id, name, CAST(day AS STRING) FROM {TABLE} ORDER BY id")
    if rows != EXPECTED:
        sys.exit(f"{host} reads other rows than were written")
ask(hosts[-1], port, dropped)
