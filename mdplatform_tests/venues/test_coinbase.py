"""The live side of Coinbase: which feed is opened, what is sent, and how a lost book is renewed."""

from typing import Any

import msgspec
import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import ConfigError
from mdplatform.core.events import Book, DeadLetter, FeedStatus, Trade
from mdplatform.core.session import Fetch, HasSocketPath, Output, Progress, Reconnect, Send, Session
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.recordings.tape import tape_line
from mdplatform.venues import venue
from mdplatform_tests.venues.replaying import of, replay

COINBASE = venue("coinbase")
TIME = "2026-09-21T14:13:20.1Z"


def lines(*symbols: str, channels: tuple[str, ...] = ()) -> list[Any]:
    return COINBASE.plan_connections(COINBASE.known_instruments().select(symbols or ("BTC-USD",)), channels)


EXCHANGE = ("level2_batch", "matches", "heartbeat")


def connected(*symbols: str, channels: tuple[str, ...] = EXCHANGE) -> Session:
    """A session whose subscriptions stand."""
    (line,) = lines(*symbols, channels=channels)
    grant(line.session, line.session.connected("c1", 0), 0)
    session: Session = line.session
    return session


def grant(session: Session, outputs: list[Output], at_ns: int) -> list[dict[str, Any]]:
    """All requests, when the venue does what it is asked for, in either feed's way."""
    asked = sent(outputs)
    for request in asked:
        products = request.get("product_ids", ["heartbeats"])
        is_held = request["type"] == "subscribe"
        if "channels" in request:
            listed = [{"name": name, "product_ids": products} for name in request["channels"] if is_held]
            said = give(session, at_ns, type="subscriptions", channels=listed)
        else:
            events = [{"subscriptions": {request["channel"]: products} if is_held else {}}]
            message = {"channel": "subscriptions", "timestamp": TIME, "sequence_num": next_number(session)}
            said = give(session, at_ns, **message, events=events)
        asked += sent(said)
        if request is asked[-1]:
            asked += sent(session.tick(at_ns + SECOND))  # not more than so many leave within a second
    return asked


def next_number(session: Session) -> int:
    last: int | None = session._last  # type: ignore[attr-defined]
    return 0 if last is None else last + 1


def sent(outputs: list[Output]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(output.frame) for output in outputs if isinstance(output, Send)]


def states(outputs: list[Output], channel: str = "book") -> list[str]:
    return [o.state for o in outputs if isinstance(o, FeedStatus) and o.channel == channel]


def give(session: Session, at_ns: int, **message: Any) -> list[Output]:
    return session.receive(msgspec.json.encode(message), at_ns)


def snapshot(session: Session, at_ns: int, product: str = "BTC-USD") -> list[Output]:
    return give(session, at_ns, type="snapshot", product_id=product, bids=[["10", "1"]], asks=[["11", "1"]])


def test_books_come_by_advanced_trade_and_trades_by_exchange_unless_chosen_otherwise() -> None:
    matches, books = lines()
    assert [line.ws_url for line in (matches, books)] == [
        *("wss://ws-feed.exchange.coinbase.com", "wss://advanced-trade-ws.coinbase.com"),
    ]
    assert grant(matches.session, matches.session.connected("c", 0), 0) == [
        {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": ["matches", "heartbeat"]}
    ]
    assert grant(books.session, books.session.connected("c", 0), 0) == [
        {"type": "subscribe", "channel": "heartbeats"},
        {"type": "subscribe", "channel": "level2", "product_ids": ["BTC-USD"]},
    ]


def test_the_exchange_feed_carries_books_where_they_are_chosen() -> None:
    (line,) = lines(channels=EXCHANGE)
    assert grant(line.session, line.session.connected("c", 0), 0) == [
        {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": ["level2_batch", "matches", "heartbeat"]}
    ]


def test_advanced_channels_open_the_other_feed_with_heartbeats_first() -> None:
    (line,) = lines("BTC-USD", "ETH-USD", channels=("l2_data", "market_trades"))
    assert line.ws_url == "wss://advanced-trade-ws.coinbase.com"
    products = ["BTC-USD", "ETH-USD"]
    assert grant(line.session, line.session.connected("c", 0), 0) == [
        {"type": "subscribe", "channel": "heartbeats"},
        {"type": "subscribe", "channel": "level2", "product_ids": products},
        {"type": "subscribe", "channel": "market_trades", "product_ids": products},
    ]


def test_both_feeds_may_be_opened_but_not_two_books() -> None:
    assert len(lines(channels=("level2_batch", "market_trades"))) == 2
    with pytest.raises(ConfigError, match="the same book"):
        lines(channels=("level2_batch", "l2_data"))


def alias_of(symbol: str) -> Instrument:
    base = symbol.removesuffix("-USD")
    return Instrument(exchange="coinbase", venue_symbol=f"{symbol}C", base=base, quote="USDC", alias_of=symbol)


def book(session: Session, product: str, number: int) -> list[Output]:
    rows = [("bid", "10"), ("offer", "11")]
    updates = [{"side": side, "event_time": TIME, "price_level": price, "new_quantity": "1"} for side, price in rows]
    event = {"type": "snapshot", "product_id": product, "updates": updates}
    return give(session, number + 1, channel="l2_data", timestamp=TIME, sequence_num=number, events=[event])


def test_an_alias_takes_what_is_sent_by_the_name_of_the_other() -> None:
    (line,) = COINBASE.plan_connections(Instruments("coinbase", [alias_of("A-USD")]), ("l2_data",))
    grant(line.session, line.session.connected("c", 0), 0)
    books = [output for output in book(line.session, "A-USD", 2) if isinstance(output, Book)]
    assert [output.symbol for output in books] == ["A-USDC"]


def test_an_alias_beside_its_product_is_refused_and_costs_nobody_else() -> None:
    product = Instrument(exchange="coinbase", venue_symbol="A-USD", base="A", quote="USD")
    (line,) = COINBASE.plan_connections(Instruments("coinbase", [alias_of("A-USD"), product]), ("l2_data",))
    opened = line.session.connected("c", 0)
    down = [(o.symbol, o.cause) for o in opened if isinstance(o, FeedStatus) and o.state == "down"]
    assert down == [("A-USDC", "refused")]
    grant(line.session, opened, 0)
    assert line.session.progress() == Progress(3, 2, {"A-USDC": "the venue sends it as A-USD"})
    assert [o.symbol for o in book(line.session, "A-USD", 2) if isinstance(o, Book)] == ["A-USD"]


@pytest.mark.parametrize("channels", [EXCHANGE, ("l2_data", "market_trades")])
@pytest.mark.parametrize("reason", ["GONE-USD is not a valid product", "no"])
def test_a_bad_product_refuses_its_request_and_no_other_product_goes_without(
    channels: tuple[str, ...], reason: str
) -> None:
    gone = Instrument(exchange="coinbase", venue_symbol="GONE-USD", base="GONE", quote="USD")
    rows = [*COINBASE.known_instruments().select(("BTC-USD", "ETH-USD", "SOL-USD")), gone]
    (line,) = COINBASE.plan_connections(Instruments("coinbase", rows), channels)
    held, refused = granted(line.session, "GONE-USD", reason)
    wanted = {(channel, row.venue_symbol) for channel in channels for row in rows[:3]}
    assert {topic for topic in held if topic[1] != "heartbeats"} == wanted
    assert {status.cause for status in refused if status.symbol == "GONE-USD"} >= {"refused"}
    assert not [status for status in refused if status.symbol != "GONE-USD"]


_WIRE = {"l2_data": "level2"}
_OURS = {wire: name for name, wire in _WIRE.items()}


def topics(request: dict[str, Any]) -> list[tuple[str, str]]:
    """(channel, product) of all that a request of either feed asks for."""
    products = request.get("product_ids", ["heartbeats"])
    channels = request.get("channels", [{"name": request.get("channel"), "product_ids": products}])
    rows = [row if isinstance(row, dict) else {"name": row, "product_ids": products} for row in channels]
    return [(_OURS.get(row["name"], row["name"]), product) for row in rows for product in row["product_ids"]]


def granted(session: Session, bad: str, reason: str) -> tuple[set[tuple[str, str]], list[FeedStatus]]:
    """(what is subscribed in the end, the statuses of what is down) where a venue refuses whole requests for one."""
    held: dict[tuple[str, str], None] = {}
    outputs, said, now_ns = session.connected("c", 0), list[Output](), 0
    while now_ns < 5 * SECOND:
        said += outputs
        requests, outputs = sent(outputs), []
        for request in requests:
            wanted = topics(request)
            if any(product == bad for _, product in wanted):
                why = {"message": "Failed to subscribe", "reason": reason}
                outputs += give(
                    session, now_ns, type="error", **(why if "channels" in request else {"message": reason})
                )
                continue
            held |= dict.fromkeys(wanted)
            listed = {_WIRE.get(name, name): [p for n, p in held if n == name] for name, _ in held}
            if "channels" in request:
                rows = [{"name": name, "product_ids": products} for name, products in listed.items()]
                outputs += give(session, now_ns, type="subscriptions", channels=rows)
            else:
                message = {"channel": "subscriptions", "timestamp": TIME, "sequence_num": next_number(session)}
                outputs += give(session, now_ns, **message, events=[{"subscriptions": listed}])
        now_ns += SECOND // 5
        outputs += session.tick(now_ns)
    return set(held), [o for o in said if isinstance(o, FeedStatus) and o.state == "down" and o.ended_ns is None]


def test_a_refused_update_renews_the_book_it_names_and_no_other() -> None:
    session = connected("BTC-USD", "ETH-USD")
    snapshot(session, 1)
    snapshot(session, 2, "ETH-USD")
    changes = [["buy", "10.5", "x"]]
    outputs = give(session, 3, type="l2update", product_id="BTC-USD", changes=changes, time=TIME)
    channels = ["level2_batch"]
    assert grant(session, outputs, 3) == [
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
    requests = grant(session, outputs, 3)
    assert [frame["product_ids"] for frame in requests] == [["BTC-USD", "ETH-USD"]] * 2


def test_a_refused_match_leaves_the_book_alone() -> None:
    session = connected()
    snapshot(session, 1)
    assert states(give(session, 2, type="match", product_id="BTC-USD")) == []


def test_a_snapshot_that_does_not_come_is_asked_for_again_ever_more_slowly() -> None:
    session = connected()
    times = []
    for second in range(1, 100):
        session.receive(b'{"type":"status"}', second * SECOND)
        outputs = session.tick(second * SECOND)
        grant(session, outputs, second * SECOND)
        if sent(outputs):
            times.append(second)
    assert times == [10, 30, 70]


def test_a_missing_sequence_number_renews_every_book_of_the_connection() -> None:
    session = connected("BTC-USD", "ETH-USD", channels=("l2_data",))
    for number, product in enumerate(("BTC-USD", "ETH-USD"), start=2):
        book(session, product, number)
    outputs = give(session, 5 * SECOND, channel="heartbeats", timestamp=TIME, sequence_num=6, events=[])
    requests = grant(session, outputs, 5 * SECOND)
    assert [frame["type"] for frame in requests] == ["unsubscribe", "subscribe"]
    assert requests[1] == {"type": "subscribe", "channel": "level2", "product_ids": ["BTC-USD", "ETH-USD"]}
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


@pytest.mark.parametrize("channels", [EXCHANGE, ("l2_data",)])
def test_a_book_that_falls_silent_is_stale_whatever_heartbeats_say(channels: tuple[str, ...]) -> None:
    session = connected(channels=channels)
    number = 2
    for tenth in range(10, 100):
        at_ns = tenth * SECOND // 10
        if channels == EXCHANGE:
            snapshot(session, at_ns)
        else:
            assert "valid" in states(book(session, "BTC-USD", number)) or number > 2
            number += 1
    said = []
    for second in range(10, 40):
        if channels == EXCHANGE:
            give(session, second * SECOND, type="heartbeat", product_id="BTC-USD", last_trade_id=5, sequence=1)
        else:
            give(session, second * SECOND, channel="heartbeats", timestamp=TIME, sequence_num=number, events=[])
            number += 1
        said += states(session.tick(second * SECOND))
    assert "stale" in said
    assert "silent" not in said


def test_a_silent_connection_is_given_up() -> None:
    session = connected()
    assert Reconnect("silent") not in session.tick(19 * SECOND)
    assert Reconnect("silent") in session.tick(21 * SECOND)


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


@pytest.mark.parametrize("channels", [EXCHANGE, ("l2_data",)])
def test_an_update_while_its_book_is_not_whole_is_counted(channels: tuple[str, ...]) -> None:
    session = connected(channels=channels)
    if channels == EXCHANGE:
        give(session, 1, type="l2update", product_id="BTC-USD", changes=[["buy", "10", "1"]], time=TIME)
    else:
        updates = [{"side": "bid", "event_time": TIME, "price_level": "10", "new_quantity": "1"}]
        event = {"type": "update", "product_id": "BTC-USD", "updates": updates}
        give(session, 1, channel="l2_data", timestamp=TIME, sequence_num=next_number(session), events=[event])
    assert session.ignored["update_without_book"] == 1


def test_a_venue_that_is_busy_refuses_no_product() -> None:
    (line,) = lines(channels=EXCHANGE)
    line.session.connected("c", 0)
    out = give(line.session, SECOND, type="error", message="Rate limit exceeded")
    assert Reconnect("venue_busy") in out
    assert line.session.progress().refused == {}


def test_a_tape_of_several_connections_counts_the_messages_of_each() -> None:
    sessions = [line.session for line in COINBASE.plan_connections(many(150), ("l2_data",))]
    paths = [session.path for session in sessions if isinstance(session, HasSocketPath)]
    updates = [{"side": "bid", "event_time": TIME, "price_level": "10", "new_quantity": "1"}]
    lines, at_ns = list[bytes](), 1_790_000_000 * SECOND
    for number in range(4):
        for path, product in zip(paths, ("BTC-USD", "ETH-USD"), strict=True):
            event = {"type": "update" if number else "snapshot", "product_id": product, "updates": updates}
            message = {"channel": "l2_data", "timestamp": TIME, "sequence_num": number, "events": [event]}
            lines.append(tape_line(at_ns + len(lines), msgspec.json.encode(message), path=path))
    messages, _ = replay("coinbase", lines)
    assert len(of(messages, "book")) == 8
    assert {message["state"] for message in of(messages, "status")} == {"valid"}


def many(count: int) -> Instruments:
    rows = [Instrument(exchange="coinbase", venue_symbol=f"S{n}-USD", base=f"S{n}", quote="USD") for n in range(count)]
    return Instruments("coinbase", rows)
