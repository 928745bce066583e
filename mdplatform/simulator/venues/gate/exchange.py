"""Gate: a socket a section, and its subscriptions. https://www.gate.com/docs/developers/apiv4/ws/en/"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from mdplatform.simulator.protocol.exchange import SECOND, Exchange, MatchingEngine
from mdplatform.simulator.protocol.limits import ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer
from mdplatform.simulator.protocol.wire import reader
from mdplatform.simulator.venues.gate import rest
from mdplatform.simulator.venues.gate.feed import PUBLISH_NS, STREAMS, VENUE, GateFeed
from mdplatform.simulator.venues.gate.instruments import BTC, DELIVERY, SPOT, USD1, USDT, lists

LIMITS = ConnectionLimits(
    ping_every_s=15.0,
    pong_within_s=30.0,
    lifetime_s=7 * 86_400.0,  # an upgrade a week
    notice_s=60.0,
    subscribe_within_s=30.5,  # probed in 2026-10
    messages=(100.0, 1_000.0),  # none is documented
    connects=(1.0, 300.0),
    requests=(20.0, 200.0),
)
_SECTIONS = {
    "/ws/v4/": SPOT,
    "/v4/ws/usdt": USDT,
    "/v4/ws/btc": BTC,
    "/v4/ws/usd1": USD1,
    "/v4/ws/delivery/usdt": DELIVERY,
}
_BOOK = "order_book_update"
_EVERYWHERE = frozenset((_BOOK, "trades", "book_ticker"))
_OF_CONTRACTS = frozenset(("tickers", "public_liquidates"))


class GateExchange(Exchange):
    """One unknown symbol refuses all of its request; an order book is one a request.

    A stream of ``obu`` that does not exist is acknowledged, and silent.
    """

    venue = VENUE
    default_limits = LIMITS
    connections = 300
    lists = ("/currency_pairs", "/contracts")

    def accepts(self, path: str) -> bool:
        return path in _SECTIONS

    def opened(self, peer: Peer, path: str, query: Mapping[str, str]) -> None:
        peer.notes["section"] = _SECTIONS[path]

    def receive(self, peer: Peer, message: bytes, now_ns: int) -> None:
        request = _read(message)
        if request is None:
            self._reply(peer, Request(channel="", event=""), now_ns, (1, "invalid request body format"))
            return
        section = str(peer.notes["section"])
        word, _, channel = request.channel.partition(".")
        if channel == "ping":
            pong = {"time": now_ns // SECOND, "time_ms": now_ns // 1_000_000, "channel": f"{word}.pong", "event": ""}
            self.reply(peer, {**pong, "result": None})
            return
        if channel == "obu" and section != DELIVERY:
            self._stream(peer, request, section, now_ns)
            return
        names = request.payload[:1] if channel == _BOOK else request.payload
        topics = [f"{section}/{name}:{channel}" for name in names]
        refusal = self._refusal(peer, request, section, topics)
        if refusal is None and request.event == "unsubscribe":
            self.leave(peer, topics)
        elif refusal is None:
            for topic in topics:
                if self.join(peer, topic) and channel == _BOOK:
                    self.markets[topic.partition(":")[0]].feed(GateFeed).rebase()
        self._reply(peer, request, now_ns, refusal)

    def _stream(self, peer: Peer, request: Request, section: str, now_ns: int) -> None:
        """Streams of books, each beginning with the whole of it."""
        joined: list[tuple[str, int]] = []
        for name in request.payload:
            symbol, _, levels = name.removeprefix("ob.").rpartition(".")
            key = f"{section}/{symbol}"
            if key not in self.markets.instruments or levels not in map(str, STREAMS):
                continue
            topic = f"{key}:obu-{levels}"
            if request.event == "unsubscribe":
                self.leave(peer, [topic])
            elif topic in peer.topics:
                self._reply(peer, request, now_ns, (2, f"Alert sub {name}"))
                return
            else:
                self.join(peer, topic)
                joined.append((key, int(levels)))
        self._reply(peer, request, now_ns, None)
        for key, count in joined:
            peer.offer(self.markets[key].feed(GateFeed).whole(count, now_ns))

    def farewell(self, peer: Peer, now_ns: int) -> None:
        if peer.notes["section"] != SPOT:
            text = "The connection will soon be closed for an upgrade. Please reconnect."
            head = {"time": now_ns // SECOND, "time_ms": now_ns // 1_000_000, "channel": "futures.system"}
            self.reply(peer, {**head, "event": "update", "result": {"type": "upgrade", "msg": text}})

    def markets_of(self, topic: str) -> Iterable[str]:
        return [topic.partition(":")[0]]

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        return rest.respond(self.markets, path, query, now_ns)

    def too_many(self, retry_s: int) -> Answer:
        return rest.too_many()

    def _refusal(self, peer: Peer, request: Request, section: str, topics: list[str]) -> tuple[int, str] | None:
        """What is wrong with a request (code, text)."""
        word, _, channel = request.channel.partition(".")
        offered = _EVERYWHERE if section == SPOT else _EVERYWHERE | _OF_CONTRACTS
        if word != ("spot" if section == SPOT else "futures") or channel not in offered:
            return 2, f"unknown channel {request.channel}"
        if channel == _BOOK and (len(request.payload) not in (2, 3) or request.payload[1] != "100ms"):
            return 2, f"invalid argument {request.payload}"
        for topic in topics:
            key = topic.partition(":")[0]
            if key not in self.markets.instruments:
                return 2, f"unknown currency pair {key.removeprefix(f'{section}/')}"
            if channel == _BOOK and request.event == "subscribe" and topic in peer.topics:
                return 2, f"Alert sub {request.payload[0]}"
        return None

    def _reply(self, peer: Peer, request: Request, now_ns: int, refusal: tuple[int, str] | None) -> None:
        answer: dict[str, Any] = {"time": now_ns // SECOND, "time_ms": now_ns // 1_000_000}
        if request.id is not None:
            answer["id"] = request.id
        answer |= {"conn_id": f"{peer.number:08x}", "channel": request.channel, "event": request.event}
        error = None if refusal is None else {"code": refusal[0], "message": refusal[1]}
        status = {"status": "success" if refusal is None else "fail"}
        self.reply(peer, {**answer, "payload": request.payload, "error": error, "result": status})


class Request(msgspec.Struct):
    channel: str
    event: str = "subscribe"
    payload: list[str] = []
    id: int | None = None
    time: int = 0


_read = reader(Request)

ENGINES = (MatchingEngine(VENUE, lists, PUBLISH_NS, ((GateExchange, GateFeed),)),)
