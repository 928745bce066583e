"""What a running stack says of itself: one small file in its data directory, held by a lock."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from mdplatform.core.errors import UNREADABLE, ConfigError


class StackState(msgspec.Struct, frozen=True):
    """The stack's process and where its services answer; an address is None where the service was not asked for."""

    pid: int
    data_dir: str
    kafka: str | None = None
    clickhouse: str | None = None
    clickhouse_reader: str | None = None  # the same for the user who may only read
    dagster: str | None = None
    dashboard: str | None = None
    simulator: str | None = None
    ready: bool = False

    def addresses(self) -> dict[str, str | None]:
        """What ``up --json`` prints: without the password of ClickHouse, which its owner knows."""
        return {
            "kafka": self.kafka,
            "clickhouse": None if self.clickhouse is None else _PASSWORD.sub("@", self.clickhouse),
            "dagster": self.dagster,
            "dashboard": self.dashboard,
            "data_dir": self.data_dir,
        }


_PASSWORD = re.compile(r"(?<=[^/]):[^/@:]*@")


def state_file(data_dir: Path) -> Path:
    return data_dir / "stack.json"


def read(data_dir: Path) -> StackState | None:
    """The last state written in ``data_dir``, of a living or a dead stack; None when there is none."""
    try:
        return msgspec.json.decode(state_file(data_dir).read_bytes(), type=StackState)
    except (FileNotFoundError, *UNREADABLE):
        return None


def write(state: StackState) -> None:
    file = state_file(Path(state.data_dir))
    # The ClickHouse address may hold a password.
    temporary = file.with_suffix(".tmp")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(msgspec.json.encode(state))
    temporary.replace(file)


def is_running(data_dir: Path) -> bool:
    """Whether a stack holds the lock of ``data_dir``."""
    try:
        with _lock_file(data_dir).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextlib.contextmanager
def held(data_dir: Path) -> Iterator[None]:
    """Hold ``data_dir`` for this process; raises ConfigError when another stack has it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with _lock_file(data_dir).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"a stack already runs on {data_dir}; end it with `mdplatform down --data-dir {data_dir}` "
                "or give another --data-dir"
            ) from None
        yield


def _lock_file(data_dir: Path) -> Path:
    return data_dir / "stack.lock"
