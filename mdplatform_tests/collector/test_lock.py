import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mdplatform.collector.lock import SILENT_S, ShardLock
from mdplatform.core.errors import ConfigError

HOLDER = """
import sys, time
from mdplatform.collector.lock import ShardLock
with ShardLock(sys.argv[1], "s"):
    print("held", flush=True)
    time.sleep(120)
"""


@contextmanager
def holder(data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the lock of shard ``s``."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(data_dir)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_living_holder_keeps_its_lock(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        with pytest.raises(ConfigError, match=f"shard s is collected already by process {other.pid}"):
            ShardLock(str(tmp_path), "s", wait_s=0.2).__enter__()
        assert other.poll() is None


def test_shards_do_not_exclude_each_other(tmp_path: Path) -> None:
    with ShardLock(str(tmp_path), "a"), ShardLock(str(tmp_path), "b"):
        assert {path.name for path in (tmp_path / "locks").iterdir()} == {"a.lock", "b.lock"}


def test_the_lock_of_a_dead_holder_is_free(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        other.kill()
        other.wait(10)
        with ShardLock(str(tmp_path), "s", wait_s=0.2) as lock:
            assert int(lock.path.read_text()) == os.getpid()


def test_taking_over_ends_the_holder(tmp_path: Path) -> None:
    with holder(tmp_path) as other, ShardLock(str(tmp_path), "s", take_over=True):
        assert other.wait(10) == -signal.SIGTERM


def test_a_silent_holder_is_ended(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        os.utime(tmp_path / "locks" / "s.lock", (1, os.stat(tmp_path).st_mtime - SILENT_S - 1))
        with ShardLock(str(tmp_path), "s", wait_s=0.2):
            assert other.wait(10) == -signal.SIGTERM


def test_a_pid_that_does_not_hold_the_lock_is_never_signalled(tmp_path: Path) -> None:
    with holder(tmp_path), subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        (tmp_path / "locks" / "s.lock").write_text(f"{bystander.pid}\n")
        with pytest.raises(ConfigError, match="a process that cannot be named"):
            ShardLock(str(tmp_path), "s", take_over=True).__enter__()
        assert bystander.poll() is None
        bystander.communicate(b"\n", 10)
        assert bystander.returncode == 0
