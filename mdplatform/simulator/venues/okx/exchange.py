"""OKX V5: sockets, subscriptions and the REST calls that a market data client needs.

https://www.okx.com/docs-v5/en/#overview-websocket
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Trade
from mdplatform.simulator.engine.instruments import Instrument
from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.protocol.exchange import SECOND, Exchange, MatchingEngine
from mdplatform.simulator.protocol.limits import ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer, Refused, answer, number
from mdplatform.simulator.protocol.wire import reader
from mdplatform.simulator.venues.okx.feed import PUBLISH_NS, VENUE, OkxFeed
from mdplatform.simulator.venues.okx.instruments import INST_TYPES, family, lists, options, pays_funding, row

LIMITS = ConnectionLimits(
    lifetime_s=7 * 86_400.0,  # an upgrade a week
    notice_s=60.0,
    subscribe_within_s=30.0,
    messages=(480 / 3600, 480.0),
    connects=(3.0, 3.0),
    requests=(20.0, 40.0),
)
_IDLE_NS = 30 * SECOND
_BYTES = 64 * 1024  # of the arguments of a request
_BY_INSTRUMENT = ("books", "books5", "bbo-tbt", "trades", "mark-price", "funding-rate", "open-interest", "tickers")
_SPOT_HAS = ("books", "books5", "bbo-tbt", "trades", "trades-all", "tickers")
_FOR_MEMBERS = ("books-l2-tbt", "books50-l2-tbt")


class OkxExchange(Exchange):
    """The public and the business socket. Each argument of a subscription is answered by itself.

    480 requests an hour and connection, 64 KB a request (documented 2026-06); by which texts more is refused is not.
    """

    venue = VENUE
    default_limits = LIMITS
    paths = ("/ws/v5/public", "/ws/v5/business")
    lists = ("/public/instruments",)

    def opened(self, peer: Peer, path: str, query: Mapping[str, str]) -> None:
        peer.notes["business"] = path.endswith("business")

    def message(self, peer: Peer, message: bytes, now_ns: int) -> None:
        if message == b"ping":  # does not count as a request
            peer.received_ns = now_ns
            peer.reply(b"pong")
            return
        super().message(peer, message, now_ns)

    def overrun(self, peer: Peer) -> None:
        self._refuse(peer, None, "60014", "Requests too frequent.")

    def receive(self, peer: Peer, message: bytes, now_ns: int) -> None:
        request = _read(message) if len(message) <= _BYTES else None
        if request is None:
            text = message.decode(errors="replace")[:200]
            self._refuse(peer, None, "60012", f"Invalid request: {text}")
            return
        for arg in request.args:
            topic, refusal = self._topic(peer, arg)
            if topic is None:
                self._refuse(peer, request.id, *refusal)
                continue
            fresh = topic not in peer.topics
            if request.op == "unsubscribe":
                self.leave(peer, [topic])
            elif self.join(peer, topic) and topic.startswith("books:"):
                self._feed(topic.removeprefix("books:")).book.rebase()
            self._answer(peer, request.id, {"event": request.op, "arg": arg})
            if request.op == "subscribe" and fresh:
                self._greet(peer, topic, now_ns)

    def beat(self, peer: Peer, now_ns: int) -> None:
        if peer.silent_ns(now_ns) > _IDLE_NS:
            peer.close(4004, "No data received in 30s.")

    def farewell(self, peer: Peer, now_ns: int) -> None:
        text = "The connection will soon be closed for a service upgrade. Please reconnect."
        self._answer(peer, None, {"event": "notice", "code": "64008", "msg": text})

    def markets_of(self, topic: str) -> Iterable[str]:
        channel, _, name = topic.partition(":")
        if channel == "liquidation-orders":
            return [key for key, one in self.markets.instruments.items() if INST_TYPES[one.kind] == name]
        if channel == "opt-summary":
            return self._chain(name)
        return [f"{name}-SWAP" if channel == "index-tickers" else name]

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        call = _CALLS.get(path)
        if call is None:
            raise _refused("404", "Not Found", 404)
        return answer({"code": "0", "msg": "", "data": call(self.markets, query, now_ns)})

    def too_many(self, retry_s: int) -> Answer:
        return _refused("50011", "Too Many Requests", 429).answer

    def _topic(self, peer: Peer, arg: dict[str, str]) -> tuple[str | None, tuple[str, str]]:
        """What an argument subscribes to; None and the refusal (code, text) where there is no such thing."""
        channel, name = arg.get("channel", ""), arg.get("instId", "")
        if channel in _FOR_MEMBERS:
            return None, ("64003", "Your trading fee tier doesn't meet the requirement to access this channel.")
        if channel == "liquidation-orders":
            name = arg.get("instType", "")
            known = name in ("SWAP", "FUTURES", "OPTION", "MARGIN") and not peer.notes["business"]
        elif channel == "opt-summary":
            name = arg.get("instFamily", "")
            known = bool(self._chain(name)) and not peer.notes["business"]
        elif channel == "index-tickers":
            known = f"{name}-SWAP" in self.markets and not peer.notes["business"]
        else:
            known = name in self.markets and self._has(channel, self.markets.instruments[name], peer)
        if known:
            return f"{channel}:{name}", ("", "")
        by = {"liquidation-orders": "Type", "opt-summary": "Family"}.get(channel, "Id")
        what = f"channel:{channel},inst{by}:{name}"
        return None, (
            "60018",
            f"Wrong URL or {what} doesn't exist. Please use the correct URL, channel and parameters.",
        )

    def _chain(self, name: str) -> list[str]:
        """The options of a family."""
        listed = self.markets.instruments.items()
        return [key for key, one in listed if one.kind is Kind.OPTION and family(one) == name]

    def _has(self, channel: str, instrument: Instrument, peer: Peer) -> bool:
        """Whether this socket serves the channel for this instrument."""
        served = ("trades-all",) if peer.notes["business"] else _BY_INSTRUMENT
        if channel not in served or (channel == "funding-rate" and not pays_funding(instrument)):
            return False
        return instrument.kind is not Kind.SPOT or channel in _SPOT_HAS

    def _refuse(self, peer: Peer, number: str | None, code: str, text: str) -> None:
        self._answer(peer, number, {"event": "error", "code": code, "msg": text})

    def _answer(self, peer: Peer, number: str | None, content: dict[str, Any]) -> None:
        self.reply(peer, ({} if number is None else {"id": number}) | content | {"connId": f"{peer.number:08x}"})

    def _greet(self, peer: Peer, topic: str, now_ns: int) -> None:
        """What a new subscription begins with: the state, or for liquidations a stale one."""
        channel, _, name = topic.partition(":")
        match channel:
            case "books" | "bbo-tbt":
                peer.offer(self._feed(name).current(channel, now_ns))
            case "opt-summary":
                rows = [self._feed(key).summary(None, now_ns) for key in self._chain(name)]
                arg = f'{{"channel":"opt-summary","instFamily":"{name}"}}'
                peer.reply(f'{{"arg":{arg},"data":[{",".join(rows)}]}}'.encode())
            case "funding-rate" | "mark-price" | "open-interest" | "tickers":
                peer.reply(self._feed(name).current(channel, now_ns).body)
            case "index-tickers":
                peer.reply(self._feed(f"{name}-SWAP").current(channel, now_ns).body)
            case "liquidation-orders":
                self._repeat(peer, topic)

    def _repeat(self, peer: Peer, topic: str) -> None:
        """The latest liquidation of the kind, again."""
        names = self.markets_of(topic)
        past = [(runner.liquidations[-1], name) for name in names if (runner := self.markets[name]).liquidations]
        if past:
            latest, name = max(past)
            feed = self._feed(name)
            peer.reply(feed.frame("liquidation-orders", feed.forced(latest, latest.ns), latest.ns).body)

    def _feed(self, name: str) -> OkxFeed:
        return self.markets[name].feed(OkxFeed)


class Request(msgspec.Struct):
    op: str
    args: list[dict[str, str]]
    id: str | None = None

    def __post_init__(self) -> None:
        if self.op not in ("subscribe", "unsubscribe") or not self.args:
            raise ValueError(f"no such request: {self.op}")


_read = reader(Request)

_MS = 1_000_000


def _time(markets: Markets, query: Mapping[str, str], now_ns: int) -> list[Any]:
    return [{"ts": str(now_ns // _MS)}]


def _instruments(markets: Markets, query: Mapping[str, str], now_ns: int) -> list[Any]:
    kind = query.get("instType")
    if kind is None:
        raise _refused("50014", "Parameter instType can not be empty.", 400)
    if kind not in ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION"):
        raise _refused("51000", "Parameter instType error")
    wanted = query.get("instFamily")
    if kind == "OPTION" and wanted is None:
        raise _refused("50014", "Parameter uly or instFamily can not be empty.", 400)
    listed = (one for one in markets.instruments.values() if INST_TYPES[one.kind] == kind)
    return [row(one) for one in listed if wanted in (None, family(one))]


def _book(markets: Markets, query: Mapping[str, str], now_ns: int) -> list[Any]:
    runner = _runner(markets, query)
    sides = runner.levels(_number(query, "sz", 1, 400))
    bids, asks = ([(price, size, "0", "1") for price, size in side] for side in sides)
    return [{"asks": asks, "bids": bids, "ts": str(now_ns // _MS), "seqId": runner.market.update_id}]


def _trades(markets: Markets, query: Mapping[str, str], now_ns: int) -> list[Any]:
    runner = _runner(markets, query)
    return [_trade(runner, one) for one in runner.latest(_number(query, "limit", 100, 500))]


def _history(markets: Markets, query: Mapping[str, str], now_ns: int) -> list[Any]:
    """Newest first; ``after`` pages to older trades, ``before`` to newer ones, by trade id."""
    if query.get("type", "1") != "1":
        raise _refused("51000", "Parameter type error")
    runner = _runner(markets, query)
    after, before = _number(query, "after", 2**62, 2**62), _number(query, "before", 0, 2**62)
    found = [one for one in reversed(runner.trades) if before < one.trade_id < after]
    return [_trade(runner, one) for one in found[: _number(query, "limit", 100, 100)]]


def _trade(runner: MarketRunner, trade: Trade) -> dict[str, str]:
    instrument = runner.market.instrument
    return {
        "instId": instrument.symbol,
        "side": trade.taker_side,
        "sz": instrument.size.text(trade.lots),
        "px": instrument.price.text(trade.tick),
        "source": "0",
        "tradeId": str(trade.trade_id),
        "ts": str(trade.ns // _MS),
    }


def _runner(markets: Markets, query: Mapping[str, str]) -> MarketRunner:
    name = query.get("instId")
    if not name:
        raise _refused("50014", "Parameter instId can not be empty.", 400)
    if name not in markets:
        raise _refused("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")
    return markets[name]


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    return number(query, name, default, most, lambda name: _refused("51000", f"Parameter {name} error"))


def _refused(code: str, text: str, status: int = 200) -> Refused:
    return Refused(answer({"code": code, "msg": text, "data": []}, status))


_CALLS: dict[str, Callable[[Markets, Mapping[str, str], int], list[Any]]] = {
    "/api/v5/public/time": _time,
    "/api/v5/public/instruments": _instruments,
    "/api/v5/market/books": _book,
    "/api/v5/market/trades": _trades,
    "/api/v5/market/history-trades": _history,
}

ENGINES = (MatchingEngine(VENUE, lists, PUBLISH_NS, ((OkxExchange, OkxFeed),), options, has_shares=True),)
