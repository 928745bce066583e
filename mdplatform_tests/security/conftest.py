"""Certificates made for the run of the tests, and the listeners that use them."""

from __future__ import annotations

import dataclasses
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mdplatform.core.settings import Settings
from mdplatform.embedded.clickhouse import start
from mdplatform_tests.security.fronts import Front, listening
from mdplatform_tests.security.host import COLUMN, WORD, Host, repair
from mdplatform_tests.warehouse.conftest import empty, warehouse

__all__ = ["empty", "warehouse"]

USER, PASSWORD = "collector", "swordfish 'with' \"quotes\" ü"


@dataclass(frozen=True)
class Identity:
    """A certificate and its key, as PEM files; it is its own authority."""

    certificate: Path
    key: Path

    def listener(self, client_authority: Path | None = None) -> ssl.SSLContext:
        """For a server; with ``client_authority`` clients must show a certificate that it signed."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        if client_authority is not None:
            context.load_verify_locations(client_authority)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def identity(directory: Path, name: str, alternative: str) -> Identity:
    """A new one for ``alternative`` (as in "IP:127.0.0.1")."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    made = Identity(directory / f"{name}.pem", directory / f"{name}.key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", str(made.key), "-out", str(made.certificate), "-days", "2"]
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName={alternative}"]
    subprocess.run([*command, *files, *subject], check=True, capture_output=True)
    return made


def secured_by(settings: Settings, front: Front, trusted: Identity) -> Settings:
    """``settings`` for a broker behind TLS and a login at ``front``."""
    return dataclasses.replace(
        settings,
        kafka_brokers=front.address,
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_username=USER,
        kafka_sasl_password=PASSWORD,
        kafka_ca_file=str(trusted.certificate),
    )


@pytest.fixture(scope="session")
def server_identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """Of whoever listens on 127.0.0.1."""
    return identity(tmp_path_factory.mktemp("certificates"), "server", "IP:127.0.0.1")


@pytest.fixture(scope="session")
def other_identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """Of a machine that is not this one."""
    return identity(tmp_path_factory.mktemp("certificates"), "other", "DNS:elsewhere.example")


@pytest.fixture(scope="session")
def kafka_port(kafka_brokers: str) -> int:
    return int(kafka_brokers.rpartition(":")[2])


@pytest.fixture(scope="session")
def sasl_front(kafka_port: int, server_identity: Identity) -> Iterator[Front]:
    """The broker behind TLS and SASL/PLAIN."""
    front = Front(kafka_port, (USER, PASSWORD))
    with listening(front, front.kafka, server_identity.listener()):
        yield front


@pytest.fixture(scope="session")
def clickhouse_front(clickhouse_url: str, server_identity: Identity) -> Iterator[Front]:
    """The ClickHouse node behind TLS."""
    front = Front(int(clickhouse_url.rpartition(":")[2]))
    with listening(front, front.bytes, server_identity.listener()):
        yield front


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A node of its own, canaries beside it, and a listener on loopback."""
    directory = tmp_path_factory.mktemp("host")
    (directory / "canary").write_text(f"{WORD} ${{x:Escaped}}\n")
    (directory / "canary.csv").write_text(f"{COLUMN},b\n{WORD},2\n")
    with (
        start(tmp_path_factory.mktemp("node"), password="all", reader_password="read") as node,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        server.setblocking(False)
        repair(node)
        yield Host(node, directory, server)
