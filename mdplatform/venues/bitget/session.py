"""A connection to Bitget, of one category: https://www.bitget.com/api-doc/uta/websocket/public/Order-Book-Channel

It speaks API v3; a recording may hold v2 as well. Order books by REST carry no number and are never joined: a book
that is lost is subscribed to again, which brings a snapshot. No message holds a checksum any more, and those of coin
futures are numbered beyond 2^53 (probed 2026-10).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.decimals import Levels, quoted
from mdplatform.core.errors import FrameError, UnknownInstrument
from mdplatform.core.session import Channel, ChannelKind, Output
from mdplatform.core.symbols import Instruments
from mdplatform.venuekit.base_session import Read
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.streamed_session import StreamedSession
from mdplatform.venuekit.subscriptions import Subscriptions, Terms, Topic, Verb, verb_of
from mdplatform.venues.bitget import wire
from mdplatform.venues.bitget.channels import BEST, BOOKS, LIQUIDATIONS, TICKER, TRADES, UNUSED
from mdplatform.venues.bitget.instruments import EXCHANGE, SPOT, read_instruments
from mdplatform.venues.bitget.market import BitgetMarket, BookMessage

PING_NS = 20 * SECOND
SILENCE_NS = 50 * SECOND
# A connection may subscribe 240 times an hour and send 10 messages a second, pings too (documented, 2026). A message
# of 25 books and more had v3 drop the socket with 1006; 20 worked (probed 2026-10).
TERMS = Terms(topics_a_request=15, pace=(8, 1.0), hourly=230, settle_s=2.0)
_HEAD = re.compile(rb'("(?:topic|channel)":"[A-Za-z0-9]+")')
_V2 = {"trade": "publicTrade"}  # channels that v2 names otherwise
_KLINE = re.compile(r"kline|candle[0-9]+[A-Za-z]+")


class BitgetSession(StreamedSession[BitgetMarket]):
    """``category``: spot, usdt-futures, usdc-futures or coin-futures."""

    name_in = _HEAD

    def __init__(self, category: str, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        self.category = category
        self._channels = tuple(c for c in channels if category != SPOT or c not in (LIQUIDATIONS, TICKER))
        markets = Markets(instruments, lambda row: BitgetMarket(row, self._channels, depth), category)
        super().__init__(EXCHANGE, markets, SILENCE_NS, PING_NS)
        readers: dict[bytes, tuple[Channel, Read]] = {
            b'"topic":"books"': (BOOKS, self._on_book_v3),
            b'"channel":"books"': (BOOKS, self._on_book_v2),
            b'"topic":"publicTrade"': (TRADES, self._on_trades_v3),
            b'"channel":"trade"': (TRADES, self._on_trades_v2),
            b'"topic":"liquidation"': (LIQUIDATIONS, self._on_liquidations),
            b'"topic":"ticker"': (TICKER, self._on_tickers),
            b'"channel":"ticker"': (TICKER, self._on_tickers),
            b'"topic":"books1"': (BEST, self._on_best_v3),
            b'"channel":"books1"': (BEST, self._on_best_v2),
        }
        self.readers = {head: read for head, (channel, read) in readers.items() if channel in self._channels}
        self.subscriptions: Subscriptions[Topic] = Subscriptions(TERMS, self._request, self._feeds)
        self.takes_books = BOOKS in self._channels

    # --- what is sent

    def subscribe(self, now_ns: int) -> list[Output]:
        self.pings.begin(now_ns)
        return self.subscriptions.connected(
            dict.fromkeys(topic for channel in self._channels for topic in self._topics(channel, self.markets.all())),
            now_ns,
        )

    def topics_of(self, market: BitgetMarket, kind: ChannelKind) -> list[Topic]:
        return [topic for c in self._channels if c.kind == kind for topic in self._topics(c, [market])]

    def _topics(self, channel: Channel, markets: Iterable[BitgetMarket]) -> list[Topic]:
        """Liquidations are those of the whole category."""
        return [Topic(channel.name, "" if channel is LIQUIDATIONS else market.venue_symbol) for market in markets]

    def _feeds(self, topic: Topic) -> list[tuple[BitgetMarket, ChannelKind]]:
        channel = next((channel for channel in self._channels if channel.name == topic.channel), None)
        if channel is None:
            return []
        if channel is LIQUIDATIONS:
            return [(market, channel.kind) for market in self.markets]
        return self.feeds_of(topic.symbol, (channel.kind,))

    def _request(self, verb: Verb, topics: Sequence[Topic], number: int) -> bytes:
        args = [{"instType": self.category, "topic": topic.channel} for topic in topics]
        for arg, topic in zip(args, topics, strict=True):
            if topic.symbol:
                arg["symbol"] = topic.symbol
        return msgspec.json.encode({"op": verb, "args": args})

    def book_topic(self, market: BitgetMarket) -> Topic:
        return Topic(BOOKS.name, market.venue_symbol)

    def ping(self, now_ns: int) -> bytes:
        return b"ping"

    # --- what is received

    def read(self, frame: bytes, received_ns: int) -> list[Output]:
        # Replies name their channel as messages do.
        return self.unfamiliar(frame, received_ns) if b'"event":' in frame else super().read(frame, received_ns)

    def _market_of(self, push: wire.Push[wire.T], *names: str) -> BitgetMarket:
        """The market that the message is of; raises FrameError where it is of another channel or category."""
        arg = push.arg
        if arg.name not in names or arg.category != self.category:
            raise FrameError(
                "wrong_shape",
                f"read as {names[0]} of {self.category}, but it is {arg.name[:40]} of {arg.category[:40]}",
            )
        return self.markets.of(arg.venue_symbol)

    def _on_book_v3(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_book_v3(frame)
        row = _one(push)
        levels = int(row.maxDepth) if row.maxDepth in _DEPTHS else None
        return self._on_book(push, _message(row, row.b, row.a, levels), received_ns)

    def _on_book_v2(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_book_v2(frame)
        row = _one(push)
        return self._on_book(push, _message(row, row.bids, row.asks, None), received_ns)

    def _on_book(self, push: wire.Push[wire.T], message: BookMessage, received_ns: int) -> list[Output]:
        market = self._market_of(push, BOOKS.name)
        if push.action == "snapshot":
            return market.snapshot(message, received_ns)
        if not market.stream.is_whole:
            self.count("update_before_snapshot")
        return market.update(message, self._ignored, received_ns) + self.renew([market], received_ns)

    def _on_best_v3(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_book_v3(frame)
        row = _one(push)
        return self._on_best(self._market_of(push, BEST.name), row.b, row.a, wire.number(row.seq), row.ts, received_ns)

    def _on_best_v2(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_best_v2(frame)
        row = _one(push)
        seq = None if row.seq is None else wire.number(row.seq)
        return self._on_best(self._market_of(push, BEST.name), row.bids, row.asks, seq, row.ts, received_ns)

    def _on_best(
        self, market: BitgetMarket, bids: Levels, asks: Levels, seq: int | None, ts: str, received_ns: int
    ) -> list[Output]:
        if len(bids) > 1 or len(asks) > 1:
            raise FrameError("wrong_shape", "more than one level a side in books1")
        bid, ask = (quoted(*side[0]) if side else None for side in (bids, asks))
        out = market.quote(bid, ask, seq, wire.ms_ns(ts), received_ns)
        return out or self.count("no_quote" if bid is None and ask is None else "repeated_quote")

    def _on_trades_v3(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_trades_v3(frame)
        market = self._market_of(push, TRADES.name)

        def take(row: wire.TradeV3) -> list[Output]:
            events = market.trade_v3(row.i, row.p, row.v, row.S, wire.ms_ns(row.T), received_ns)
            return events or self.count("duplicate_trade")

        return self.each(push.data, take, frame, received_ns, _in_time(push, lambda row: row.T))

    def _on_trades_v2(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_trades_v2(frame)
        market = self._market_of(push, "trade")

        def take(row: wire.TradeV2) -> list[Output]:
            events = market.trade(row.tradeId, row.price, row.size, row.side, wire.ms_ns(row.ts), received_ns)
            return events or self.count("duplicate_trade")

        return self.each(push.data, take, frame, received_ns, _in_time(push, lambda row: row.ts))

    def _on_tickers(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_tickers(frame)
        market = self._market_of(push, TICKER.name)
        row = _one(push)
        next_ns = None if row.nextFundingTime in ("", "0") else wire.ms_ns(row.nextFundingTime)
        venue_ns = wire.ms_ns(row.ts or push.ts)
        interest = market.open_interest(market.open_size(row), venue_ns=venue_ns, received_ns=received_ns)
        out = market.funding(
            rate=row.fundingRate or None,  # dated contracts have none
            mark_price=row.markPrice,
            index_price=row.indexPrice,
            next_funding_ns=next_ns,
            venue_ns=venue_ns,
            received_ns=received_ns,
            last_price=row.lastPr or row.lastPrice or None,
        )
        return out + interest

    def _on_liquidations(self, frame: bytes, received_ns: int) -> list[Output]:
        """All of the category: those of symbols that are not taken are counted."""
        push = wire.read_liquidations(frame)
        if push.arg.name != LIQUIDATIONS.name or push.arg.category != self.category:
            raise FrameError("wrong_shape", f"read as liquidation of {self.category}, but it is {push.arg.name[:40]}")
        alike: Counter[tuple[str, str]] = Counter()

        def take(row: wire.LiquidationOrder) -> list[Output]:
            time_ns = wire.ms_ns(row.ts)
            try:
                market = self.markets.of(row.symbol)
            except UnknownInstrument:
                return self.count("liquidation_of_another_symbol")
            # The venue gives no id; two orders of one message may well agree in everything.
            name = f"{row.ts}:{row.side}:{row.amount}@{row.price}"
            alike[row.symbol, name] += 1
            name += f"#{alike[row.symbol, name]}"
            out = market.liquidated(name, row.price, row.amount, row.side, time_ns, received_ns)
            return out or self.count("duplicate_liquidation")

        return self.each(push.data, take, frame, received_ns)

    def unfamiliar(self, frame: bytes, received_ns: int) -> list[Output]:
        """All that is no message of a channel that is taken."""
        if frame == b"pong":
            return self.count("pong")
        envelope = wire.read_envelope(frame)
        if envelope.event is not None:
            return self._replied(envelope, frame, received_ns)
        if envelope.arg is not None:
            name = envelope.arg.name
            if name not in UNUSED and not _KLINE.fullmatch(name):
                raise FrameError("unknown_message", f"no channel {name[:40]!r} is documented")
            wire.read_push(frame)
            return self.count("kline" if _KLINE.fullmatch(name) else name)
        if bytes(envelope.data).startswith(b"{"):
            wire.read_rest_book(envelope.data)
            return self.count("rest_order_book")
        if envelope.code is None:
            raise FrameError("unknown_message", "neither a channel's message nor a REST answer that is documented")
        return self.listed(read_instruments(frame), received_ns)

    def _replied(self, reply: wire.Envelope, frame: bytes, received_ns: int) -> list[Output]:
        """An acknowledgement or a refusal of one subscription."""
        arg = reply.arg
        topics = (
            []
            if arg is None or arg.category != self.category
            else [Topic(_V2.get(arg.name, arg.name), arg.venue_symbol)]
        )
        if reply.event == "error":
            text = f"code {reply.code}: {reply.msg}"
            verb = verb_of(reply.op)
            answer = self.subscriptions.refused(text, received_ns, None, topics, verb)
            what = f"; asked for: {topics[0]}" if topics else ""
            return self.refusal(answer, text + what, frame, received_ns, verb, topics)
        if reply.event not in ("subscribe", "unsubscribe"):
            raise FrameError("unknown_message", f"no event {str(reply.event)[:40]!r} is documented")
        self.count("acknowledgement")
        return self.subscriptions.confirmed(received_ns, None, topics, verb_of(reply.event)) if topics else []


_DEPTHS = frozenset(map(str, range(1, 1001)))


def _one(push: wire.Push[wire.T]) -> wire.T:
    """The only row of a message; raises FrameError."""
    if len(push.data) != 1:
        raise FrameError("wrong_shape", f"{len(push.data)} rows, not one")
    return push.data[0]


def _in_time(push: wire.Push[wire.T], time: Callable[[wire.T], str]) -> list[wire.T]:
    """The rows in order. The first message lists what was traded before, newest first."""
    return sorted(reversed(push.data) if push.action == "snapshot" else push.data, key=time)


def _message(row: wire.BookV3 | wire.BookV2, bids: Levels, asks: Levels, levels: int | None) -> BookMessage:
    pseq = None if row.pseq is None else wire.number(row.pseq)
    return BookMessage(bids, asks, wire.number(row.seq), pseq, row.checksum, levels, wire.ms_ns(row.ts))
