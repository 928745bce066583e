"""The ``mdplatform`` command as a person calls it: a process, its exit code and what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest


def called(
    *arguments: str,
    given: bytes = b"",
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    seconds: float = 60.0,
    umask: int = -1,
) -> subprocess.CompletedProcess[bytes]:
    """The command with these arguments, ``given`` on its standard input, run to its end."""
    return subprocess.run(
        [sys.executable, "-m", "mdplatform", *arguments],
        input=given,
        capture_output=True,
        env={**os.environ, **(environ or {})},
        cwd=cwd,
        timeout=seconds,
        umask=umask,
        check=False,
    )


def refused(answer: subprocess.CompletedProcess[bytes]) -> str:
    """The one line in which a command says why it ends with 1."""
    lines = answer.stderr.decode().splitlines()
    if answer.returncode != 1 or len(lines) != 1 or not lines[0].startswith("mdplatform: "):
        pytest.fail(f"exit code {answer.returncode}, said {lines}")
    return lines[0].removeprefix("mdplatform: ")
