"""One collector a shard on this machine: a kernel lock on a file that holds its pid and whose mtime is its heartbeat.

The kernel drops the lock with the process, however it ended. Whoever holds it is found in ``/proc/locks``, so that a
pid in the file that was given to another process meanwhile is never signalled.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import signal
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from mdplatform.core.errors import ConfigError

log = logging.getLogger(__name__)

WAIT_S = 5.0  # an earlier collector may be draining
SILENT_S = 30.0  # a holder whose heartbeat is older than this hangs
TERMINATE_S = 20.0
POLL_S = 0.1


class ShardLock:
    """A context manager. Entering raises ConfigError when another collector of this shard lives and is to stay.

    ``take_over``: end a living one too; for a supervisor that knows it to be an orphan.
    """

    def __init__(self, data_dir: str, shard: str, take_over: bool = False, wait_s: float = WAIT_S) -> None:
        self.path = Path(data_dir) / "locks" / f"{shard}.lock"
        self.shard, self.take_over, self.wait_s = shard, take_over, wait_s

    def beat(self) -> None:
        """The heartbeat: the collector does what it should."""
        os.utime(self._file)

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise ConfigError(f"cannot lock {self.path}: {error.strerror}") from error
        if not self._try() and not self._wait(0.0 if self.take_over else self.wait_s):
            self._end_holder()
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._file)

    def _try(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    def _wait(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not (locked := self._try()) and time.monotonic() < deadline:
            time.sleep(POLL_S)
        return locked

    def _end_holder(self) -> None:
        """End the holder if that is requested, or if it is silent; then take its lock."""
        silent_s = time.time() - os.stat(self._file).st_mtime
        pid = self._holder()
        if pid is None or not (self.take_over or silent_s > SILENT_S):
            os.close(self._file)
            who = "a process that cannot be named" if pid is None else f"process {pid}"
            raise ConfigError(
                f"shard {self.shard} is collected already by {who}, {silent_s:.0f} s ago by its heartbeat"
            )
        log.warning("ending process %d, which collected %s until %.0f s ago", pid, self.shard, silent_s)
        for number in (signal.SIGTERM, signal.SIGKILL):
            self._signal(pid, number)
            if self._wait(TERMINATE_S):
                return
        os.close(self._file)
        raise ConfigError(f"shard {self.shard}: process {pid} holds its lock and does not end")

    def _holder(self) -> int | None:
        """The pid in the file, if the kernel says that it holds the lock on it; None otherwise."""
        recorded = os.pread(self._file, 32, 0).strip()
        held = os.stat(self._file)
        spot = f"{os.major(held.st_dev):02x}:{os.minor(held.st_dev):02x}:{held.st_ino}"
        kernel = Path("/proc/locks")  # Linux only: elsewhere a holder is never named, hence never signalled
        for line in kernel.read_text().splitlines() if kernel.exists() else ():
            words = line.split()
            if words[1] == "FLOCK" and words[5] == spot and words[4].encode() == recorded:
                return int(words[4])
        return None

    def _signal(self, pid: int, number: signal.Signals) -> None:
        """By a handle on the process: checked again once it is held, so that no successor of the pid is hit."""
        with contextlib.suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            try:
                if self._holder() == pid:
                    signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)
