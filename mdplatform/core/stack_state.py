"""What a running stack says of itself: one small file in its data directory, held by a lock."""

from __future__ import annotations

import contextlib
import fcntl
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from mdplatform.core.errors import UNREADABLE, ConfigError
from mdplatform.core.private import appended_file, owned_directory, private_file, read_own, unlinked_file


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
    passwords: dict[str, str] = {}  # by user of ClickHouse: made for this directory, where none are given

    def addresses(self) -> dict[str, str | None]:
        """The output of ``up --json``, without passwords: these are in the state file and in `mdplatform connect`."""
        return {
            "kafka": self.kafka,
            "clickhouse": None if self.clickhouse is None else _PASSWORD.sub("@", self.clickhouse),
            "dagster": self.dagster,
            "dashboard": self.dashboard,
            "data_dir": self.data_dir,
            "state": str(state_file(Path(self.data_dir))),
        }


_PASSWORD = re.compile(r"(?<=[^/]):[^/@:]*@")


def state_file(data_dir: Path) -> Path:
    return data_dir / "stack.json"


def read(data_dir: Path) -> StackState | None:
    """The last state written in ``data_dir``, of a living or a dead stack; None when there is none.

    Raises ConfigError for one that others may have written: it says where secrets are sent, and which process to end.
    """
    try:
        return msgspec.json.decode(read_own(state_file(data_dir)), type=StackState)
    except (FileNotFoundError, NotADirectoryError, *UNREADABLE):
        return None
    except OSError as error:
        raise ConfigError(f"cannot read {state_file(data_dir)}: {error.strerror}") from None


def write(state: StackState) -> None:
    file = state_file(Path(state.data_dir))
    temporary = file.with_suffix(".tmp")
    with private_file(temporary) as out:
        out.write(msgspec.json.encode(state))
    temporary.replace(file)


def is_running(data_dir: Path) -> bool:
    """Whether a stack holds the lock of ``data_dir``."""
    try:
        with unlinked_file(_lock_file(data_dir)) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    except OSError as error:
        raise ConfigError(f"cannot read {_lock_file(data_dir)}: {error.strerror}") from None
    return False


@contextlib.contextmanager
def held(data_dir: Path) -> Iterator[None]:
    """Hold ``data_dir`` for this process; raises ConfigError when another stack has it, or others may write to it."""
    owned_directory(data_dir)
    with _opened_lock(data_dir) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"a stack already runs on {data_dir}; end it with `mdplatform down --data-dir {data_dir}` "
                "or give another --data-dir"
            ) from None
        yield


def _opened_lock(data_dir: Path) -> BinaryIO:
    try:
        return appended_file(_lock_file(data_dir))
    except OSError as error:
        raise ConfigError(f"cannot lock {_lock_file(data_dir)}: {error.strerror}") from None


def _lock_file(data_dir: Path) -> Path:
    return data_dir / "stack.lock"
