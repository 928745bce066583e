"""The live side of Crypto.com: what is asked for and when, how it is answered, what a lost book costs."""

from typing import Any

import msgspec
import pytest

from mdplatform.core.clock import MS, SECOND
from mdplatform.core.errors import ConfigError
from mdplatform.core.events import DeadLetter, FeedStatus
from mdplatform.core.session import ConnectionPlan, Output, Reconnect, Send, Session, Subscribing
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venues import venue

CRYPTOCOM = venue("cryptocom")
T = 1_790_000_000_000  # ms
NOW = T * MS
FUTURE = Instrument(
    exchange="cryptocom",
    venue_symbol="BTCUSD-261225",
    base="BTC",
    quote="USD",
    kind=Kind.FUTURE,
    settle="USD",
    expiry="20261225",
)
SHOWN = ("book.BTCUSD-PERP.50", "trade.BTCUSD-PERP", "funding.BTCUSD-PERP", "mark.BTCUSD-PERP", "index.BTCUSD-INDEX")


def plans(*symbols: str, channels: tuple[str, ...] = ()) -> list[ConnectionPlan]:
    known = CRYPTOCOM.known_instruments()
    known.add(FUTURE)
    return CRYPTOCOM.plan_connections(known.select(symbols), channels)


def asking(*symbols: str, channels: tuple[str, ...] = ()) -> tuple[Session, list[dict[str, Any]]]:
    """A connection a second after it was opened, and what it asked for."""
    (line,) = plans(*symbols, channels=channels)
    session = line.session
    assert not sent(session.connected("c1", NOW))
    return session, sent(session.tick(NOW + SECOND))


def sent(outputs: list[Output]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(output.frame) for output in outputs if isinstance(output, Send)]


def topics(requests: list[dict[str, Any]]) -> list[str]:
    return [topic for request in requests for topic in request["params"]["channels"]]


def give(session: Session, second: float, **message: Any) -> list[Output]:
    return session.receive(msgspec.json.encode(message), NOW + int(second * SECOND))


def push(
    session: Session, second: float, topic: str, channel: str, row: dict[str, Any], number: int = -1
) -> list[Output]:
    names = {"instrument_name": topic.split(".")[1], "subscription": topic, "channel": channel}
    return give(session, second, id=number, method="subscribe", code=0, result={**names, "data": [row]})


def change(session: Session, second: float, pu: int, u: int) -> list[Output]:
    row = {"update": {"bids": [["99", "1", "1"]], "asks": []}, "t": T, "tt": T, "u": u, "pu": pu}
    return push(session, second, SHOWN[0], "book.update", row)


def snapshot(session: Session, second: float, u: int) -> list[Output]:
    row = {"bids": [["100", "1", "1"]], "asks": [["101", "1", "1"]], "t": T, "tt": T, "u": u}
    return push(session, second, SHOWN[0], "book", row)


def held(session: Session) -> int:
    assert isinstance(session, Subscribing)
    return session.progress().held


def states(outputs: list[Output], channel: str) -> list[tuple[str, str]]:
    found = [o for o in outputs if isinstance(o, FeedStatus) and o.channel == channel and o.ended_ns is None]
    return [(status.state, status.cause) for status in found]


def test_nothing_is_asked_for_in_the_first_second() -> None:
    (line,) = plans("BTC-USD")
    assert not sent(line.session.connected("c1", NOW))
    assert not sent(line.session.tick(NOW + SECOND - MS))
    assert sent(line.session.tick(NOW + SECOND))


def test_books_are_asked_for_as_changes_each_10_ms_and_all_else_as_it_is() -> None:
    _, (request,) = asking("BTC-USD", channels=("book",))
    how = {"book_subscription_type": "SNAPSHOT_AND_UPDATE", "book_update_frequency": 10}
    assert request == {"id": 1, "method": "subscribe", "params": {"channels": ["book.BTC_USD.50"], **how}}
    _, (request,) = asking("BTC-USD", channels=("trade",))
    assert request["params"] == {"channels": ["trade.BTC_USD"]}


def test_a_channel_is_asked_for_where_the_instrument_has_it_and_an_index_once() -> None:
    _, requests = asking("BTC-USD", "BTC-USD-PERP", "BTC-USD-20261225")
    wanted = topics(requests)
    assert len(wanted) == len(set(wanted))
    assert set(wanted) == {
        *SHOWN,
        "book.BTC_USD.50",
        "trade.BTC_USD",
        "book.BTCUSD-261225.50",
        "trade.BTCUSD-261225",
        "mark.BTCUSD-261225",
    }


def test_what_an_instrument_does_not_have_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(ConfigError, match="cryptocom has no funding of BTC-USD"):
        plans("BTC-USD", channels=("funding",))


def test_no_connection_has_more_channels_than_the_venue_takes() -> None:
    rows = [Instrument(exchange="cryptocom", venue_symbol=f"C{n}_USD", base=f"C{n}", quote="USD") for n in range(450)]
    asked = []
    for line in CRYPTOCOM.plan_connections(Instruments("cryptocom", rows), (), 20):
        requests, session = [], line.session
        session.connected("c1", NOW)
        for second in range(1, 6):
            requests += sent(session.tick(NOW + second * SECOND))
        asked.append(len(topics(requests)))
    assert sum(asked) == 900
    assert max(asked) <= 400


def test_a_book_is_confirmed_by_its_reply_and_all_else_by_its_first_message() -> None:
    session, requests = asking("BTC-USD-PERP", channels=("book", "mark"))
    numbers = {topic: request["id"] for request in requests for topic in request["params"]["channels"]}
    give(session, 1.1, id=numbers["book.BTCUSD-PERP.50"], method="subscribe", code=0, channel="book.BTCUSD-PERP.50")
    assert held(session) == 1
    row = {"v": "86176.3", "t": T}
    push(session, 1.2, "mark.BTCUSD-PERP", "mark", row, numbers["mark.BTCUSD-PERP"])
    assert held(session) == 2
    assert not [o for o in session.tick(NOW + 15 * SECOND) if isinstance(o, Reconnect)]


def test_an_index_is_the_price_of_every_contract_on_it() -> None:
    session, _ = asking("BTC-USD", "BTC-USD-PERP", "BTC-USD-20261225", channels=())
    out = push(session, 2, "index.BTCUSD-INDEX", "index", {"v": "86178.17", "t": T})
    assert {(o.symbol, o.index_price) for o in out if hasattr(o, "index_price")} == {
        ("BTC-USD-PERP", "86178.17"),
        ("BTC-USD-20261225", "86178.17"),
    }


def test_a_heartbeat_is_answered_with_its_number() -> None:
    session, _ = asking("BTC-USD")
    out = give(session, 2, id=1790000001578, method="public/heartbeat", code=0)
    assert sent(out) == [{"id": 1790000001578, "method": "public/respond-heartbeat"}]


def test_a_refused_channel_is_down_and_costs_no_other() -> None:
    session, requests = asking("BTC-USD", "ETH-USD", channels=("book",))
    (request,) = requests
    out = give(
        session,
        1.1,
        id=request["id"],
        method="subscribe",
        code=40003,
        channel="book.ETH_USD.50",
        message="Unknown symbol",
    )
    out += give(session, 1.1, id=request["id"], method="subscribe", code=0, channel="book.BTC_USD.50")
    assert [(o.symbol, o.state, o.cause) for o in out if isinstance(o, FeedStatus) and o.ended_ns is None] == [
        ("ETH-USD", "down", "refused")
    ]
    assert [o.error for o in out if isinstance(o, DeadLetter)] == [
        "code 40003: Unknown symbol; asked for: book.ETH_USD.50"
    ]
    assert not sent(session.tick(NOW + 6 * SECOND))


def test_too_many_requests_refuse_nothing() -> None:
    session, (request,) = asking("BTC-USD", channels=("book",))
    out = give(session, 1.1, id=request["id"], method="subscribe", code=42901, message="TOO_MANY_REQUESTS")
    assert not states(out, "book")
    out = session.tick(NOW + 12 * SECOND)
    assert topics(sent(out)) == ["book.BTC_USD.50"] or any(isinstance(o, Reconnect) for o in out)


def test_a_lost_book_is_unsubscribed_first_as_a_second_subscription_brings_no_snapshot() -> None:
    session, (request,) = asking("BTC-USD-PERP", channels=("book",))
    give(session, 1.1, id=request["id"], method="subscribe", code=0, channel=SHOWN[0])
    snapshot(session, 2, 500)
    change(session, 2.1, 500, 600)
    out = change(session, 70, 700, 800)
    assert states(out, "book") == [("gap", "sequence_gap")]
    assert [(request["method"], topics([request])) for request in sent(out)] == [
        ("unsubscribe", [SHOWN[0]]),
        ("subscribe", [SHOWN[0]]),
    ]
    first, second = sent(out)
    give(session, 70.1, id=first["id"], method="unsubscribe", code=0)
    give(session, 70.2, id=second["id"], method="subscribe", code=0, channel=SHOWN[0])
    assert states(snapshot(session, 71, 900), "book") == [("valid", "snapshot")]


def test_a_connection_without_heartbeats_is_given_up() -> None:
    session, _ = asking("BTC-USD", channels=("book",))
    give(session, 1.1, id=1, method="subscribe", code=0, channel="book.BTC_USD.50")
    give(session, 20, id=1790000020000, method="public/heartbeat", code=0)
    assert not [o for o in session.tick(NOW + 50 * SECOND) if isinstance(o, Reconnect)]
    assert [o for o in session.tick(NOW + 66 * SECOND) if isinstance(o, Reconnect)] == [Reconnect("silent")]
