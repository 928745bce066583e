"""A child process is started clean, awaited, and ended by its handle."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mdplatform.core.process import ProcessError, spawn

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


def eventually(claim: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_ready_child_runs_until_it_is_stopped(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    with spawn(SLEEPER, name="sleeper", log=log) as child:
        child.wait_until_ready(lambda: "up" in log.read_text())
        assert child.alive
    assert child.returncode == -signal.SIGTERM


def test_a_child_that_ends_early_shows_the_end_of_its_log(tmp_path: Path) -> None:
    child = spawn([sys.executable, "-c", "raise SystemExit('no such port')"], name="early", log=tmp_path / "child.log")
    with pytest.raises(ProcessError, match=r"(?s)early ended with code 1 before it was ready.*no such port"):
        child.wait_until_ready(lambda: False)


def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    child = spawn([str(tmp_path / "absent")], name="absent", log=tmp_path / "child.log")
    with pytest.raises(ProcessError, match=r"cannot run .*absent: No such file"):
        child.wait_until_ready(lambda: False)


def test_a_child_that_is_never_ready_is_ended_at_the_deadline(tmp_path: Path) -> None:
    child = spawn(SLEEPER, name="slow", log=tmp_path / "child.log")
    with pytest.raises(ProcessError, match=r"slow was not ready after 0\.2 s"):
        child.wait_until_ready(lambda: False, seconds=0.2)
    assert child.returncode == -signal.SIGKILL


def test_a_child_that_ignores_sigterm_is_killed_after_the_grace_period(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(99)"
    child = spawn([sys.executable, "-c", code], name="stubborn", log=log)
    child.wait_until_ready(lambda: "up" in log.read_text())
    assert child.stop(grace_seconds=0.2) == -signal.SIGKILL


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    code = (
        "import time; from pathlib import Path; from mdplatform.core.process import spawn\n"
        f"print(spawn({SLEEPER!r}, name='child', log=Path({str(log)!r})).pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        status = Path(f"/proc/{int(parent.stdout.readline())}/status")
        assert eventually(lambda: log.exists() and "up" in log.read_text())
        parent.kill()
    assert eventually(lambda: not status.exists() or "State:\tZ" in status.read_text())


def test_a_file_in_the_working_directory_is_no_module_of_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "msgspec.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    with spawn([sys.executable, "-m", "mdplatform", "--help"], name="help", log=tmp_path / "log") as child:
        assert eventually(lambda: not child.alive)
        assert child.returncode == 0
