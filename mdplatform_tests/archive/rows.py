"""Arrow batches as the export queries give them, for an hour of one exchange."""

from datetime import UTC, datetime

import pyarrow as pa

from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import Gap, Origin
from mdplatform.archive.parquet import fitted

HOUR = datetime(2024, 8, 8, 10, tzinfo=UTC)
START_MS = int(HOUR.timestamp()) * 1000
TRADES = Partition("trades", "binance", HOUR)
BOOKS = Partition("books", "binance", HOUR)
ORIGIN = Origin(
    query="export_trades",
    code_version="test",
    coverage={"BTC-USDT": 0.5},
    gaps=[Gap("BTC-USDT", "book", "gap", "sequence", START_MS * 10**6, None)],
)


def trades(rows: int = 6, start_ms: int = START_MS, symbol: str = "BTC-USDT") -> pa.RecordBatch:
    times = [start_ms + i for i in range(rows)]
    columns = {
        "exchange": ["binance"] * rows,
        "symbol": [symbol] * rows,
        "timestamp": times,
        "id": [str(1000 + i) for i in range(rows)],
        "price": [61000.01 + i / 100 for i in range(rows)],
        "qty": [0.001 * (i + 1) for i in range(rows)],
        "side": ["buy" if i % 2 else "sell" for i in range(rows)],
        "provenance": ["live"] * rows,
        "venue_time": [time * 10**6 for time in times],
        "received_time": [time * 10**6 + 321 for time in times],
        "raw_size": [None] * rows,
        **_messages("trades.binance", rows),
        "first_id": [str(998 + i) if i % 2 else None for i in range(rows)],
        "count": [3 if i % 2 else None for i in range(rows)],
    }
    schema = DATASETS["trades"].schema
    return next(fitted(schema, [pa.record_batch(columns)]))


def books(rows: int = 4) -> pa.RecordBatch:
    times = [START_MS + 100 * i for i in range(rows)]
    columns = {
        "exchange": ["binance"] * rows,
        "symbol": ["BTC-USDT"] * rows,
        "timestamp": times,
        "sequence": [70 + 2 * i for i in range(rows)],
        "previous_sequence": [None, *(70 + 2 * i for i in range(rows - 1))],
        "b": [[61000.01, 61000.0]] * rows,
        "bv": [[0.5, 1.0]] * rows,
        "a": [[61000.02, 61000.03]] * rows,
        "av": [[2.0, 0.25]] * rows,
        "venue_time": [time * 10**6 for time in times],
        "received_time": [time * 10**6 + 5 for time in times],
        "raw_bv": [[]] * rows,
        "raw_av": [[]] * rows,
        **_messages("books", rows),
        "bid_depth_10bps": [None, *(1.5 + i for i in range(rows - 1))],
        "ask_depth_10bps": [2.25] * rows,
    }
    schema = DATASETS["books"].schema
    return next(fitted(schema, [pa.record_batch(columns)]))


def _messages(topic: str, rows: int) -> dict[str, list[object]]:
    """Of two partitions in turn, from offset 5 on."""
    return {
        "_topic": [topic] * rows,
        "_partition": [i % 2 for i in range(rows)],
        "_offset": [5 + i // 2 for i in range(rows)],
    }
