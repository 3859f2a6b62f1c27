"""The installation's Java part: a trust store from the system's certificates, and the Hudi bundle by its coordinates."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import warnings
from pathlib import Path

import pyspark
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from spark_jobs.site import ENVIRONMENT, HUDI_BUNDLE
from spark_jobs.tables.session import hudi_jar, java_home

TRUST_STORE = ENVIRONMENT / "truststore.p12"
# Java insists on a password; a trust store holds public certificates only, so this protects nothing.
TRUST_STORE_PASSWORD = "certificates"  # noqa: S105
DEBIAN_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def system_certificates() -> Path | None:
    """The machine's own CA bundle, which may hold a company's CA that Java's built-in one does not know."""
    cafile = ssl.get_default_verify_paths().cafile
    candidates = [Path(cafile)] if cafile else []
    return next((path for path in [*candidates, DEBIAN_CERTIFICATES] if path.is_file()), None)


def make_trust_store(bundle: Path, store: Path = TRUST_STORE) -> int:
    """Writes the PEM `bundle` as a PKCS#12 trust store that Java reads; returns the number of certificates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some public CAs have serial numbers that today's RFC forbids
        certificates = x509.load_pem_x509_certificates(bundle.read_bytes())
    entries = [pkcs12.PKCS12Certificate(cert, f"ca-{n}".encode()) for n, cert in enumerate(certificates)]
    data = pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(TRUST_STORE_PASSWORD.encode()))
    store.write_bytes(data)
    return len(entries)


def trust_options() -> str:
    """JVM options that make Java trust what the system trusts."""
    if not TRUST_STORE.exists():
        return ""
    return (
        f"-Djavax.net.ssl.trustStore={TRUST_STORE} -Djavax.net.ssl.trustStoreType=PKCS12"
        f" -Djavax.net.ssl.trustStorePassword={TRUST_STORE_PASSWORD}"
    )


def fetch_packages(coordinates: str, folder: Path) -> None:
    """Resolves Maven `coordinates` into `folder/jars` with Spark's own resolver, as `spark.jars.packages` would.

    Raises subprocess.CalledProcessError when an artifact can't be had; the resolver's own words are on stderr.
    """
    spark_home = Path(pyspark.__file__).parent
    environment = {
        **os.environ,
        "SPARK_HOME": str(spark_home),
        "JAVA_HOME": str(java_home()),
        # A home of its own: POMs without their jars in a person's ~/.m2 would make the resolver give up.
        "SPARK_SUBMIT_OPTS": f"-Duser.home={folder} {trust_options()}",
    }
    command = [
        spark_home / "bin" / "spark-submit",
        *("--conf", f"spark.jars.ivy={folder}", "--packages", coordinates),
        *("--class", "org.apache.hadoop.util.VersionInfo", "spark-internal"),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.stderr.write(done.stderr)
        done.check_returncode()


def main() -> None:
    """Makes what is missing, a line a step."""
    bundle = system_certificates()
    if bundle:
        print(f"lake: [3/4] trust store for Java: {make_trust_store(bundle)} certificates of {bundle}")
    if not hudi_jar().exists():
        print(f"lake: [4/4] fetching {HUDI_BUNDLE} (about 110 MB)")
        fetch_packages(HUDI_BUNDLE, ENVIRONMENT / "ivy")
    print("lake: ready")


if __name__ == "__main__":
    main()
