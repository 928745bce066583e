"""No space left, where ClickHouse keeps its tables and where the broker keeps its log; then there is space again."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mdplatform_tests.chaos.conftest import Enter
from mdplatform_tests.chaos.line import running, until
from mdplatform_tests.chaos.market import Market

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root"),
]
SIZE_MB = 192
FULL_S = 8.0
REFUSED = "SELECT countIf(text LIKE '%space%') FROM system.kafka_consumers ARRAY JOIN exceptions.text AS text"


@contextmanager
def small(place: Path, size_mb: int = SIZE_MB) -> Iterator[Path]:
    """A file system of some MB, gone afterwards."""
    place.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount a small file system: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def filled(place: Path) -> Iterator[None]:
    """Not a byte is free inside of the block."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(64 * 1024))
        except OSError:
            pass
    try:
        yield
    finally:
        ballast.unlink()


def test_clickhouse_without_space_reads_on_where_it_was_once_there_is_some(
    tmp_path: Path, market: Market, enter: Enter
) -> None:
    with small(tmp_path / "clickhouse") as place, running(tmp_path, market) as line:
        line.collect()
        line.until_newer()
        with filled(place):
            until(lambda: line.ask(REFUSED) > [(0,)])
            time.sleep(FULL_S)
        recovered_s = line.until_newer()
        account = line.settled()
    enter(f"ClickHouse's disk full for {FULL_S:g} s", account, recovered_s)
    assert account.is_whole


def test_a_broker_without_space_saves_what_it_holds_once_there_is_some(
    tmp_path: Path, market: Market, enter: Enter
) -> None:
    with small(tmp_path / "kafka") as place, running(tmp_path, market) as line:
        line.collect()
        line.until_newer()
        with filled(place):
            time.sleep(FULL_S)
        recovered_s = line.until_newer()
        line.broker.stop()
        line.restart_broker()
        line.until_newer()
        account = line.settled()
    enter(f"broker's disk full for {FULL_S:g} s, then restarted", account, recovered_s)
    assert account.is_whole
