"""Migrated databases for tests: the first is migrated, others are restored from a backup of it in memory.

To migrate takes about ten times the CPU of a restore, and that five times what it takes to empty a copy that a test is
done with. Hundreds of tests want a database of their own.
"""

from __future__ import annotations

import dataclasses
import uuid
from concurrent.futures import ThreadPoolExecutor

from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.migrations import migrate

# A backup in memory is its session's. A test run rests for less than this long between two databases.
SESSION_S = 3600
STATED = """
    SELECT database, name, create_table_query FROM system.tables
    WHERE database IN ({readers:String}, {internal:String}) ORDER BY database, name
"""
HELD = "SELECT name, total_rows FROM system.tables WHERE database = {internal:String} AND total_rows > 0"
RUNNING = "SELECT count() FROM system.processes WHERE current_database IN ({readers:String}, {internal:String})"
KAFKA_TABLES = """
    SELECT database, name FROM system.tables
    WHERE database IN ({readers:String}, {internal:String}) AND engine = 'Kafka'
"""
LEDGER = "_migrations"  # the one table that has rows in an empty copy


class Copies:
    """Makes databases as ``migrate(settings, streams=False)`` makes them, on the node of ``client``."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._backup = unused()  # its name, and that of the database which it is of
        self._stated: dict[tuple[str, str], str] = {}
        self._migrations = 0  # rows of the ledger
        # What a restore states otherwise; None: nothing was restored yet.
        self._altered: list[tuple[str, str]] | None = None
        self._returned: list[str] = []  # names of emptied copies
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

    def lend(self, settings: Settings) -> Settings:
        """``settings`` with an empty copy as its database: one that was taken back, else a new one."""
        if self._returned:
            return dataclasses.replace(settings, clickhouse_database=self._returned.pop())
        settings = dataclasses.replace(settings, clickhouse_database=unused())
        self.make(settings)
        return settings

    def take_back(self, settings: Settings) -> None:
        """Empties a lent copy for the next one who asks; it is dropped where it is not as it was lent."""
        if not self._is_as_lent(settings):
            drop(settings)
            return
        for table in self._held(settings):
            if table != LEDGER:
                self._client.command(f"TRUNCATE TABLE `{settings.internal_database}`.`{table}`")
        self._returned.append(settings.clickhouse_database)

    def _is_as_lent(self, settings: Settings) -> bool:
        """Whether nobody altered a table or the ledger, or still runs a statement there."""
        lent = {
            (self._of(settings, name), table): self._of(settings, sql) for (name, table), sql in self._stated.items()
        }
        return (
            stated(self._client, settings) == lent
            and self._held(settings).get(LEDGER) == self._migrations
            and self._client.query(RUNNING, parameters=both(settings)).first_row == (0,)
        )

    def _held(self, settings: Settings) -> dict[str, int]:
        """Rows by table, of those that have any."""
        return dict(self._client.query(HELD, parameters=both(settings)).result_rows)

    def _back_up(self, settings: Settings) -> None:
        first = dataclasses.replace(settings, clickhouse_database=self._backup)
        migrate(first, streams=False)
        self._client.command(f"OPTIMIZE TABLE `{first.internal_database}`.`{LEDGER}` FINAL")  # one part, not one a row
        self._stated = stated(self._client, first)
        self._migrations = self._held(first)[LEDGER]
        self._client.command(f"BACKUP {self._databases(first)} TO Memory('{self._backup}')")
        drop(first)

    def _databases(self, settings: Settings) -> str:
        names = both(settings).values()
        own = settings.clickhouse_database
        return ", ".join(f"DATABASE `{self._backup}{name.removeprefix(own)}` AS `{name}`" for name in names)

    def _of(self, settings: Settings, text: str) -> str:
        return text.replace(self._backup, settings.clickhouse_database)


def stated(client: Client, settings: Settings) -> dict[tuple[str, str], str]:
    """The statement of each table and view of both databases, by database and name."""
    return {
        (database, name): text for database, name, text in client.query(STATED, parameters=both(settings)).result_rows
    }


def unused() -> str:
    """A database name that nobody else has."""
    return f"t{uuid.uuid4().hex[:8]}"


def drop(settings: Settings) -> None:
    """Both databases, if they are there."""
    with connect(settings, database="default") as client:
        # Kafka tables first: a consumer must not go on reading for tables that are being dropped.
        kafka = client.query(KAFKA_TABLES, parameters=both(settings)).result_rows
        with ThreadPoolExecutor(len(kafka) or 1) as pool:  # to leave a group takes up to a second
            list(pool.map(lambda row: client.command("DROP TABLE `{}`.`{}`".format(*row)), kafka))
        for database in both(settings).values():
            client.command(f"DROP DATABASE IF EXISTS `{database}`")


def both(settings: Settings) -> dict[str, str]:
    """The databases of ``settings``, as parameters."""
    return {"readers": settings.clickhouse_database, "internal": settings.internal_database}
