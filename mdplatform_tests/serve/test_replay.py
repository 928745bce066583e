"""What was recorded is replayed by the protocol of tardis-machine: merged, in order, with what is computed of it."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest
from clickhouse_connect.driver.client import Client
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from mdplatform.core.errors import ConfigError
from mdplatform.core.events import Trade
from mdplatform.core.settings import Settings
from mdplatform.export.source import Source
from mdplatform.read.changes import time_of
from mdplatform.read.sampled import books_at
from mdplatform.serve.messages import iso
from mdplatform.serve.server import ReplayServer
from mdplatform_tests.export.conftest import START, Call, Market
from mdplatform_tests.serve.conftest import asked, lines, messages, serving
from mdplatform_tests.warehouse.rows import HOUR, after, put_status, put_trades

SPAN = {"from": "2024-08-08T23:00:00Z", "to": "2024-08-09T00:00:00Z"}
SPOT = {"exchange": "binance", "symbols": ["BTC-USDT"], **SPAN}
PERP = {"exchange": "binance-futures", "symbols": ["BTC-USDT-PERP"], **SPAN}


def test_several_venues_come_in_order_of_receipt(market: Market, replay_url: str) -> None:
    types = {"dataTypes": ["trade", "book_change"]}
    found = lines(replay_url, [{**SPOT, **types}, {**PERP, **types}])
    local = [message["localTimestamp"] for message in found]
    assert local == sorted(local)
    assert {(m["exchange"], m["type"]) for m in found} == {
        (exchange, kind) for exchange in ("binance", "binance-futures") for kind in types["dataTypes"]
    }
    for (venue, symbol), exchange in (
        (("binance", "BTC-USDT"), "binance"),
        (("binance-usdm", "BTC-USDT-PERP"), "binance-futures"),
    ):
        trades = {e.id: e for e in market.events[venue, symbol] if isinstance(e, Trade)}
        given = [m for m in found if (m["exchange"], m["type"]) == (exchange, "trade")]
        assert len(given) == len(trades)
        for message in given[:100]:
            trade = trades[message["id"]]
            assert (message["price"], message["amount"]) == (float(trade.price), float(trade.size))
            assert (message["side"], message["symbol"]) == (trade.side, symbol)
            assert (message["timestamp"], message["localTimestamp"]) == (iso(trade.venue_ns), iso(trade.received_ns))


def test_changes_give_the_book(market: Market, replay_url: str) -> None:
    found = lines(replay_url, {**SPOT, "dataTypes": ["book_change"]})
    assert [message["isSnapshot"] for message in found[:2]] == [True, False]
    sides: dict[str, dict[float, float]] = {}
    for message in found:
        if message["isSnapshot"]:
            sides = {"bids": {}, "asks": {}}
        for name, side in sides.items():
            side.update({level["price"]: level["amount"] for level in message[name]})
    at = time_of(market.changes(("binance", "BTC-USDT"))[-1].received_ns + 1_000)
    (book,) = books_at("binance", "BTC-USDT", [at], at, at + timedelta(seconds=1), 100, settings=market.settings)
    assert [level for level in sorted(sides["bids"].items(), reverse=True) if level[1]][:100] == book.bids
    assert [level for level in sorted(sides["asks"].items()) if level[1]][:100] == book.asks


def test_a_socket_gives_the_same_messages_and_closes(replay_url: str) -> None:
    options = [{**SPOT, "dataTypes": ["trade"]}, {**PERP, "dataTypes": ["trade_bar_1s", "book_ticker"]}]
    assert messages(replay_url, options) == lines(replay_url, options)


def test_messages_of_a_socket_are_not_compressed(replay_url: str) -> None:
    with connect(
        f"{replay_url.replace('http', 'ws', 1)}/ws-replay-normalized?{asked(SPOT)}", open_timeout=60
    ) as socket:
        assert socket.response is not None
        assert "Sec-WebSocket-Extensions" not in socket.response.headers


def test_the_archive_gives_the_same_messages(market: Market, replay_url: str) -> None:
    options = {**SPOT, "dataTypes": ["trade", "book_snapshot_10_100ms"]}
    with serving(market.settings, market.source("archive")) as url:
        assert lines(url, options) == lines(replay_url, options)


def test_snapshots_are_taken_when_an_interval_has_passed(market: Market, replay_url: str) -> None:
    found = lines(replay_url, {**SPOT, "dataTypes": ["book_snapshot_5_1s"]})
    seconds = [message["timestamp"][:19] for message in found]
    assert seconds == sorted(set(seconds))
    assert len(seconds) >= 30
    first = found[0]
    assert (first["type"], first["name"], first["depth"], first["interval"]) == (
        "book_snapshot",
        "book_snapshot_5_1s",
        5,
        1000,
    )
    for message in found[:10]:
        change = max(
            (c for c in market.changes(("binance", "BTC-USDT")) if iso(c.venue_ns) <= message["timestamp"]),
            key=lambda c: c.received_ns,
        )
        at = time_of(change.received_ns + 1_000)
        (book,) = books_at("binance", "BTC-USDT", [at], at, at + timedelta(seconds=1), 5, settings=market.settings)
        assert [(level["price"], level["amount"]) for level in message["bids"]] == book.bids


def test_bars_are_those_of_the_trades(market: Market, replay_url: str) -> None:
    found = lines(replay_url, {**PERP, "dataTypes": ["trade_bar_1s"]})
    by_second: dict[int, list[Trade]] = {}
    trades = {e.id: e for e in market.events["binance-usdm", "BTC-USDT-PERP"] if isinstance(e, Trade)}
    for trade in trades.values():
        by_second.setdefault(trade.venue_ns // 10**9, []).append(trade)
    assert len(found) == len(by_second) - 1  # the last one is not over
    for bar, second in zip(found, sorted(by_second), strict=False):
        inside = sorted(by_second[second], key=lambda trade: int(trade.id))
        assert (bar["open"], bar["close"]) == (float(inside[0].price), float(inside[-1].price))
        assert (bar["trades"], bar["kind"], bar["interval"]) == (len(inside), "time", 1000)
        assert bar["volume"] == pytest.approx(sum(float(trade.size) for trade in inside))
        assert bar["timestamp"] == iso((second + 1) * 10**9)


def test_an_unproven_feed_is_a_disconnect(warehouse: Client, empty: Settings) -> None:
    put_status(warehouse, "valid", after(0), after(10), channel="trades")
    put_status(warehouse, "gap", after(10), after(20), channel="trades", cause="lost")
    put_status(warehouse, "valid", after(20), after(60), channel="trades")
    put_trades(warehouse, {"at": after(5), "id": "1"}, {"at": after(25), "id": "2"})
    span = {"from": HOUR.isoformat(), "to": (HOUR + timedelta(minutes=1)).isoformat()}
    options = {"exchange": "binance", "symbols": ["BTC-USDT"], "dataTypes": ["trade"], **span}
    with serving(empty, Source(empty)) as url:
        quiet, found = lines(url, options), lines(url, {**options, "withDisconnectMessages": True})
    assert [message["type"] for message in quiet] == ["trade", "trade"]
    assert [message["type"] for message in found] == ["trade", "disconnect", "trade"]
    assert found[1] == {
        **{"type": "disconnect", "exchange": "binance", "symbols": ["BTC-USDT"]},
        "localTimestamp": "2024-08-08T22:00:10.000000Z",
    }


def test_an_hour_that_the_archive_lacks_is_a_disconnect(market: Market) -> None:
    source = dataclasses.replace(market.source("archive"), partial=True)
    span = {"from": SPAN["from"], "to": "2024-08-09T02:00:00Z"}
    with serving(market.settings, source) as url:
        found = lines(url, {**SPOT, **span, "dataTypes": ["trade"], "withDisconnectMessages": True})
    assert found[-1]["type"] == "disconnect"
    assert found[-1]["localTimestamp"].startswith("2024-08-09T01:00:00")


def test_without_symbols_all_of_the_exchange_are_replayed(market: Market, replay_url: str) -> None:
    named = lines(replay_url, {**PERP, "dataTypes": ["trade", "book_change"]})
    unnamed = {name: value for name, value in PERP.items() if name != "symbols"}
    assert lines(replay_url, {**unnamed, "dataTypes": ["trade", "book_change"]}) == named
    with serving(market.settings, market.source("archive")) as url:
        assert lines(url, {**unnamed, "symbols": [], "dataTypes": ["trade"]}) == [
            m for m in named if m["type"] == "trade"
        ]


def test_a_derivative_ticker_states_open_interest_too(market: Market, replay_url: str) -> None:
    span = {"from": "2024-08-08T22:00:00Z", "to": "2024-08-08T23:00:00Z"}
    found = lines(replay_url, {"exchange": "okex-swap", "dataTypes": ["derivative_ticker"], **span})
    assert {message["symbol"] for message in found} == {"ETH-USDT-PERP"}
    assert found[-1]["openInterest"] == pytest.approx(1000 + 18 / 7)
    assert found[-1]["markPrice"] == 60000.5


def test_the_venues_own_names_are_understood(warehouse: Client, empty: Settings) -> None:
    listing = {
        **{"exchange": "binance", "symbol": "BTC-USDT", "venue_symbol": "BTCUSDT", "base": "BTC", "quote": "USDT"},
        **{"kind": "spot", "version": 1, "first_seen_at": START, "last_seen_at": START},
    }
    warehouse.insert("md_instruments_store", [list(listing.values())], column_names=list(listing))
    put_trades(warehouse, {"at": after(5), "id": "1"})
    span = {"from": HOUR.isoformat(), "to": (HOUR + timedelta(minutes=1)).isoformat()}
    with serving(empty, Source(empty)) as url:
        (found,) = lines(url, {"exchange": "binance", "symbols": ["BTCUSDT"], "dataTypes": ["trade"], **span})
    assert (found["symbol"], found["exchange"]) == ("BTCUSDT", "binance")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("no object", "options must be an object"),
        ([], "options must be 1 to 50 objects"),
        ({**SPOT, "dataTypes": ["trade"], "exchange": "nowhere"}, "no exchange 'nowhere'"),
        ({**SPOT, "dataTypes": ["candles"]}, "no data type 'candles'"),
        ({**SPOT, "dataTypes": ["trade_bar_0s"]}, "no data type 'trade_bar_0s'"),
        ({**SPOT, "dataTypes": []}, "name 1 to 20 dataTypes"),
        ({**SPOT, "dataTypes": ["liquidation"], "symbols": []}, "0 symbols of binance are wanted"),
        ({**SPOT, "dataTypes": ["trade"], "symbols": ["NOTHING"]}, "no instrument 'NOTHING' of binance"),
        ({**SPOT, "dataTypes": ["trade"], "from": "yesterday"}, "'from' must be a time"),
        ({**SPOT, "dataTypes": ["trade"], "to": SPAN["from"]}, "the range is empty"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_line(replay_url: str, options: object, said: str) -> None:
    with pytest.raises(HTTPError) as refused:
        lines(replay_url, options)
    assert refused.value.code == 400
    assert said in json.load(refused.value)["message"]
    with pytest.raises(ConnectionClosedError) as closed:
        messages(replay_url, options)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011
    assert said[:60] in closed.value.rcvd.reason


@pytest.fixture
def locked(market: Market) -> Iterator[str]:
    settings = dataclasses.replace(market.settings, serve_token="only for friends")
    with serving(settings, market.source("clickhouse")) as url:
        yield url


def status(url: str, headers: dict[str, str], query: str = "") -> int:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request("GET", f"/replay-normalized?{asked({**SPOT, 'dataTypes': ['trade']})}{query}", headers=headers)
    found = connection.getresponse().status
    connection.close()
    return found


def test_a_token_is_asked_for(locked: str) -> None:
    assert status(locked, {}) == 401
    assert status(locked, {"Authorization": "Bearer wrong"}) == 401
    assert status(locked, {"Authorization": "Bearer only for friends"}) == 200
    assert status(locked, {}, "&token=only%20for%20friends") == 200
    with pytest.raises(InvalidStatus):
        connect(f"{locked.replace('http', 'ws', 1)}/ws-replay-normalized?{asked(SPOT)}")


def test_a_token_in_an_address_is_not_logged(locked: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with connect(f"{locked.replace('http', 'ws', 1)}/ws-replay-normalized?{asked(SPOT)}&token=only%20for%20friends"):
        pass
    assert "friends" not in caplog.text


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_pages_of_others_get_nothing(replay_url: str, headers: dict[str, str]) -> None:
    assert status(replay_url, headers) == 403


def test_beyond_loopback_there_must_be_a_token(market: Market) -> None:
    with pytest.raises(ConfigError, match="needs MDPLATFORM_SERVE_TOKEN"):
        ReplayServer(market.settings, market.source("clickhouse"), "0.0.0.0")


def test_a_public_client_of_the_protocol_reads_us(market: Market, replay_url: str, reader: Call) -> None:
    """The client of nautilus_trader, unchanged."""
    trades = {e.id for e in market.events["binance-usdm", "BTC-USDT-PERP"] if isinstance(e, Trade)}
    arguments: list[Any] = [replay_url.replace("http", "ws", 1), "binance-futures", "BTC-USDT-PERP"]
    found = reader("read_replay", *arguments, "2024-08-08", "2024-08-09")
    assert found["trades"] == len(trades)
    assert found["deltas"] > 0


def test_the_folder_of_the_archive_is_left_alone(market: Market) -> None:
    before = sorted(path.as_posix() for path in Path(market.archive).rglob("*"))
    with serving(market.settings, market.source("archive")) as url:
        lines(url, {**SPOT, "dataTypes": ["trade"]})
    assert sorted(path.as_posix() for path in Path(market.archive).rglob("*")) == before
