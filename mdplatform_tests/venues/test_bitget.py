"""The live side of Bitget: what is sent, asked for and given up, and when."""

from typing import Any

import msgspec
import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import ConfigError
from mdplatform.core.events import Book, DeadLetter, FeedStatus, Liquidation
from mdplatform.core.session import ConnectionPlan, Output, Reconnect, Send, Session
from mdplatform.core.symbols import Instruments
from mdplatform.venues import venue

BITGET = venue("bitget")


def lines(*symbols: str, channels: tuple[str, ...] = ()) -> list[ConnectionPlan]:
    return BITGET.plan_connections(BITGET.known_instruments().select(symbols or ("BTC-USDT",)), channels)


def connected(*symbols: str, channels: tuple[str, ...] = ()) -> Session:
    (line,) = lines(*symbols, channels=channels)
    line.session.connected("c1", 0)
    return line.session


def asked(outputs: list[Output]) -> list[tuple[str, str]]:
    """(verb, topic and symbol) of everything subscribed or unsubscribed."""
    requests = [msgspec.json.decode(o.frame) for o in outputs if isinstance(o, Send) and o.frame != b"ping"]
    return [(r["op"], f"{arg['topic']} {arg.get('symbol', '')}".strip()) for r in requests for arg in r["args"]]


def books(outputs: list[Output]) -> list[int]:
    return [output.sequence for output in outputs if isinstance(output, Book)]


def book(seq: int, pseq: int, symbol: str = "BTCUSDT", action: str = "update") -> bytes:
    row = {"a": [["11", "1"]], "b": [["10", "1"]], "seq": seq, "pseq": pseq, "ts": "1790000000000"}
    arg = {"instType": "spot", "topic": "books", "symbol": symbol}
    return msgspec.json.encode({"data": [row], "arg": arg, "action": action, "ts": 1790000000001})


def reply(topic: str, symbol: str | None, category: str = "spot", **more: Any) -> bytes:
    arg = {"instType": category, "topic": topic} | ({} if symbol is None else {"symbol": symbol})
    return msgspec.json.encode({"event": "subscribe", "arg": arg} | more)


def test_a_category_has_a_socket_of_its_own() -> None:
    spot, usdt, coin = lines("BTC-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")
    assert {line.ws_url + line.url_path for line in (spot, usdt, coin)} == {"wss://ws.bitget.com/v3/ws/public"}
    assert asked(spot.session.connected("c", 0)) == [
        ("subscribe", "books BTCUSDT"),
        ("subscribe", "publicTrade BTCUSDT"),
    ]
    assert asked(usdt.session.connected("c", 0)) == [
        ("subscribe", "books BTCUSDT"),
        ("subscribe", "publicTrade BTCUSDT"),
        ("subscribe", "liquidation"),
        ("subscribe", "ticker BTCUSDT"),
    ]
    (send,) = [o for o in coin.session.connected("c", 0) if isinstance(o, Send)]
    assert {arg["instType"] for arg in msgspec.json.decode(send.frame)["args"]} == {"coin-futures"}


def test_a_connection_takes_fewer_than_fifty_channels_and_few_messages() -> None:
    opened = BITGET.plan_connections(BITGET.known_instruments(), ())
    for line in opened:
        outputs = line.session.connected("c", 0)
        assert len(asked(outputs)) < 50
        assert len([output for output in outputs if isinstance(output, Send)]) <= 4
    assert len(opened) > 4


def test_spot_has_neither_funding_nor_liquidations() -> None:
    with pytest.raises(ConfigError, match="bitget has no liquidation, ticker of spot: BTC-USDT"):
        lines("BTC-USDT", channels=("liquidations", "funding"))


def test_a_lost_book_alone_is_resubscribed() -> None:
    opened = connected("BTC-USDT", "ETH-USDT")
    for symbol in ("BTCUSDT", "ETHUSDT"):
        opened.receive(reply("books", symbol), 1)
        assert books(opened.receive(book(5, 0, symbol, "snapshot"), 1)) == [5]
    outputs = opened.receive(book(9, 8), 2)
    assert asked(outputs) == [("unsubscribe", "books BTCUSDT"), ("subscribe", "books BTCUSDT")]
    opened.receive(reply("books", "BTCUSDT", event="unsubscribe"), 2)
    assert [o.symbol for o in outputs if isinstance(o, FeedStatus) and o.state == "gap"] == ["BTC-USDT"]
    assert asked(opened.receive(book(10, 9), 3)) == []
    assert books(opened.receive(book(7, 5, "ETHUSDT"), 4)) == [7]
    assert books(opened.receive(book(20, 0, action="snapshot"), 5)) == [20]


def test_a_snapshot_that_does_not_come_is_asked_for_again_later() -> None:
    opened = connected()
    opened.receive(reply("books", "BTCUSDT"), 1)
    opened.receive(reply("publicTrade", "BTCUSDT"), 1)
    opened.receive(book(5, 0, action="snapshot"), 1)
    assert asked(opened.receive(book(9, 8), 2))
    opened.receive(reply("books", "BTCUSDT", event="unsubscribe"), 3)
    opened.receive(reply("books", "BTCUSDT"), 3)
    assert asked(opened.tick(9 * SECOND)) == []
    assert asked(opened.tick(11 * SECOND)) == [("unsubscribe", "books BTCUSDT"), ("subscribe", "books BTCUSDT")]


@pytest.mark.parametrize("pseq", [4, 5])
def test_the_first_update_may_reach_across_the_snapshot(pseq: int) -> None:
    opened = connected()
    opened.receive(book(5, 0, action="snapshot"), 1)
    assert books(opened.receive(book(9, pseq), 2)) == [9]


def test_a_later_update_may_not_reach_back() -> None:
    opened = connected()
    opened.receive(book(5, 0, action="snapshot"), 1)
    opened.receive(book(9, 5), 2)
    assert books(opened.receive(book(12, 8), 3)) == []


def test_an_acknowledged_channel_of_trades_is_valid() -> None:
    opened = connected("BTC-USDT-PERP", "ETH-USDT-PERP", channels=("trades", "liquidations"))
    states = [
        (o.symbol, o.channel)
        for o in opened.receive(reply("liquidation", None, "usdt-futures"), 1)
        if isinstance(o, FeedStatus) and o.state == "valid"
    ]
    assert states == [("BTC-USDT-PERP", "liquidations"), ("ETH-USDT-PERP", "liquidations")]
    states = [
        (o.symbol, o.channel)
        for o in opened.receive(reply("publicTrade", "ETHUSDT", "usdt-futures"), 1)
        if isinstance(o, FeedStatus) and o.state == "valid"
    ]
    assert states == [("ETH-USDT-PERP", "trades")]


def test_one_refused_symbol_does_no_harm_to_the_others() -> None:
    opened = connected("BTC-USDT", "ETH-USDT")
    error = msgspec.json.decode(reply("books", "ETHUSDT")) | {"event": "error", "code": 30001, "msg": "doesn't exist"}
    *outputs, letter = opened.receive(msgspec.json.encode(error), 1)
    assert isinstance(letter, DeadLetter)
    (status,) = [o for o in outputs if isinstance(o, FeedStatus) and o.ended_ns is None]
    assert (status.symbol, status.channel, status.state, status.cause) == ("ETH-USDT", "book", "down", "refused")
    assert letter.error == "code 30001: doesn't exist; asked for: books ETHUSDT"
    for topic, symbol in (("books", "BTCUSDT"), ("publicTrade", "BTCUSDT"), ("publicTrade", "ETHUSDT")):
        opened.receive(reply(topic, symbol), 2)
    outputs = opened.tick(11 * SECOND)
    assert not [output for output in outputs if isinstance(output, Reconnect)]
    assert ("subscribe", "books ETHUSDT") not in asked(outputs)


def test_a_subscription_that_nobody_answers_is_given_up() -> None:
    assert Reconnect("subscribe_timeout") in connected().tick(11 * SECOND)


def test_coin_futures_are_asked_for_by_the_name_in_the_list() -> None:
    row = {"symbol": "BTCUSD_CM", "category": "COIN-FUTURES", "baseCoin": "BTC", "quoteCoin": "USD"}
    body = msgspec.json.encode({"code": "00000", "data": [{**row, "symbolType": "perpetual"}]})
    (line,) = BITGET.plan_connections(Instruments("bitget", BITGET.parse_instruments(body).instruments), ("book",))
    assert asked(line.session.connected("c", 0)) == [("subscribe", "books BTCUSD_CM")]


def test_liquidations_of_symbols_that_are_not_taken_are_only_counted() -> None:
    opened = connected("BTC-USDT-PERP")
    rows = [
        {"symbol": symbol, "side": "buy", "price": "100", "amount": "50", "ts": "1790000000000"}
        for symbol in ("ETHUSDT", "BTCUSDT")
    ]
    arg = {"instType": "usdt-futures", "topic": "liquidation"}
    outputs = opened.receive(msgspec.json.encode({"data": rows, "arg": arg, "action": "update", "ts": 1}), 1)
    assert [(o.symbol, o.size) for o in outputs if isinstance(o, Liquidation)] == [("BTC-USDT-PERP", "0.5")]
    assert opened.ignored["liquidation_of_another_symbol"] == 1


def test_a_plain_ping_goes_out_and_silence_ends_the_connection() -> None:
    opened = connected()
    for topic in ("books", "publicTrade"):
        opened.receive(reply(topic, "BTCUSDT"), 1)
    opened.receive(book(5, 0, action="snapshot"), 1)
    assert Send(b"ping") not in opened.tick(19 * SECOND)
    assert Send(b"ping") in opened.tick(20 * SECOND)
    assert opened.receive(b"pong", 20 * SECOND) == []
    assert Reconnect("silent") not in opened.tick(70 * SECOND)
    assert Reconnect("silent") in opened.tick(71 * SECOND)
