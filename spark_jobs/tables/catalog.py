"""The metastore's schemas: made from `hive_ddl/`, and the views through which readers see the target tables."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import SplitResult, urlsplit

from pyspark.sql import SparkSession
from pyspark.sql.catalog import Catalog

from spark_jobs.rules.ddl import documented
from spark_jobs.rules.model import Feed
from spark_jobs.site import REPOSITORY
from spark_jobs.tables.comments import column_list, comment
from spark_jobs.tables.hudi import HudiTable

# schema -> what it holds
SCHEMAS = {
    "rules": "What feeds, target tables and reports are: the rule tables",
    "ops": "What became of every zip: ledger and quarantine",
    "raw": "The target tables with the newest version of every row, deleted ones included. Read lake instead",
    "lake": "The target tables as readers see them",
    "reports": "Editions of reports: a table a report, a partition a day",
}
DDL = REPOSITORY / "hive_ddl"
PROVENANCE = ("_zip_id", "_member", "_member_index", "_row", "_batch")


def schemas_elsewhere(session: SparkSession, home: object) -> dict[str, str]:
    """Those of the lake's schemas that the metastore has and that are not below `home`, with where they are: another lake's."""
    here = urlsplit(str(home))
    there = {
        name: session.catalog.getDatabase(name).locationUri for name in SCHEMAS if session.catalog.databaseExists(name)
    }
    return {name: where for name, where in there.items() if not _is_below(urlsplit(where), here)}


def create_tables(session: SparkSession) -> None:
    """Makes the schemas and plain tables that are not there yet. Each statement can be repeated."""
    for schema, text in SCHEMAS.items():
        session.sql(f"CREATE DATABASE IF NOT EXISTS {schema}{comment(text)}")
    for path in sorted(DDL.glob("*/*.sql")):
        name = f"{path.parent.name}.{path.stem}"
        if session.catalog.tableExists(name):
            _add_missing_columns(session, name)
        else:
            session.sql(path.read_text().rstrip().rstrip(";"))


def _add_missing_columns(session: SparkSession, name: str) -> None:
    """Gives a table that an earlier version made the columns that came later: NULL in its rows, which means the default."""
    there = set(session.table(name).columns)
    missing = {c.name: (c.type, c.comment) for c in documented()[name].columns if c.name not in there}
    if missing:
        session.sql(f"ALTER TABLE {name} ADD COLUMNS ({column_list(missing)})")


def create_view(session: SparkSession, table: HudiTable, feed: Feed) -> None:
    """Shows `table` to readers as `lake.<name>`: no deleted rows, no columns of the machinery, a comment a column."""
    comments = {c.name: c.description for m in feed.readers if m.target == table.name for c in m.columns}
    columns = shown_columns(session, table)
    described = ", ".join(f"`{name}`{comment(comments.get(name, ''))}" for name in columns)
    selected = ", ".join(f"`{name}`" for name in columns)
    session.sql(  # names come from validated rules
        f"CREATE OR REPLACE VIEW lake.{table.name} ({described}) AS"
        f" SELECT {selected} FROM {table.database}.{table.name} WHERE NOT _deleted"
    )


def shown_columns(session: SparkSession, table: HudiTable) -> dict[str, str]:
    """What readers see of `table`, name -> Spark type, where a row came from last."""
    kinds = dict(session.table(f"{table.database}.{table.name}").dtypes)
    shown = [name for name in kinds if not _is_machinery(name)]
    return {name: kinds[name] for name in (*(c for c in shown if c not in PROVENANCE), *PROVENANCE)}


def view_is_current(catalog: Catalog, table: HudiTable, feed: Feed) -> bool:
    """Whether the view shows every column that the feed's rules fill."""
    if not catalog.tableExists(f"lake.{table.name}"):
        return False
    shown = {column.name for column in catalog.listColumns(f"lake.{table.name}")}
    return shown.issuperset(c.name for m in feed.readers if m.target == table.name for c in m.columns)


def _is_machinery(column: str) -> bool:
    return column.startswith("_hoodie_") or column in {"_order", "_deleted"}


def _is_below(location: SplitResult, home: SplitResult) -> bool:
    return location.netloc == home.netloc and PurePosixPath(location.path).is_relative_to(home.path)
