"""Binance spot: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams

Combined streams only: a partial book names its symbol nowhere but in the stream's name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TypeVar
from urllib.parse import quote

import msgspec

from mdplatform.clock import SECOND
from mdplatform.decimals import check_levels, check_positive
from mdplatform.diffbook import Diff
from mdplatform.diffmarket import DiffMarket
from mdplatform.errors import FrameError
from mdplatform.events import FeedStatus, Side, Trade
from mdplatform.intervals import Feed
from mdplatform.liveness import Liveness
from mdplatform.session import (
    REFUSALS,
    Channel,
    Line,
    Output,
    Reconnect,
    Request,
    Send,
    Venue,
    chosen,
    refused,
    subscribable,
)
from mdplatform.symbols import Instrument, Instruments
from mdplatform.tradeids import TradeIds
from mdplatform.unclaimed import Unclaimed
from mdplatform.venues import binance_wire as wire
from mdplatform.venues.known import composed
from mdplatform.wholebook import WholeBook

M = TypeVar("M", wire.DiffData, wire.TradeData)
Read = Callable[[bytes, int], list[Output]]

DIFF = Channel("depth@100ms", "book", "whole from a REST snapshot on: each diff's U is the last u + 1", 5.0)
PARTIAL = Channel("depth20@100ms", "book", "each message is a whole top 20; one that is lost does not show", 5.0)
TRADE = Channel("trade", "trades", "whole: trade ids count up by one a symbol")

QUOTES = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "USD")
STREAMS_A_CONNECTION = 1000  # the venue allows 1024
STREAMS_A_MESSAGE = 250  # it reads 5 messages a second from us: all subscriptions go out at once
SILENCE_NS = 60 * SECOND
# Documented kinds of stream that give no event here; a recording may hold them.
_KINDS = "bookTicker aggTrade kline miniTicker ticker avgPrice blockTrade depth5 depth10 depth20 depth trade"
IGNORED = frozenset(_KINDS.split())


class Binance:
    """Facts of the venue."""

    id = "binance"
    ws_url = "wss://stream.binance.com:9443"
    rest_url = "https://api.binance.com"
    channels: tuple[Channel, ...] = (DIFF, PARTIAL, TRADE)
    default_channels: tuple[str, ...] = (DIFF.name, TRADE.name)
    rest_budget: tuple[int, float] = (6000, 60.0)
    connect_budget: tuple[int, float] = (300, 300.0)
    lifetime_s: float | None = 24 * 3600.0
    max_frame_bytes: int | None = 8 * 1024 * 1024
    used_weight_header: str | None = "X-MBX-USED-WEIGHT-1M"

    def instruments_requests(self) -> tuple[Request, ...]:
        return (Request("/api/v3/exchangeInfo?showPermissionSets=false", weight=20, purpose="instruments"),)

    def parse_instruments(self, body: bytes) -> list[Instrument]:
        return wire.read_instruments(self.id, body)

    def known_instruments(self) -> Instruments:
        return composed(self.id, QUOTES, lambda base, quote: base + quote)

    def lines(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> list[Line]:
        selected = subscribable(self.channels, channels or self.default_channels)
        rows = list(instruments)
        size = max(1, STREAMS_A_CONNECTION // len(selected))
        parts = [Instruments(self.id, rows[i : i + size]) for i in range(0, len(rows), size)]
        return [Line(self.ws_url, "/stream", BinanceSession(part, selected, depth)) for part in parts]

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> BinanceSession:
        return BinanceSession(instruments, chosen(self.channels, channels) or self.channels, depth)


VENUE: Venue = Binance()


class BinanceSession:
    """One combined-stream connection."""

    exchange = Binance.id

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        self.ignored: Counter[str] = Counter()
        self._instruments = instruments
        self._channels = channels
        self._depth = depth
        self._conn = ""
        self._live = Liveness(SILENCE_NS)
        self._markets: dict[str, _Market] = {}  # by the venue's symbol
        self._streams: dict[bytes, Read] = {}  # by the stream's name as it stands in the frame
        self._requests = 0
        self._asked: dict[str, list[str]] = {}  # request id -> streams
        self._unclaimed = Unclaimed()

    def connected(self, conn: str, now_ns: int) -> list[Output]:
        self._conn = conn
        self._live.connected(now_ns)
        out: list[Output] = []
        for instrument in self._instruments:
            out += self._market(instrument.venue_symbol).connected(now_ns)
        names = [f"{i.venue_symbol.lower()}@{c.name}" for i in self._instruments for c in self._channels]
        for start in range(0, len(names), STREAMS_A_MESSAGE):
            streams = names[start : start + STREAMS_A_MESSAGE]
            self._requests += 1
            self._asked[str(self._requests)] = streams
            self._live.awaits(str(self._requests), now_ns)
            out.append(Send(msgspec.json.encode({"method": "SUBSCRIBE", "params": streams, "id": self._requests})))
        return out

    def receive(self, frame: bytes, received_ns: int) -> list[Output]:
        self._live.heard(received_ns)
        try:
            # The stream's name is read in place: it tells the type, so that the frame is decoded only once.
            if frame[:11] == b'{"stream":"':
                read = self._streams.get(frame[11 : frame.find(b'"', 11)])
                if read is not None:
                    return read(frame, received_ns)
            return self._unfamiliar(frame, received_ns)
        except REFUSALS as error:
            return [refused(error, self.exchange, frame, received_ns, self._conn)]

    def answer(self, request: Request, status: int, body: bytes, received_ns: int) -> list[Output]:
        market = next((m for m in self._markets.values() if m.diffs.request == request), None)
        if market is None:
            return []
        if status != 200:
            market.diffs.failed(received_ns)
            return []
        try:
            return market.diffs.offer(wire.read_snapshot(body), received_ns)
        except REFUSALS as error:
            market.diffs.failed(received_ns)
            return [refused(error, self.exchange, body, received_ns, self._conn)]

    def tick(self, now_ns: int) -> list[Output]:
        return [out for m in self._markets.values() for out in m.tick(now_ns)] + [*self._live.tick(now_ns)]

    def closed(self, cause: str, now_ns: int) -> list[Output]:
        self._live.closed()
        return [event for market in self._markets.values() for event in market.closed(cause, now_ns)]

    def _unfamiliar(self, frame: bytes, received_ns: int) -> list[Output]:
        """A frame whose stream is new, or that belongs to none."""
        envelope = wire.read_envelope(frame)
        if envelope.stream is not None:
            read = self._reader_of(envelope.stream)
            outputs = read(frame, received_ns)
            self._streams[envelope.stream.encode()] = read
            return outputs
        if envelope.e == "serverShutdown":
            return [Reconnect("server_shutdown", overlap=True)]
        if envelope.e is not None or envelope.A is not None:
            return self._bare(envelope, frame, received_ns)
        if envelope.lastUpdateId is not None:
            waiting = [market.diffs for market in self._markets.values()]
            return self._unclaimed.give(wire.read_snapshot(frame), waiting, received_ns)
        if envelope.symbols is not None:
            for instrument in VENUE.parse_instruments(frame):
                self._instruments.add(instrument)
            return []
        return self._replied(envelope, received_ns)

    def _replied(self, reply: wire.Envelope, received_ns: int) -> list[Output]:
        """An acknowledgement, or the refusal of a request."""
        streams = self._asked.pop(str(reply.id), [])
        self._live.acknowledged(str(reply.id))
        problem = reply.error or reply
        if problem.code is not None or problem.msg is not None:
            raise FrameError("venue_error", f"code {problem.code}: {problem.msg}; streams asked for: {streams[:5]}")
        if reply.id is None:
            raise FrameError("unknown_message", "neither a stream, a reply nor a REST answer that is documented")
        self.ignored["acknowledgement"] += 1
        markets = [self._market(s.partition("@")[0].upper()) for s in streams if s.endswith(f"@{TRADE.name}")]
        return [event for market in markets for event in market.trades.feed.valid("subscribed", None, received_ns)]

    def _bare(self, envelope: wire.Envelope, frame: bytes, received_ns: int) -> list[Output]:
        """A message of a raw stream (``/ws``), as a recording may hold: its own ``e`` tells what it is."""
        kinds = {"depthUpdate": DIFF.name, "24hrTicker": "ticker", "24hrMiniTicker": "miniTicker"}
        kind = "bookTicker" if envelope.e is None else kinds.get(envelope.e, envelope.e)
        return self._reader_of(f"{envelope.s}@{kind}")(b'{"data":' + frame + b"}", received_ns)

    def _reader_of(self, stream: str) -> Read:
        if stream == "!serverShutdown":
            return lambda frame, received_ns: [Reconnect("server_shutdown", overlap=True)]
        symbol, _, kind = stream.partition("@")
        for channel, method in ((DIFF, self._on_diff), (PARTIAL, self._on_partial), (TRADE, self._on_trade)):
            if kind in (channel.name, channel.name.removesuffix("@100ms")) and channel in self._channels:
                return partial(method, self._market(symbol.upper()))
        word = kind.partition("@")[0].partition("_")[0]
        if word in IGNORED:
            return partial(self._ignore, word)
        raise FrameError("unknown_message", f"no such stream: {stream[:80]!r}")

    def _market(self, venue_symbol: str) -> _Market:
        market = self._markets.get(venue_symbol)
        if market is None:
            instrument = self._instruments.named(venue_symbol)
            market = self._markets[venue_symbol] = _Market(instrument, self._channels, self._depth)
        return market

    def _ignore(self, kind: str, frame: bytes, received_ns: int) -> list[Output]:
        wire.read_ignored(frame)
        self.ignored[kind] += 1
        return []

    def _on_diff(self, market: _Market, frame: bytes, received_ns: int) -> list[Output]:
        data = market.own(wire.read_diff(frame).data)
        if data.u < data.U:
            raise FrameError("wrong_shape", f"first update id {data.U} is above the last, {data.u}")
        check_levels([*data.b, *data.a])
        diff = Diff(data.U - 1, data.u, data.b, data.a, wire.venue_ns(data.E), received_ns)
        if not market.pinned(DIFF):
            return self._count(DIFF.name)
        out = market.diffs.take(diff)
        return out + self._unclaimed.claim(market.diffs, diff, received_ns) if self._unclaimed else out

    def _on_partial(self, market: _Market, frame: bytes, received_ns: int) -> list[Output]:
        data = wire.read_partial(frame).data
        if not market.pinned(PARTIAL):
            return self._count(PARTIAL.name)
        # The message holds no time: that it equals the receive time says so.
        return market.whole.take(data.lastUpdateId, data.bids, data.asks, received_ns, received_ns)

    def _on_trade(self, market: _Market, frame: bytes, received_ns: int) -> list[Output]:
        data = market.own(wire.read_trade(frame).data)
        check_positive(data.p, data.q)
        traded_ns = wire.venue_ns(data.T)
        new, events = market.trades.take(data.t, received_ns)
        if not new:
            return self._count("duplicate_trade")
        side: Side = "sell" if data.m else "buy"  # m: the buyer was the maker, so the taker sold
        return [*events, Trade(self.exchange, market.symbol, str(data.t), data.p, data.q, side, traded_ns, received_ns)]

    def _count(self, kind: str) -> list[Output]:
        self.ignored[kind] += 1
        return []


class _Market:
    """One symbol: its book, by diffs or in whole, and its trades."""

    def __init__(self, instrument: Instrument, channels: tuple[Channel, ...], depth: int) -> None:
        exchange, self.symbol = instrument.exchange, instrument.symbol
        self._venue_symbol = instrument.venue_symbol
        limit, weight = (1000, 50) if depth <= 500 else (5000, 250)
        path = f"/api/v3/depth?symbol={quote(self._venue_symbol)}&limit={limit}"
        book = Feed(exchange, self.symbol, "book", 5 * SECOND)
        self.diffs = DiffMarket(book, Request(path, weight, self.symbol), _joins, depth)
        self.whole = WholeBook(book, depth)
        self.trades = TradeIds(Feed(exchange, self.symbol, "trades"))
        self._feeds = [feed for feed in (book, self.trades.feed) if any(c.kind == feed.channel for c in channels)]
        self._source: Channel | None = None

    def own(self, data: M) -> M:
        """``data``, if it is about this symbol."""
        if data.s != self._venue_symbol:
            raise FrameError("wrong_shape", f"the stream is of {self._venue_symbol}, the message of {data.s[:40]!r}")
        return data

    def pinned(self, channel: Channel) -> bool:
        """Whether the book comes from ``channel``: the first one that sends decides, two would contradict."""
        self._source = self._source or channel
        return self._source is channel

    def connected(self, now_ns: int) -> list[FeedStatus]:
        self._source = None
        self.diffs.connected(now_ns)
        self.whole.connected(now_ns)
        return [event for feed in self._feeds for event in feed.invalid("resync", "subscribing", now_ns)]

    def tick(self, now_ns: int) -> list[Output]:
        return [*self.diffs.tick(now_ns), *self.trades.feed.tick(now_ns)]

    def closed(self, cause: str, now_ns: int) -> list[FeedStatus]:
        return [event for feed in self._feeds for event in feed.closed(cause, now_ns)]


def _joins(diff: Diff, snapshot_id: int) -> bool:
    """U <= lastUpdateId + 1 <= u."""
    return diff.previous <= snapshot_id < diff.last
