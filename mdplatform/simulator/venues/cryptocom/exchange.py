"""Crypto.com: one socket for all instruments, its heartbeats, its refusals, and the REST calls that a client needs.

https://exchange-developer.crypto.com/exchange/v1/docs/api/websocket-common-api-reference (2026-07); refusals and what
becomes of a heartbeat without answer as others measured in 2026-09.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.feed import EDGE_NS
from mdplatform.simulator.engine.market_runner import MarketRunner
from mdplatform.simulator.protocol.exchange import SECOND, Exchange, MatchingEngine
from mdplatform.simulator.protocol.limits import ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer
from mdplatform.simulator.venues.cryptocom.feed import LEVELS, VENUE, CryptoComFeed
from mdplatform.simulator.venues.cryptocom.instruments import index_of, lists, row

LIMITS = ConnectionLimits(
    ping_every_s=5.0,
    pong_within_s=60.0,  # probed: whether pings were answered made no difference
    messages=(100.0, 100.0),
    connects=(5.0, 100.0),  # none is documented
    requests=(100.0, 100.0),
)
CHANNELS = 400  # a connection
BEAT_NS = 30 * SECOND
_BEATS = 3  # without answer, at the last of which the connection is closed
_API = "/exchange/v1/public/"
_MS = 1_000_000
_KINDS = ("SNAPSHOT", "SNAPSHOT_AND_UPDATE")


class SecondsAllowance:
    """100 requests in each second of the clock, and of the second in which the connection was opened only its rest."""

    def __init__(self, opened_ns: int) -> None:
        self._second, part = divmod(opened_ns, SECOND)
        self._left = int(100 * (1 - part / SECOND))

    def take(self, now_ns: int) -> bool:
        if now_ns // SECOND != self._second:
            self._second, self._left = now_ns // SECOND, 100
        self._left -= 1
        return self._left >= 0


class CryptoComExchange(Exchange):
    """Each channel of a request is answered by itself: a book by a reply, all others by their first message."""

    venue = VENUE
    default_limits = LIMITS
    paths = ("/exchange/v1/market",)
    lists = ("/get-instruments",)

    def opened(self, peer: Peer, path: str, query: Mapping[str, str]) -> None:
        peer.notes |= {"allowance": SecondsAllowance(peer.opened_ns), "beat_ns": peer.opened_ns, "beats": 0}

    def receive(self, peer: Peer, message: bytes, now_ns: int) -> None:
        try:
            request = _read_request(message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return  # no reply, and the socket stays open
        if not peer.notes["allowance"].take(now_ns):
            self.overrun(peer)
        elif request.method == "public/respond-heartbeat":
            peer.notes["beats"] = 0
        elif request.method == "unsubscribe":
            self.leave(peer, request.params.channels)
            self._reply(peer, request)
        elif request.method == "subscribe":
            for channel in request.params.channels:
                self._subscribe(peer, request, channel, now_ns)
        else:
            self._reply(peer, request, code=40003, text="No such method")

    def beat(self, peer: Peer, now_ns: int) -> None:
        if now_ns - peer.notes["beat_ns"] < BEAT_NS:
            return
        peer.notes["beat_ns"] = now_ns
        peer.notes["beats"] += 1
        peer.reply(msgspec.json.encode({"id": now_ns // _MS, "method": "public/heartbeat", "code": 0}))
        if peer.notes["beats"] >= _BEATS:
            peer.close(1000, "")

    def overrun(self, peer: Peer) -> None:
        peer.reply(b'{"id":-1,"method":"","code":42901,"message":"TOO_MANY_REQUESTS"}')

    def markets_of(self, topic: str) -> Iterable[str]:
        word, _, rest = topic.partition(".")
        if word == "index":
            return [self._indexed(rest) or next(iter(self.markets.instruments))]
        return [rest.partition(".")[0]]

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        call = path.removeprefix(_API)
        if call == "get-instruments":
            rows = [row(one) for one in self.markets.instruments.values()]
            return _answer(call, msgspec.json.encode({"data": rows}).decode())
        if call not in ("get-trades", "get-book"):
            return Answer(404, b"")
        symbol = query.get("instrument_name", "")
        if symbol not in self.markets:
            code, text = (40003, "Unknown symbol") if symbol else (40004, "Missing instrument_name param")
            return Answer(
                400, msgspec.json.encode({"id": -1, "method": f"public/{call}", "code": code, "message": text})
            )
        runner = self.markets[symbol]
        data = _trades(runner, query) if call == "get-trades" else _book(runner, query, now_ns)
        return _answer(call, f'{{"data":[{data}]}}')

    def too_many(self, retry_s: int) -> Answer:
        return Answer(429, b'{"id":-1,"method":"","code":42901,"message":"TOO_MANY_REQUESTS"}')

    def _subscribe(self, peer: Peer, request: Request, topic: str, now_ns: int) -> None:
        refusal = self._refusal(peer, request, topic)
        if refusal is not None:
            self._reply(peer, request, topic if refusal[0] == 40003 else None, *refusal)
            return
        word = topic.partition(".")[0]
        is_first, begins = topic not in peer.topics, topic not in self.topics
        self.join(peer, topic)
        if word == "book":
            self._reply(peer, request, topic)
        if not is_first:
            return  # one subscription, and no second snapshot
        runner = self.markets[next(iter(self.markets_of(topic)))]
        feed = runner.feed(CryptoComFeed)
        if begins and word == "book":
            feed.rebase(now_ns)
        frame = feed.greeting(word, request.id, now_ns, list(runner.trades))
        peer.offer(frame, frame.body)

    def _refusal(self, peer: Peer, request: Request, topic: str) -> tuple[int, str] | None:
        """(code, text) of what is wrong with a channel."""
        if wrong := self._wrong(request.params, topic):
            return 40003, wrong
        if len(peer.topics) >= CHANNELS and topic not in peer.topics:
            return 40107, "Maximum subscriptions exceeded"
        return None

    def _wrong(self, params: Params, topic: str) -> str | None:
        word, _, rest = topic.partition(".")
        name, _, levels = rest.partition(".")
        if word not in ("book", "trade", "ticker", "funding", "mark", "index"):
            return "Unrecognized channel"
        if word == "index":
            return None if self._indexed(rest) else "Unsupported instrument"
        if name not in self.markets.instruments:
            return "Unknown symbol"
        if not self.markets[name].feed(CryptoComFeed).offers(word):
            return "Unsupported instrument"
        return _wrong_book(params, levels) if word == "book" else None

    def _indexed(self, index: str) -> str | None:
        """The perpetual that publishes an index."""
        listed = self.markets.instruments.items()
        return next((key for key, one in listed if one.kind is Kind.PERPETUAL and index_of(one) == index), None)

    def _reply(
        self, peer: Peer, request: Request, channel: str | None = None, code: int = 0, text: str | None = None
    ) -> None:
        answer: dict[str, object] = {"id": request.id, "method": request.method, "code": code}
        answer |= {} if channel is None else {"channel": channel}
        peer.reply(msgspec.json.encode(answer | ({} if text is None else {"message": text})))


def _wrong_book(params: Params, levels: str) -> str | None:
    """Only what this venue publishes here is taken: changes each 10 ms of 50 levels."""
    if levels not in ("10", str(LEVELS), "150"):
        return "Invalid depth"
    if params.book_subscription_type not in _KINDS:
        return "Invalid book_subscription_type"
    is_offered = (params.book_subscription_type, params.book_update_frequency) == ("SNAPSHOT_AND_UPDATE", 10)
    return None if is_offered and levels == str(LEVELS) else "Unsupported depth/interval combination"


def _trades(runner: MarketRunner, query: Mapping[str, str]) -> str:
    """Newest first."""
    feed, count = runner.feed(CryptoComFeed), min(_number(query, "count", 25), 150)
    start_ns, end_ns = _number(query, "start_ts", 0), _number(query, "end_ts", 2**63)
    within = [one for one in runner.trades if start_ns <= one.ns < end_ns]
    return ",".join(feed.trade(one, f',"tn":{one.ns}') for one in within[: -count - 1 : -1])


def _book(runner: MarketRunner, query: Mapping[str, str], now_ns: int) -> str:
    sides = runner.levels(min(_number(query, "depth", 50), 150))
    bids, asks = (",".join(f'["{price}","{size}","1"]' for price, size in side) for side in sides)
    return f'{{"asks":[{asks}],"bids":[{bids}],"t":{now_ns // _MS}}}'


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 20 else default


def _answer(call: str, result: str) -> Answer:
    return Answer(200, f'{{"id":-1,"method":"public/{call}","code":0,"result":{result}}}'.encode())


class Params(msgspec.Struct):
    channels: list[str] = []
    book_subscription_type: str = "SNAPSHOT"
    book_update_frequency: int = 500


class Request(msgspec.Struct):
    method: str
    id: int = -1
    params: Params = msgspec.field(default_factory=Params)


_read_request = msgspec.json.Decoder(Request).decode

ENGINES = (MatchingEngine(VENUE, lists, EDGE_NS, ((CryptoComExchange, CryptoComFeed),)),)
