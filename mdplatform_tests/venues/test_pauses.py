"""Books that break again and again: how often their snapshots are asked for, on every venue, and what is said of it."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from zlib import crc32

import msgspec
import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.events import Book, FeedStatus
from mdplatform.core.session import Fetch, Output, Send, Session
from mdplatform.venuekit.pause import HELD_NS
from mdplatform.venues import venue

HOUR_NS, STEP_NS = 3600 * SECOND, SECOND // 4
MOST_SUBSCRIPTIONS = 30  # an hour, of 480 requests that OKX takes from a connection
MOST_SNAPSHOTS = 125  # by REST: at most 250 of Binance's 6000 units a minute each, which is a twelfth of the hour's

TIME = "2026-09-21T14:13:20.1Z"
CROSSING = "12.0"
Json = dict[str, Any]
Frame = Callable[[int, str], Json]


class Rig(NamedTuple):
    """A venue's frames. ``update(number, bid)``: the size 1 at this price; ``snapshot``: 1 at 10.0 and at 11.0."""

    venue: str
    symbol: str
    channels: tuple[str, ...]
    snapshot: Callable[[int], Json]
    update: Frame
    by_rest: bool = False

    def session(self) -> Session:
        facts = venue(self.venue)
        (line,) = facts.plan_connections(facts.known_instruments().select((self.symbol,)), self.channels)
        return line.session


def binance(number: int, bid: str) -> Json:
    names = {
        "e": "depthUpdate",
        "E": 1790000000000,
        "T": 1790000000000,
        "s": "BTCUSDT",
        "U": number,
        "u": number,
        "pu": number - 1,
    }
    return {"stream": "btcusdt@depth@100ms", "data": {**names, "b": [[bid, "1"]], "a": []}}


def coinm(number: int, bid: str) -> Json:
    data = binance(number, bid)["data"]
    return {"stream": "btcusd_perp@depth@100ms", "data": {**data, "s": "BTCUSD_PERP", "ps": "BTCUSD"}}


def depth(number: int) -> Json:
    return {
        "lastUpdateId": number,
        "E": 1790000000000,
        "T": 1790000000000,
        "bids": [["10.0", "1"]],
        "asks": [["11.0", "1"]],
    }


def okx(number: int, bid: str, asks: tuple[str, ...] = ()) -> Json:
    rows = {"bids": [[bid, "1", "0", "1"]], "asks": [[ask, "1", "0", "1"] for ask in asks]}
    data = {**rows, "ts": "1790000000000", "checksum": 0, "prevSeqId": -1 if asks else number - 1, "seqId": number}
    arg = {"channel": "books", "instId": "BTC-USDT"}
    return {"arg": arg, "action": "snapshot" if asks else "update", "data": [data]}


def okx_by_rest(number: int) -> Json:
    return {"code": "0", "msg": "", "data": [okx(number, "10.0", ("11.0",))["data"][0]]}


def kucoin(number: int, bid: str) -> Json:
    changes = {"bids": [[bid, "1", "1"]], "asks": []}
    data = {
        "changes": changes,
        "sequenceStart": number,
        "sequenceEnd": number,
        "symbol": "BTC-USDT",
        "time": 1790000000000,
    }
    return {"topic": "/market/level2:BTC-USDT", "type": "message", "subject": "trade.l2update", "data": data}


def kucoin_by_rest(number: int) -> Json:
    data = {"time": 1790000000000, "sequence": str(number), "bids": [["10.0", "1"]], "asks": [["11.0", "1"]]}
    return {"code": "200000", "data": data}


def gate(number: int, bid: str) -> Json:
    result = {"t": 1790000000000, "s": "BTC_USDT", "U": number, "u": number, "b": [[bid, "1"]], "a": []}
    return {"time": 1, "channel": "spot.order_book_update", "event": "update", "result": result}


def gate_by_rest(number: int) -> Json:
    return {"id": number, "bids": [["10.0", "1"]], "asks": [["11.0", "1"]]}


def stream(number: int, bid: str, asks: tuple[str, ...] = ()) -> Json:
    numbers = {"full": True, "u": number} if asks else {"U": number, "u": number}
    sides = {"b": [[bid, "1"]], "a": [[ask, "1"] for ask in asks]}
    result = {"t": 1790000000000, "s": "ob.BTC_USDT.400", **numbers, **sides}
    return {"channel": "spot.obu", "result": result, "time_ms": 1790000000000, "event": "update"}


def pushed(number: int, bid: str, asks: tuple[str, ...] = ()) -> Json:
    data = {"s": "BTC-USDT", "O": number, "C": number, "M": 1790000000000000000}
    data |= {"b": [[bid, "1"]], "a": [[ask, "1"] for ask in asks]}
    return {"T": "obu.SPOT", "dp": "increment@10ms", "t": "snapshot" if asks else "delta", "P": 1, "d": data}


def bybit(number: int, bid: str, asks: tuple[str, ...] = ()) -> Json:
    data = {"s": "BTCUSDT", "b": [[bid, "1"]], "a": [[ask, "1"] for ask in asks], "u": number + 1, "seq": number}
    return {
        "topic": "orderbook.50.BTCUSDT",
        "type": "snapshot" if asks else "delta",
        "ts": 1790000000000,
        "data": data,
        "cts": 1790000000000,
    }


def bitget(number: int, bid: str, asks: tuple[str, ...] = ()) -> Json:
    row = {
        "b": [[bid, "1"]],
        "a": [[ask, "1"] for ask in asks],
        "seq": number + 1,
        "pseq": number,
        "ts": "1790000000000",
    }
    arg = {"instType": "spot", "topic": "books", "symbol": "BTCUSDT"}
    return {"data": [row], "arg": arg, "action": "snapshot" if asks else "update", "ts": 1}


def cryptocom(number: int, bid: str, asks: tuple[str, ...] = ()) -> Json:
    sides = {"bids": [[bid, "1", "1"]], "asks": [[ask, "1", "1"] for ask in asks]}
    times = {"t": 1790000000000, "tt": 1790000000000, "u": number}
    row = {**sides, **times} if asks else {"update": sides, **times, "pu": number - 1}
    names = {"instrument_name": "BTC_USD", "subscription": "book.BTC_USD.50"}
    result = {**names, "channel": "book" if asks else "book.update", "depth": 50, "data": [row]}
    return {"id": -1, "method": "subscribe", "code": 0, "result": result}


def deribit(number: int, bid: str, asks: tuple[str, ...] = ()) -> Json:
    kind = {"type": "snapshot"} if asks else {"type": "change", "prev_change_id": number - 1}
    sides = {"bids": [["new", float(bid), 1.0]], "asks": [["new", float(ask), 1.0] for ask in asks]}
    data = {**kind, **sides, "timestamp": 1790000000000, "instrument_name": "BTC-PERPETUAL", "change_id": number}
    params = {"channel": "book.BTC-PERPETUAL.100ms", "data": data}
    return {"jsonrpc": "2.0", "method": "subscription", "params": params}


def exchange(number: int, bid: str) -> Json:
    return {"type": "l2update", "product_id": "BTC-USD", "changes": [["buy", bid, "1"]], "time": TIME}


def exchange_snapshot(number: int) -> Json:
    return {"type": "snapshot", "product_id": "BTC-USD", "bids": [["10.0", "1"]], "asks": [["11.0", "1"]]}


def advanced(number: int, bid: str, asks: tuple[str, ...] = ()) -> Json:
    sides = [("bid", bid), *(("offer", ask) for ask in asks)]
    updates = [{"side": side, "event_time": TIME, "price_level": price, "new_quantity": "1"} for side, price in sides]
    event = {"type": "snapshot" if asks else "update", "product_id": "BTC-USD", "updates": updates}
    return {"channel": "l2_data", "timestamp": TIME, "sequence_num": number, "events": [event]}


def kraken(number: int, bid: str, asks: tuple[str, ...] = ()) -> Json:
    """A bid of 12.0 comes with the checksum of the book without it, which is wrong."""
    rows = {"bids": [{"price": float(bid), "qty": 1.5}], "asks": [{"price": float(ask), "qty": 1.5} for ask in asks]}
    data = {"symbol": "BTC/USD", **rows, "checksum": crc32(b"1101510015")}
    return {"channel": "book", "type": "snapshot" if asks else "update", "data": [data]}


def products(number: int, bid: str) -> Json:
    level = {"side": "buy", "seq": number, "price": float(bid), "qty": 1.0}
    return {"feed": "book", "product_id": "PF_XBTUSD", **level, "timestamp": 1790000000000}


def products_snapshot(number: int) -> Json:
    sides = {"bids": [{"price": 10.0, "qty": 1.0}], "asks": [{"price": 11.0, "qty": 1.0}]}
    return {"feed": "book_snapshot", "product_id": "PF_XBTUSD", "timestamp": 1790000000000, "seq": number, **sides}


def whole(update: Callable[..., Json]) -> Callable[[int], Json]:
    return lambda number: update(number, "10.0", ("11.0",))


RIGS = {
    "binance": Rig("binance", "BTC-USDT", ("depth@100ms",), depth, binance, True),
    "binance-usdm": Rig("binance-usdm", "BTC-USDT-PERP", ("depth@100ms",), depth, binance, True),
    "binance-coinm": Rig("binance-coinm", "BTC-USD-PERP", ("depth@100ms",), depth, coinm, True),
    "bitget": Rig("bitget", "BTC-USDT", ("books",), whole(bitget), bitget),
    "bybit": Rig("bybit", "BTC-USDT-PERP", ("orderbook.50",), whole(bybit), bybit),
    "coinbase level2_batch": Rig("coinbase", "BTC-USD", ("level2_batch",), exchange_snapshot, exchange),
    "coinbase l2_data": Rig("coinbase", "BTC-USD", ("l2_data",), whole(advanced), advanced),
    "cryptocom": Rig("cryptocom", "BTC-USD", ("book",), whole(cryptocom), cryptocom),
    "deribit": Rig("deribit", "BTC-USD-PERP", ("book",), whole(deribit), deribit),
    "gate": Rig("gate", "BTC-USDT", ("order_book_update",), gate_by_rest, gate, True),
    "gate stream": Rig("gate", "BTC-USDT", ("obu",), whole(stream), stream),
    "kraken spot": Rig("kraken", "BTC-USD", ("book",), whole(kraken), kraken),
    "kraken futures": Rig("kraken", "BTC-USD-PERP", ("book",), products_snapshot, products),
    "kucoin": Rig("kucoin", "BTC-USDT", ("level2",), kucoin_by_rest, kucoin, True),
    "kucoin pushed": Rig("kucoin", "BTC-USDT", ("obu",), whole(pushed), pushed),
    "okx": Rig("okx", "BTC-USDT", ("books",), whole(okx), okx),
    "okx by rest": Rig("okx", "BTC-USDT", ("books",), okx_by_rest, okx, True),
}
rigs = pytest.mark.parametrize("rig", RIGS.values(), ids=list(RIGS))


def replies(asked: Json, number: int) -> list[Json]:
    """How the venue confirms what it is asked for, whichever it is by the form of the request."""
    found: list[Json] = []
    match asked:
        case {"op": op, "args": [str(), *_], "req_id": name}:
            found = [{"success": True, "ret_msg": "", "conn_id": "c", "req_id": name, "op": op}]
        case {"op": op, "args": args}:
            found = [
                {"event": op, "arg": arg, "connId": "c", **({"id": asked["id"]} if "id" in asked else {})}
                for arg in args
            ]
        case {"method": "SUBSCRIBE", "id": name}:
            found = [{"result": None, "id": name}]
        case {"jsonrpc": "2.0", "id": name, "params": params}:
            found = [{"jsonrpc": "2.0", "id": name, "result": params.get("channels", "ok")}]
        case {"id": name, "method": verb, "params": {"channels": names}}:
            done = {"id": name, "method": verb, "code": 0}
            found = [done] if verb == "unsubscribe" else [{**done, "channel": channel} for channel in names]
        case {"method": verb, "params": {"channel": channel, "symbol": symbols}, "req_id": name}:
            done = {"method": verb, "success": True, "time_in": TIME, "time_out": TIME, "req_id": name}
            found = [{**done, "result": {"channel": channel, "symbol": symbol}} for symbol in symbols]
        case {"event": verb, "feed": feed, "product_ids": names}:
            found = [{"event": f"{verb}d", "feed": feed, "product_ids": names}]
        case {"action": _, "channel": "obu", "id": name}:
            found = [{"id": name, "result": True}]
        case {"channel": channel, "event": verb, "id": name}:
            found = [{"time": 1, "id": name, "channel": channel, "event": verb, "error": None}]
        case {"type": verb, "channels": names}:
            held = [{"name": name, "product_ids": ["BTC-USD"]} for name in names]
            found = [{"type": "subscriptions", "channels": held if verb == "subscribe" else []}]
        case {"type": _, "channel": name}:
            named = {name: asked.get("product_ids", ["all"])}
            found = [{"channel": "subscriptions", "sequence_num": number, "events": [{"subscriptions": named}]}]
        case {"type": "subscribe", "id": name}:
            found = [{"id": name, "type": "ack"}]
    return found


class Venue:
    """Confirms what it is asked for, and serves a snapshot at the step after that."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.session = rig.session()
        self.asked: list[int] = []  # when
        self.outputs: list[Output] = []
        self._waiting: list[Output] = []
        self._number = 100  # of the last update
        self._now_ns = 0
        self._now_ns = 0
        self._take(self.session.connected("c1", 0), first=True)
        if rig.venue == "kucoin":
            welcome = (
                b'{"sessionId":"x","message":"welcome"}' if "obu" in rig.channels else b'{"id":"x","type":"welcome"}'
            )
            self._take(self.session.receive(welcome, 0), first=True)

    def at(self, now_ns: int, *bids: str) -> None:
        """Time passes; the snapshot comes that was asked for, then an update for each price."""
        self._now_ns = now_ns
        self._take(self.session.tick(now_ns))
        waiting, self._waiting = self._waiting, []
        for asked in waiting:
            self._number += 0 if self.rig.by_rest else 1
            body = msgspec.json.encode(self.rig.snapshot(self._number))
            if isinstance(asked, Fetch):
                self._take(self.session.answer(asked.request, 200, body, now_ns))
            else:
                self._take(self.session.receive(body, now_ns))
        for bid in bids:
            if bid == CROSSING and not isinstance(self.outputs[-1], Book):
                continue  # there is no book that it could break
            self._number += 1
            self._take(self.session.receive(msgspec.json.encode(self.rig.update(self._number, bid)), now_ns))

    def beat(self, message: Callable[[int], Json | bytes], now_ns: int) -> None:
        """A frame that is not of the book; it may be numbered with the book's."""
        frame = message(self._number + 1)
        self._number += isinstance(frame, dict) and "sequence_num" in frame
        self._take(self.session.receive(frame if isinstance(frame, bytes) else msgspec.json.encode(frame), now_ns))

    def _take(self, outputs: list[Output], first: bool = False) -> None:
        self.outputs += outputs
        for output in outputs:
            if self._asks(output):
                self.asked += [] if first else [self._now_ns]
                self._waiting.append(output)
            if isinstance(output, Send) and output.frame[:1] == b"{":
                for reply in replies(msgspec.json.decode(output.frame), self._number + 1):
                    self._number += "sequence_num" in reply
                    self._take(self.session.receive(msgspec.json.encode(reply), self._now_ns), first)

    def _asks(self, output: Output) -> bool:
        if isinstance(output, Fetch):
            return output.request.purpose == "snapshot"
        book = any(word in getattr(output, "frame", b"") for word in (b"book", b"level2", b"l2_data", b"obu"))
        is_subscription = (
            isinstance(output, Send) and b"unsubscribe" not in output.frame and b"subscribe" in output.frame
        )
        return not self.rig.by_rest and book and is_subscription

    def opened(self) -> Iterator[tuple[str, str]]:
        for output in self.outputs:
            if isinstance(output, FeedStatus) and output.channel == "book" and output.ended_ns is None:
                yield output.state, output.cause


@rigs
def test_a_book_that_never_holds_is_requested_with_growing_intervals(rig: Rig) -> None:
    at = Venue(rig)
    for now_ns in range(STEP_NS, HOUR_NS, STEP_NS):
        at.at(now_ns, "10.0", CROSSING)
    assert 5 < len(at.asked) <= (MOST_SNAPSHOTS if rig.by_rest else MOST_SUBSCRIPTIONS)
    assert sum(isinstance(output, Book) for output in at.outputs) > 5


@rigs
def test_the_interval_keeps_the_reason_of_the_break_while_the_next_snapshot_waits(rig: Rig) -> None:
    at = Venue(rig)
    for now_ns in range(STEP_NS, 120 * SECOND, STEP_NS):
        at.at(now_ns, "10.0", CROSSING)
    opened = list(at.opened())
    first_valid = next(index for index, (state, _) in enumerate(opened) if state == "valid")
    broken = ("gap", "checksum") if rig.symbol == "BTC-USD" and rig.venue == "kraken" else ("resync", "crossed")
    assert {cause for cause in opened[first_valid:] if cause[0] != "valid"} == {broken}


@rigs
def test_the_first_break_after_a_good_time_is_repaired_at_once(rig: Rig) -> None:
    at = Venue(rig)
    for now_ns in range(STEP_NS, 300 * SECOND, STEP_NS):
        at.at(now_ns, "10.0", CROSSING)
    start_ns = 900 * SECOND
    for now_ns in range(300 * SECOND, start_ns, STEP_NS):
        at.at(now_ns, "10.0")
    at.asked.clear()
    at.at(start_ns, "10.0", CROSSING)
    assert at.asked == [start_ns]
    for step in range(1, 8):
        at.at(start_ns + step * STEP_NS, "10.0")
    assert isinstance(at.outputs[-1], Book)


@rigs
def test_a_book_that_held_less_than_a_good_time_waits_for_its_pause(rig: Rig) -> None:
    at = Venue(rig)
    for now_ns in range(STEP_NS, 300 * SECOND, STEP_NS):
        at.at(now_ns, "10.0", CROSSING)
    asked = at.asked[-1] - at.asked[-2]
    assert asked >= (8 if rig.by_rest else 40) * SECOND
    assert asked < HELD_NS * 3


# What comes on the socket beside books: it shows that the connection lives, and says nothing of the book.
BEATS: dict[str, Callable[[int], Json | bytes]] = {
    "bitget": lambda number: b"pong",
    "bybit": lambda number: {"success": True, "ret_msg": "pong", "conn_id": "c", "req_id": "", "op": "ping"},
    "coinbase level2_batch": lambda number: {
        "type": "heartbeat",
        "product_id": "BTC-USD",
        "sequence": number,
        "last_trade_id": 1,
        "time": TIME,
    },
    "coinbase l2_data": lambda number: {
        "channel": "heartbeats",
        "timestamp": TIME,
        "sequence_num": number,
        "events": [{"current_time": TIME, "heartbeat_counter": number}],
    },
    "cryptocom": lambda number: {"id": 1790000000000, "method": "public/heartbeat", "code": 0},
    "deribit": lambda number: {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "heartbeat"}},
    "kraken spot": lambda number: {"channel": "heartbeat"},
    "kraken futures": lambda number: {"feed": "heartbeat", "time": 1790000000000},
    "okx": lambda number: b"pong",
    "okx by rest": lambda number: b"pong",
}


@pytest.mark.parametrize("name", RIGS)
def test_a_book_that_falls_silent_is_stale_however_many_heartbeats_come(name: str) -> None:
    at, last_ns, end_ns = Venue(RIGS[name]), 30 * SECOND, 45 * SECOND
    for now_ns in range(STEP_NS, last_ns + STEP_NS, STEP_NS):
        at.at(now_ns, "10.0")
    assert list(at.opened())[-1][0] == "valid"
    at.outputs.clear()
    for now_ns in range(last_ns + STEP_NS, end_ns, STEP_NS):
        if now_ns % SECOND == 0 and name in BEATS:
            at.beat(BEATS[name], now_ns)
        at.at(now_ns)
    assert list(at.opened())[:1] == [("stale", "no_updates")]
    ended = [o.ended_ns for o in at.outputs if isinstance(o, FeedStatus) and o.channel == "book" and o.state == "valid"]
    assert min(filter(None, ended)) == last_ns  # it may have been asked for again since
    at.at(end_ns, "10.0")
    assert list(at.opened())[-1][0] == "valid"
