"""One migration at a time: a table is the lock, because creating one is the only atomic act every ClickHouse has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from mdplatform.core.errors import WarehouseError
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import error_code

# A holder that has not said anything for this long is dead: one statement takes far less.
ABANDONED_S = 60
WAIT_S = 120.0
POLL_S = 0.2

TABLE_EXISTS = 57


@contextmanager
def migration_lock(client: Client) -> Iterator[Callable[[], None]]:
    """Holds the lock for the block, which calls the given function now and then to show that it lives.

    Waits for another holder, takes over from a dead one; raises WarehouseError after WAIT_S.
    """
    deadline = time.monotonic() + WAIT_S
    while not _taken(client):
        if _silent_seconds(client) > ABANDONED_S:
            queries.command(client, "lock_release")
        elif time.monotonic() > deadline:
            raise WarehouseError("another migration has been running for two minutes; if it is none, drop _migrating")
        else:
            time.sleep(POLL_S)
    try:
        yield lambda: queries.command(client, "lock_beat")
    finally:
        queries.command(client, "lock_release")


def _taken(client: Client) -> bool:
    try:
        client.command(queries.load("lock_take").sql)
    except DatabaseError as error:
        if error_code(error) == TABLE_EXISTS:
            return False
        raise
    return True


def _silent_seconds(client: Client) -> int:
    """How long the holder has been silent; 0 when it has just let go."""
    try:
        rows = queries.run(client, "lock_silence")
    except WarehouseError:  # released between our try and our look
        return 0
    return int(rows[0]["seconds"]) if rows else 0
