"""The live side of Deribit: what is sent, when one logs in, what is asked for again, what is given up."""

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStatus, Trade
from mdplatform.core.session import Fetch, Reconnect
from mdplatform.core.symbols import Kind
from mdplatform.recordings.tape import tape_line
from mdplatform_tests.venues.deribit_rig import (
    DERIBIT,
    calls,
    change,
    confirm,
    connected,
    forced,
    instruments,
    letters,
    refuse,
    row,
    sequences,
    session,
    states,
    tell,
    trades,
)
from mdplatform_tests.venues.replaying import of, replay


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
    lines = DERIBIT.plan_connections(DERIBIT.known_instruments(), ())
    assert len(lines) > 2
    for line in lines:
        assert len(calls(line.session.connected("c", 0), "subscribe")) == 1


def test_channels_go_by_the_venues_names() -> None:
    channels = ("book.none.20.100ms", "quote", "perpetual.100ms")
    (subscribe,) = calls(session(channels=channels).connected("c1", 0), "subscribe")
    names = ["book.BTC-PERPETUAL.none.20.100ms", "quote.BTC-PERPETUAL", "perpetual.BTC-PERPETUAL.100ms"]
    assert subscribe["params"]["channels"] == names


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


def test_a_subscription_makes_trades_valid_and_books_wait_for_their_snapshot() -> None:
    opened = session(channels=("book", "trades", "liquidations"))
    _, subscribe = calls(opened.connected("c1", 0))
    out = confirm(opened, subscribe, SECOND)
    valid = [o.channel for o in out if isinstance(o, FeedStatus) and (o.state, o.ended_ns) == ("valid", None)]
    assert valid == ["trades", "liquidations"]
    assert states(tell(opened, change(None, 100), SECOND)) == [("BTC-USD-PERP", "valid", "snapshot")]


def test_a_gap_resubscribes_that_one_book_and_costs_the_others_nothing() -> None:
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
    assert states(out) == [("ETH-USD-PERP", "valid", "subscribed"), ("BTC-USD-PERP", "down", "refused")]
    assert opened.progress().refused == {"trades.BTC-PERPETUAL.100ms": "there is no such channel"}  # type: ignore[attr-defined]


def test_a_result_without_any_channel_is_a_refusal() -> None:
    opened = session("BTC-USD-PERP", channels=("trades",))
    _, subscribe = calls(opened.connected("c1", 0))
    out = tell(opened, {"id": subscribe["id"], "result": []}, SECOND)
    assert states(out) == [("BTC-USD-PERP", "down", "refused")]


def test_a_book_that_sends_is_held_though_nothing_was_acknowledged() -> None:
    opened = connected()
    tell(opened, change(None, 100), SECOND)
    asked = calls(tell(opened, change(102, 103), 2 * SECOND))
    assert [call["method"] for call in asked] == ["public/unsubscribe", "public/subscribe"]


def test_a_subscription_that_is_refused_in_whole_is_asked_for_in_halves() -> None:
    opened = session("BTC-USD-PERP", "ETH-USD-PERP", "BTC-USDC-PERP", channels=("trades",))
    _, subscribe = calls(opened.connected("c1", 0))
    out = refuse(opened, subscribe, -32602, "Invalid params", SECOND)
    assert letters(out) == [
        "public/subscribe: code -32602: Invalid params; asked for: trades.BTC-PERPETUAL.100ms, "
        "trades.ETH-PERPETUAL.100ms, trades.BTC_USDC-PERPETUAL.100ms"
    ]
    assert [call["params"]["channels"] for call in calls(out)] == [
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


def test_what_a_poll_begins_with_gives_no_event_on_a_tape_either() -> None:
    path = "/public/get_last_trades_by_instrument?instrument_name=BTC-PERPETUAL"
    body = msgspec.json.encode({"result": {"trades": [row(7) | {"liquidation": "T"}], "has_more": True}})
    later = f"{path}&count=1000&sorting=asc&start_seq=7"
    lines = [tape_line(at * SECOND, body, request) for at, request in ((1_780_000_000, path), (1_780_000_060, later))]
    broken = tape_line(1_780_000_061 * SECOND, b'{"result":{"trades":[7]}}', path)
    messages, summary = replay("deribit", [*lines, broken])
    assert [message["received_ns"] for message in of(messages, "liquidation")] == [1_780_000_060 * SECOND]
    assert sum(summary.dead_letters.values()) == 1


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


def test_what_gives_no_event_is_counted_by_kind() -> None:
    opened = session(channels=("book", "quote"))
    opened.connected("c1", 0)
    for previous, last in ((99, 100), (None, 101), (101, 102), (101, 102)):
        tell(opened, change(previous, last), SECOND)
    empty = {"timestamp": 1795255200000, "instrument_name": "BTC-PERPETUAL"}
    empty |= dict.fromkeys(("best_bid_price", "best_bid_amount", "best_ask_price", "best_ask_amount"))
    tell(opened, {"method": "subscription", "params": {"channel": "quote.BTC-PERPETUAL", "data": empty}}, SECOND)
    assert opened.ignored == {"change_without_book": 1, "change_without_effect": 1, "empty_quote": 1}


def test_a_whole_book_that_is_repeated_is_counted() -> None:
    opened = session(channels=("book.none.20.100ms",))
    opened.connected("c1", 0)
    data = {"timestamp": 1795255200000, "instrument_name": "BTC-PERPETUAL", "change_id": 7}
    data |= {"bids": [[64000.0, 1.0]], "asks": [[64001.0, 1.0]]}
    for _ in range(2):
        channel = "book.BTC-PERPETUAL.none.20.100ms"
        tell(opened, {"method": "subscription", "params": {"channel": channel, "data": data}}, SECOND)
    assert opened.ignored == {"repeated_book": 1}


def test_a_venue_in_maintenance_refuses_no_channel() -> None:
    opened = session(channels=("trades",))
    _, subscribe = calls(opened.connected("c1", 0))
    out = refuse(opened, subscribe, 11051, "system_maintenance", SECOND)
    assert Reconnect("venue_busy") in out
    assert opened.progress().refused == {}  # type: ignore[attr-defined]


def test_a_channel_that_goes_with_its_contract_is_no_error() -> None:
    name, expired_ns = "BTC-USD-20261225-100000-C", 1_798_200_000 * SECOND  # noon of 25 December 2026
    opened = session(name, channels=("trades",))
    _, subscribe = calls(opened.connected("c1", expired_ns))
    out = tell(opened, {"id": subscribe["id"], "result": []}, expired_ns)
    assert letters(out) == []
    assert states(out) == [(name, "down", "refused")]
    assert opened.ignored["channel_of_expired"] == 1
