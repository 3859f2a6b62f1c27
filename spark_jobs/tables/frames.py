"""Few rows of the driver's own as a DataFrame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.tables.comments import column_list


def frame_of(
    session: SparkSession, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, tuple[str, str]]
) -> DataFrame:
    """`rows` with the given `columns`, name -> (type, comment); other keys of a row are left out.

    They travel as Arrow and stay with the driver. Spark's own way with Python rows unpacks them in Python workers, which
    costs as much as a small commit.
    """
    import pandas as pd  # noqa: PLC0415  (slow to load, and not needed to ask a running ingest)

    cells = [[row.get(name) for name in columns] for row in rows]
    return session.createDataFrame(pd.DataFrame(cells, columns=[*columns], dtype=object), column_list(columns))
