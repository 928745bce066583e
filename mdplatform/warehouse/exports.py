"""An answer too large for memory, as Arrow batches while it arrives."""

from __future__ import annotations

from collections.abc import Iterator
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
