"""The live side of Deribit: what is sent, when one logs in, what is asked for again, what is given up."""

from typing import Any

import msgspec
import pytest

from mdplatform.clock import SECOND
from mdplatform.errors import ConfigError
from mdplatform.events import Book, DeadLetter, FeedStatus, Liquidation, Trade
from mdplatform.session import Credentials, Discreet, Fetch, Keyed, Output, Reconnect, Send, Session
from mdplatform.symbols import Instrument, Instruments, Kind
from mdplatform.venues import venue

DERIBIT = venue("deribit")
CREDENTIALS = Credentials("the-id", "the-secret")
LOGIN = {"grant_type": "client_credentials", "client_id": "the-id", "client_secret": "the-secret"}
Frame = dict[str, Any]


def instruments(*symbols: str) -> Instruments:
    known = DERIBIT.known_instruments()
    known.add(
        Instrument(
            exchange="deribit",
            venue_symbol="BTC-25DEC26-100000-C",
            base="BTC",
            quote="USD",
            kind=Kind.OPTION,
            expiry="20261225",
            strike="100000",
            right="C",
        )
    )
    return known.select(symbols or ("BTC-USD-PERP",))


def session(
    *symbols: str, channels: tuple[str, ...] = ("book", "trades"), credentials: Credentials | None = None
) -> Session:
    facts = DERIBIT
    if credentials is not None:
        assert isinstance(facts, Keyed)
        facts = facts.with_credentials(credentials)
    (line,) = facts.lines(instruments(*symbols), channels)
    return line.session


def connected(*symbols: str, **options: Any) -> Session:
    opened = session(*symbols, **options)
    opened.connected("c1", 0)
    return opened


def calls(outputs: list[Output], method: str = "") -> list[Frame]:
    decoded = [msgspec.json.decode(output.frame) for output in outputs if isinstance(output, Send)]
    return [call for call in decoded if call["method"].endswith(method)]


def tell(opened: Session, frame: Frame, at_ns: int) -> list[Output]:
    return opened.receive(msgspec.json.encode({"jsonrpc": "2.0"} | frame), at_ns)


def confirm(opened: Session, call: Frame, at_ns: int) -> list[Output]:
    """The venue does what it is asked for."""
    result: Any = "ok"
    if "channels" in call["params"]:
        result = call["params"]["channels"]
    elif call["method"] == "public/auth":
        result = {"access_token": "token-a", "refresh_token": "token-r", "expires_in": 900, "scope": "connection"}
    elif call["method"] == "public/test":
        result = {"version": "1.2.26"}
    return tell(opened, {"id": call["id"], "result": result}, at_ns)


def refuse(opened: Session, call: Frame, code: int, message: str, at_ns: int) -> list[Output]:
    return tell(opened, {"id": call["id"], "error": {"code": code, "message": message}}, at_ns)


def change(previous: int | None, last: int, name: str = "BTC-PERPETUAL") -> Frame:
    data = {
        "type": "snapshot" if previous is None else "change",
        "timestamp": 1795255200000,
        "instrument_name": name,
        "change_id": last,
        "prev_change_id": previous,
        "bids": [["new", 64000.0, 100.0 + last]],
        "asks": [["new", 64001.0, 100.0]],
    }
    return {"method": "subscription", "params": {"channel": f"book.{name}.100ms", "data": data}}


def row(number: int) -> Frame:
    return {
        "trade_seq": number,
        "trade_id": f"id{number}",
        "timestamp": 1795255200000,
        "price": 64000.0,
        "amount": 10.0,
        "direction": "buy",
        "instrument_name": "BTC-PERPETUAL",
    }


def trades(*numbers: int) -> Frame:
    channel = "trades.BTC-PERPETUAL.100ms"
    return {"method": "subscription", "params": {"channel": channel, "data": [row(n) for n in numbers]}}


def sequences(outputs: list[Output]) -> list[int]:
    return [output.sequence for output in outputs if isinstance(output, Book)]


def states(outputs: list[Output]) -> list[tuple[str, str, str]]:
    return [(o.symbol, o.state, o.cause) for o in outputs if isinstance(o, FeedStatus) and o.ended_ns is None]


def forced(outputs: list[Output]) -> list[tuple[str, str]]:
    return [(output.id, output.side) for output in outputs if isinstance(output, Liquidation)]


def letters(outputs: list[Output]) -> list[str]:
    return [output.error for output in outputs if isinstance(output, DeadLetter)]


def test_connecting_asks_for_heartbeats_and_for_the_channels_that_each_instrument_has() -> None:
    heartbeat, subscribe = calls(
        session("BTC-USD-PERP", "BTC-USDC", "BTC-USD-20261225-100000-C", channels=()).connected("c1", 0)
    )
    assert (heartbeat["method"], heartbeat["params"]) == ("public/set_heartbeat", {"interval": 10})
    assert subscribe["method"] == "public/subscribe"
    assert subscribe["params"]["channels"] == [
        *("book.BTC-PERPETUAL.100ms", "trades.BTC-PERPETUAL.100ms", "ticker.BTC-PERPETUAL.100ms"),
        *("book.BTC_USDC.100ms", "trades.BTC_USDC.100ms"),
        *("book.BTC-25DEC26-100000-C.100ms", "trades.BTC-25DEC26-100000-C.100ms"),
        "ticker.BTC-25DEC26-100000-C.100ms",
    ]


def test_many_instruments_take_several_connections_of_one_subscription_each() -> None:
    lines = DERIBIT.lines(DERIBIT.known_instruments(), ())
    assert len(lines) > 2
    for line in lines:
        assert len(calls(line.session.connected("c", 0), "subscribe")) == 1


def test_channels_go_by_the_venues_names() -> None:
    channels = ("book.none.20.100ms", "quote", "perpetual.100ms")
    (subscribe,) = calls(session(channels=channels).connected("c1", 0), "subscribe")
    names = ["book.BTC-PERPETUAL.none.20.100ms", "quote.BTC-PERPETUAL", "perpetual.BTC-PERPETUAL.100ms"]
    assert subscribe["params"]["channels"] == names


@pytest.mark.parametrize("channel", ["book.raw", "trades.raw"])
def test_raw_channels_are_refused_without_credentials(channel: str) -> None:
    with pytest.raises(ConfigError, match=rf"{channel} of deribit needs a login: set MDPLATFORM_DERIBIT_CLIENT_ID"):
        session(channels=(channel,))


def test_with_credentials_nothing_is_subscribed_before_the_login_is_answered() -> None:
    opened = session(channels=("book.raw",), credentials=CREDENTIALS)
    _, login = calls(opened.connected("c1", 0))
    assert (login["method"], login["params"]) == ("public/auth", LOGIN)
    assert not calls(opened.tick(SECOND))
    (subscribe,) = calls(confirm(opened, login, 2 * SECOND))
    assert subscribe["params"]["channels"] == ["book.BTC-PERPETUAL.raw"]


def logged_in() -> Session:
    opened = session(credentials=CREDENTIALS)
    _, login = calls(opened.connected("c1", 0))
    (subscribe,) = calls(confirm(opened, login, 0))
    confirm(opened, subscribe, 0)
    return opened


def test_a_login_is_refreshed_before_it_ends() -> None:
    opened = logged_in()
    assert not calls(opened.tick(719 * SECOND), "auth")
    (refresh,) = calls(opened.tick(721 * SECOND), "auth")
    assert refresh["params"] == {"grant_type": "refresh_token", "refresh_token": "token-r"}
    assert not calls(opened.tick(722 * SECOND), "auth")
    confirm(opened, refresh, 722 * SECOND)
    assert not calls(opened.tick(1441 * SECOND), "auth")
    assert calls(opened.tick(1443 * SECOND), "auth")


def test_a_refresh_that_is_refused_is_followed_by_a_whole_login() -> None:
    opened = logged_in()
    (refresh,) = calls(opened.tick(721 * SECOND), "auth")
    (login,) = calls(refuse(opened, refresh, 13009, "unauthorized", 722 * SECOND), "auth")
    assert login["params"] == LOGIN


def test_a_refused_login_costs_the_raw_channels_only() -> None:
    for channel, wanted in (("book", [Send]), ("book.raw", [Reconnect])):
        opened = session(channels=(channel,), credentials=CREDENTIALS)
        _, login = calls(opened.connected("c1", 0))
        out = refuse(opened, login, 13004, "invalid_credentials", SECOND)
        assert letters(out) == ["public/auth: code 13004: invalid_credentials"]
        assert [type(output) for output in out if isinstance(output, Send | Reconnect)] == wanted


def test_what_is_secret_is_in_no_frame_that_is_kept() -> None:
    opened = session(credentials=CREDENTIALS)
    opened.connected("c1", 0)
    assert isinstance(opened, Discreet)
    answer = b'{"id":2,"result":{"access_token":"token-a","refresh_token": "token-r","expires_in":900}}'
    assert opened.shown(answer) == b'{"id":2,"result":{"access_token":"***","refresh_token": "***","expires_in":900}}'
    out = opened.receive(b'{"id":2,"result":{"access_token":"token-a","expires_in":"the-secret"', SECOND)
    (letter,) = [output for output in out if isinstance(output, DeadLetter)]
    assert letter.frame == b'{"id":2,"result":{"access_token":"***","expires_in":"***"'
    assert "secret" not in f"{CREDENTIALS}{letter.error}"


def test_a_test_request_is_answered() -> None:
    opened = connected()
    (answer,) = calls(tell(opened, {"method": "heartbeat", "params": {"type": "test_request"}}, SECOND))
    assert (answer["method"], answer["params"]) == ("public/test", {})
    assert not calls(tell(opened, {"method": "heartbeat", "params": {"type": "heartbeat"}}, SECOND))


def test_an_unanswered_call_gives_the_connection_up() -> None:
    opened = session()
    heartbeat, _ = calls(opened.connected("c1", 0))
    confirm(opened, heartbeat, SECOND)
    assert Reconnect("subscribe_timeout") in opened.tick(11 * SECOND)


def test_a_silent_connection_is_given_up() -> None:
    opened = session()
    for call in calls(opened.connected("c1", 0)):
        confirm(opened, call, 0)
    assert Reconnect("silent") not in opened.tick(24 * SECOND)
    assert Reconnect("silent") in opened.tick(26 * SECOND)


def test_a_subscription_makes_prints_valid_and_books_wait_for_their_snapshot() -> None:
    opened = session(channels=("book", "trades", "liquidations"))
    _, subscribe = calls(opened.connected("c1", 0))
    out = confirm(opened, subscribe, SECOND)
    valid = [o.channel for o in out if isinstance(o, FeedStatus) and (o.state, o.ended_ns) == ("valid", None)]
    assert valid == ["trades", "liquidations"]
    assert states(tell(opened, change(None, 100), SECOND)) == [("BTC-USD-PERP", "valid", "snapshot")]


def test_a_gap_subscribes_that_one_book_anew_and_costs_the_others_nothing() -> None:
    opened = connected("BTC-USD-PERP", "ETH-USD-PERP")
    for name in ("BTC-PERPETUAL", "ETH-PERPETUAL"):
        assert sequences(tell(opened, change(None, 100, name), SECOND)) == [100]
    out = tell(opened, change(102, 103), 2 * SECOND)
    assert states(out) == [("BTC-USD-PERP", "gap", "sequence_gap")]
    assert [(call["method"], call["params"]["channels"]) for call in calls(out)] == [
        ("public/unsubscribe", ["book.BTC-PERPETUAL.100ms"]),
        ("public/subscribe", ["book.BTC-PERPETUAL.100ms"]),
    ]
    assert sequences(tell(opened, change(103, 104), 2 * SECOND)) == []
    assert sequences(tell(opened, change(100, 105, "ETH-PERPETUAL"), 2 * SECOND)) == [105]
    assert states(tell(opened, change(None, 200), 2 * SECOND)) == [("BTC-USD-PERP", "valid", "snapshot")]
    assert sequences(tell(opened, change(200, 201), 2 * SECOND)) == [201]


def test_many_gaps_at_once_share_one_subscription() -> None:
    symbols = [row.symbol for row in DERIBIT.known_instruments() if row.kind is Kind.PERPETUAL][:50]
    names = [instruments(symbol).select([symbol]) for symbol in symbols]
    opened = connected(*symbols)
    venue_symbols = [next(iter(name)).venue_symbol for name in names]
    for name in venue_symbols:
        tell(opened, change(None, 100, name), SECOND)
    out = [output for name in venue_symbols for output in tell(opened, change(102, 103, name), 2 * SECOND)]
    assert len(calls(out, "/subscribe")) == 1
    assert not calls(opened.tick(2 * SECOND + 500_000_000))
    (rest,) = calls(opened.tick(3 * SECOND), "/subscribe")
    assert len(rest["params"]["channels"]) == 49


def test_a_channel_that_the_venue_passes_over_is_named_and_the_others_are_valid() -> None:
    opened = session("BTC-USD-PERP", "ETH-USD-PERP", channels=("trades",))
    _, subscribe = calls(opened.connected("c1", 0))
    out = tell(opened, {"id": subscribe["id"], "result": ["trades.ETH-PERPETUAL.100ms"]}, SECOND)
    assert letters(out) == ["not subscribed by the venue: trades.BTC-PERPETUAL.100ms"]
    assert states(out) == [("ETH-USD-PERP", "valid", "subscribed")]


def test_a_subscription_that_is_refused_in_whole_is_asked_for_in_halves() -> None:
    opened = session("BTC-USD-PERP", "ETH-USD-PERP", "BTC-USDC-PERP", channels=("trades",))
    _, subscribe = calls(opened.connected("c1", 0))
    assert letters(refuse(opened, subscribe, -32602, "Invalid params", SECOND)) == [
        "public/subscribe: code -32602: Invalid params; asked for: trades.BTC-PERPETUAL.100ms, "
        "trades.ETH-PERPETUAL.100ms, trades.BTC_USDC-PERPETUAL.100ms"
    ]
    asked = [call["params"]["channels"] for at in (2, 3, 4) for call in calls(opened.tick(at * SECOND))]
    assert asked == [
        ["trades.BTC-PERPETUAL.100ms"],
        ["trades.ETH-PERPETUAL.100ms", "trades.BTC_USDC-PERPETUAL.100ms"],
    ]


def test_trades_that_are_missing_are_asked_for_by_their_numbers() -> None:
    opened = connected()
    tell(opened, trades(501), SECOND)
    tell(opened, trades(504), SECOND)
    (request,) = [o.request for at in (2, 3) for o in opened.tick(at * SECOND) if isinstance(o, Fetch)]
    assert request.path == (
        "/public/get_last_trades_by_instrument?instrument_name=BTC-PERPETUAL"
        "&count=1000&sorting=asc&start_seq=502&end_seq=503"
    )
    body = msgspec.json.encode({"jsonrpc": "2.0", "result": {"trades": [row(502), row(503)], "has_more": False}})
    filled = [o for o in opened.answer(request, 200, body, 4 * SECOND) if isinstance(o, Trade)]
    assert [(trade.id, trade.provenance) for trade in filled] == [("id502", "rest"), ("id503", "rest")]


def test_flags_of_liquidation_are_polled_from_now_on_and_make_one_event_each() -> None:
    opened = session(channels=("liquidations.rest",))
    opened.connected("c1", 0)
    asked, events = [], []
    for at in (1, 61, 121):
        (request,) = [o.request for o in opened.tick(at * SECOND) if isinstance(o, Fetch)]
        asked.append(request.path.partition("BTC-PERPETUAL")[2])
        rows = [row(at) | {"liquidation": "M"}, row(at - 1), row(61) | {"liquidation": "M"}]
        body = msgspec.json.encode({"result": {"trades": rows[: 2 if at == 1 else 3], "has_more": at == 1}})
        events.append(forced(opened.answer(request, 200, body, at * SECOND)))
    assert asked == ["", "&count=1000&sorting=asc&start_seq=2", "&count=1000&sorting=asc&start_seq=62"]
    assert events == [[], [("id61", "sell")], [("id121", "sell")]]


def test_a_poll_that_fails_is_repeated_and_one_that_is_cut_short_goes_on_at_once() -> None:
    opened = session(channels=("liquidations.rest",))
    opened.connected("c1", 0)
    (first,) = [o.request for o in opened.tick(SECOND) if isinstance(o, Fetch)]
    assert opened.answer(first, 500, b"", SECOND) == []
    bodies = (msgspec.json.encode({"result": {"trades": [row(n)], "has_more": True}}) for n in (5, 6, 7))
    asked = []
    for at in (61, 121, 121):
        (request,) = [o.request for o in opened.tick(at * SECOND) if isinstance(o, Fetch)]
        asked.append(request.path.partition("PERPETUAL")[2])
        opened.answer(request, 200, next(bodies), at * SECOND)
    assert asked == ["", *(f"&count=1000&sorting=asc&start_seq={n}" for n in (6, 7))]


def test_a_new_connection_starts_from_a_new_snapshot() -> None:
    opened = connected()
    tell(opened, change(None, 100), SECOND)
    assert states(opened.closed("cut", 2 * SECOND))[0] == ("BTC-USD-PERP", "down", "cut")
    opened.connected("c2", 3 * SECOND)
    assert sequences(tell(opened, change(100, 101), 3 * SECOND)) == []
    assert sequences(tell(opened, change(None, 300), 3 * SECOND)) == [300]


def test_an_options_book_may_be_silent() -> None:
    opened = connected("BTC-USD-20261225-100000-C", "BTC-USD-PERP", channels=("book",))
    for name in ("BTC-25DEC26-100000-C", "BTC-PERPETUAL"):
        tell(opened, change(None, 100, name), SECOND)
    assert states(opened.tick(600 * SECOND)) == [("BTC-USD-PERP", "stale", "no_updates")]
