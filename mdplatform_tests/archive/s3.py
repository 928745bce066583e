"""A server that speaks S3 on loopback (moto, a process of its own), for as long as the tests run."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Thread

import pytest
from pyarrow import fs


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
def s3_server() -> Iterator[S3Server]:
    """Skips where moto is not installed: it is in the extra `dev`."""
    if importlib.util.find_spec("moto") is None:
        pytest.skip("moto is not installed: make setup")
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    given = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        assert process.stderr is not None
        line = next((line for line in process.stderr if "Running on" in line), "")
        found = re.search(r"http://(127\.0\.0\.1:\d+)", line)
        if found is None:
            pytest.fail("moto ended before it listened")
        # It says a line for each request, and would wait once nobody had read 64 KiB of them.
        Thread(target=process.stderr.readlines, daemon=True).start()
        yield S3Server(found[1])
    finally:
        process.kill()
        process.wait()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
