"""Recorded frames of three venues as events, and those events as rows of the warehouse, without a broker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from mdplatform.core.events import Book, Event, FeedStatus, Quote, Trade
from mdplatform.recordings.player import Player
from mdplatform.recordings.tape import Entry, parse, read_lines
from mdplatform.warehouse.batches import load

TAPES = {
    ("binance", "BTC-USDT"): "hft_spot_btcusdt_20240808.txt.gz",
    ("binance-usdm", "BTC-USDT-PERP"): "hft_usdm_btcusdt_20240808.first90s.txt.gz",
    ("binance-coinm", "BTC-USD-PERP"): "hft_cm_btcusd_perp_20240808.first40s.txt.gz",
}
CHANNELS = {"binance": ("book", "trades"), "binance-usdm": ("book", "trade"), "binance-coinm": ("book", "trade", "bbo")}
# The recordings' venue times: they go 1.3 s into the next day.
START, END = datetime(2024, 8, 8, 23, tzinfo=UTC), datetime(2024, 8, 9, 1, tzinfo=UTC)
MS = pa.timestamp("ms", "UTC")
NS = pa.timestamp("ns", "UTC")


def events(folder: Path, exchange: str) -> list[Event]:
    """Those of books, trades and, of the small recording, quotes."""
    ((symbol, name),) = [(symbol, name) for (venue, symbol), name in TAPES.items() if venue == exchange]
    player = Player(exchange, channels=CHANNELS[exchange], symbols=(symbol,))
    found = [
        event
        for entry in parse(read_lines(folder / "binance" / name))
        if isinstance(entry, Entry)
        for event in player.take(entry)
    ]
    return [*found, *player.end()]


def store(client: Client, found: Sequence[Event]) -> None:
    """Into the tables in which a stream would store them."""
    books = [event for event in found if isinstance(event, Book)]
    both = [book for book in books if book.bid_prices and book.ask_prices]
    trades = [event for event in found if isinstance(event, Trade)]
    quotes = [event for event in found if isinstance(event, Quote)]
    statuses = [event for event in found if isinstance(event, FeedStatus)]
    for table, rows in (
        ("md_orderbook_depth_store", _books(books)),
        ("md_top_of_book_store", _tops(both)),
        ("md_trades_store", _trades(trades)),
        ("md_quotes_store", _quotes(quotes)),
        ("md_feed_status_store", _statuses(statuses)),
    ):
        load(client, table, [rows])


def numbers(texts: Iterable[str]) -> list[float]:
    return [float(text) for text in texts]


def _books(books: Sequence[Book]) -> pa.Table:
    sides = {"b": "bid_prices", "bv": "bid_sizes", "a": "ask_prices", "av": "ask_sizes"}
    raw = {"raw_bv": "raw_bid_sizes", "raw_av": "raw_ask_sizes"}
    return pa.table(
        {
            **_common(books),
            **{column: [numbers(getattr(book, name)) for book in books] for column, name in sides.items()},
            **{column: [numbers(getattr(book, name) or ()) for book in books] for column, name in raw.items()},
            "sequence": [book.sequence for book in books],
            "previous_sequence": pa.array([book.previous_sequence for book in books], pa.int64()),
        }
    )


def _tops(books: Sequence[Book]) -> pa.Table:
    sides = {
        "bid_price": "bid_prices",
        "bid_size": "bid_sizes",
        "ask_price": "ask_prices",
        "ask_size": "ask_sizes",
    }
    best = {column: [float(getattr(book, name)[0]) for book in books] for column, name in sides.items()}
    return pa.table({**_common(books), **best, "sequence": [book.sequence for book in books]})


def _trades(trades: Sequence[Trade]) -> pa.Table:
    return pa.table(
        {
            **_common(trades),
            "id": [trade.id for trade in trades],
            "price": numbers(trade.price for trade in trades),
            "qty": numbers(trade.size for trade in trades),
            "side": [trade.side for trade in trades],
            "provenance": [trade.provenance for trade in trades],
            "raw_size": pa.array([trade.raw_size and float(trade.raw_size) for trade in trades], pa.float64()),
        }
    )


def _quotes(quotes: Sequence[Quote]) -> pa.Table:
    names = ("bid_price", "bid_size", "ask_price", "ask_size", "raw_bid_size", "raw_ask_size")
    sides = {name: [_number(getattr(quote, name)) for quote in quotes] for name in names}
    return pa.table(
        {
            **_common(quotes),
            **{name: pa.array(values, pa.float64()) for name, values in sides.items()},
            "sequence": pa.array([quote.sequence for quote in quotes], pa.int64()),
        }
    )


def _statuses(statuses: Sequence[FeedStatus]) -> pa.Table:
    plain = ("exchange", "symbol", "channel", "state", "cause", "collector", "started_ns")
    maybe = ("ended_ns", "first_sequence", "last_sequence", "missed")
    columns: dict[str, object] = {name: [getattr(status, name) for status in statuses] for name in plain}
    columns |= {name: pa.array([getattr(status, name) for status in statuses], pa.int64()) for name in maybe}
    for name in ("started", "ended"):
        columns[f"{name}_at"] = pa.array([getattr(status, f"{name}_ns") for status in statuses], NS)
    return pa.table({**columns, **_messages(len(statuses))})


def _common(rows: Sequence[Book] | Sequence[Trade] | Sequence[Quote]) -> dict[str, object]:
    return {
        "exchange": pa.array([row.exchange for row in rows], pa.string()),
        "symbol": pa.array([row.symbol for row in rows], pa.string()),
        "timestamp": pa.array([row.venue_ns // 10**6 for row in rows], MS),
        "venue_time": pa.array([row.venue_ns for row in rows], NS),
        "received_at": pa.array([row.received_ns for row in rows], NS),
        **_messages(len(rows)),
    }


def _messages(count: int) -> dict[str, object]:
    return {"_topic": pa.array(["recorded"] * count), "_partition": [0] * count, "_offset": list(range(count))}


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)
