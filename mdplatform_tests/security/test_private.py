"""What other users of the machine may not read, write, or have us write: the stack's directory, its files and secrets,
and what commands put out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mdplatform.collector.lock import ShardLock
from mdplatform.collector.report import read_counters, write_counters
from mdplatform.core import stack_state
from mdplatform.core.errors import ConfigError
from mdplatform.core.private import private_directory, private_file
from mdplatform.core.process import ProcessError
from mdplatform.core.stack_state import StackState
from mdplatform.embedded.clickhouse import start
from mdplatform_tests.cli.calling import called, refused
from mdplatform_tests.contract.clickhouse.asking import ask

SECRETS = ("pass-for-all", "pass-for-reading", "pass-for-kafka", "pass-of-ours")


def test_no_password_stands_in_the_environment_or_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MDPLATFORM_CLICKHOUSE_PASSWORD", SECRETS[3])
    monkeypatch.setenv("CLICKHOUSE_URL", f"http://default:{SECRETS[3]}@127.0.0.1:1")
    every, reading, kafka, _ = SECRETS
    with start(tmp_path, password=every, reader_password=reading, kafka_password=kafka) as node:
        process = Path(f"/proc/{node.pid}")
        shown = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        assert [secret for secret in SECRETS if secret.encode() in shown] == []
        assert ask(node.reader_url, "SELECT 1").body == b"1\n"


def test_nobody_else_reads_the_node_s_files(tmp_path: Path) -> None:
    data = tmp_path / "new"
    with start(data, kafka_password="x"):
        modes = {path.name: path.stat().st_mode & 0o077 for path in (data, data / "config", data / "config/config.xml")}
    assert set(modes.values()) == {0}


def test_no_file_of_the_node_holds_kafka_s_password(tmp_path: Path) -> None:
    options = {"security_protocol": "sasl_plaintext", "sasl_mechanism": "PLAIN", "sasl_username": "ours"}
    with start(tmp_path / "data", kafka=options, kafka_password=SECRETS[2]) as node:
        held = [path.name for path in (tmp_path / "data").rglob("*") if path.is_file() and _holds(path)]
        config = str(tmp_path / "data" / "config" / "config.xml")
        for sql in (f"SELECT file('{config}')", f"SELECT * FROM file('{config}', 'LineAsString')"):
            reply = ask(node.url, sql)
            assert SECRETS[2].encode() not in reply.body
        environment = ask(node.url, "SELECT * FROM file('/proc/self/environ', 'LineAsString')").body
    assert (held, SECRETS[2].encode() in environment) == ([], False)


def _holds(path: Path) -> bool:
    return SECRETS[2].encode() in path.read_bytes()


@pytest.mark.parametrize("name", ["engine.lock", "config/config.xml", "config/users.xml", "endpoint.part"])
def test_a_link_that_was_put_there_is_not_followed(tmp_path: Path, name: str) -> None:
    data, canary = tmp_path / "data", tmp_path / "canary"
    canary.write_text("untouched")
    (data / name).parent.mkdir(parents=True)
    (data / name).symlink_to(canary)
    try:
        with start(data) as node:
            assert ask(node.url, "SELECT 1").body == b"1\n"
    except ProcessError:
        assert name == "engine.lock"  # refused
    assert canary.read_text() == "untouched"


def test_a_directory_that_everybody_may_write_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigError, match="written to by everybody"):
        start(tmp_path)


def test_a_directory_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(ConfigError, match="belongs to another user"):
        private_directory(tmp_path)


def test_a_file_is_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "old")
    with private_file(tmp_path / "link") as file:
        file.write(b"new")
    assert ((tmp_path / "old").read_text(), (tmp_path / "link").is_symlink()) == ("old", False)


UP = ("up", "--only", "broker", "--detach", "--json", "--data-dir")


@pytest.mark.parametrize(("mode", "who"), [(0o777, "everybody"), (0o1777, "everybody"), (0o770, "its group")])
@pytest.mark.parametrize("detach", [["--detach"], []])
def test_up_refuses_a_directory_that_others_may_write_to(
    tmp_path: Path, mode: int, who: str, detach: list[str]
) -> None:
    tmp_path.chmod(mode)
    said = refused(called("up", "--only", "broker", *detach, "--data-dir", str(tmp_path)))
    assert said.startswith(f"{tmp_path} may be written to by {who}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("through_a_link", [False, True])
def test_up_refuses_a_directory_of_somebody_else(tmp_path: Path, through_a_link: bool) -> None:
    theirs, given = tmp_path / "theirs", tmp_path / "given"
    theirs.mkdir()
    given.symlink_to(theirs)
    try:
        os.chown(theirs, os.geteuid() + 1, -1)
    except PermissionError:
        pytest.skip("only root can give a directory away")
    at = given if through_a_link else theirs
    assert refused(called(*UP, str(at))).startswith(f"{at} belongs to another user")


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A directory on which nothing is left running."""
    yield tmp_path / "data"
    called("down", "--data-dir", str(tmp_path / "data"), seconds=120)


def test_nobody_else_reads_the_stack_s_files(data_dir: Path) -> None:
    up = called(*UP, str(data_dir), seconds=100, umask=0)
    assert up.returncode == 0, up.stderr
    private = [data_dir, data_dir / "kafka", data_dir / "logs"]
    files = [data_dir / name for name in ("stack.json", "stack.lock", "logs/up.log", "kafka/broker.log")]
    control = data_dir / "kafka" / "noida.control.json"  # holds the token by which the broker is controlled
    assert {path.name: path.stat().st_mode & 0o777 for path in private} == {path.name: 0o700 for path in private}
    found = {path.name: path.stat().st_mode & 0o777 for path in (*files, control)}
    assert found == {path.name: 0o600 for path in (*files, control)}


@pytest.mark.parametrize("name", ["stack.json", "stack.tmp", "stack.lock", "logs/up.log", "kafka/broker.log"])
def test_up_writes_through_no_link(data_dir: Path, tmp_path: Path, name: str) -> None:
    canary = tmp_path / "canary"
    canary.write_text("untouched")
    (data_dir / name).parent.mkdir(parents=True)
    (data_dir / name).symlink_to(canary)
    up = called(*UP, str(data_dir), seconds=100)
    assert canary.read_text() == "untouched"
    if up.returncode:  # refused, not failed
        assert "it is a symbolic link" in up.stderr.decode()


@pytest.mark.parametrize("command", [["query", "SELECT 1"], ["down"], ["connect"], ["doctor"]])
def test_a_state_that_others_may_have_written_is_not_believed(tmp_path: Path, command: list[str]) -> None:
    file = stack_state.state_file(tmp_path)
    stack_state.write(StackState(os.getpid(), str(tmp_path), clickhouse="http://127.0.0.1:1"))
    file.chmod(0o666)
    said = refused(called(*command, environ={"MDPLATFORM_DATA_DIR": str(tmp_path)}))
    assert said.startswith(f"{file} may be written to by everybody")


@pytest.mark.parametrize("form", ["csv", "plot"])
@pytest.mark.parametrize("name", [".rows.csv.part", "rows.csv"])
def test_query_writes_through_no_link(tmp_path: Path, clickhouse_url: str, name: str, form: str) -> None:
    canary, output = tmp_path / "canary", tmp_path / "rows.csv"
    canary.write_text("untouched")
    (tmp_path / name).symlink_to(canary)
    environ = {"CLICKHOUSE_URL": clickhouse_url, "MDPLATFORM_DATABASE": "default"}
    answer = called("query", "--format", form, "--output", str(output), "SELECT 1 AS a, 2 AS b", environ=environ)
    assert answer.returncode == 0, answer.stderr
    assert (canary.read_text(), output.is_symlink(), output.stat().st_size > 0) == ("untouched", False, True)


def test_query_s_file_is_one_as_any_other(tmp_path: Path, clickhouse_url: str) -> None:
    environ = {"CLICKHOUSE_URL": clickhouse_url, "MDPLATFORM_DATABASE": "default"}
    called("query", "--output", str(tmp_path / "rows.csv"), "SELECT 1", environ=environ, umask=0o022)
    assert (tmp_path / "rows.csv").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "command",
    [
        ["record", "--venue", "binance", "--symbols", "BTC-USDT", "--seconds", "0.5"],
        ["simulate", "--port", "0", "--truth-file"],
    ],
)
@pytest.mark.parametrize("name", ["out", "out.gz"])
def test_other_commands_write_through_no_link(tmp_path: Path, command: list[str], name: str) -> None:
    canary = tmp_path / "canary"
    canary.write_text("untouched")
    (tmp_path / name).symlink_to(canary)
    said = refused(called(*command, str(tmp_path / name)))
    assert said.endswith("it is a symbolic link, which is not followed")
    assert canary.read_text() == "untouched"


def test_a_collector_s_lock_is_no_link(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("untouched")
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "binance.lock").symlink_to(canary)
    with pytest.raises(ConfigError, match="cannot lock"), ShardLock(str(tmp_path), "binance"):
        pass
    assert canary.read_text() == "untouched"


def test_what_a_collector_reports_is_a_new_file(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("untouched")
    (tmp_path / "counters.tmp").symlink_to(canary)
    write_counters(tmp_path / "counters.json", {})
    assert (canary.read_text(), read_counters(tmp_path / "counters.json")) == ("untouched", {})
