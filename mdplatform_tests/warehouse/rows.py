"""Rows as the streams would store them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from clickhouse_connect.driver.client import Client

HOUR = datetime(2024, 8, 8, 22, tzinfo=UTC)
LAG_NS = 100_000_000


def ns(at: datetime) -> int:
    """Exact: a float would lose the microseconds."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


def after(seconds: float) -> int:
    """Nanoseconds of the moment ``seconds`` into HOUR."""
    return ns(HOUR) + round(seconds * 1e9)


def put_books(client: Client, *books: dict[str, object], tops: bool = True) -> None:
    """Each book needs ``at`` (venue ns) and ``sequence``; the rest has defaults. ``tops``: theirs are stored too."""
    _put(client, "md_orderbook_depth_store", map(_book, books))
    if tops:
        _put(client, "md_top_of_book_store", map(_top, map(_book, books)))


def put_trades(client: Client, *trades: dict[str, object]) -> None:
    """Each trade needs ``at`` (venue ns) and ``id``."""
    _put(client, "md_trades_store", map(_trade, trades))


def put_status(client: Client, state: str, started_ns: int, ended_ns: int | None, **fields: object) -> None:
    row = {
        "exchange": "binance",
        "symbol": "BTC-USDT",
        "channel": "book",
        "state": state,
        "cause": "test",
        "started_at": _time(started_ns),
        "ended_at": None if ended_ns is None else _time(ended_ns),
        "started_ns": started_ns,
        "ended_ns": ended_ns,
        **_LOG,
        **fields,
    }
    _put(client, "md_feed_status_store", [row])


_NEAR = ("bid_depth_10bps", "ask_depth_10bps")
_LOG = {"_topic": "test", "_partition": 0, "_offset": 0}


def _book(fields: dict[str, object]) -> dict[str, object]:
    at = int(str(fields["at"]))
    defaults: dict[str, object] = {
        "exchange": "binance",
        "symbol": "BTC-USDT",
        "b": [99.0],
        "bv": [1.0],
        "a": [101.0],
        "av": [1.0],
        "timestamp": _time(at),
        "previous_sequence": None,
        "venue_time": _time(at),
        "received_at": _time(at + LAG_NS),
        **_LOG,
    }
    return {**defaults, **{key: value for key, value in fields.items() if key != "at"}}


def _top(book: dict[str, object]) -> dict[str, object]:
    sides = {"b": "bid_price", "bv": "bid_size", "a": "ask_price", "av": "ask_size"}
    row = {key: value for key, value in book.items() if key not in (*sides, "previous_sequence", *_NEAR)}
    for array, column in sides.items():
        values = book[array]
        assert isinstance(values, Sequence)
        row[column] = values[0] if values else 0.0
    return row


def _trade(fields: dict[str, object]) -> dict[str, object]:
    at = int(str(fields["at"]))
    defaults: dict[str, object] = {
        "exchange": "binance",
        "symbol": "BTC-USDT",
        "price": 100.0,
        "qty": 1.0,
        "side": "buy",
        "timestamp": _time(at),
        "venue_time": _time(at),
        "received_at": _time(at + LAG_NS),
        "provenance": "live",
        **_LOG,
    }
    return {**defaults, **{key: value for key, value in fields.items() if key != "at"}}


def _time(at_ns: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_ns // 1000)


def _put(client: Client, table: str, rows: Iterable[dict[str, object]]) -> None:
    batch = list(rows)
    columns = list(batch[0])
    client.insert(table, [[row[column] for column in columns] for row in batch], column_names=columns)
