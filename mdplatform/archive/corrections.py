"""A wrong row removed in all places, tables, built hour and archive, and put back on request.

What is removed is kept as it was, with who did it and why: a row is never repaired in silence. A message that is read
again, and an archive from before that is restored, bring the row back.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from mdplatform.archive.hours import publish_hour, published_in
from mdplatform.archive.open_store import Root
from mdplatform.archive.retention import retired
from mdplatform.core.errors import ConfigError
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import warehouse_errors
from mdplatform.warehouse.rollups import build_spread_hourly, build_top_of_book_minute, build_trades_minute

HOUR = timedelta(hours=1)
# By dataset: the tables that hold a row of it, and the column that names it.
TABLES = {
    "books": (("md_orderbook_depth_store", "sequence"), ("md_top_of_book_store", "sequence")),
    "trades": (("md_trades_store", "id"),),
}
REBUILT: dict[str, tuple[Callable[[Client, datetime], int], ...]] = {
    "books": (build_spread_hourly, build_top_of_book_minute),
    "trades": (build_trades_minute,),
}
EXACT = {"output_format_json_quote_64bit_integers": 1, "output_format_json_quote_denormals": 1}


@dataclass(frozen=True)
class Target:
    """One book (``row_id``: its sequence) or one trade (its id)."""

    dataset: str
    exchange: str
    symbol: str
    row_id: str
    hour: datetime  # first instant of the hour that holds it, with a time zone

    def __str__(self) -> str:
        return f"{self.dataset} {self.exchange} {self.symbol} {self.row_id} of {self.hour:%Y-%m-%d %H:%M}"


@dataclass(frozen=True)
class Correction:
    """What was done: ``done`` says it line by line."""

    id: str
    done: list[str]


def stored(client: Client, target: Target) -> list[tuple[str, str]]:
    """(table, row as JSON) of each stored row that is meant. Raises WarehouseError."""
    query, found = queries.load("correction_rows"), []
    for table, key in TABLES[target.dataset]:
        with warehouse_errors(client.uri, f"read {table}"):
            answer = client.raw_query(
                query.sql, parameters=_parameters(target, table, key), settings=EXACT, fmt="JSONEachRow"
            )
        found += [(table, line) for line in answer.decode().splitlines()]
    return found


def correct(client: Client, root: Root, target: Target, reason: str, operator: str) -> Correction:
    """1. find, 2. keep what is there, 3. remove, 4. build again what was built. Raises ConfigError, WarehouseError,
    ArchiveError."""
    _refuse_retired(client, target)
    rows = stored(client, target)  # 1.
    if not rows:
        raise ConfigError(f"there is no row of {target}")
    name = uuid.uuid4().hex[:8]
    queries.command(  # 2.
        client,
        "correction_note",
        id=name,
        dataset=target.dataset,
        exchange=target.exchange,
        symbol=target.symbol,
        row_id=target.row_id,
        hour=target.hour,
        reason=reason,
        operator=operator,
        row_tables=[table for table, _ in rows],
        row_contents=[line for _, line in rows],
    )
    for table, key in TABLES[target.dataset]:  # 3.
        queries.command(client, "correction_remove", **_parameters(target, table, key))
    counts = {table: sum(each == table for each, _ in rows) for table, _ in TABLES[target.dataset]}
    removed = [f"removed {count} rows of {table}" for table, count in counts.items() if count]
    return Correction(name, [*removed, *_rebuild(client, root, target)])  # 4.


def undo(client: Client, root: Root, name: str) -> Correction:
    """Put back what a correction removed, and build again. Raises ConfigError, WarehouseError, ArchiveError."""
    found = queries.run(client, "corrections", id=name) if name else []
    if not found:
        raise ConfigError(f"there is no correction {name!r}; `mdplatform correct --list` lists them")
    (row,) = found
    if row["undone_at"] is not None:
        raise ConfigError(f"the correction {name} was undone at {row['undone_at']:%Y-%m-%d %H:%M:%S} UTC")
    target = Target(row["dataset"], row["exchange"], row["symbol"], row["row_id"], row["hour"])
    _refuse_retired(client, target)
    for table, line in zip(row["row_tables"], row["row_contents"], strict=True):
        with warehouse_errors(client.uri, f"insert into {table}"):
            client.raw_insert(table, insert_block=line, fmt="JSONEachRow", settings={"insert_deduplicate": 0})
    queries.command(client, "correction_undone", id=name)
    return Correction(name, [f"put back {len(row['row_tables'])} rows", *_rebuild(client, root, target)])


def corrections(client: Client) -> list[dict[str, Any]]:
    """All of them, the latest first. Raises WarehouseError."""
    return queries.run(client, "corrections", id="")


def _refuse_retired(client: Client, target: Target) -> None:
    if target.dataset in retired(client, target.hour):
        until = target.hour + HOUR
        raise ConfigError(
            f"the {target.dataset} of {target.hour:%Y-%m-%d %H:%M} are in the archive alone: first `mdplatform restore "
            f"--from {target.hour:%Y-%m-%dT%H:%M} --to {until:%Y-%m-%dT%H:%M}`"
        )


def _rebuild(client: Client, root: Root, target: Target) -> list[str]:
    """What was built of the hour; and of the next, which begins with the last book of this one."""
    done = []
    for hour in (target.hour, target.hour + HOUR):
        if queries.run(client, "spread_hourly_rows", hour=hour)[0]["rows"]:
            for build in REBUILT[target.dataset]:
                build(client, hour)
            done.append(f"built {hour:%Y-%m-%d %H:%M} again")
        if published_in(root, hour):
            publish_hour(client, root, hour)
            done.append(f"archived {hour:%Y-%m-%d %H:%M} again")
    return done


def _parameters(target: Target, table: str, key: str) -> dict[str, Any]:
    return {
        "table": table,
        "key": key,
        "exchange": target.exchange,
        "symbol": target.symbol,
        "row_id": target.row_id,
        "hour": target.hour,
    }
