"""Rows of a dataset as an Arrow table or a pandas frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from mdplatform.archive.datasets import EXCHANGE, Dataset
from mdplatform.archive.store import Store
from mdplatform.core.environment import environment
from mdplatform.core.errors import ConfigError
from mdplatform.core.optional import needed
from mdplatform.core.settings import Settings, load
from mdplatform.read import from_archive, from_clickhouse
from mdplatform.read.request import Wanted

if TYPE_CHECKING:
    import pandas as pd

CLICKHOUSE, ARCHIVE = "clickhouse", "archive"
BEST = ("bid_price", "bid_size", "ask_price", "ask_size")
Names = str | Iterable[str]


def table(
    dataset: str,
    *,
    start: datetime,
    end: datetime,
    venues: Names = (),
    symbols: Names = (),
    source: str | Path | Store = CLICKHOUSE,
    partial: bool = False,
    settings: Settings | None = None,
) -> pa.Table:
    """The rows of [start, end), by exchange and then in the dataset's order, in the columns that the archive has; best
    prices (``top_of_book``, ``quotes``) also with ``mid``, ``spread``, ``spread_bps`` and ``imbalance``, as in SQL.

    ``source``: "clickhouse", "archive" (that of the settings), or a path or address of an archive. An archive that
    lacks an hour of the range is an error unless ``partial``; ClickHouse gives the rows that it has, ten million at
    most and those that it finds within a minute. Intervals of ``statuses`` come cut into hours. Raises ConfigError,
    WarehouseError, ArchiveError.
    """
    wanted = Wanted.of(dataset, venues, symbols, start, end)
    if source == CLICKHOUSE:
        pieces = from_clickhouse.pieces(settings or load(environment()), wanted)
    else:
        pieces = from_archive.pieces(archive_root(source, settings), wanted, partial)
    return _measured(_joined(wanted.dataset, pieces))


def frame(
    dataset: str,
    *,
    start: datetime,
    end: datetime,
    venues: Names = (),
    symbols: Names = (),
    source: str | Path | Store = CLICKHOUSE,
    partial: bool = False,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """The same as pandas: times in UTC, the exchange a category, whole numbers Int64 and Int32 with NA where missing,
    levels of a book numpy arrays."""
    found = table(
        dataset,
        start=start,
        end=end,
        venues=venues,
        symbols=symbols,
        source=source,
        partial=partial,
        settings=settings,
    )
    return as_frame(found)


def as_frame(found: pa.Table) -> pd.DataFrame:
    """Types depend on the columns' types alone, never on whether a value is missing."""
    pd = needed("pandas")
    whole = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype()}
    return found.to_pandas(types_mapper=whole.get)


def archive_root(source: str | Path | Store, settings: Settings | None) -> str | Path | Store:
    """The archive that ``source`` names; raises ConfigError for what names none."""
    if source == ARCHIVE:
        return (settings or load(environment())).archive_root()
    if isinstance(source, str) and "/" not in source:
        raise ConfigError(f"source must be {CLICKHOUSE!r}, {ARCHIVE!r} or an archive's path or address, not {source!r}")
    return source


def _joined(dataset: Dataset, pieces: Iterator[tuple[str, pa.Table]]) -> pa.Table:
    """Pieces of one exchange become one sorted table; those of all exchanges one below the other, in order of name."""
    by_exchange: dict[str, list[pa.Table]] = {}
    for exchange, piece in pieces:
        by_exchange.setdefault(exchange, []).append(piece)
    order = [(name, "ascending") for name in dataset.sorted_by]
    tables = [pa.concat_tables(by_exchange[exchange]).sort_by(order) for exchange in sorted(by_exchange)]
    found = pa.concat_tables([*tables, dataset.schema.empty_table()])
    # One dictionary for all, whichever pieces it came in.
    names = found["exchange"].cast(pa.string()).combine_chunks().dictionary_encode().cast(EXCHANGE)
    return found.set_column(0, dataset.schema.field("exchange"), names).combine_chunks()


def _measured(found: pa.Table) -> pa.Table:
    """With what follows from best prices and sizes, by the formulas of the views; null while a side is empty."""
    if not set(BEST) <= set(found.schema.names):
        return found
    bid, bid_size, ask, ask_size = (found[name] for name in BEST)
    mid, spread = pc.divide(pc.add(bid, ask), 2.0), pc.subtract(ask, bid)
    measures = {
        "mid": mid,
        "spread": spread,
        "spread_bps": pc.divide(pc.multiply(spread, 10_000.0), mid),
        "imbalance": pc.divide(pc.subtract(bid_size, ask_size), pc.add(bid_size, ask_size)),
    }
    for name, values in measures.items():
        found = found.append_column(name, values)
    return found
