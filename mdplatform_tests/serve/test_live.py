"""What is recorded now is streamed by the protocol, over a real broker; raw frames are replayed from their topic."""

from __future__ import annotations

import dataclasses
import json
import time
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from confluent_kafka import Producer
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection, connect

from mdplatform.core.codec import encode
from mdplatform.core.events import Book, BookChange, Event, FeedStatus, Funding, OpenInterest, RawFrame, Trade
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.export.source import Source
from mdplatform.read.changes import time_of
from mdplatform.warehouse.client import connect as to_clickhouse
from mdplatform_tests.serve.conftest import asked, lines, serving
from mdplatform_tests.warehouse.copied import Copies
from mdplatform_tests.warehouse.test_book_at import put_changes

NOWHERE = "http://127.0.0.1:1"
FEED = ("binance", "BTC-USDT")
S = 10**9


def publish(settings: Settings, *events: Event) -> None:
    producer, topics = Producer({"bootstrap.servers": settings.kafka_brokers}), Topics.from_settings(settings)
    for event in events:
        key, value = encode(event)
        producer.produce(topics.of(event), value, key=key)
    assert producer.flush(20) == 0


def trade(number: int, at_ns: int) -> Trade:
    return Trade(*FEED, str(number), "60000.5", "0.25", "buy", at_ns, at_ns)


def book(sequence: int, at_ns: int) -> Book:
    return Book(*FEED, ["60000.1"], ["1.5"], ["60000.3"], ["2"], at_ns, sequence, sequence - 1, at_ns)


def change(kind: str, sequence: int, at_ns: int, size: str) -> BookChange:
    levels = (["60000.1"], [size], ["60000.3"], ["2"]) if kind == "snapshot" else (["60000.1"], [size], [], [])
    before = None if kind == "snapshot" else sequence - 1
    return BookChange(*FEED, kind, *levels, None, sequence, before, at_ns, at_ns)  # type: ignore[arg-type]


def status(state: str, at_ns: int, cause: str = "lost", ended_ns: int | None = None) -> FeedStatus:
    return FeedStatus(*FEED, "trades", state, cause, at_ns, ended_ns)  # type: ignore[arg-type]


def streamed(url: str, *types: str) -> ClientConnection:
    options = {"exchange": FEED[0], "symbols": [FEED[1]], "dataTypes": types}
    return connect(f"{url.replace('http', 'ws', 1)}/ws-stream-normalized?{asked(options)}", open_timeout=60)


def until(socket: ClientConnection, settings: Settings, *events: Event, count: int) -> list[dict[str, Any]]:
    """The first ``count`` messages; the events are published again until the stream, which starts at its own time, has
    them: a repeated trade is no other."""
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + 60
    while len(found) < count and time.monotonic() < deadline:
        publish(settings, *events)
        try:
            while len(found) < count:
                found.append(json.loads(socket.recv(timeout=1)))
        except TimeoutError:
            continue
    return found


@pytest.fixture
def bare(kafka_settings: Settings) -> Settings:
    """A broker, and no ClickHouse."""
    return dataclasses.replace(kafka_settings, clickhouse_url=NOWHERE)


def test_trades_and_published_books_are_streamed_once(bare: Settings) -> None:
    publish(bare, trade(1, time.time_ns()))  # the topic exists
    later = time.time_ns() + 60 * S
    with serving(bare, Source(bare)) as url, streamed(url, "trade", "book_change") as socket:
        found = until(socket, bare, trade(2, later), book(7, later), trade(3, later), count=3)
    assert {(m["type"], m.get("id")) for m in found} == {("trade", "2"), ("trade", "3"), ("book_change", None)}
    (change_,) = [message for message in found if message["type"] == "book_change"]
    assert (change_["isSnapshot"], change_["bids"]) == (True, [{"price": 60000.1, "amount": 1.5}])
    assert change_["exchange"] == "binance"


def test_a_feed_that_breaks_is_a_disconnect(bare: Settings) -> None:
    later = time.time_ns() + 60 * S
    with serving(bare, Source(bare)) as url, streamed(url, "trade") as socket:
        (found,) = until(socket, bare, status("valid", later, "resumed"), status("gap", later + 1), count=1)
    assert (found["type"], found["symbols"]) == ("disconnect", ["BTC-USDT"])


@pytest.fixture
def kept(bare: Settings, empty: Settings, copies: Copies) -> Settings:
    """The same with a ClickHouse that knows the book."""
    settings = dataclasses.replace(
        bare, clickhouse_url=empty.clickhouse_url, clickhouse_database=empty.clickhouse_database
    )
    copies.make(settings)
    with to_clickhouse(settings) as client:
        now = time.time_ns()
        put_changes(client, [change("snapshot", 5, now - 3 * S, "1"), change("update", 6, now - 2 * S, "2")])
    return settings


def test_a_book_starts_with_what_is_known_and_goes_on(kept: Settings) -> None:
    later = time.time_ns() + 60 * S
    new = [change("update", 6, later, "9"), change("update", 7, later, "0"), change("update", 8, later, "4")]
    with serving(kept, Source(kept)) as url, streamed(url, "book_change") as socket:
        found = until(socket, kept, *new, count=3)
    assert [message["isSnapshot"] for message in found] == [True, False, False]
    assert [message["bids"][0]["amount"] for message in found] == [2, 0, 4]


def test_a_ticker_joins_funding_and_open_interest(bare: Settings) -> None:
    at = time.time_ns() + 60 * S
    funding = Funding(*FEED, "0.0001", "60000.5", "60001", None, at, at, predicted_rate="0.0002", last_price="60002")
    interest = OpenInterest(*FEED, "12.5", None, None, at, at)
    publish(bare, funding, interest)  # the topics exist
    with serving(bare, Source(bare)) as url, streamed(url, "derivative_ticker") as socket:
        found = until(socket, bare, funding, interest, count=2)
    stated = {"fundingRate": 0.0001, "predictedFundingRate": 0.0002, "lastPrice": 60002, "openInterest": 12.5}
    assert {name: found[-1][name] for name in stated} == stated


def test_what_cannot_be_streamed_closes_with_the_reason(bare: Settings) -> None:
    with (
        serving(bare, Source(bare)) as url,
        streamed(url, "candles") as socket,
        pytest.raises(ConnectionClosedError, match="no data type 'candles'"),
    ):
        socket.recv(timeout=60)


def test_raw_frames_are_replayed_as_they_came(bare: Settings) -> None:
    now = time.time_ns()
    frames = [b'{"s":"BTCUSDT","e":"trade","p":"1.50"}', b"pong", b"[1,\n2]"]
    publish(bare, *(RawFrame("binance", "binance-1", n + 1, now + n, frame) for n, frame in enumerate(frames)))
    publish(bare, RawFrame("binance", "binance-1", 1, now + 9, b"{}"), RawFrame("okx", "okx-1", 1, now, b"{}"))
    span = {"from": time_of(now - 60 * S).isoformat(), "to": datetime.fromtimestamp(now // S + 60, UTC).isoformat()}
    asked_for = {"exchange": "binance", **span}
    with serving(bare, Source(bare)) as url:
        found = lines(url, asked_for, "replay")
        trades = lines(url, {**asked_for, "filters": [{"channel": "trade", "symbols": ["btcusdt"]}]}, "replay")
        with pytest.raises(HTTPError) as refused:
            lines(url, {**asked_for, "filters": [{"channel": "candles"}]}, "replay")
        with urlopen(f"{url}/replay?{asked({**asked_for, 'withDisconnects': True})}", timeout=60) as answer:
            whole = answer.read().splitlines()
    assert [line["message"] for line in found] == [{"s": "BTCUSDT", "e": "trade", "p": "1.50"}, "pong", [1, 2], {}]
    assert found[0]["localTimestamp"].startswith(f"{datetime.fromtimestamp(now // S, UTC):%Y-%m-%dT%H:%M:%S}")
    assert trades == found[:1]
    assert json.load(refused.value)["message"].startswith("no channel 'candles' of binance; there are bookTicker,")
    assert [place for place, line in enumerate(whole) if not line] == [3]  # where the connection was opened again
