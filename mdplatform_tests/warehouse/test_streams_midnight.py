"""Two collectors of a feed without venue time, on both sides of a midnight in UTC: readers see each frame once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from clickhouse_connect.driver.client import Client

from mdplatform.archive.statements import export
from mdplatform.core.settings import Settings
from mdplatform.warehouse.queries import run
from mdplatform_tests.warehouse.conftest import Attach
from mdplatform_tests.warehouse.rows import ns
from mdplatform_tests.warehouse.topics import publish, shows

MIDNIGHT = datetime(2026, 11, 30, tzinfo=UTC)
READ = "SELECT sequence, toUnixTimestamp64Milli(timestamp) - {midnight} AS ms FROM {table} ORDER BY sequence"
# Milliseconds from midnight at which each of them receives the frame of that number; 4 reaches one alone.
FIRST = {1: -800, 2: -3, 3: 1, 4: -1}
SECOND = {1: -790, 2: 2, 3: -2}
SEEN = [(1, -800), (2, -3), (3, -2), (4, -1)]


def messages(received: dict[int, int], **fields: object) -> list[dict[str, object]]:
    """Messages whose venue time is that of their receipt, as ``received_ns`` says by being equal."""
    found = []
    for number, ms in received.items():
        at = ns(MIDNIGHT) + ms * 10**6
        times = {"timestamp": at // 10**6, "ts": at // 10**6, "venue_ns": at, "received_ns": at}
        found.append({"exchange": "binance", "symbol": "BTC-USDT", "sequence": number, **times, **fields})
    return found


def shown(client: Client, table: str) -> None:
    shows(client, READ.format(midnight=ns(MIDNIGHT) // 10**6, table=table), SEEN)


def test_books_and_their_tops_are_read_once(streaming: Settings, attach: Attach) -> None:
    client = attach("books")
    levels = {"b": [1], "bv": [2], "a": [3], "av": [4]}
    publish(streaming, streaming.topic_books, [*messages(SECOND, **levels), *messages(FIRST, **levels)])
    for table in ("md_orderbook_depth", "md_top_of_book"):
        shown(client, table)


def test_quotes_are_read_once(streaming: Settings, attach: Attach) -> None:
    client = attach("quotes")
    best = {"bid_price": 1, "bid_size": 2, "ask_price": None, "ask_size": None}
    topic = streaming.topic_quotes.replace("{exchange}", "binance")
    publish(streaming, topic, [*messages(FIRST, **best), *messages(SECOND, **best)])
    shown(client, "md_quotes")


def test_the_two_days_are_exported_without_a_row_twice(streaming: Settings, attach: Attach) -> None:
    client = attach("books")
    levels = {"b": [1], "bv": [2], "a": [3], "av": [4]}
    publish(streaming, streaming.topic_books, [*messages(FIRST, **levels), *messages(SECOND, **levels)])
    for name, table in (("books", "md_orderbook_depth"), ("top_of_book", "md_top_of_book")):
        shown(client, table)
        before, after = (
            [row["sequence"] for row in run(client, export(name), exchange="binance", hour=hour)]
            for hour in (MIDNIGHT - timedelta(hours=1), MIDNIGHT)
        )
        assert (before, after) == ([1, 2, 3, 4], [])


def test_every_message_is_noted_once(streaming: Settings, attach: Attach) -> None:
    client = attach("books")
    levels = {"b": [1], "bv": [2], "a": [3], "av": [4]}
    publish(streaming, streaming.topic_books, [*messages(FIRST, **levels), *messages(SECOND, **levels)])
    shows(client, "SELECT count() FROM md_messages", [(len(FIRST) + len(SECOND),)])
    for hour in (MIDNIGHT - timedelta(hours=1), MIDNIGHT):
        assert run(client, "offsets_have_no_holes", hour=hour, limit=10) == []
