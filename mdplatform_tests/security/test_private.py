"""The node's passwords and files are its user's alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mdplatform.core.errors import ConfigError
from mdplatform.core.private import private_directory, private_file
from mdplatform.core.process import ProcessError
from mdplatform.embedded.clickhouse import start
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
