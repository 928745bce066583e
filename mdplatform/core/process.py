"""A child process one can rely on: started clean, awaited until ready, ended by its own handle.

Every child gets a session of its own (a Ctrl-C in the terminal does not reach it), default signal handlers (a child of
a background job would otherwise ignore SIGINT and SIGTERM forever) and, when asked, ends when its parent ends.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from mdplatform.core.errors import ConfigError, MdplatformError
from mdplatform.core.private import appended_file

POLL_S = 0.05
LOG_TAIL_BYTES = 4096
LOG_TAIL_LINES = 15

# Runs in the child before the real command; `preexec_fn` would do, but may deadlock when the parent has threads.
# argv: <parent pid, or 0> <command...>. PR_SET_PDEATHSIG is 1; the parent may end before it is set, hence getppid.
LAUNCHER = """
import ctypes, os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, ())
parent = int(sys.argv[1])
if parent:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent process ended before this one began")
try:
    os.execvpe(sys.argv[2], sys.argv[2:], os.environ)
except OSError as error:
    sys.exit(f"cannot run {sys.argv[2]}: {error.strerror}")
"""


class ProcessError(MdplatformError):
    """A child process did not become ready: names it, the cause, and shows the end of its log."""

    def __init__(self, name: str, cause: str, log: Path) -> None:
        super().__init__(name, cause, log)
        self.name, self.cause, self.log = name, cause, log

    def __str__(self) -> str:
        return f"{self.name} {self.cause}; the end of {self.log}:\n{log_tail(self.log)}"


class ChildProcess:
    """A started process. As a context manager it is stopped on leaving the block."""

    def __init__(self, name: str, popen: "subprocess.Popen[bytes]", log: Path) -> None:
        self.name, self.log = name, log
        self._popen = popen

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._popen.poll()

    @property
    def alive(self) -> bool:
        return self.returncode is None

    def wait_until_ready(self, probe: Callable[[], bool], seconds: float = 60.0) -> None:
        """Call `probe` until it says True; OSError means "not yet". Raises ProcessError, having ended the child."""
        deadline = time.monotonic() + seconds
        while not _answers(probe):
            if not self.alive:
                raise ProcessError(self.name, f"ended with code {self.returncode} before it was ready", self.log)
            if time.monotonic() > deadline:
                self.kill()
                raise ProcessError(self.name, f"was not ready after {seconds:g} s", self.log)
            time.sleep(POLL_S)

    def stop(self, grace_seconds: float = 20.0) -> int:
        """SIGTERM, then SIGKILL to its whole group once the grace period is over. Returns the exit code."""
        if self.alive:
            self._popen.terminate()
        try:
            return self._popen.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """SIGKILL to the process and whatever it started in its session. Returns the exit code."""
        if self.alive:
            # Not reaped yet, so the group id cannot have been given to anybody else.
            os.killpg(self._popen.pid, signal.SIGKILL)
        return self._popen.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def spawn(
    command: Sequence[str],
    *,
    name: str,
    log: Path,
    env: Mapping[str, str] | None = None,
    die_with_parent: bool = True,
    pass_fds: Sequence[int] = (),
    umask: int = -1,
) -> ChildProcess:
    """Start `command`, both outputs appended to `log`, which only we may read. `env` is added to this process's
    environment; the child has `pass_fds` under the same numbers, and `umask` unless it is -1. ConfigError: no log.

    With `die_with_parent` the child gets SIGTERM when the *thread* that called this ends (the kernel's rule), so call
    it from a thread that lives as long as the child should.
    """
    parent = os.getpid() if die_with_parent and sys.platform == "linux" else 0
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(parent)]
    with _opened(log) as output:
        popen = subprocess.Popen(
            [*launcher, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A file in the working directory must not stand in for a module of ours: a data directory holds anything.
            env={"PYTHONSAFEPATH": "1", **os.environ, **(env or {})},
            start_new_session=True,
            pass_fds=pass_fds,
            umask=umask,
        )
    return ChildProcess(name, popen, log)


def _opened(log: Path) -> BinaryIO:
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return appended_file(log)
    except OSError as error:
        raise ConfigError(f"cannot write the log {log}: {error.strerror}") from None


def log_tail(log: Path) -> str:
    """The last lines of a log file, or a note that there are none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - LOG_TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError as error:
        return f"  (no log: {error.strerror})"
    return "\n".join(f"  {line}" for line in lines[-LOG_TAIL_LINES:]) or "  (the log is empty)"


def _answers(probe: Callable[[], bool]) -> bool:
    try:
        return probe()
    except OSError:
        return False


def resident_bytes(pid: int | None = None) -> int | None:
    """Of this process, or of another one; None where it has ended, or the kernel reports none (only Linux does)."""
    try:
        pages = Path(f"/proc/{pid or 'self'}/statm").read_text().split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
