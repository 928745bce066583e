"""The engine: chdb on a data directory, opened once by this process.

A connection costs a quarter of a millisecond and has its own settings, database and temporary tables; the engine lives
while one connection is open, which is what `Engine` holds.
"""

import fcntl
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from mdplatform.core.errors import ConfigError
from mdplatform.core.private import private_directory
from mdplatform.embedded.clickhouse.errors import ClickHouseError, as_clickhouse_error

log = logging.getLogger(__name__)

Value = str | bytes
RUNNING = """
KILL QUERY WHERE query_id IN (SELECT query_id FROM system.processes WHERE position(query, {mark:String}) > 0) ASYNC
"""


class Connection:
    """One chdb connection; not for two threads at once. Every failure is raised as ClickHouseError."""

    def __init__(self, raw: Any, version: str) -> None:
        self._raw = raw
        self._version = version

    def run(self, sql: Value, form: str = "TabSeparated", values: Mapping[str, str] | None = None) -> Any:
        """Run one statement to its end; the result has get_memview, size, rows_read, bytes_read, storage_rows_read."""
        try:
            return self._raw.query(sql, form, params=dict(values or {}))
        except RuntimeError as error:
            raise as_clickhouse_error(error, self._version) from None

    def text(self, sql: Value) -> str:
        """The result of a statement as TabSeparated text, without the last line break."""
        result = self.run(sql)
        return result.bytes().decode().rstrip("\n") if result.size() else ""

    def open_stream(self, sql: Value, form: str, values: Mapping[str, str]) -> Any:
        """Begin a statement whose result is fetched piece by piece; one stream a connection."""
        try:
            return self._raw.send_query(sql, form, params=dict(values))
        except RuntimeError as error:
            raise as_clickhouse_error(error, self._version) from None

    def fetch(self, stream: Any) -> Any:
        """The next piece: a complete document of the format; None or of size 0 at the end."""
        try:
            return self._raw.streaming_fetch_result(stream)
        except RuntimeError as error:
            if "No active streaming query" in str(error):
                return None  # an empty result in Arrow is one piece, its schema, that no end follows
            raise as_clickhouse_error(error, self._version) from None

    def abandon(self, stream: Any) -> None:
        self._raw.streaming_cancel_query(stream)

    def close(self) -> None:
        self._raw.close()


class Engine:
    """Owns the data directory: one process at a time, by a kernel lock that ends with the process, however it ends."""

    def __init__(self, directory: Path, config: Path) -> None:
        self._lock = _lock(directory)
        # The engine starts its background tasks only where this exists: without, what is dropped is never freed, and
        # DROP ... SYNC waits forever.
        (directory / "store" / "metadata").mkdir(parents=True, exist_ok=True)
        self._address = f"{directory / 'store'}?config-file={config}"
        self.version = "unknown"
        self._root = self.connect()
        self.version, self.timezone, self.name, revision = self._root.text(
            "SELECT version(), timezone(), displayName(), revision()"
        ).split("\t")
        self.revision = int(revision)
        listed = self._root.text("SELECT lower(name) FROM system.table_functions")
        self.table_functions = frozenset(listed.split("\n"))

    def connect(self) -> Connection:
        # Imported here: the engine is 540 MB of code that only the process hosting it should load.
        from chdb import _chdb

        try:
            return Connection(_chdb.connect(self._address), self.version)
        except RuntimeError as error:
            raise as_clickhouse_error(error, self.version) from None

    def cancel(self, mark: str) -> None:
        """Stop the statements that carry `mark` in a comment; none running is fine."""
        connection = self.connect()
        try:
            connection.run(RUNNING, values={"mark": comment(mark)})
        except ClickHouseError as error:
            log.warning("cannot cancel query %s: %s", mark, error)
        finally:
            connection.close()

    def close(self) -> None:
        """Stop Kafka tables and background work, and close the files. Connections handed out must be closed before."""
        self._root.close()
        self._lock.close()


def comment(mark: str) -> str:
    """What marks a statement among the running ones; `errors.MARK` takes it out of messages again."""
    return f"/*{mark}*/"


def _lock(directory: Path) -> BinaryIO:
    private_directory(directory)
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.fdopen(os.open(directory / "engine.lock", flags, 0o600), "r+b")
    except OSError as error:
        raise ConfigError(f"cannot open {directory / 'engine.lock'}: {error.strerror}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        owner = file.read().decode(errors="replace").strip() or "unknown"
        file.close()
        raise ConfigError(f"{directory} is in use by another ClickHouse process (pid {owner})") from None
    file.truncate(0)
    file.write(str(os.getpid()).encode())
    file.flush()
    return file
