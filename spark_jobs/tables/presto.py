"""The target tables as Presto's readers see them: views that only Presto can make, in a schema of their own; and its statistics.

Presto can't read Spark's views, nor Spark Presto's. Both are made of one definition, `catalog.shown_columns`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from spark_jobs.errors import LakeError
from spark_jobs.site import Cluster
from spark_jobs.tables.catalog import shown_columns
from spark_jobs.tables.hudi import HudiTable
from spark_jobs.tables.lake import Lake

CATALOG = "hive"
SCHEMA = "lake_presto"
CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 30.0
# Of two that make one thing at once, Presto tells one that it is there, whether or not they said that this is no matter.
THERE = "ALREADY_EXISTS"


def show_in_presto(lake: Lake) -> int:
    """Makes the views of the tables that wait for one, and returns how many. A table waits until that has succeeded.

    Raises LakeError if Presto does not answer, or refuses.
    """
    assert lake.site.cluster is not None
    shown = 0
    for table in list(lake.to_show):
        lake.to_show.discard(table)  # before its columns are asked for: whoever adds one meanwhile has it shown again
        try:
            create_presto_view(lake.site.cluster, table, shown_columns(lake.session, table))
        except LakeError:
            lake.to_show.add(table)
            raise
        shown += 1
    return shown


def create_presto_view(cluster: Cluster, table: HudiTable, columns: dict[str, str]) -> None:
    """Shows `table` in Presto as `hive.lake_presto.<name>`; `columns` maps names to Spark types. Can be repeated.

    Raises LakeError if Presto does not answer, or refuses.
    """
    view = f"{CATALOG}.{SCHEMA}.{table.name}"
    selected = ", ".join(f'{_shown(kind, name)} AS "{name}"' for name, kind in columns.items())
    source = f'{CATALOG}.{table.database}."{table.name}"'
    _ask(cluster, f"CREATE SCHEMA IF NOT EXISTS {CATALOG}.{SCHEMA}", but=THERE)
    _ask(cluster, f"CREATE OR REPLACE VIEW {view} AS SELECT {selected} FROM {source} WHERE NOT _deleted")


def analyze_in_presto(cluster: Cluster, table: HudiTable) -> None:
    """Has Presto count the rows and values of `table`, all of which it reads, and keep that in the metastore for its planner.

    Raises LakeError if Presto does not answer, or refuses. Can be repeated.
    """
    _ask(cluster, f'ANALYZE {CATALOG}.{table.database}."{table.name}"')


def _shown(kind: str, name: str) -> str:
    """A time is a number of microseconds in the metastore: as a TIMESTAMP Presto would read it wrongly once a column was added.

    Presto's own times end at milliseconds; what is below them is cut off, not rounded into the next.
    """
    return f'from_unixtime(floor("{name}" / 1e3) / 1e3)' if kind == "timestamp" else f'"{name}"'


def _ask(cluster: Cluster, statement: str, but: str = "") -> None:
    """Runs a statement by way of the first proxy that answers; an error named as `but` says is none."""
    from pyhive import presto  # noqa: PLC0415  # of no use outside a cluster
    from pyhive.exc import Error  # noqa: PLC0415
    from requests.exceptions import RequestException  # noqa: PLC0415

    problem = "no proxy answers"
    for address in cluster.presto:
        place = urlsplit(address)
        options = {"timeout": (CONNECT_SECONDS, ANSWER_SECONDS)}
        cursor = presto.connect(place.hostname, place.port, username=cluster.user, requests_kwargs=options).cursor()
        try:
            cursor.execute(statement)
            cursor.fetchall()
        except RequestException as error:
            problem = type(error).__name__
        except Error as error:
            told = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
            if told.get("errorName") == but:
                return
            raise LakeError("Presto", told.get("errorName", "refuses")) from None
        else:
            return
    raise LakeError("Presto", problem, "See whether it answers: presto --execute 'SELECT 1'")
