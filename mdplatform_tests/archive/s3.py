"""A server that speaks S3 on loopback (moto, a process of its own), for as long as the tests run."""

from __future__ import annotations

import importlib.util
import re
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyarrow import fs

from mdplatform.core.process import spawn

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}


@dataclass(frozen=True)
class S3Server:
    host: str  # with its port

    @property
    def place(self) -> tuple[str, int]:
        host, _, port = self.host.partition(":")
        return host, int(port)

    def address(self, bucket: str, host: str | None = None) -> str:
        """Of an archive in this bucket; ``host``: reached by another way."""
        return f"s3://{bucket}/archive?scheme=http&region=us-east-1&endpoint_override={host or self.host}"

    def bucket(self) -> str:
        """The address of an archive in a bucket of its own."""
        return self.address(self.new_bucket())

    def new_bucket(self) -> str:
        name = f"b{uuid.uuid4().hex}"
        fs.S3FileSystem(
            endpoint_override=self.host, scheme="http", region="us-east-1", allow_bucket_creation=True
        ).create_dir(name)
        return name


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Skips where moto is not installed: it is in the extra `dev`."""
    if importlib.util.find_spec("moto") is None:
        pytest.skip("moto is not installed: make setup")
    log = tmp_path_factory.mktemp("s3") / "moto.log"
    with pytest.MonkeyPatch.context() as environment:
        for name, value in CREDENTIALS.items():
            environment.setenv(name, value)
        # Ends with the test run, however that ends.
        with spawn([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"], name="S3", log=log) as process:
            process.wait_until_ready(lambda: _host(log) is not None)
            yield S3Server(_host(log) or "")


def _host(log: Path) -> str | None:
    """Where the server says it listens, once it says so."""
    found = re.search(r"Running on http://(127\.0\.0\.1:\d+)", log.read_text())
    return found[1] if found else None
