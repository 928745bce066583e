"""Arrow tables into a table of the warehouse."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from mdplatform.warehouse.client import warehouse_errors


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
