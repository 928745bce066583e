"""The live side of Gate: what is sent, asked for and given up, and when."""

from typing import Any

import msgspec
import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import ConfigError, FrameError
from mdplatform.core.events import Book, DeadLetter, FeedStatus
from mdplatform.core.session import ConnectionPlan, Fetch, Output, Reconnect, Request, Send, Session
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venues import venue

GATE = venue("gate")
SNAPSHOT = {"id": 105, "bids": [["10.0", "1"]], "asks": [["11.0", "1"]]}


def lines(*symbols: str, channels: tuple[str, ...] = ()) -> list[ConnectionPlan]:
    return GATE.plan_connections(GATE.known_instruments().select(symbols or ("BTC-USDT",)), channels)


def connected(*symbols: str, channels: tuple[str, ...] = ()) -> Session:
    (line,) = lines(*symbols, channels=channels)
    line.session.connected("c1", 0)
    return line.session


def sent(outputs: list[Output]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(output.frame) for output in outputs if isinstance(output, Send)]


def requests(outputs: list[Output]) -> list[Request]:
    return [output.request for output in outputs if isinstance(output, Fetch)]


def books(outputs: list[Output]) -> list[int]:
    return [output.sequence for output in outputs if isinstance(output, Book)]


def update(first: int, last: int, symbol: str = "BTC_USDT", **more: Any) -> bytes:
    result = {"t": 1790000000000, "s": symbol, "U": first, "u": last, "b": [], "a": [["12.0", "1"]], **more}
    push = {"time": 1790000000, "channel": "spot.order_book_update", "event": "update", "result": result}
    return msgspec.json.encode(push)


def reply(number: int | None, channel: str, error: dict[str, Any] | None = None) -> bytes:
    asked = {} if number is None else {"id": number}
    return msgspec.json.encode({"time": 1, **asked, "channel": channel, "event": "subscribe", "error": error})


def acknowledged(session: Session, outputs: list[Output], now_ns: int = 0) -> list[dict[str, Any]]:
    """Every request that leaves, each acknowledged at once."""
    asked, waiting = [], sent(outputs)
    while waiting:
        for request in waiting:
            asked.append(request)
            answer = {**request, "error": None, "result": {"status": "success"}}
            outputs = [*outputs, *session.receive(msgspec.json.encode(answer), now_ns)]
        now_ns += SECOND
        waiting = [r for r in sent([*outputs[-1:], *session.tick(now_ns)]) if r not in asked and "id" in r]
        outputs = []
    return asked


def test_a_pair_and_a_contract_of_one_name_go_to_sockets_of_their_own() -> None:
    spot, futures = lines("BTC-USDT", "BTC-USDT-PERP")
    assert spot.ws_url + spot.url_path == "wss://api.gateio.ws/ws/v4/"
    assert futures.ws_url + futures.url_path == "wss://fx-ws.gateio.ws/v4/ws/usdt"
    assert {(r["channel"], *r["payload"]) for r in sent(spot.session.connected("c", 7 * SECOND))} == {
        ("spot.obu", "ob.BTC_USDT.400"),
        ("spot.trades", "BTC_USDT"),
    }
    assert {(r["channel"], *r["payload"]) for r in sent(futures.session.connected("c", 7 * SECOND))} == {
        ("futures.obu", "ob.BTC_USDT.400"),
        ("futures.trades", "BTC_USDT"),
        ("futures.public_liquidates", "BTC_USDT"),
        ("futures.tickers", "BTC_USDT"),
    }


def test_contracts_are_sought_where_what_they_settle_in_is_traded() -> None:
    row = {"type": "direct", "quanto_multiplier": "0.0001", "underlying": "BTC_USDT", "expire_time": 1790323200}
    dated = msgspec.json.encode([{**row, "name": "BTC_USDT_20260925"}])
    inverse = msgspec.json.encode([{"type": "inverse", "quanto_multiplier": "0", "name": "BTC_USD"}])
    known = GATE.known_instruments()
    for instrument in GATE.parse_instruments(dated).instruments + GATE.parse_instruments(inverse).instruments:
        known.add(instrument)
    opened = GATE.plan_connections(known.select(["BTC-USDT-20260925", "BTC-USD-PERP"]), ("order_book_update",))
    assert [line.url_path for line in opened] == ["/v4/ws/delivery/usdt", "/v4/ws/btc"]
    push = {"t": 1790000000000, "U": 1, "u": 2, "b": [], "a": []}
    for line, symbol, path in zip(
        opened,
        ("BTC_USDT_20260925", "BTC_USD"),
        ("/api/v4/delivery/usdt/order_book?contract=", "/api/v4/futures/btc/order_book?contract="),
        strict=True,
    ):
        frame = {"time": 1, "channel": "futures.order_book_update", "event": "update", "result": {**push, "s": symbol}}
        (request,) = requests(line.session.receive(msgspec.json.encode(frame), 1))
        assert request.path == f"{path}{symbol}&limit=100&with_id=true"


def test_an_order_book_is_asked_for_one_symbol_a_request_and_other_channels_for_all() -> None:
    (line,) = lines("BTC-USDT", "ETH-USDT")
    asked = sent(line.session.connected("c", 7 * SECOND))
    assert [request["payload"] for request in asked] == [
        ["ob.BTC_USDT.400"],
        ["ob.ETH_USDT.400"],
        ["BTC_USDT", "ETH_USDT"],
    ]
    assert [request["id"] for request in asked] == [1, 2, 3]
    assert {request["time"] for request in asked} == {7}


def test_many_symbols_take_several_connections() -> None:
    known = GATE.known_instruments()
    opened = GATE.plan_connections(known, ())
    assert len(opened) > 2
    names = [
        f"{line.url_path} {request['payload'][0]}"
        for line in opened
        for request in acknowledged(line.session, line.session.connected("c", 0))
    ]
    assert len({name for name in names if "ob." in name}) == len(known)


def test_spot_has_neither_funding_nor_liquidations() -> None:
    with pytest.raises(ConfigError, match=r"gate has no public_liquidates, tickers of spot: BTC-USDT"):
        lines("BTC-USDT", channels=("liquidations", "funding"))


def test_a_snapshot_is_asked_for_at_the_first_update_and_joined() -> None:
    opened = connected(channels=("order_book_update",))
    (request,) = requests(opened.receive(update(100, 103), 1))
    assert request.path == "/api/v4/spot/order_book?currency_pair=BTC_USDT&limit=100&with_id=true"
    assert requests(opened.receive(update(104, 107), 2)) == []
    assert books(opened.answer(request, 200, msgspec.json.encode(SNAPSHOT), 3)) == [107]


@pytest.mark.parametrize(("status", "body"), [(429, b"busy"), (200, b'{"bids":[]}')])
def test_a_failed_request_is_tried_again_later(status: int, body: bytes) -> None:
    opened = connected(channels=("order_book_update",))
    (request,) = requests(opened.receive(update(100, 107), 0))
    opened.answer(request, status, body, 1)
    assert requests(opened.tick(SECOND // 4)) == []
    assert requests(opened.tick(SECOND)) == [request]


def test_a_gap_concerns_one_symbol_and_asks_for_one_snapshot() -> None:
    opened = connected("BTC-USDT", "ETH-USDT", channels=("order_book_update",))
    for symbol in ("BTC_USDT", "ETH_USDT"):
        (request,) = requests(opened.receive(update(100, 107, symbol), 1))
        opened.answer(request, 200, msgspec.json.encode(SNAPSHOT), 2)
    outputs = opened.receive(update(110, 111), 3)
    assert [request.symbol for request in requests(outputs)] == ["BTC-USDT"]
    assert [(o.symbol, o.state, o.missed) for o in outputs if isinstance(o, FeedStatus)][-1] == ("BTC-USDT", "gap", 2)
    assert books(opened.receive(update(108, 108, "ETH_USDT"), 4)) == [108]


def stream(last: int, first: int | None = None, symbol: str = "BTC_USDT", **more: Any) -> bytes:
    result = {"t": 1790000000000, "s": f"ob.{symbol}.400", "u": last, **more}
    result |= {"full": True} if first is None else {"U": first}
    push = {"channel": "spot.obu", "result": result, "time_ms": 1790000000001, "event": "update"}
    return msgspec.json.encode(push)


WHOLE = {"b": [["10.0", "1"]], "a": [["11.0", "1"]]}


def test_a_stream_begins_with_its_book_and_asks_for_nothing_by_rest() -> None:
    opened = connected()
    outputs = opened.receive(stream(100, **WHOLE), 1) + opened.receive(stream(107, 101, a=[["11.0", "2"]]), 2)
    assert books(outputs) == [100, 107]
    assert requests(outputs) == []


def test_a_stream_that_lost_an_update_is_resubscribed_and_no_other() -> None:
    opened = connected("BTC-USDT", "ETH-USDT")
    for number, channel in ((1, "spot.obu"), (2, "spot.obu"), (3, "spot.trades")):
        opened.receive(reply(number, channel), 1)
    opened.receive(stream(100, **WHOLE), 1)
    opened.receive(stream(100, symbol="ETH_USDT", **WHOLE), 1)
    outputs = opened.receive(stream(107, 103), 2)
    assert [(o.symbol, o.state, o.missed) for o in outputs if isinstance(o, FeedStatus)][-1] == ("BTC-USDT", "gap", 2)
    assert [(r["event"], r["payload"]) for r in sent(outputs)] == [
        ("unsubscribe", ["ob.BTC_USDT.400"]),
        ("subscribe", ["ob.BTC_USDT.400"]),
    ]
    assert books(opened.receive(stream(101, 101, symbol="ETH_USDT"), 3)) == [101]
    assert books(opened.receive(stream(120, **WHOLE), 4)) == [120]


def test_an_end_that_is_refused_is_counted_and_the_beginning_follows() -> None:
    opened = connected("BTC-USDT", channels=("obu",))
    opened.receive(reply(1, "spot.obu"), 1)
    opened.receive(stream(100, **WHOLE), 1)
    ended, begun = sent(opened.receive(stream(107, 103), 2))
    refusal = {**ended, "error": {"code": 2, "message": "unknown currency pair BTC_USDT"}}
    assert not [o for o in opened.receive(msgspec.json.encode(refusal), 3) if isinstance(o, DeadLetter)]
    assert opened.ignored["unsubscribe_refused"] == 1
    opened.receive(reply(begun["id"], "spot.obu"), 4)
    assert books(opened.receive(stream(120, **WHOLE), 5)) == [120]


def test_dated_contracts_take_updates_and_a_snapshot() -> None:
    row = {"type": "direct", "quanto_multiplier": "0.0001", "underlying": "BTC_USDT", "expire_time": 1790323200}
    (dated,) = GATE.parse_instruments(msgspec.json.encode([{**row, "name": "BTC_USDT_20260925"}])).instruments
    (line,) = GATE.plan_connections(Instruments("gate", [dated]), ("book",))
    assert [(r["channel"], r["payload"]) for r in sent(line.session.connected("c", 0))] == [
        ("futures.order_book_update", ["BTC_USDT_20260925", "100ms", "100"])
    ]


def test_contracts_of_usd1_have_a_socket_of_their_own() -> None:
    (listed,) = GATE.parse_instruments(
        b'[{"name":"BTC_USD1","type":"direct","quanto_multiplier":"0.0001"}]'
    ).instruments
    assert (listed.symbol, listed.settle) == ("BTC-USD1-PERP", "USD1")
    (line,) = GATE.plan_connections(Instruments("gate", [listed]))
    assert line.ws_url + line.url_path == "wss://fx-ws.gateio.ws/v4/ws/usd1"
    assert "/api/v4/futures/usd1/contracts" in [request.path for request in GATE.instruments_requests()]


def test_a_full_book_needs_no_snapshot_and_ends_the_wait_for_one() -> None:
    opened = connected(channels=("order_book_update",))
    (request,) = requests(opened.receive(update(100, 103), 1))
    assert books(opened.receive(update(90, 104, full=True), 2)) == [104]
    assert books(opened.answer(request, 200, msgspec.json.encode(SNAPSHOT), 3)) == []
    assert books(opened.receive(update(105, 105), 4)) == [105]


def test_an_acknowledged_channel_of_trades_is_valid() -> None:
    opened = connected("BTC-USDT", channels=("trades",))
    states = [o.state for o in opened.receive(reply(1, "spot.trades"), 1) if isinstance(o, FeedStatus)]
    assert states == ["resync", "valid"]
    assert not [output for output in opened.tick(12 * SECOND) if isinstance(output, Reconnect)]


def test_an_acknowledgement_without_id_is_the_oldest_of_its_channel() -> None:
    opened = connected("BTC-USDT", "ETH-USDT")
    for channel in ("spot.obu", "spot.obu", "spot.trades"):
        opened.receive(reply(None, channel), 9 * SECOND)
    assert not [output for output in opened.tick(11 * SECOND) if isinstance(output, Reconnect)]


def test_a_subscription_that_nobody_answers_is_given_up() -> None:
    opened = connected()
    assert Reconnect("subscribe_timeout") in opened.tick(12 * SECOND)


def test_one_that_is_not_answered_is_asked_for_again_and_costs_no_other() -> None:
    opened = connected(channels=("bbo", "trades"))
    opened.receive(reply(1, "spot.book_ticker"), SECOND)
    asked = [request for request in sent(opened.tick(12 * SECOND)) if "id" in request]
    assert [(request["channel"], request["payload"]) for request in asked] == [("spot.trades", ["BTC_USDT"])]


def test_what_is_subscribed_already_is_no_refusal() -> None:
    opened = connected("BTC-USDT", channels=("obu",))
    outputs = opened.receive(reply(1, "spot.obu", {"code": 2, "message": "Alert sub ob.BTC_USDT.400"}), 1)
    assert not [output for output in outputs if isinstance(output, DeadLetter | FeedStatus)]


def test_one_unknown_symbol_does_not_cost_the_others() -> None:
    opened = connected("BTC-USDT", "ETH-USDT", channels=("trades",))
    outputs = opened.receive(reply(1, "spot.trades", {"code": 2, "message": "unknown currency pair ETH_USDT"}), 1)
    (letter,) = [output for output in outputs if isinstance(output, DeadLetter)]
    assert letter.error == "trades: code 2: unknown currency pair ETH_USDT; asked for: ETH_USDT"
    statuses = [o for o in outputs if isinstance(o, FeedStatus) and o.ended_ns is None]
    assert [(o.symbol, o.channel, o.state, o.cause) for o in statuses] == [("ETH-USDT", "trades", "down", "refused")]
    assert [(r["id"], r["payload"]) for r in sent(outputs)] == [(2, ["BTC_USDT"])]
    assert [o.symbol for o in opened.receive(reply(2, "spot.trades"), 3) if isinstance(o, FeedStatus)][-1] == "BTC-USDT"


def test_a_refusal_that_names_no_symbol_is_narrowed_down() -> None:
    opened = connected("BTC-USDT", "ETH-USDT", "SOL-USDT", "XRP-USDT", channels=("trades",))
    bad = {"code": 2, "message": "invalid argument"}
    outputs, refused = opened.receive(reply(1, "spot.trades", bad), 1), []
    while requests_left := sent(outputs):
        outputs = []
        for request in requests_left:
            answer = reply(request["id"], "spot.trades", bad if "ETH_USDT" in request["payload"] else None)
            outputs += opened.receive(answer, 2)
        refused += [o for o in outputs if isinstance(o, FeedStatus) and o.cause == "refused"]
    assert [o.symbol for o in refused] == ["ETH-USDT"]


def test_a_ping_goes_out_every_ten_seconds_and_silence_ends_the_connection() -> None:
    opened = connected(channels=("trades", "bbo"))
    for number, channel in ((1, "spot.trades"), (2, "spot.book_ticker")):
        opened.receive(reply(number, channel), 1)
    assert sent(opened.tick(9 * SECOND)) == []
    assert sent(opened.tick(10 * SECOND)) == [{"time": 10, "channel": "spot.ping"}]
    assert sent(opened.tick(11 * SECOND)) == []
    opened.receive(b'{"time":11,"channel":"spot.pong","event":"","result":null}', 11 * SECOND)
    assert not [output for output in opened.tick(41 * SECOND) if isinstance(output, Reconnect)]
    assert Reconnect("silent") in opened.tick(42 * SECOND)


def test_an_upgrade_of_the_venue_is_a_planned_renewal() -> None:
    opened = connected("BTC-USDT-PERP")
    notice = b'{"time":1,"channel":"futures.system","event":"update","result":{"type":"upgrade","msg":"soon"}}'
    assert opened.receive(notice, 1) == [Reconnect("upgrade", overlap=True)]


def test_channels_not_taken_give_no_events() -> None:
    opened = connected(channels=("trades",))
    assert opened.receive(update(1, 2), 1) == []
    assert opened.ignored["order_book_update"] == 1


def test_a_body_that_is_no_list_is_refused() -> None:
    with pytest.raises(FrameError, match="not a list"):
        GATE.parse_instruments(b'{"label":"TOO_MANY_REQUESTS"}')


@pytest.mark.parametrize(("day", "is_over"), [("20260920", True), ("20260924", False)])
def test_a_contract_that_is_refused_on_its_day_has_ended_without_an_error(day: str, is_over: bool) -> None:
    dated = Instrument(
        exchange="gate",
        venue_symbol=f"BTC_USDT_{day}",
        base="BTC",
        quote="USDT",
        kind=Kind.FUTURE,
        contract_size="0.0001",
        settle="USDT",
        expiry=day,
        category="futures",
    )
    (line,) = GATE.plan_connections(Instruments("gate", [dated]), ("trades",))
    now_ns = 1790000000 * SECOND  # 2026-09-21
    line.session.connected("c", now_ns)
    error = {"code": 2, "message": f"unknown currency pair {dated.venue_symbol}"}
    outputs = line.session.receive(reply(1, "futures.trades", error), now_ns)
    assert [o.cause for o in outputs if isinstance(o, FeedStatus)][-1] == "refused"
    assert bool([o for o in outputs if isinstance(o, DeadLetter)]) is not is_over
    assert line.session.ignored["expired_contract"] == int(is_over)
