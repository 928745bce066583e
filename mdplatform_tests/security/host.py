"""What an embedded node must not reach, and how to see that it did."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from mdplatform.embedded.clickhouse import ClickHouseNode
from mdplatform_tests.contract.clickhouse.asking import Reply, ask

WORD = "canary-of-the-host"
COLUMN = "canary_column"


@dataclass(frozen=True)
class Host:
    """A node, and what it must not reach: a file, a place to write to, and a server that notes who came."""

    node: ClickHouseNode
    directory: Path
    server: socket.socket

    def values(self) -> dict[str, str]:
        port = self.server.getsockname()[1]
        names = {"file": "canary", "table": "canary.csv", "out": "written", "dir": ""}
        return {key: str(self.directory / name) for key, name in names.items()} | {"server": f"127.0.0.1:{port}"}

    def visited(self) -> bool:
        """Whether somebody connected since the last question."""
        try:
            self.server.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def damage(self, reply: Reply) -> list[str]:
        """What an attempt has achieved, put right again."""
        done = []
        if WORD.encode() in reply.body or COLUMN.encode() in reply.body:
            done.append("read")
        if (self.directory / "written").exists():
            (self.directory / "written").unlink()
            done.append("wrote")
        if self.visited():
            done.append("connected")
        made = ask(self.node.url, "SELECT name FROM system.tables WHERE name = 'made'").body
        users = ask(self.node.url, "SELECT name FROM system.users WHERE name = 'made'").body
        granted = ask(self.node.url, "SELECT access_type FROM system.grants WHERE user_name = 'reader'").body
        kept = ask(self.node.url, "SELECT count() FROM marketdata.kept").body
        if (made, users, set(granted.splitlines()), kept) != (b"", b"", {b"SELECT", b"SHOW DATABASES"}, b"1\n"):
            done.append("changed")
            repair(self.node)
        return done


def repair(node: ClickHouseNode) -> None:
    for statement in (
        "CREATE DATABASE IF NOT EXISTS marketdata",
        "DROP TABLE IF EXISTS marketdata.made",
        "DROP USER IF EXISTS made",
        "CREATE OR REPLACE TABLE marketdata.kept ENGINE = MergeTree ORDER BY n AS SELECT 1::UInt8 AS n",
    ):
        ask(node.url, statement)
