"""The live side of Hyperliquid: what is subscribed, what keeps a connection, what a refusal costs."""

from typing import Any

import msgspec
import pytest

from mdplatform.core.clock import MS, SECOND
from mdplatform.core.errors import ConfigError
from mdplatform.core.events import Book, DeadLetter, FeedStatus, Trade
from mdplatform.core.session import ConnectionPlan, Fetch, Output, Reconnect, Send, Session, Subscribing
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venues import venue

HYPERLIQUID = venue("hyperliquid")
TIME = 1_790_000_000_000  # ms
NOW = TIME * MS
PURR = Instrument(exchange="hyperliquid", venue_symbol="PURR/USDC", base="PURR", quote="USDC")


def lines(*symbols: str, channels: tuple[str, ...] = ()) -> list[ConnectionPlan]:
    known = HYPERLIQUID.known_instruments()
    known.add(PURR)
    return HYPERLIQUID.plan_connections(known.select(symbols), channels)


def connected(*symbols: str, channels: tuple[str, ...] = ()) -> Session:
    (line,) = lines(*symbols, channels=channels)
    line.session.connected("c1", NOW)
    return line.session


def sent(outputs: list[Output]) -> list[Any]:
    return [msgspec.json.decode(output.frame) for output in outputs if isinstance(output, Send)]


def wanted(session: Session) -> int:
    progress = session.progress() if isinstance(session, Subscribing) else None
    return 0 if progress is None else progress.wanted


def states(outputs: list[Output], channel: str) -> list[str]:
    return [o.state for o in outputs if isinstance(o, FeedStatus) and o.channel == channel and o.ended_ns is None]


def give(session: Session, at_ns: int, channel: str, data: object) -> list[Output]:
    return session.receive(msgspec.json.encode({"channel": channel, "data": data}), at_ns)


def acknowledge(session: Session, kind: str, coin: str, *, fast: bool = False) -> list[Output]:
    wanted = {"type": kind, "coin": coin, "nSigFigs": None} | ({"fast": True} if fast else {})
    return give(session, NOW, "subscriptionResponse", {"method": "subscribe", "subscription": wanted})


def book(session: Session, time: int, *, fast: bool = False) -> list[Output]:
    sides = [[{"px": "100.0", "sz": "1", "n": 1}], [{"px": "101.0", "sz": "1", "n": 1}]]
    data: dict[str, Any] = {"coin": "BTC", "time": time, "levels": sides}
    return give(session, time * MS, "l2Book", data | ({"fast": True} if fast else {}))


def test_every_subscription_is_a_message_and_spot_has_no_funding() -> None:
    (line,) = lines("BTC-USD-PERP", "PURR-USDC")
    assert [frame["subscription"] for frame in sent(line.session.connected("c1", NOW))] == [
        {"type": "l2Book", "coin": "BTC", "fast": True},
        {"type": "l2Book", "coin": "BTC"},
        {"type": "trades", "coin": "BTC"},
        {"type": "activeAssetCtx", "coin": "BTC"},
        {"type": "bbo", "coin": "BTC"},
        {"type": "l2Book", "coin": "PURR/USDC", "fast": True},
        {"type": "l2Book", "coin": "PURR/USDC"},
        {"type": "trades", "coin": "PURR/USDC"},
        {"type": "bbo", "coin": "PURR/USDC"},
    ]


def test_subscriptions_are_spread_over_connections() -> None:
    rows = [Instrument(exchange="hyperliquid", venue_symbol=f"C{n}", base=f"C{n}", quote="USD") for n in range(300)]
    parts = HYPERLIQUID.plan_connections(Instruments("hyperliquid", rows), ("l2Book", "trades", "bbo"))
    for part in parts:
        part.session.connected("c", NOW)
    assert [wanted(part.session) for part in parts] == [123] * 7 + [39]


@pytest.mark.parametrize(
    ("symbols", "types"),
    [(200, ["l2Book", "l2Book", "trades", "bbo"]), (250, ["l2Book", "trades", "bbo"]), (300, ["l2Book", "trades"])],
)
def test_where_an_address_takes_too_few_subscriptions_the_sparable_ones_are_left_out(
    symbols: int, types: list[str]
) -> None:
    rows = [Instrument(exchange="hyperliquid", venue_symbol=f"C{n}", base=f"C{n}", quote="USD") for n in range(symbols)]
    parts = HYPERLIQUID.plan_connections(Instruments("hyperliquid", rows), ())
    first, *_ = [sent(part.session.connected("c", NOW)) for part in parts]
    assert [frame["subscription"]["type"] for frame in first[: len(types)]] == types
    assert first[0]["subscription"]["fast"]
    assert len(parts) <= 10
    again = HYPERLIQUID.plan_connections(Instruments("hyperliquid", rows[:20]), parts[0].channels)
    assert {frame["subscription"]["type"] for frame in sent(again[0].session.connected("c", NOW))} == set(types)


@pytest.mark.parametrize("channels", [("l2Book", "l2Book.fast"), ("l2Book", "l2Book.depth")])
def test_two_channels_that_bring_the_same_book_are_refused(channels: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="are the same book; choose one"):
        lines("BTC-USD-PERP", channels=channels)


def test_silence_of_the_fast_books_is_marked_and_the_next_deep_one_ends_it() -> None:
    session = connected("BTC-USD-PERP")
    outputs: list[Output] = []
    for time in range(TIME, TIME + 20_000, 540):
        outputs += book(session, time, fast=True)
    last = time
    for time in range(last + 100, last + 10_000, 100):
        outputs += session.tick(time * MS)
    assert states(outputs, "book") == ["valid", "stale"]
    assert states(book(session, time), "book") == ["valid"]


def test_silence_of_the_deep_books_is_marked_while_the_fast_ones_go_on() -> None:
    session = connected("BTC-USD-PERP")
    for kind, fast in (("l2Book", True), ("l2Book", False), ("trades", False), ("activeAssetCtx", False)):
        acknowledge(session, kind, "BTC", fast=fast)
    outputs: list[Output] = book(session, TIME)
    for time in range(TIME + 540, TIME + 60_000, 540):
        outputs += book(session, time, fast=True) + session.tick(time * MS)
    assert states(outputs, "depth")[:2] == ["valid", "stale"]
    assert {"type": "l2Book", "coin": "BTC"} in [frame["subscription"] for frame in sent(outputs) if len(frame) > 1]
    assert states(outputs, "book") == ["valid"]


def test_deep_books_every_five_seconds_are_no_silence() -> None:
    session = connected("BTC-USD-PERP", channels=("l2Book",))
    outputs: list[Output] = []
    for second in range(60):
        outputs += book(session, TIME + 1000 * second) if second % 5 == 0 else []
        outputs += session.tick(NOW + second * SECOND)
    assert states(outputs, "book") == ["valid"]


def test_a_book_that_is_older_or_repeated_is_counted() -> None:
    session = connected("BTC-USD-PERP")
    for time in (TIME, TIME, TIME - 500):
        book(session, time, fast=True)
    assert (session.ignored["repeated_book"], session.ignored["older_book"]) == (1, 1)


def test_more_subscriptions_than_an_address_may_hold_are_refused() -> None:
    rows = [Instrument(exchange="hyperliquid", venue_symbol=f"C{n}", base=f"C{n}", quote="USD") for n in range(334)]
    with pytest.raises(ConfigError, match="takes 1000 subscriptions from one address, not 1002"):
        HYPERLIQUID.plan_connections(Instruments("hyperliquid", rows), ())
    with pytest.raises(ConfigError, match="takes 1000 subscriptions from one address, not 1002"):
        HYPERLIQUID.plan_connections(Instruments("hyperliquid", rows), ("l2Book", "trades", "bbo"))


def test_an_open_connection_is_pinged() -> None:
    session = connected("BTC-USD-PERP")
    for kind in ("l2Book", "trades", "activeAssetCtx"):
        acknowledge(session, kind, "BTC")
    ping = {"method": "ping"}
    assert [ping in sent(session.tick(NOW + second * SECOND)) for second in (10, 20, 30, 40)] == [0, 1, 0, 1]
    session.closed("lost", NOW + 50 * SECOND)
    assert sent(session.tick(NOW + 60 * SECOND)) == []


def test_a_connection_without_any_answer_is_given_up() -> None:
    session = connected("BTC-USD-PERP", channels=("trades", "bbo"))
    assert Reconnect("subscribe_timeout") in session.tick(NOW + 11 * SECOND)


def test_one_subscription_without_an_answer_is_repeated_and_then_marked() -> None:
    session = connected("BTC-USD-PERP", channels=("trades", "bbo"))
    acknowledge(session, "trades", "BTC")
    assert sent(session.tick(NOW + 11 * SECOND)) == [
        {"method": "subscribe", "subscription": {"type": "bbo", "coin": "BTC"}}
    ]
    outputs = session.tick(NOW + 22 * SECOND)
    assert states(outputs, "bbo") == ["down"]
    assert not [output for output in outputs if isinstance(output, Reconnect)]


@pytest.mark.parametrize("text", ['Invalid subscription {"type":"l2Book","coin":"ETH"}', "Too many"])
def test_a_refused_subscription_is_a_letter_and_no_reconnect(text: str) -> None:
    session = connected("BTC-USD-PERP", "ETH-USD-PERP", channels=("l2Book",))
    acknowledge(session, "l2Book", "BTC")
    letters = [output for output in give(session, NOW, "error", text) if isinstance(output, DeadLetter)]
    assert [(letter.reason, letter.error) for letter in letters] == [("venue_error", text)]
    assert not [output for output in session.tick(NOW + 11 * SECOND) if isinstance(output, Reconnect)]


def test_a_refusal_that_names_one_coin_marks_that_one_only() -> None:
    session = connected("BTC-USD-PERP", "ETH-USD-PERP", channels=("l2Book",))
    outputs = give(session, NOW, "error", 'Invalid subscription {"type":"l2Book","coin":"ETH"}')
    assert [(o.symbol, o.state, o.cause) for o in outputs if isinstance(o, FeedStatus) and o.ended_ns is None] == [
        ("ETH-USD-PERP", "down", "refused")
    ]


def test_a_confirmed_subscription_makes_trades_valid_but_no_book() -> None:
    session = connected("BTC-USD-PERP")
    assert states(acknowledge(session, "trades", "BTC"), "trades") == ["valid"]
    assert states(acknowledge(session, "l2Book", "BTC"), "book") == []
    assert states(book(session, TIME), "book") == ["valid"]


def test_an_older_book_is_dropped_but_not_from_a_new_connection() -> None:
    session = connected("BTC-USD-PERP")
    assert any(isinstance(output, Book) for output in book(session, TIME))
    assert book(session, TIME - 500) == []
    session.closed("lost", NOW)
    session.connected("c2", NOW)
    assert any(isinstance(output, Book) for output in book(session, TIME - 500))


def test_trades_repeated_by_a_new_connection_are_taken_once() -> None:
    session = connected("BTC-USD-PERP")
    first, second = (
        {"coin": "BTC", "side": "B", "px": "1", "sz": "2", "time": TIME + n, "tid": 5, "hash": ""} for n in range(2)
    )
    give(session, NOW, "trades", [first])
    session.closed("lost", NOW)
    session.connected("c2", NOW)
    new = [o for o in give(session, NOW, "trades", [second, first]) if isinstance(o, Trade)]
    assert [trade.id for trade in new] == [f"{TIME + 1}-5"]


def test_both_lists_are_asked_for_by_post() -> None:
    bodies = [request.body for request in HYPERLIQUID.instruments_requests()]
    assert bodies == [b'{"type":"meta"}', b'{"type":"spotMeta"}', b'{"type":"allPerpMetas"}']


def test_a_pair_of_unlisted_tokens_is_refused() -> None:
    listed = HYPERLIQUID.parse_instruments(b'{"universe":[{"name":"@1","tokens":[1,0]}],"tokens":[]}')
    assert [(row.reason, row.row) for row in listed.refused] == [("wrong_shape", b'{"name":"@1","tokens":[1,0]}')]


def test_a_token_that_cannot_be_read_leaves_its_name_to_no_younger_one() -> None:
    pairs = b'{"name":"@1","tokens":[1,0]},{"name":"@2","tokens":[2,0]}'
    tokens = b'{"name":"USDC","index":0},{"name":"CAT","index":null},{"name":"CAT","index":2}'
    listed = HYPERLIQUID.parse_instruments(b'{"universe":[%s],"tokens":[%s]}' % (pairs, tokens))
    assert [(row.venue_symbol, row.symbol) for row in listed.instruments][-1] == ("@2", "CAT.2-USDC")
    assert [row.row for row in listed.refused] == [b'{"name":"CAT","index":null}', b'{"name":"@1","tokens":[1,0]}']


def test_perpetuals_are_settled_in_usdc() -> None:
    (row,) = HYPERLIQUID.parse_instruments(b'{"universe":[{"name":"BTC","szDecimals":5}]}').instruments
    assert (row.symbol, row.kind, row.settle, row.step) == ("BTC-USD-PERP", Kind.PERPETUAL, "USDC", "0.00001")


def print_row(tid: int, time: int) -> dict[str, Any]:
    return {"coin": "BTC", "side": "B", "px": "100.0", "sz": "1", "hash": "0x0", "time": time, "tid": tid}


def test_after_a_break_the_latest_trades_are_requested_and_close_the_interval() -> None:
    session = connected("BTC-USD-PERP", channels=("trades",))
    acknowledge(session, "trades", "BTC")
    give(session, NOW, "trades", [print_row(9, TIME)])
    session.closed("1006", NOW + SECOND)
    session.connected("c2", NOW + SECOND)
    acknowledge(session, "trades", "BTC")
    give(session, NOW + 2 * SECOND, "trades", [print_row(4, TIME + 900)])
    (asked,) = [o for o in session.tick(NOW + 3 * SECOND) if isinstance(o, Fetch)]
    assert msgspec.json.decode(asked.request.body or b"") == {"type": "recentTrades", "coin": "BTC"}
    rows = msgspec.json.encode(
        [print_row(4, TIME + 900), print_row(3, TIME + 500), print_row(9, TIME), print_row(1, TIME - 5)]
    )
    out = session.answer(asked.request, 200, rows, NOW + 5 * SECOND)
    assert [(o.id, o.provenance) for o in out if isinstance(o, Trade)] == [(f"{TIME + 500}-3", "rest")]
    assert [o.cause for o in out if isinstance(o, FeedStatus)] == ["1006_filled", "subscribing_filled"]


@pytest.mark.parametrize("echo", [{"fast": True}, {}])
def test_fast_books_are_acknowledged_whether_the_venue_repeats_that_they_are_fast_or_not(echo: dict[str, bool]) -> None:
    session = connected("BTC-USD-PERP", channels=("l2Book.fast", "l2Book.depth"))
    for wanted in ({"type": "l2Book", "coin": "BTC"} | echo, {"type": "l2Book", "coin": "BTC", "nSigFigs": None}):
        give(session, NOW, "subscriptionResponse", {"method": "subscribe", "subscription": wanted})
    assert isinstance(session, Subscribing)
    progress = session.progress()
    assert progress is not None
    assert (progress.wanted, progress.held) == (2, 2)


def test_what_is_subscribed_to_already_is_held_not_refused() -> None:
    session = connected("BTC-USD-PERP", channels=("l2Book.fast", "trades"))
    out = give(session, NOW, "error", 'Already subscribed: {"type":"trades","coin":"BTC"}')
    assert states(out, "trades") == ["valid"]


def test_a_coin_that_falls_silent_on_all_channels_is_marked_and_not_asked_for_again() -> None:
    session = connected("BTC-USD-PERP", channels=("l2Book.fast", "l2Book.depth", "trades"))
    for kind, fast in (("l2Book", True), ("l2Book", False), ("trades", False)):
        acknowledge(session, kind, "BTC", fast=fast)
    outputs = book(session, TIME) + book(session, TIME + 540, fast=True)
    for second in range(1, 200):
        session.receive(b'{"channel":"pong"}', NOW + second * SECOND)
        outputs += session.tick(NOW + second * SECOND)
    assert states(outputs, "book") == ["valid", "stale", "down"]
    assert states(outputs, "depth") == ["valid", "stale", "down"]
    assert not [frame for frame in sent(outputs) if frame["method"] == "subscribe"]
