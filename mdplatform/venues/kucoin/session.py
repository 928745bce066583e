"""One connection, of spot or of futures.

https://www.kucoin.com/docs-new/websocket-api/base-info/introduction

The socket's address and its rhythm of pings come by REST (``ticket_request``); nothing may be asked of it before its
welcome (documented 2025-11). An error names neither symbol nor channel but the request: it is then asked for by halves.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

import msgspec

from mdplatform.core.clock import MS, SECOND
from mdplatform.core.decimals import Levels, check_levels, plain, quoted
from mdplatform.core.errors import FrameError
from mdplatform.core.instrument_list import decoded
from mdplatform.core.session import REFUSALS, Channel, ChannelKind, Output, Request
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venuekit.base_session import SocketSession
from mdplatform.venuekit.books.diff import Diff, DiffBook, Snapshot
from mdplatform.venuekit.interest_poll import InterestPoll, InterestPolls
from mdplatform.venuekit.market import Market, Markets
from mdplatform.venuekit.snapshot_session import SnapshotSession
from mdplatform.venuekit.subscriptions import Subscriptions, Terms, Topic, Verb, channel_of
from mdplatform.venues.kucoin import wire
from mdplatform.venues.kucoin.channels import (
    BBO,
    BOOK,
    DEPTH,
    FUTURES_TOPICS,
    INSTRUMENT,
    OPEN_INTEREST,
    SPOT_TOPICS,
    TRADES,
    UNUSED,
)
from mdplatform.venues.kucoin.instruments import EXCHANGE, read_instruments
from mdplatform.venues.kucoin.market import Symbol

SILENCE_NS = 60 * SECOND
# 100 symbols a topic (documented in 2025), 100 messages in 10 s, pings too (according to other clients).
TERMS = Terms(topics_a_request=100, pace=(9, 1.0))
PING_NS = 18 * SECOND  # until a ticket says otherwise


M = TypeVar("M", bound=Market)

_REPEATED = {TRADES: "duplicate_trade", BBO: "repeated_quote"}  # messages that give no event


class WelcomedSession(SocketSession[M]):
    """What both kinds of socket share: nothing is asked before the welcome, and a pong repeats the id of its ping."""

    _sent_pings = 0

    def subscribe(self, now_ns: int) -> list[Output]:
        self.live.awaits("welcome", now_ns)
        return []

    def welcomed(self, topics: Callable[[], Iterable[Hashable]], now_ns: int) -> list[Output]:
        """The welcome came; in a recording there is nobody to subscribe."""
        self.live.acknowledged("welcome")
        self.count("welcome")
        if not self.conn:
            return []
        self.pings.begin(now_ns)
        return self.subscriptions.connected(topics(), now_ns)

    def ping(self, now_ns: int) -> bytes:
        self._sent_pings += 1
        self.live.awaits(f"ping p{self._sent_pings}", now_ns)
        return b'{"id":"p%d","type":"ping"}' % self._sent_pings

    def ponged(self, ping: str | None) -> list[Output]:
        self.live.acknowledged(f"ping {ping}")
        return self.count("pong")


class KucoinSession(WelcomedSession[Symbol], SnapshotSession[Symbol]):
    """``topics``: channel -> topic, of what this socket carries; ``ws_url``: what the ticket's address replaces."""

    snapshot_path = "level2"

    def __init__(
        self,
        instruments: Instruments,
        topics: dict[Channel, str],
        depth: int,
        ws_url: str = "",
        rest_url: str | None = None,
    ) -> None:
        channels = tuple(topics)
        markets = Markets(instruments, lambda instrument: Symbol(instrument, channels, depth))
        super().__init__(EXCHANGE, markets, SILENCE_NS, PING_NS)
        self.topics = Topics(self.count, self.take)
        self._subscribed = {channel: topic for channel, topic in topics.items() if channel is not OPEN_INTEREST}
        self._polls = InterestPolls(
            InterestPoll(row, _contract(row, rest_url)) for row in (instruments if OPEN_INTEREST in topics else ())
        )
        self._ws_url, self._rest_url = ws_url, rest_url
        self.subscriptions: Subscriptions[Topic] = Subscriptions(TERMS, self._request, self._feeds, channel_of)

    # --- before the socket

    def ticket_request(self) -> Request:
        return Request("/api/v1/bullet-public", weight=10, purpose="ticket", body=b"", base_url=self._rest_url)

    def address(self, url: str, ticket: bytes) -> str:
        """The socket that the ticket names, or ``url`` where that was given in place of ours. Raises FrameError."""
        granted = decoded(wire.read_ticket, ticket, "not a ticket for a socket")
        server = granted.instanceServers[0]
        self.pings.every_ns = server.pingInterval * MS
        place = (server.endpoint if url == self._ws_url else url).rstrip("/")
        return f"{place}/?token={granted.token}&connectId={uuid5(NAMESPACE_URL, granted.token)}"

    # --- on it

    def connected(self, conn: str, now_ns: int) -> list[Output]:
        self._polls.connected(now_ns)
        return super().connected(conn, now_ns)

    def closed(self, cause: str, now_ns: int) -> list[Output]:
        self._polls.closed()
        return super().closed(cause, now_ns)

    def tick(self, now_ns: int) -> list[Output]:
        return super().tick(now_ns) + [fetch for poll in self._polls for fetch in poll.tick(now_ns)]

    def read(self, frame: bytes, received_ns: int) -> list[Output]:
        message = wire.read_envelope(frame)
        if message.topic is not None:
            return self._on_topic(message, message.topic, received_ns)
        match message.type:
            case "welcome":
                return self.welcomed(self._wanted, received_ns)
            case "ack":
                return self._on_ack(message.id or "", received_ns)
            case "error":
                return self._on_error(message, frame, received_ns)
            case "pong":
                return self.ponged(message.id)
        return self._on_answer(message, frame, received_ns)

    def _wanted(self) -> list[Topic]:
        markets = self.markets.all()
        return [Topic(channel.name, market.venue_symbol) for channel in self._subscribed for market in markets]

    def topics_of(self, market: Symbol, kind: ChannelKind) -> list[Topic]:
        return [Topic(channel.name, market.venue_symbol) for channel in self._subscribed if channel.kind == kind]

    def _feeds(self, topic: Topic) -> list[tuple[Symbol, ChannelKind]]:
        return [(self.markets.of(topic.symbol), c.kind) for c in self._subscribed if c.name == topic.channel]

    def _request(self, verb: Verb, topics: Sequence[Topic], number: int) -> bytes:
        name = next(name for channel, name in self._subscribed.items() if channel.name == topics[0].channel)
        topic = f"{name}:{','.join(topic.symbol for topic in topics)}"
        text = {"id": str(number), "type": verb, "topic": topic, "privateChannel": False, "response": True}
        return msgspec.json.encode(text)

    def _on_ack(self, request: str, received_ns: int) -> list[Output]:
        """It names only the request, which is then confirmed whole."""
        self.count("acknowledgement")
        return self.subscriptions.confirmed(received_ns, wire.number_of(request))

    def _on_error(self, message: wire.Envelope, frame: bytes, received_ns: int) -> list[Output]:
        """One unknown symbol refuses its whole request, and the error does not say which."""
        text = f"code {message.code}: {str(bytes(message.data), 'utf-8')}"
        answer = self.subscriptions.refused(text, received_ns, wire.number_of(message.id or ""))
        symbols = ", ".join(topic.symbol for topic in answer.asked[:5])
        what = f"{answer.asked[0].channel} of {symbols}" if answer.asked else "nothing that is waited for"
        return self.refusal(answer, f"{text}; asked for: {what}", frame, received_ns)

    def _on_topic(self, message: wire.Envelope, topic: str, received_ns: int) -> list[Output]:
        name, _, symbol = topic.partition(":")
        reader = self.topics.readers.get(name)
        if reader is not None:
            channel, read = reader
            if channel not in self._subscribed:
                return self.count(name)
            out = read(message, self.markets.of(symbol), received_ns)
            return out or (self.count(_REPEATED[channel]) if channel in _REPEATED else [])
        if name in UNUSED:
            return self.count(name)
        raise FrameError("unknown_message", f"no such topic: {topic[:80]!r}")

    # --- by REST

    def snapshot(self, body: bytes) -> Snapshot:
        return wire.read_snapshot(wire.answered(body))[0]

    def read_trades(self, market: Symbol, body: bytes, received_ns: int) -> list[Output]:
        def take(row: wire.RestTrade) -> list[Output]:
            trade_id, size = row.tradeId or plain(row.sequence), plain(row.size)
            traded_ns = wire.ns(row.time or row.ts or 0)
            return market.trade(trade_id, row.price, size, row.side, traded_ns, received_ns, "rest")

        rows = wire.read_rest_trades(body)
        return self.each(rows, take, body, received_ns, sorted(rows, key=lambda row: row.time or row.ts or 0))

    def answer(self, request: Request, status: int, body: bytes, received_ns: int) -> list[Output]:
        if not self._polls.answered(request, received_ns):
            return super().answer(request, status, body, received_ns)
        return self._on_contract(body, received_ns) if status == 200 else []

    def recall(self, path: str, body: bytes, received_ns: int) -> list[Output] | None:
        """On a tape the call says what the answer is; the list of all contracts has no symbol."""
        if not path.startswith(f"{FUTURES_TOPICS[OPEN_INTEREST]}/") or path.endswith("/active"):
            return super().recall(path, body, received_ns)
        return self._on_contract(body, received_ns)

    def _on_contract(self, body: bytes, received_ns: int) -> list[Output]:
        """Its open interest, of the time of receipt: the answer has no other."""
        try:
            data = wire.read_contract(body)
            market, price = self.markets.of(data.symbol), wire.number(data.markPrice)
            out = market.open_interest(data.openInterest, price=price, venue_ns=received_ns, received_ns=received_ns)
        except REFUSALS as error:
            return self.refuse(error, body, received_ns)
        feed = market.feed("open_interest")
        opened = feed.valid("received", None, received_ns)
        feed.proven(None, received_ns)
        return [*opened, *out] or self.count("repeated_open_interest")

    def _on_answer(self, message: wire.Envelope, body: bytes, received_ns: int) -> list[Output]:
        """A REST answer, as a recording holds it: an instrument list, or a book that may not name its symbol."""
        if message.code is None:
            raise FrameError("unknown_message", "neither of a topic, a reply nor a REST answer")
        data = wire.answered(body)
        if bytes(data)[:1] == b"[":
            return self.listed(read_instruments(body), received_ns)
        snapshot, symbol = wire.read_snapshot(data)
        if symbol is not None:
            return self.markets.of(symbol).diffs.offer(snapshot, received_ns)
        waiting = [market.diffs for market in self.markets if market.is_spot]
        return self.pending_snapshots.give(snapshot, waiting, received_ns)


def _contract(instrument: Instrument, rest_url: str | None) -> Request:
    """The call that states its open interest."""
    path = f"{FUTURES_TOPICS[OPEN_INTEREST]}/{quote(instrument.venue_symbol)}"
    return Request(path, 3, instrument.symbol, "open_interest", base_url=rest_url)


Read = Callable[[wire.Envelope, Symbol, int], list[Output]]
Count = Callable[[str], list[Output]]


class Topics:
    """``readers``: topic -> its channel and the function that reads it.

    ``count`` counts what gives no event, ``take`` is given the diffs of books.
    """

    def __init__(self, count: Count, take: Callable[[DiffBook, Diff], list[Output]]) -> None:
        self._count, self._take_diff = count, take
        self.readers: dict[str, tuple[Channel, Read]] = {
            SPOT_TOPICS[BOOK]: (BOOK, self._spot_diff),
            SPOT_TOPICS[DEPTH]: (DEPTH, self._depth),
            SPOT_TOPICS[TRADES]: (TRADES, _spot_match),
            SPOT_TOPICS[BBO]: (BBO, _level1),
            FUTURES_TOPICS[BOOK]: (BOOK, self._futures_diff),
            FUTURES_TOPICS[DEPTH]: (DEPTH, self._depth),
            FUTURES_TOPICS[TRADES]: (TRADES, _futures_match),
            FUTURES_TOPICS[BBO]: (BBO, _ticker),
            FUTURES_TOPICS[INSTRUMENT]: (INSTRUMENT, self._instrument),
        }

    def _spot_diff(self, message: wire.Envelope, market: Symbol, received_ns: int) -> list[Output]:
        data = wire.read_spot_diff(message.data)
        market.ensure_symbol(data.symbol)
        if data.sequenceEnd < data.sequenceStart:
            raise FrameError("wrong_shape", f"sequence {data.sequenceStart} is above its end, {data.sequenceEnd}")
        bids, asks = wire.changed(data.changes.bids), wire.changed(data.changes.asks)
        first, last, venue_ns = data.sequenceStart, data.sequenceEnd, wire.ms(data.time, received_ns)
        numbers = check_levels([*bids, *asks])
        return self._take(market, Diff(first - 1, last, bids, asks, venue_ns, received_ns, first, numbers))

    def _futures_diff(self, message: wire.Envelope, market: Symbol, received_ns: int) -> list[Output]:
        data = wire.read_futures_diff(message.data)
        price, _, rest = data.change.partition(",")
        side, _, size = rest.partition(",")
        if side not in ("buy", "sell"):
            raise FrameError("wrong_shape", f"not 'price,side,size': {data.change[:60]!r}")
        level: Levels = wire.changed([(price, size, "")])
        bids, asks = (level, []) if side == "buy" else ([], level)
        venue_ns, sequence = wire.ms(data.timestamp, received_ns), data.sequence
        numbers = check_levels(level)
        return self._take(market, Diff(sequence - 1, sequence, bids, asks, venue_ns, received_ns, None, numbers))

    def _take(self, market: Symbol, diff: Diff) -> list[Output]:
        if not market.is_active_source("book", BOOK):
            return self._count(BOOK.name)
        return self._take_diff(market.diffs, diff)

    def _depth(self, message: wire.Envelope, market: Symbol, received_ns: int) -> list[Output]:
        data = wire.read_depth(message.data)
        if not market.is_active_source("book", DEPTH):
            return self._count(DEPTH.name)
        venue_ns = wire.ms(data.timestamp, received_ns)
        sequence = data.timestamp if data.sequence is None else data.sequence  # spot numbers none
        out = market.whole.take(sequence, wire.levels(data.bids), wire.levels(data.asks), venue_ns, received_ns)
        return out or self._count("repeated_book")

    def _instrument(self, message: wire.Envelope, market: Symbol, received_ns: int) -> list[Output]:
        if message.subject not in ("mark.index.price", "funding.rate"):
            return self._count(message.subject or "instrument")
        data = wire.read_state(message.data)
        if message.subject == "funding.rate":
            stated = {"rate": wire.number(data.fundingRate)}
        else:
            stated = {"mark_price": wire.number(data.markPrice), "index_price": wire.number(data.indexPrice)}
        if next(iter(stated.values())) is None:
            raise FrameError("wrong_shape", f"a message of {message.subject} without what it is about")
        return market.prices(wire.ms(data.timestamp, received_ns), received_ns, **stated) or self._count("older_price")


def _spot_match(message: wire.Envelope, market: Symbol, received_ns: int) -> list[Output]:
    data = wire.read_spot_match(message.data)
    market.ensure_symbol(data.symbol)
    return market.trade(data.tradeId, data.price, data.size, data.side, wire.ns(data.time), received_ns)


def _futures_match(message: wire.Envelope, market: Symbol, received_ns: int) -> list[Output]:
    data = wire.read_futures_match(message.data)
    market.ensure_symbol(data.symbol)
    return market.trade(data.tradeId, data.price, plain(data.size), data.side, wire.ns(data.ts), received_ns)


def _level1(message: wire.Envelope, market: Symbol, received_ns: int) -> list[Output]:
    data = wire.read_level1(message.data)
    if len(data.bids) == 1 or len(data.asks) == 1:
        raise FrameError("wrong_shape", "a best price without its size")
    bid = quoted(data.bids[0], data.bids[1]) if data.bids else None
    ask = quoted(data.asks[0], data.asks[1]) if data.asks else None
    return market.quote(bid, ask, None, wire.ms(data.timestamp, received_ns), received_ns)


def _ticker(message: wire.Envelope, market: Symbol, received_ns: int) -> list[Output]:
    data = wire.read_ticker(message.data)
    market.ensure_symbol(data.symbol)
    bid = quoted(data.bestBidPrice, wire.number(data.bestBidSize))
    ask = quoted(data.bestAskPrice, wire.number(data.bestAskSize))
    return market.quote(bid, ask, data.sequence, wire.ns(data.ts), received_ns)
