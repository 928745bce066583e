"""Rows by the million, as Arrow batches: out of the warehouse while the answer arrives, and into a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from mdplatform.warehouse.client import warehouse_errors
from mdplatform.warehouse.queries import Query, checked


def stream(client: Client, asked: str | Query, /, **params: Any) -> Iterator[pa.RecordBatch]:
    """The rows of a query, given or named, in its order. Raises WarehouseError, also in the middle of them."""
    statement = checked(asked, params)
    with (
        warehouse_errors(client.uri, f"run {statement.name}"),
        client.query_arrow_stream(statement.sql, parameters=params) as tables,
    ):
        for table in tables:
            yield from table.to_batches() if isinstance(table, pa.Table) else [table]


def load(client: Client, table: str, batches: Iterable[pa.Table]) -> int:
    """Insert all rows, a block a batch; gives their number. Columns that a batch lacks get their defaults.

    Raises WarehouseError, also after some blocks: doing it again is then what completes it, as tables keep one row of
    each identity.
    """
    rows = 0
    for batch in batches:
        with warehouse_errors(client.uri, f"insert into {table}"):
            client.insert_arrow(table, batch, settings={"input_format_null_as_default": 1})
        rows += batch.num_rows
    return rows
