"""One connection: https://www.okx.com/docs-v5/en/#overview-websocket"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import FrameError, UnknownInstrument
from mdplatform.core.session import REFUSALS, Channel, ChannelKind, Output, Reconnect, Request, refused
from mdplatform.core.symbols import Instruments, Kind
from mdplatform.venuekit.base_session import Read, SocketSession
from mdplatform.venuekit.books.diff import Snapshot
from mdplatform.venuekit.index_prices import IndexPrices
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.rows import joined
from mdplatform.venuekit.snapshot_session import offer_answer
from mdplatform.venuekit.streamed_session import lost_books
from mdplatform.venuekit.subscriptions import Subscriptions, Terms, Verb, verb_of
from mdplatform.venues.okx import channels as ch
from mdplatform.venues.okx import wire
from mdplatform.venues.okx.book import read_snapshot
from mdplatform.venues.okx.market import OkxMarket

PING_NS = 20 * SECOND  # the venue cuts a connection on which nothing was sent for 30 s (documented 2026-06)
SILENCE_NS = 35 * SECOND  # each ping is answered
# A connection may ask 480 times an hour, for 64 KB of arguments at a time (documented 2026-06). Of a request with a bad
# argument the others are taken, each with a reply of its own; whether all are shows within some seconds.
TERMS = Terms(topics_a_request=300, pace=(3, 1.0), hourly=470, settle_s=3.0)
# Refusals that are not about what was asked for, but about when: too many requests.
_BUSY = frozenset(("50011", "60014"))
_NAMED = re.compile(r"channel\s*[:=]\s*([\w-]+)\s*,\s*inst(?:Id|Type|Family)\s*[:=]\s*([\w-]+)")

T = TypeVar("T")


class OkxSession(SocketSession[OkxMarket]):
    """The instruments and channels of one socket."""

    name_behind = b'{"arg":{"channel":"'

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        markets = Markets(instruments, lambda instrument: OkxMarket(instrument, channels, depth))
        super().__init__(wire.EXCHANGE, markets, SILENCE_NS, PING_NS)
        self.channels = channels
        self._feeds: dict[wire.Arg, list[tuple[OkxMarket, ChannelKind]]] = {}  # of the first so many markets
        self._found = 0
        self._indices = IndexPrices(wire.EXCHANGE)
        self.subscriptions: Subscriptions[wire.Arg] = Subscriptions(TERMS, _request, self._concerned)
        reads: dict[Channel, Read] = {
            ch.BOOKS: self._on_books,
            ch.BOOKS5: self._on_books5,
            ch.BBO: self._on_best,
            ch.TRADES: partial(self._on_trades, ch.TRADES),
            ch.TRADES_ALL: partial(self._on_trades, ch.TRADES_ALL),
            ch.LIQUIDATIONS: self._on_liquidations,
            ch.FUNDING: self._on_funding,
            ch.MARK: self._on_mark,
            ch.INDEX: self._on_index,
            ch.OPEN_INTEREST: self._on_interest,
            ch.SUMMARY: self._on_summaries,
            ch.TICKER: self._on_ticker,
        }
        self.readers = {channel.name.encode(): reads[channel] for channel in channels}

    # --- asking

    def subscribe(self, now_ns: int) -> list[Output]:
        self.pings.begin(now_ns)
        markets = self.markets.all()
        wanted = [ch.argument(c, m.instrument) for c in self.channels for m in markets if ch.applies(c, m.instrument)]
        return self.subscriptions.connected(dict.fromkeys(wanted), now_ns)

    def topics_of(self, market: OkxMarket, kind: ChannelKind) -> list[wire.Arg]:
        carrying = (c for c in self.channels if c.kind == kind and ch.applies(c, market.instrument))
        return [ch.argument(channel, market.instrument) for channel in carrying]

    def answer(self, request: Request, status: int, body: bytes, received_ns: int) -> list[Output]:
        """A REST book, where the socket sends none."""
        book = next((m.diffs.rest for m in self.markets if m.diffs.rest.request == request), None)
        if book is None:
            return super().answer(request, status, body, received_ns)
        try:
            return offer_answer(book, partial(_snapshot, request), status, body, received_ns)
        except REFUSALS as error:
            return self.refuse(error, body, received_ns)

    def read_trades(self, market: OkxMarket, body: bytes, received_ns: int) -> list[Output]:
        answer = wire.read_trade_answer(body)
        if answer.code != "0":
            raise FrameError("venue_error", f"code {answer.code}: {answer.msg}; trades of {market.venue_symbol}")
        # Newest first: in the order of their ids, as text of any length.
        ordered = sorted(answer.data, key=lambda row: row.tradeId.rjust(20))
        return self.each(answer.data, lambda row: market.past(row, received_ns), body, received_ns, ordered)

    def tick(self, now_ns: int) -> list[Output]:
        out = super().tick(now_ns)
        return out + self._renew(self.markets, now_ns) if self.pings.are_sent else out

    def ping(self, now_ns: int) -> bytes:
        return b"ping"

    def _renew(self, markets: Iterable[OkxMarket], now_ns: int) -> list[Output]:
        """Subscribe again to the books that were lost: that brings a snapshot."""
        lost = lost_books(markets, now_ns) if ch.BOOKS in self.channels else []
        return self.subscriptions.renew([ch.argument(ch.BOOKS, market.instrument) for market in lost], now_ns)

    # --- frames

    def recover(self, market: OkxMarket, now_ns: int) -> list[Output]:
        """What follows at once where a message left the book unproven."""
        return self._renew([market], now_ns)

    def other(self, envelope: wire.Envelope, frame: bytes, received_ns: int) -> list[Output]:
        """A frame that no socket sends; raises FrameError."""
        raise FrameError("unknown_message", "neither data of a channel nor a reply")

    def stranger(self, error: UnknownInstrument) -> list[Output]:
        """Data of a whole kind of instruments hold those that nobody asked for."""
        return self.count("other_instrument")

    def unfamiliar(self, frame: bytes, received_ns: int) -> list[Output]:
        if frame == b"pong":
            return self.count("pong")
        envelope = wire.read_envelope(frame)
        if envelope.event is not None:
            return self._reply(envelope, frame, received_ns)
        if envelope.arg is None or not envelope.data:
            return self.other(envelope, frame, received_ns)
        name = envelope.arg.channel
        read = self.readers.get(name.encode())
        if read is not None:
            return read(frame, received_ns)
        kind = name if any(channel.name == name for channel in ch.CHANNELS) else ch.unused(name)
        if kind is None:
            raise FrameError("unknown_message", f"no channel {name[:40]!r} is documented")
        return self.count(kind)

    def _reply(self, reply: wire.Envelope, frame: bytes, received_ns: int) -> list[Output]:
        match reply.event:
            case "subscribe" | "unsubscribe" if reply.arg is not None:
                self.count("acknowledgement")
                return self.subscriptions.confirmed(received_ns, _number(reply), [reply.arg], verb_of(reply.event))
            case "error":
                return self._refused(reply, frame, received_ns)
            case "notice":
                self.count("notice")
                return [Reconnect("venue_notice", overlap=True)]
        raise FrameError("unknown_message", f"no event {str(reply.event)[:40]!r} is documented")

    def _refused(self, reply: wire.Envelope, frame: bytes, now_ns: int) -> list[Output]:
        """What is refused is down from here on, and kept with what was asked. Replies of 2022 name no request."""
        text = f"code {reply.code}: {reply.msg}"
        out, asked, bad = list[Output](), list[wire.Arg](), list[wire.Arg]()
        named = [ch.named(*words) for words in _NAMED.findall(reply.msg or "")]
        if reply.code not in _BUSY and (named or reply.id is not None):
            out, asked, bad = self.subscriptions.refused(text, now_ns, _number(reply), named or None)
        if names := [str(arg) for arg in bad or asked]:
            text += f"; asked for: {', '.join(names[:5])}{' and more' if len(names) > 5 else ''}"
        return [*out, refused(FrameError("venue_error", text), self.exchange, frame, now_ns, self.conn)]

    def _concerned(self, arg: wire.Arg) -> list[tuple[OkxMarket, ChannelKind]]:
        """The markets of a subscription, and its kind."""
        if len(self.markets) != self._found:
            self._find()
        return self._feeds.get(arg, [])

    def _find(self) -> None:
        """A recording brings markets one by one; a connection knows all of its own before it asks."""
        self._feeds.clear()
        for channel in self.channels:
            for market in self.markets:
                if channel in ch.OF_OPTIONS and not ch.applies(channel, market.instrument):
                    continue
                self._feeds.setdefault(ch.argument(channel, market.instrument), []).append((market, channel.kind))
        self._found = len(self.markets)

    # --- channels

    def _market(self, arg: wire.Arg) -> OkxMarket:
        if arg.instId is None:
            raise FrameError("wrong_shape", f"data of {arg.channel} that name no instrument")
        return self.markets.of(arg.instId)

    def _on_books(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_books(frame)
        market, data = self._market(push.arg), _only(push.data)
        if not market.is_active_source("book", ch.BOOKS):
            return self.count(ch.BOOKS.name)
        if push.action is None:
            raise FrameError("wrong_shape", "a book without action")
        book = market.diffs
        out = (book.snapshot if push.action == "snapshot" else book.update)(data, received_ns)
        if data.seqId is not None and data.seqId == data.prevSeqId:
            self.count("heartbeat")
        elif not out:
            self.count("repeated_update" if book.is_whole else "update_without_snapshot")
        return out if book.is_whole else out + self.recover(market, received_ns)

    def _on_books5(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_books(frame)
        market, data = self._market(push.arg), _only(push.data)
        if not market.is_active_source("book", ch.BOOKS5):
            return self.count(ch.BOOKS5.name)
        return market.top(data, received_ns) or self.count("repeated_book")

    def _on_best(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_books(frame)
        return self._market(push.arg).best(_only(push.data), received_ns) or self.count("older_quote")

    def _on_trades(self, channel: Channel, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_trades(frame)
        market = self._market(push.arg)
        if not market.is_active_source("trades", channel):
            return self.count(channel.name)

        def take(row: wire.TradeData) -> list[Output]:
            return market.traded(row, received_ns) or self.count("duplicate_trade")

        return self.each(push.data, take, frame, received_ns)

    def _on_liquidations(self, frame: bytes, received_ns: int) -> list[Output]:
        rows = wire.read_liquidations(frame).data
        if not any(row.details for row in rows):
            return self.count("no_liquidation")
        names = {id(order): row.instId for row in rows for order in row.details}
        equal = Counter[str]()

        def take(order: wire.LiquidationOrder) -> list[Output]:
            try:
                market = self.markets.of(names[id(order)])
            except UnknownInstrument as error:
                return self.stranger(error)
            return market.liquidated(order, equal, received_ns) or self.count("duplicate_liquidation")

        return self.each(joined([row.details for row in rows]), take, frame, received_ns)

    def _on_funding(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_funding(frame)
        market, data = self._market(push.arg), _only(push.data)
        if not data.fundingRate:
            market.unstated("rate", "next_funding_ns")
            return self.count("funding_without_rate")
        due_ns = None if data.fundingTime in (None, "", "0") else wire.venue_ns(data.fundingTime)
        time_ns = received_ns if data.ts is None else wire.venue_ns(data.ts)
        rates = {"rate": data.fundingRate, "predicted_rate": data.nextFundingRate or None}
        out = market.prices(time_ns, received_ns, **rates, next_funding_ns=due_ns)
        return out or self.count("older_price")

    def _on_mark(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_mark(frame)
        market, data = self._market(push.arg), _only(push.data)
        if not ch.applies(ch.MARK, market.instrument):
            return self.count(ch.MARK.name)  # that of the margin market
        if market.instrument.kind is Kind.OPTION:
            market.note_worth(wire.venue_ns(data.ts), mark_price=data.markPx)
            return self.count("mark_of_option")  # it is part of the next summary
        out = market.prices(wire.venue_ns(data.ts), received_ns, mark_price=data.markPx)
        return out or self.count("older_price")

    def _on_index(self, frame: bytes, received_ns: int) -> list[Output]:
        """The price of an index is that of every contract on it."""
        data = _only(wire.read_index(frame).data)
        time_ns, markets = wire.venue_ns(data.ts), [m for m in self.markets if m.index == data.instId]
        if not markets:
            return self.count(ch.INDEX.name)
        index = self._indices.stated(f"{data.instId}-INDEX", data.idxPx, time_ns, received_ns)
        out = [event for m in markets for event in m.prices(time_ns, received_ns, index_price=data.idxPx)]
        return index + out or self.count(ch.INDEX.name)

    def _on_summaries(self, frame: bytes, received_ns: int) -> list[Output]:
        """Of all options of a family, those that nobody asked for among them."""

        def take(row: wire.SummaryData) -> list[Output]:
            try:
                market = self.markets.of(row.instId)
            except UnknownInstrument as error:
                return self.stranger(error)
            return market.valued(row, received_ns) or self.count("repeated_summary")

        return self.each(wire.read_summaries(frame).data, take, frame, received_ns)

    def _is_option(self, name: str) -> bool:
        try:
            return self.markets.instruments.named(name).kind is Kind.OPTION
        except UnknownInstrument:
            return False

    def _on_ticker(self, frame: bytes, received_ns: int) -> list[Output]:
        arg = wire.read_envelope(frame).arg
        if arg is None or not self._is_option(arg.instId or ""):
            return self.count(ch.TICKER.name)
        push = wire.read_ticker(frame)
        market, data = self._market(push.arg), _only(push.data)
        market.ensure_symbol(data.instId)
        return market.ticker(data, received_ns) or self.count("repeated_summary")

    def _on_interest(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_interest(frame)
        market, data = self._market(push.arg), _only(push.data)
        market.ensure_symbol(data.instId)
        if not ch.applies(ch.OPEN_INTEREST, market.instrument):
            return self.count(ch.OPEN_INTEREST.name)
        return market.interest(data, received_ns) or self.count("repeated_interest")


def _snapshot(request: Request, body: bytes) -> Snapshot:
    answer = wire.read_book_answer(body)
    if answer.code != "0" or len(answer.data) != 1:
        raise FrameError("venue_error", f"code {answer.code}: {answer.msg}; {request.path}")
    return read_snapshot(answer.data[0])


def _request(verb: Verb, args: Sequence[wire.Arg], number: int) -> bytes:
    return msgspec.json.encode({"id": str(number), "op": verb, "args": args})


def _number(reply: wire.Envelope) -> int | None:
    """That of the request that it answers; -1 where it is none of ours."""
    if reply.id is None:
        return None
    return int(reply.id) if reply.id.isascii() and reply.id.isdecimal() and len(reply.id) < 10 else -1


def _only(rows: list[T]) -> T:
    if len(rows) != 1:
        raise FrameError("wrong_shape", f"{len(rows)} rows where the channel sends one")
    return rows[0]
