"""The live side of Coinbase: which feed is opened, what is sent, and how a lost book is renewed."""

from typing import Any

import msgspec
import pytest

from mdplatform.clock import SECOND
from mdplatform.errors import ConfigError
from mdplatform.events import DeadLetter, FeedStatus, Trade
from mdplatform.session import Fetch, Output, Reconnect, Send, Session
from mdplatform.symbols import Instrument, Instruments
from mdplatform.venues import venue

COINBASE = venue("coinbase")
TIME = "2026-09-21T14:13:20.1Z"


def lines(*symbols: str, channels: tuple[str, ...] = ()) -> list[Any]:
    return COINBASE.lines(COINBASE.known_instruments().select(symbols or ("BTC-USD",)), channels)


def connected(*symbols: str, channels: tuple[str, ...] = ()) -> Session:
    (line,) = lines(*symbols, channels=channels)
    line.session.connected("c1", 0)
    session: Session = line.session
    return session


def sent(outputs: list[Output]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(output.frame) for output in outputs if isinstance(output, Send)]


def states(outputs: list[Output], channel: str = "book") -> list[str]:
    return [o.state for o in outputs if isinstance(o, FeedStatus) and o.channel == channel]


def give(session: Session, at_ns: int, **message: Any) -> list[Output]:
    return session.receive(msgspec.json.encode(message), at_ns)


def snapshot(session: Session, at_ns: int, product: str = "BTC-USD") -> list[Output]:
    return give(session, at_ns, type="snapshot", product_id=product, bids=[["10", "1"]], asks=[["11", "1"]])


def test_the_default_is_the_exchange_feed() -> None:
    (line,) = lines()
    assert line.ws_url == "wss://ws-feed.exchange.coinbase.com"
    channels = ["level2_batch", "matches", "heartbeat"]
    assert sent(line.session.connected("c", 0)) == [
        {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": channels}
    ]


def test_advanced_channels_open_the_other_feed_with_heartbeats_first() -> None:
    (line,) = lines("BTC-USD", "ETH-USD", channels=("l2_data", "market_trades"))
    assert line.ws_url == "wss://advanced-trade-ws.coinbase.com"
    products = ["BTC-USD", "ETH-USD"]
    assert sent(line.session.connected("c", 0)) == [
        {"type": "subscribe", "channel": "heartbeats"},
        {"type": "subscribe", "channel": "level2", "product_ids": products},
        {"type": "subscribe", "channel": "market_trades", "product_ids": products},
    ]


def test_both_feeds_may_be_opened_but_not_two_books() -> None:
    assert len(lines(channels=("level2_batch", "market_trades"))) == 2
    with pytest.raises(ConfigError, match="the same book"):
        lines(channels=("level2_batch", "l2_data"))


def test_an_alias_is_not_subscribed_on_advanced_trade() -> None:
    alias = Instrument(exchange="coinbase", venue_symbol="A-USDC", base="A", quote="USDC", alias_of="A-USD")
    with pytest.raises(ConfigError, match="subscribe to A-USD"):
        COINBASE.lines(Instruments("coinbase", [alias]), ("l2_data",))
    assert COINBASE.lines(Instruments("coinbase", [alias]), ())


def test_a_refused_update_renews_the_book_it_names_and_no_other() -> None:
    session = connected("BTC-USD", "ETH-USD")
    snapshot(session, 1)
    snapshot(session, 2, "ETH-USD")
    changes = [["buy", "10.5", "x"]]
    outputs = give(session, 3, type="l2update", product_id="BTC-USD", changes=changes, time=TIME)
    channels = ["level2_batch"]
    assert sent(outputs) == [
        {"type": "unsubscribe", "product_ids": ["BTC-USD"], "channels": channels},
        {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": channels},
    ]
    assert states(outputs) == ["valid", "gap"]
    assert states(snapshot(session, 4)) == ["gap", "valid"]


def test_a_refused_frame_that_names_nothing_renews_every_book() -> None:
    session = connected("BTC-USD", "ETH-USD")
    snapshot(session, 1)
    snapshot(session, 2, "ETH-USD")
    outputs = session.receive(b"\xff", 3)
    assert [frame["product_ids"] for frame in sent(outputs)] == [["BTC-USD", "ETH-USD"]] * 2


def test_a_refused_match_leaves_the_book_alone() -> None:
    session = connected()
    snapshot(session, 1)
    assert states(give(session, 2, type="match", product_id="BTC-USD")) == []


def test_a_snapshot_that_does_not_come_is_asked_for_again_ever_more_slowly() -> None:
    session = connected()
    times = []
    for second in range(1, 100):
        session.receive(b'{"type":"subscriptions","channels":[]}', second * SECOND)
        if sent(session.tick(second * SECOND)):
            times.append(second)
    assert times == [10, 30, 70]


def test_a_missing_sequence_number_renews_every_book_of_the_connection() -> None:
    session = connected("BTC-USD", "ETH-USD", channels=("l2_data",))
    updates = [{"side": "bid", "event_time": TIME, "price_level": "10", "new_quantity": "1"}]
    for number, product in enumerate(("BTC-USD", "ETH-USD")):
        event = {"type": "snapshot", "product_id": product, "updates": updates}
        give(session, number, channel="l2_data", timestamp=TIME, sequence_num=number, events=[event])
    outputs = give(session, 5, channel="heartbeats", timestamp=TIME, sequence_num=4, events=[])
    assert [frame["type"] for frame in sent(outputs)] == ["unsubscribe", "subscribe"]
    assert sent(outputs)[1] == {"type": "subscribe", "channel": "level2", "product_ids": ["BTC-USD", "ETH-USD"]}
    gaps = [(o.symbol, o.missed) for o in outputs if isinstance(o, FeedStatus) and o.state == "gap"]
    assert gaps == [("BTC-USD", 2), ("ETH-USD", 2)]


def match(session: Session, number: int, at_ns: int) -> list[Output]:
    fields = {"product_id": "BTC-USD", "trade_id": number, "price": "10", "size": "1", "side": "sell", "time": TIME}
    return give(session, at_ns, type="match", **fields)


def test_lost_trades_are_asked_for_by_rest_and_taken_oldest_first() -> None:
    session = connected()
    for number in (5, 8):
        match(session, number, SECOND)
    outputs = session.tick(2 * SECOND) + session.tick(4 * SECOND)
    (request,) = [output.request for output in outputs if isinstance(output, Fetch)]
    assert request.path == "/products/BTC-USD/trades?after=8&limit=1000"
    rows = [{"trade_id": n, "price": "10", "size": "1", "side": "buy", "time": TIME} for n in (7, 6, 5, 4)]
    trades = [o for o in session.answer(request, 200, msgspec.json.encode(rows), 5) if isinstance(o, Trade)]
    assert [(t.id, t.side, t.provenance) for t in trades] == [("6", "sell", "rest"), ("7", "sell", "rest")]


def test_a_feed_without_books_is_down_without_them() -> None:
    session = connected(channels=("matches",))
    down = [o.channel for o in session.closed("cut", SECOND) if isinstance(o, FeedStatus) and o.state == "down"]
    assert down == ["trades"]


def test_heartbeats_keep_a_quiet_book_valid_and_their_silence_ends_it() -> None:
    session = connected()
    give(session, 0, type="subscriptions", channels=[])
    snapshot(session, SECOND)
    for second in range(2, 60):
        give(session, second * SECOND, type="heartbeat", product_id="BTC-USD", last_trade_id=5, sequence=1)
        assert "stale" not in states(session.tick(second * SECOND))
    outputs = session.tick(75 * SECOND)
    assert states(outputs) == ["valid", "stale"]
    beat = give(session, 76 * SECOND, type="heartbeat", product_id="BTC-USD", last_trade_id=5, sequence=1)
    assert states(beat) == ["stale", "valid"]
    assert Reconnect("silent") in session.tick(97 * SECOND)


def test_every_channel_states_what_it_proves() -> None:
    assert all(channel.proof for channel in COINBASE.channels)


def test_a_level_of_nonsense_is_counted_and_costs_the_book_nothing() -> None:
    session = connected()
    bids, asks = [["10", "1"], ["0", "7"]], [["11", "1"], ["1" * 30, "1"], [None, "1"]]
    outputs = give(session, 1, type="snapshot", product_id="BTC-USD", bids=bids, asks=asks)
    assert states(outputs)[-1] == "valid"
    (letter,) = [output for output in outputs if isinstance(output, DeadLetter)]
    assert (letter.reason, session.ignored["bad_level"]) == ("bad_level", 3)


def test_a_snapshot_that_is_mostly_nonsense_is_no_book() -> None:
    session = connected()
    bids, asks = [["10", "1"], ["0", "7"]], [["-1", "1"], ["1" * 30, "1"]]
    outputs = give(session, 1, type="snapshot", product_id="BTC-USD", bids=bids, asks=asks)
    assert [output.reason for output in outputs if isinstance(output, DeadLetter)] == ["bad_number"]
    assert "valid" not in states(outputs)
