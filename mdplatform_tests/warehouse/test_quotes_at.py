"""Best prices as of a time, of each venue and of all of them: against what plain Python makes of the same rows."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect
from mdplatform_tests.warehouse.copied import Copies, drop
from mdplatform_tests.warehouse.rows import HOUR, LAG_NS, after, put_books, put_status

VENUES = ("binance", "bybit", "okx")
PROVEN = {  # seconds of HOUR in which each book is valid
    "binance": [(0, 600)],
    "bybit": [(0, 200), (260, 600)],
    "okx": [(100, 600)],
}
SECONDS = 600
Row = dict[str, Any]


def rows_of(exchange: str, chance: random.Random) -> list[Row]:
    """Books at random times, of which some have an empty side and some prices meet those of others."""
    found = []
    for sequence, second in enumerate(sorted(chance.uniform(0, SECONDS) for _ in range(400)), 1):
        bid, ask = chance.randint(95, 100), chance.randint(99, 104)
        empty = chance.random()
        found.append(
            {
                "exchange": exchange,
                "at": after(round(second, 3)),
                "sequence": sequence,
                "b": [] if empty < 0.02 else [float(bid)],
                "bv": [] if empty < 0.02 else [chance.randint(1, 3) / 2],
                "a": [] if empty > 0.98 else [float(ask)],
                "av": [] if empty > 0.98 else [chance.randint(1, 3) / 2],
            }
        )
    return found


@pytest.fixture(scope="module")
def kept(clickhouse_url: str, copies: Copies) -> Any:
    settings = Settings(clickhouse_url=clickhouse_url, clickhouse_database="t_quotes_at")
    drop(settings)
    copies.make(settings)
    chance = random.Random(7)
    books = {exchange: rows_of(exchange, chance) for exchange in VENUES}
    with connect(settings) as client:
        for exchange, rows in books.items():
            put_books(client, *rows)
            put_books(
                client, *({**row, "received_at": late(row)} for row in rows)
            )  # a second collector, which is slower
            edge = 0
            for begin, end in PROVEN[exchange]:
                if begin > edge:
                    put_status(client, "gap", after(edge), after(begin), exchange=exchange)
                put_status(client, "valid", after(begin), after(end), exchange=exchange)
                edge = end
    with connect(settings, settings.clickhouse_database) as client:
        yield client, books
    drop(settings)


def late(row: Row) -> datetime:
    return HOUR + timedelta(microseconds=(row["at"] - after(0) + LAG_NS + 2_000_000_000) // 1000)


def known(books: dict[str, list[Row]], at_ns: int) -> dict[str, Row]:
    """Of each venue the newest row by its first receipt."""
    heard = {exchange: [row for row in rows if row["at"] + LAG_NS <= at_ns] for exchange, rows in books.items()}
    return {
        exchange: max(rows, key=lambda row: (row["at"], row["sequence"])) for exchange, rows in heard.items() if rows
    }


def is_proven(exchange: str, at_ns: int, slack: float = 0) -> bool:
    return any(
        after(begin) <= at_ns <= after(end + (slack if end == SECONDS else 0)) for begin, end in PROVEN[exchange]
    )


def best(row: Row) -> tuple[float | None, ...]:
    return tuple(row[side][0] if row[side] else None for side in ("b", "bv", "a", "av"))


def text(at_ns: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_ns // 1000)
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"


@pytest.mark.parametrize("second", [0.05, 30.5, 150, 230.25, 299.999, 600, 610, 620])
def test_quotes_of_each_venue_as_of_a_time(kept: tuple[Client, dict[str, list[Row]]], second: float) -> None:
    client, books = kept
    at = after(second)
    asked = """
        SELECT exchange, bid_price, bid_size, ask_price, ask_size, is_proven
        FROM md_quotes_at(symbol = {symbol:String}, at = {at:String})"""
    rows = client.query(asked, parameters={"symbol": "BTC%", "at": text(at)}).result_rows
    expected = [
        (exchange, *best(row), is_proven(exchange, at, 15)) for exchange, row in sorted(known(books, at).items())
    ]
    assert [(*row[:5], bool(row[5])) for row in rows] == expected


def test_the_best_of_all_venues_at_every_second(kept: tuple[Client, dict[str, list[Row]]]) -> None:
    client, books = kept
    asked = """
        SELECT
            toUnixTimestamp64Nano(at), bid_price, bid_size, ask_price, ask_size, spread, venues, bid_exchange,
            ask_exchange
        FROM md_best_across(symbol = 'BTC-USDT', start = {start:String}, end = {end:String}, seconds = 1)"""
    rows = client.query(asked, parameters={"start": text(after(0)), "end": text(after(SECONDS + 30))}).result_rows
    expected = []
    for second in range(SECONDS + 30):
        at = after(second)
        there = {exchange: best(row) for exchange, row in known(books, at).items() if is_proven(exchange, at)}
        if not there:
            continue
        bids = [(price, size, exchange) for exchange, (price, size, _, _) in there.items() if price is not None]
        asks = [(price, -size, exchange) for exchange, (_, _, price, size) in there.items() if price is not None]
        bid, ask = max(bids, default=(None, None, "")), min(asks, default=(None, 0, ""))
        spread = None if bid[0] is None or ask[0] is None else ask[0] - bid[0]
        size = -ask[1] or None
        expected.append((at, bid[0], bid[1], ask[0], size, spread, len(there), bid[2], ask[2]))
    assert rows == expected
    assert len(rows) > 590
    assert any(row[5] is not None and row[5] < 0 for row in rows)  # crossed between venues, as it happens
