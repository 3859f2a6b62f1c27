"""All that read the lake's tables, asked for the same rows: each gives them as lines of one shape, which the truth gives too.

A line is the table's name and its values, each the hex of its text, or `-` for null: no reader's way to quote, and none of its
ways to show a number, comes in between.
"""

import json
import subprocess
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyhive import hive, presto

from spark_jobs.lab.state import lab_that_is_up
from spark_jobs.site import ENVIRONMENT
from tests.lab.machine import copy_to, on_host

DRIVER = "presto-jdbc-0.287.jar"
PORTS = {"hive": 10000, "presto": 8080}
SPARK_SCRIPT = """
import sys
from pathlib import Path
from pyspark.sql import SparkSession
session = SparkSession.builder.getOrCreate()
for row in session.sql(Path(sys.argv[1]).read_text()).toLocalIterator():
    print("row", row[0])
session.stop()
"""
JDBC_SCRIPT = f"""
import sys
from pathlib import Path
import pyspark
from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway
(jar,) = Path(pyspark.__file__).parent.glob("jars/py4j-*.jar")
java = "/usr/lib/jvm/java-17-openjdk-amd64/bin/java"
port = launch_gateway(
    jarpath=str(jar), classpath="/tmp/jdbc/{DRIVER}", java_path=java, javaopts=["-Xmx256m"], die_on_exit=True
)
gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port))
address = "jdbc:presto://n3:{PORTS["presto"]}/hive"
connection = gateway.jvm.java.sql.DriverManager.getConnection(address, "analyst", None)
rows = connection.createStatement().executeQuery(Path(sys.argv[1]).read_text())
while rows.next():
    print("row", rows.getString(1))
connection.close()
gateway.shutdown()
"""


def expected(truth: Path):
    """The lines of the truth, as often as it has them."""
    return Counter(line for path in sorted((truth / "tables").glob("*.parquet")) for line in _lines_of(path))


def by_pyhive(truth):
    """Through a Thrift Server, by way of a proxy."""
    cursor = hive.connect(_address("n1"), PORTS["hive"], username="analyst").cursor()
    cursor.execute(spark_statement(truth))
    return Counter(row[0] for row in cursor.fetchall())


def by_presto_http(truth):
    """Through Presto, by way of a proxy."""
    return Counter(row[0] for row in presto_rows(presto_statement(truth)))


def by_beeline(truth):
    """Through a Thrift Server, by Hive's own JDBC driver."""
    return _said(
        "n2", f"sudo -u spark beeline {BEELINE} -u jdbc:hive2://n2:{PORTS['hive']}/lake", spark_statement(truth)
    )


def by_presto_cli(truth):
    """Through Presto, by its own command."""
    return _said("n1", "presto --catalog hive --output-format TSV", presto_statement(truth))


def by_presto_jdbc(truth):
    """Through Presto, by its JDBC driver in a Java process of its own, which Python drives."""
    folder = ENVIRONMENT / "lab" / "jdbc"
    if not (folder / DRIVER).exists():
        artifact = "com.facebook.presto:" + DRIVER.removesuffix(".jar").replace("-0", ":0")
        copy = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}"]
        subprocess.run([*copy, f"-DoutputDirectory={folder}"], check=True)
    copy_to("n3", folder, "/tmp/jdbc", owner="spark")
    program = "env PYTHONPATH=$(echo /opt/carelake/spark-*/python) python3"
    return _by_script("n3", program, JDBC_SCRIPT, presto_statement(truth))


def by_spark(truth):
    """By a Spark application of its own; on the host alone, as YARN has no room for it beside a continuous ingest."""
    program = "spark-submit --master local[2] --driver-memory 768m"
    return _by_script("n1", program, SPARK_SCRIPT, spark_statement(truth))


READERS = {
    "Spark": by_spark,
    "Thrift Server, PyHive": by_pyhive,
    "Thrift Server, beeline": by_beeline,
    "Presto, HTTP": by_presto_http,
    "Presto CLI": by_presto_cli,
    "Presto JDBC": by_presto_jdbc,
}
READERS_AT_ONCE = 2  # each is a JVM that starts, and waits for others after that
ZIP_NAME = "_zip_name"
# One of each engine; what the others say is known from the conformance of all.
ENGINES = {name: READERS[name] for name in ("Thrift Server, PyHive", "Presto, HTTP")}
BEELINE = "--silent=true --showHeader=false --outputformat=tsv2"


def spark_statement(truth):
    """The lines of all tables in Spark's SQL."""
    rows = _rows(truth, "lake", _spark_cell, "concat_ws('|', {})")
    named = "concat_ws('|', r.line, coalesce(hex(z.name), '-'))"
    return f"SELECT {named} FROM ({rows}) r LEFT JOIN ops.ledger z ON r._zip_id = z.zip_id"


def presto_statement(truth):
    """The lines of all tables in Presto's SQL."""
    rows = _rows(truth, "hive.lake_presto", _presto_cell, "array_join(ARRAY[{}], '|')")
    named = "concat(r.line, '|', COALESCE(to_hex(to_utf8(z.name)), '-'))"
    return f"SELECT {named} FROM ({rows}) r LEFT JOIN hive.ops.ledger z ON r._zip_id = z.zip_id"


def _rows(truth, schema, cell, joined):
    """The lines of all tables without the names of their zips, in one SQL or the other."""
    return " UNION ALL ".join(
        f"SELECT {joined.format(', '.join([repr(table), *map(cell, fields)]))} AS line, _zip_id FROM {schema}.{table}"
        for table, fields in _tables(truth)
    )


def _tables(truth):
    """Each table's name, and its columns but the name of the zip: all rows have theirs from the ledger, at the line's end."""
    for path in sorted((truth / "tables").glob("*.parquet")):
        yield path.stem, [field for field in pq.read_schema(path) if field.name != ZIP_NAME]


def _spark_cell(field):
    column = f"unix_millis({field.name})" if pa.types.is_timestamp(field.type) else field.name
    return f"coalesce(hex(cast({column} AS string)), '-')"


def _presto_cell(field):
    column = field.name
    if pa.types.is_timestamp(field.type):
        column = f"CAST(round(to_unixtime({column}) * 1000) AS BIGINT)"
    return f"COALESCE(to_hex(to_utf8(CAST({column} AS VARCHAR))), '-')"


def _lines_of(path):
    table = pq.read_table(path)
    table = table.select([*(name for name in table.column_names if name != ZIP_NAME), ZIP_NAME])
    texts = [_texts(table.column(field.name), field.type) for field in table.schema]
    for row in zip(*texts, strict=True):
        cells = ("-" if text is None else text.encode().hex().upper() for text in row)
        yield "|".join((path.stem, *cells))


def _texts(column, kind):
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("ms", tz=kind.tz), safe=False).cast(pa.int64())
    values = column.to_pylist()
    if pa.types.is_boolean(kind):
        return [None if value is None else str(value).lower() for value in values]
    return [None if value is None else str(value) for value in values]


def presto_address(path):
    return f"http://{_address('n3')}:{PORTS['presto']}{path}"


def presto_rows(statement):
    """What Presto answers over HTTP, by way of a proxy."""
    cursor = presto.connect(_address("n3"), PORTS["presto"], username="analyst", catalog="hive").cursor()
    cursor.execute(statement)
    return cursor.fetchall()


def _said(host, program, statement):
    """What a command-line reader on a host prints."""
    said = on_host(host, f"{program} -f {_sent(host, 'statement.sql', statement + ';')}")
    return Counter(line for line in said.splitlines() if "|" in line)


def _by_script(host, program, script, statement):
    """The lines that a script prints which a program of the host runs, and which is given the statement."""
    files = _sent(host, "read.py", script), _sent(host, "statement.sql", statement)
    said = on_host(host, f"sudo -u spark {program} {' '.join(files)}")
    return Counter(line.removeprefix("row ") for line in said.splitlines() if line.startswith("row "))


def _sent(host, name, text):
    """The path on the host of a file that holds the text: a new one, as readers ask side by side."""
    path = f"/tmp/{uuid.uuid4().hex}-{name}"
    on_host(host, f"cat >{path} <<'END'\n{text}\nEND")
    return path


def _address(host):
    return lab_that_is_up().host(host).address


def differences(truth, readers=READERS):
    """Counts of missing and surplus rows by reader and table; never a row."""
    wanted = expected(truth)
    found = {}
    with ThreadPoolExecutor(READERS_AT_ONCE) as pool:
        lines = dict(zip(readers, pool.map(lambda read: read(truth), readers.values()), strict=True))
    for name, given in lines.items():
        missing, surplus = wanted - given, given - wanted
        if missing or surplus:
            found[name] = json.dumps({"missing": _by_table(missing), "surplus": _by_table(surplus)})
    return found


def _by_table(lines):
    counts = Counter()
    for line, count in lines.items():
        counts[line.partition("|")[0]] += count
    return dict(counts)
