"""Migrated databases for tests: the first is migrated, all others are restored from a backup of it in memory.

To migrate takes about ten times the CPU of a restore, and hundreds of tests want a database of their own.
"""

from __future__ import annotations

import dataclasses
import uuid

from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.warehouse.migrations import migrate

# A backup in memory is its session's. A test run rests for less than this long between two databases.
SESSION_S = 3600
STATED = """
    SELECT database, name, create_table_query FROM system.tables
    WHERE database IN ({readers:String}, {internal:String}) ORDER BY database, name
"""


class Copies:
    """Makes databases as ``migrate(settings, streams=False)`` makes them, on the node of ``client``."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._backup = f"t{uuid.uuid4().hex[:8]}"  # its name, and that of the database which it is of
        self._stated: dict[tuple[str, str], str] = {}
        # What a restore states otherwise; None: nothing was restored yet.
        self._altered: list[tuple[str, str]] | None = None
        client.set_client_setting("session_id", self._backup)
        client.set_client_setting("session_timeout", SESSION_S)

    def make(self, settings: Settings) -> None:
        """Both databases of ``settings``, which must not exist. Without grants: the embedded node has no roles."""
        if not self._stated:
            self._back_up(settings)
        self._client.command(f"RESTORE {self._databases(settings)} FROM Memory('{self._backup}')")
        if self._altered is None:
            restored = stated(self._client, settings)
            named = {key: self._of(settings, text) for key, text in self._stated.items()}
            self._altered = [key for key in named if named[key] != restored[self._of(settings, key[0]), key[1]]]
        for key in self._altered:
            self._client.command(self._of(settings, self._stated[key]).replace("CREATE ", "CREATE OR REPLACE ", 1))

    def _back_up(self, settings: Settings) -> None:
        first = dataclasses.replace(settings, clickhouse_database=self._backup)
        migrate(first, streams=False)
        self._stated = stated(self._client, first)
        self._client.command(f"BACKUP {self._databases(first)} TO Memory('{self._backup}')")
        for database in (first.clickhouse_database, first.internal_database):
            self._client.command(f"DROP DATABASE `{database}`")

    def _databases(self, settings: Settings) -> str:
        both = (settings.clickhouse_database, settings.internal_database)
        return ", ".join(f"DATABASE `{self._backup}{name.removeprefix(both[0])}` AS `{name}`" for name in both)

    def _of(self, settings: Settings, text: str) -> str:
        return text.replace(self._backup, settings.clickhouse_database)


def stated(client: Client, settings: Settings) -> dict[tuple[str, str], str]:
    """The statement of each table and view of both databases, by database and name."""
    both = {"readers": settings.clickhouse_database, "internal": settings.internal_database}
    return {(database, name): text for database, name, text in client.query(STATED, parameters=both).result_rows}
