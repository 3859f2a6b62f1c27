"""The Hive JDBC endpoint of a process that has the lake, for BI tools and other commands while it works.

It listens on this machine alone and asks for the password in `<home>/.endpoint`, which the lake's owner alone can read.
Whoever has it can do what `lake sql` can.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from py4j.java_gateway import JavaObject
from pyspark.sql import SparkSession

from spark_jobs.landing.files import write_json
from spark_jobs.site import Site

HOST = "127.0.0.1"
USER = "lake"
AUTHENTICATION = "lake.PasswordFileAuthentication"
SOURCE = Path(__file__).with_name("PasswordFileAuthentication.java")


@dataclass(frozen=True)
class Address:
    """Where an endpoint listens, and what it asks for."""

    host: str
    port: int
    user: str
    password: str

    @property
    def url(self) -> str:
        """For JDBC clients; user and password are given apart."""
        return f"jdbc:hive2://{self.host}:{self.port}/lake"


def read_address(site: Site) -> Address | None:
    """The address of the endpoint that some process has opened on `site`, if any."""
    try:
        return Address(**json.loads(site.endpoint.read_bytes()))
    except FileNotFoundError:
        return None


@contextmanager
def open_endpoint(site: Site, session: SparkSession, port: int = 0) -> Iterator[Address]:
    """Serves `session`'s tables over Hive JDBC until the block ends; `port` 0 takes a free one.

    Sessions of clients are apart from each other and share the catalog. A kill leaves `.endpoint` behind: it leads
    nowhere then, and the next holder of the lease removes it.
    """
    site.endpoint.unlink(missing_ok=True)
    password = secrets.token_urlsafe(32)
    # Java's side reads the password here; it is in no setting, because clients can ask for settings.
    secret = site.home / ".endpoint.password"
    write_json(secret, password)
    # A thread that has used the metastore carries Hive's settings along, and the server would take those for its own.
    with ThreadPoolExecutor(1) as fresh_thread:
        server = fresh_thread.submit(_start, site, session, port, secret).result()
    address = Address(HOST, _port(server), USER, password)
    write_json(site.endpoint, asdict(address))
    try:
        yield address
    finally:
        site.endpoint.unlink(missing_ok=True)
        secret.unlink(missing_ok=True)
        server.stop()


def _start(site: Site, session: SparkSession, port: int, secret: Path) -> JavaObject:
    jvm: Any = session._jvm
    _compile_authentication(session, site.scratch / "classes")
    system = jvm.java.lang.System
    # Hive reads these two from a configuration that it makes itself, out of system properties.
    system.setProperty("hive.server2.authentication", "CUSTOM")
    system.setProperty("hive.server2.custom.authentication.class", AUTHENTICATION)
    system.setProperty("carelake.endpoint.password.file", str(secret))
    # The server takes these from the session it is started with, and from no copy of it.
    for key, value in {
        "hive.server2.thrift.port": str(port),
        "hive.server2.thrift.bind.host": HOST,
        "hive.server2.authentication": "CUSTOM",
        "hive.server2.custom.authentication.class": AUTHENTICATION,
        "hive.server2.thrift.min.worker.threads": "2",
        "hive.server2.thrift.max.worker.threads": "64",
    }.items():
        session.sql(f"SET {key}={value}")
    thrift_server = jvm.org.apache.spark.sql.hive.thriftserver.HiveThriftServer2
    return thrift_server.startWithContext(session._jsparkSession.sqlContext())


def _port(server: JavaObject) -> int:
    return int(next(s.getPortNumber() for s in server.getServices() if s.getName() == "ThriftBinaryCLIService"))


def _compile_authentication(session: SparkSession, folder: Path) -> None:
    """Compiles the one Java class of the project with the compiler that Spark brings along: a JRE has none."""
    jvm: Any = session._jvm
    gateway: Any = session.sparkContext._gateway
    folder.mkdir(parents=True, exist_ok=True)
    provider = jvm.java.lang.Class.forName("org.apache.hive.service.auth.PasswdAuthenticationProvider")
    jar = provider.getProtectionDomain().getCodeSource().getLocation().getPath()
    compiler = jvm.org.codehaus.janino.Compiler()
    compiler.setDestinationDirectory(jvm.java.io.File(str(folder)), False)
    compiler.setClassPath(_files(gateway, jvm, [jar]))
    compiler.compile(_files(gateway, jvm, [str(SOURCE)]))
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    loader.addURL(jvm.java.io.File(f"{folder}/").toURI().toURL())


def _files(gateway: Any, jvm: Any, paths: list[str]) -> JavaObject:
    array = gateway.new_array(jvm.java.io.File, len(paths))
    for place, path in enumerate(paths):
        array[place] = jvm.java.io.File(path)
    return array
