"""The engine's process has its data directory alone, whoever asks it: here the user who may do everything."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mdplatform.embedded.clickhouse import confinement
from mdplatform_tests.contract.clickhouse.asking import ask
from mdplatform_tests.security.host import Host

ATTEMPTS = [
    "SELECT file('{file}')",
    "SELECT * FROM file('{file}', 'LineAsString')",
    "SELECT * FROM '{table}'",
    "SELECT 1 AS x FORMAT Template SETTINGS format_template_row = '{file}'",
    "SELECT file('/proc/self/environ')",
    "SELECT file('/proc/self/cmdline')",
    "SELECT file('/etc/shadow')",
    "SELECT file('/etc/passwd')",
    "INSERT INTO FUNCTION file('{out}', 'CSV', 'a UInt8') SELECT 1",
    "SELECT 1 AS x FORMAT Protobuf SETTINGS output_format_schema = '{out}'",
    "SELECT * FROM sqlite('{file}', 'x')",
    "SYSTEM RELOAD DICTIONARY marketdata.runs",
]
RUNS = """
CREATE OR REPLACE DICTIONARY marketdata.runs (a String) PRIMARY KEY a
SOURCE(EXECUTABLE(COMMAND 'touch {out}; cat {file}' FORMAT LineAsString))
LAYOUT(COMPLEX_KEY_HASHED()) LIFETIME(0)
"""


def supported() -> bool:
    try:
        return confinement._call(confinement.CREATE_RULESET, None, 0, 1) > 0
    except OSError:
        return False


@pytest.mark.skipif(not supported(), reason="this kernel has no Landlock")
@pytest.mark.parametrize("sql", ATTEMPTS)
def test_the_engine_reaches_no_file_and_runs_no_program(host: Host, sql: str) -> None:
    ask(host.node.url, RUNS.format(**host.values()))
    reply = ask(host.node.url, sql.format(**host.values()))
    assert (host.damage(reply), reply.status != 200) == ([], True)


def test_tables_are_written_merged_and_dropped(host: Host) -> None:
    for sql in (
        "CREATE OR REPLACE TABLE confined (n UInt64) ENGINE = MergeTree ORDER BY n",
        "INSERT INTO confined SELECT number FROM numbers(1000)",
        "INSERT INTO confined VALUES (1)",
        "OPTIMIZE TABLE confined FINAL",
        "SELECT n FROM confined ORDER BY cityHash64(n) SETTINGS max_bytes_before_external_sort = 1",
        "SELECT toTimeZone(now(), 'Asia/Tokyo')",
        "DROP TABLE confined SYNC",
    ):
        assert ask(host.node.url, sql).status == 200


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) takes capabilities away")
def test_who_is_not_root_and_confined_opens_the_engine_too(tmp_path: Path) -> None:
    """As root without the capability for which everybody else's engine reads other files."""
    opened = f"from pathlib import *; from mdplatform.embedded import clickhouse; clickhouse.start({tmp_path!r}).stop()"
    command = ["setpriv", "--bounding-set", "-net_admin"] if os.geteuid() == 0 else []
    done = subprocess.run([*command, sys.executable, "-c", opened], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_kernel_that_cannot_do_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(*_: object) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(confinement, "_call", missing)
    monkeypatch.setattr(tempfile, "tempdir", tempfile.tempdir)
    monkeypatch.setenv("TMPDIR", "")
    assert not confinement.confine(tmp_path)
    assert (len(caplog.records), tempfile.gettempdir()) == (1, str(tmp_path / "tmp"))
