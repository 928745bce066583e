"""Rows from ClickHouse, in the columns and types of the archive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from mdplatform.archive.parquet import fitted
from mdplatform.core.settings import Settings
from mdplatform.read.request import Wanted
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import connect_reader

# Datasets whose rows are not those of their table as they stand.
OWN_QUERY = {"spreads": "read_spreads", "statuses": "read_statuses"}


def pieces(settings: Settings, wanted: Wanted) -> Iterator[tuple[str, pa.Table]]:
    """(exchange, its rows) of each exchange; raises WarehouseError."""
    found = _rows(settings, wanted)
    for exchange in pc.unique(found["exchange"]).to_pylist():
        yield exchange, found.filter(pc.field("exchange") == exchange)


def _rows(settings: Settings, wanted: Wanted) -> pa.Table:
    dataset, name = wanted.dataset, OWN_QUERY.get(wanted.dataset.name, "read_rows")
    offered = {
        "table": dataset.table,
        "exchanges": list(wanted.venues),
        "symbols": list(wanted.symbols),
        "start": _time(wanted.start),
        "end": _time(wanted.end),
        "hours": wanted.hours,
    }
    with connect_reader(settings) as client:
        given = {key: offered[key] for key in queries.load(name).parameters}
        found = queries.run_arrow(client, name, **given)
    if name == "read_rows":
        columns = [dataset.renamed.get(column, column) for column in dataset.schema.names]
        found = found.select(columns).rename_columns(dataset.schema.names)
    return pa.Table.from_batches(fitted(dataset.schema, found.to_batches()), dataset.schema).filter(wanted.within)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"
