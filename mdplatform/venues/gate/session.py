"""A connection to Gate, of spot or of contracts: https://www.gate.com/docs/developers/apiv4/ws/en/

Both speak the same protocol with channels of their own. A book comes whole and then by updates on one stream (``obu``,
documented 2026-06), or by updates that are joined to a snapshot by REST; a message that is marked ``full`` replaces it.
A stream of ``obu`` that does not exist is acknowledged and stays silent (probed 2026-10).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.decimals import Levels, check_levels, plain, quoted
from mdplatform.core.errors import FrameError
from mdplatform.core.session import Channel, ChannelKind, Output, Reconnect
from mdplatform.core.symbols import Instruments
from mdplatform.venuekit.base_session import Read
from mdplatform.venuekit.books.diff import Diff, Snapshot
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.snapshot_session import SnapshotSession
from mdplatform.venuekit.streamed_session import StreamedSession
from mdplatform.venuekit.subscriptions import Subscriptions, Terms, Topic, Verb, verb_of
from mdplatform.venues.gate import wire
from mdplatform.venues.gate.channels import BOOK, LIQUIDATIONS, OBU, OBU_LEVELS, QUOTES, TICKERS, TRADES, UNUSED
from mdplatform.venues.gate.instruments import EXCHANGE, FUTURES, SPOT, read_instruments
from mdplatform.venues.gate.market import LEVELS, GateMarket, side_of

PING_NS = 10 * SECOND
SILENCE_NS = 30 * SECOND
# No limit of messages or of symbols a request is documented (2026-06). One unknown symbol refuses its whole request.
TERMS = Terms(topics_a_request=100, pace=(10, 1.0))
_TWICE = "Alert sub"  # the refusal of what is subscribed already
_WORD = re.compile(r"[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+")
# ``obu`` has its event in front as documented, or behind the result as seen.
_HEAD = re.compile(rb'"channel":"([a-z_0-9.]+)",(?:"event":"(?:update|all)"|"result":(?s:.*)"event":"update"\}$)')


class GateSession(StreamedSession[GateMarket], SnapshotSession[GateMarket]):
    """What spot and contracts share; ``section`` is both the category and the first word of its channels' names."""

    name_in = _HEAD
    section: str
    positional: tuple[str, ...]  # what an order book's payload holds after the symbol

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        offered = tuple(channel for channel in channels if channel in self.offers())
        markets = Markets(instruments, lambda row: GateMarket(row, offered, depth), self.section)
        super().__init__(EXCHANGE, markets, SILENCE_NS, PING_NS)
        self._channels = offered
        self.takes_books = OBU in offered
        self.readers = {
            f"{self.section}.{channel.name}".encode(): read
            for channel, read in self.offers().items()
            if channel in offered
        }
        self.subscriptions: Subscriptions[Topic] = Subscriptions(TERMS, self._request, self._feeds, _together)
        self._now_ns = 0  # of the last tick: requests state when they were made

    # --- what a section adds

    def offers(self) -> dict[Channel, Read]:
        """Channels of the section and what reads their messages."""
        raise NotImplementedError

    # --- what is sent

    def subscribe(self, now_ns: int) -> list[Output]:
        self._now_ns = now_ns
        self.pings.begin(now_ns)
        markets = self.markets.all()
        topics = [Topic(channel.name, market.venue_symbol) for channel in self._channels for market in markets]
        return self.subscriptions.connected(topics, now_ns)

    def topics_of(self, market: GateMarket, kind: ChannelKind) -> list[Topic]:
        return [Topic(channel.name, market.venue_symbol) for channel in self._channels if channel.kind == kind]

    def _feeds(self, topic: Topic) -> list[tuple[GateMarket, ChannelKind]]:
        return self.feeds_of(topic.symbol, [c.kind for c in self._channels if c.name == topic.channel])

    def _request(self, verb: Verb, topics: Sequence[Topic], number: int) -> bytes:
        channel = topics[0].channel
        payload = [topic.symbol for topic in topics]
        if channel == BOOK.name:
            payload += self.positional
        elif channel == OBU.name:
            payload = [f"ob.{symbol}.{OBU_LEVELS}" for symbol in payload]
        head = {"time": self._now_ns // SECOND, "id": number, "channel": f"{self.section}.{channel}", "event": verb}
        return msgspec.json.encode({**head, "payload": payload})

    def book_topic(self, market: GateMarket) -> Topic:
        return Topic(OBU.name, market.venue_symbol)

    def renew(self, markets: Iterable[GateMarket], now_ns: int) -> list[Output]:
        return super().renew((market for market in markets if market.owns(OBU)), now_ns)

    def ping(self, now_ns: int) -> bytes:
        return msgspec.json.encode({"time": now_ns // SECOND, "channel": f"{self.section}.ping"})

    def tick(self, now_ns: int) -> list[Output]:
        self._now_ns = now_ns
        return super().tick(now_ns)

    # --- what is received

    def ensure_channel(self, message: wire.Push[wire.T], channel: Channel) -> wire.T:
        """What the message holds, if it is of this channel."""
        if message.channel != f"{self.section}.{channel.name}":
            raise FrameError("wrong_shape", f"read as {channel.name}, but it is of {message.channel[:40]!r}")
        return message.result

    def on_book(
        self, data: wire.SpotBook | wire.FuturesBook, bids: Levels, asks: Levels, received_ns: int
    ) -> list[Output]:
        """An update of the book, or all of it."""
        market = self.markets.of(data.s)
        numbers = check_levels([*bids, *asks])
        if not market.is_active_source("book", BOOK):
            return self.count(BOOK.name)
        if data.full:
            whole = Diff(data.u, data.u, bids, asks, wire.ms_ns(data.t), received_ns)
            return market.diffs.whole(whole) or self.count("repeated_book")
        if data.U is None or data.u < data.U:
            raise FrameError("wrong_shape", f"first update id {data.U} is missing or above the last, {data.u}")
        diff = Diff(data.U - 1, data.u, bids, asks, wire.ms_ns(data.t), received_ns, data.U, numbers)
        return self.take(market.diffs, diff)

    def on_stream(self, frame: bytes, received_ns: int) -> list[Output]:
        """The whole book, or what changed in it."""
        data = self.ensure_channel(wire.read_stream(frame), OBU)
        symbol, levels = wire.stream(data.s)
        market = self.markets.of(symbol)
        if not market.is_active_source("book", OBU):
            return self.count(OBU.name)
        was_whole = market.stream.is_whole
        out = market.streamed(data, levels, received_ns)
        if market.stream.is_whole:
            return out or self.count("repeated_update")
        if not was_whole:
            self.count("update_before_snapshot")
        return out + self.renew([market], received_ns)

    def on_quote(self, data: wire.SpotQuote | wire.FuturesQuote, received_ns: int) -> list[Output]:
        """Best bid and ask; an empty side has no price or no size, and an empty book neither time nor number."""
        bid, ask = quoted(data.b, str(data.B)), quoted(data.a, str(data.A))
        if bid is None and ask is None:
            market = self.markets.of(data.s)
            out = market.quote(bid, ask, data.u, wire.ms_ns(data.t), received_ns) if data.t else []
            return out or self.count("no_quote")
        out = self.markets.of(data.s).quote(bid, ask, data.u, wire.ms_ns(data.t), received_ns)
        return out or self.count("repeated_quote")

    def unfamiliar(self, frame: bytes, received_ns: int) -> list[Output]:
        """All that is no message of a channel that is taken."""
        if frame[:1] == b"[":
            return self.listed(read_instruments(frame), received_ns)
        envelope = wire.read_envelope(frame)
        if envelope.asks is not None:
            return self.offered(frame, received_ns)
        section, _, name = (envelope.channel or "").partition(".")
        if section != self.section:
            raise _stranger(envelope, self.section)
        if envelope.event in ("subscribe", "unsubscribe"):
            return self._replied(envelope, name, frame, received_ns)
        if envelope.error is not None:
            raise FrameError("venue_error", f"code {envelope.error.code}: {envelope.error.message}")
        if name == "pong":
            return self.count(name)
        if name == "system":
            return self._noticed(wire.read_notice(envelope.result))
        return self._pushed(envelope, name, frame, received_ns)

    def _pushed(self, envelope: wire.Envelope, name: str, frame: bytes, received_ns: int) -> list[Output]:
        """A message of a channel whose name was not found where it usually stands, or that is not taken."""
        read = self.readers.get(str(envelope.channel).encode())
        if read is not None and envelope.event in ("update", "all"):
            return read(frame, received_ns)
        if name not in UNUSED:
            raise FrameError("unknown_message", f"no channel {str(envelope.channel)[:40]!r} is documented")
        wire.read_push(frame)
        return self.count(name)

    def _noticed(self, notice: wire.Notice) -> list[Output]:
        """The venue is about to close the connection for an upgrade of its own."""
        if notice.type != "upgrade":
            raise FrameError("unknown_message", f"no notice {notice.type[:40]!r} is documented")
        self.count("upgrade")
        return [Reconnect("upgrade", overlap=True)]

    def _replied(self, reply: wire.Envelope, name: str, frame: bytes, received_ns: int) -> list[Output]:
        """An acknowledgement or a refusal; the id of the request may be left out, its payload is not."""
        verb = verb_of(reply.event)
        words = reply.payload[:1] if name == BOOK.name else reply.payload
        topics = None if reply.id is not None else [Topic(name, wire.symbol_of(word)) for word in words] or None
        if reply.error is None or _TWICE in reply.error.message:
            self.count("acknowledgement")
            return self.subscriptions.confirmed(received_ns, reply.id, topics, verb)
        text = f"code {reply.error.code}: {reply.error.message}"
        named = [Topic(name, word) for word in _WORD.findall(reply.error.message)]
        answer = self.subscriptions.refused(text, received_ns, reply.id, named if reply.id else topics, verb)
        what = f"; asked for: {', '.join(topic.symbol for topic in answer.about[:5])}" if answer.asked else ""
        return self.refusal(answer, f"{name}: {text}{what}", frame, received_ns, verb)


def _together(topic: Topic) -> Hashable:
    """Topics of one request have the same channel; a book is one a request."""
    return topic if topic.channel in (OBU.name, BOOK.name) else topic.channel


def _stranger(envelope: wire.Envelope, section: str) -> FrameError:
    """What a frame is that is of no channel of the section."""
    if envelope.error is not None:
        return FrameError("venue_error", f"code {envelope.error.code}: {envelope.error.message}")
    if envelope.label is not None:
        return FrameError("venue_error", f"{envelope.label}: {envelope.message}")
    if envelope.channel is None:
        return FrameError("unknown_message", "neither a channel's message nor a REST answer that is documented")
    return FrameError("unknown_message", f"a message of {envelope.channel[:40]!r} on a socket of {section}")


class SpotSession(GateSession):
    """Sizes are in base units; one trade a message."""

    section = SPOT
    positional = ("100ms",)  # with 100 levels

    def offers(self) -> dict[Channel, Read]:
        return {
            OBU: self.on_stream,
            BOOK: self._on_book,
            TRADES: self._on_trade,
            QUOTES: self._on_quote,
        }

    def snapshot(self, body: bytes) -> Snapshot:
        return wire.read_spot_snapshot(body)

    def read_trades(self, market: GateMarket, body: bytes, received_ns: int) -> list[Output]:
        rows = wire.read_rest_trades(body)
        ordered = sorted(rows, key=lambda row: row.sequence_id.rjust(20))
        return self.each(rows, lambda row: market.rest_trade(row, received_ns), body, received_ns, ordered)

    def _on_book(self, frame: bytes, received_ns: int) -> list[Output]:
        data = self.ensure_channel(wire.read_spot_book(frame), BOOK)
        return self.on_book(data, data.b, data.a, received_ns)

    def _on_trade(self, frame: bytes, received_ns: int) -> list[Output]:
        data = self.ensure_channel(wire.read_spot_trade(frame), TRADES)
        return self.markets.of(data.currency_pair).pair_trade(data, received_ns) or self.count("duplicate_trade")

    def _on_quote(self, frame: bytes, received_ns: int) -> list[Output]:
        return self.on_quote(self.ensure_channel(wire.read_spot_quote(frame), QUOTES), received_ns)


class FuturesSession(GateSession):
    """Sizes are in contracts; several trades, tickers or liquidations a message.

    A trade below zero is the taker's sale (documented 2026-06), and a liquidation is assumed to be the same; its sign
    is not documented: the size is the order's, and the REST list gives the order of a long position a size below zero.
    """

    section = FUTURES
    positional = ("100ms", str(LEVELS))

    def offers(self) -> dict[Channel, Read]:
        return {
            OBU: self.on_stream,
            BOOK: self._on_book,
            TRADES: self._on_trades,
            LIQUIDATIONS: self._on_liquidations,
            TICKERS: self._on_tickers,
            QUOTES: self._on_quote,
        }

    def snapshot(self, body: bytes) -> Snapshot:
        return wire.read_futures_snapshot(body)

    def _on_book(self, frame: bytes, received_ns: int) -> list[Output]:
        data = self.ensure_channel(wire.read_futures_book(frame), BOOK)
        return self.on_book(data, wire.pairs(data.b), wire.pairs(data.a), received_ns)

    def _on_trades(self, frame: bytes, received_ns: int) -> list[Output]:
        def take(data: wire.FuturesTrade) -> list[Output]:
            market = self.markets.of(data.contract)
            if data.is_internal:
                # Taken over by the insurance fund or by other positions: it met no order of the book.
                return self.count("internal_trade")
            return market.contract_trade(data, received_ns) or self.count("duplicate_trade")

        return self.each(self.ensure_channel(wire.read_futures_trades(frame), TRADES), take, frame, received_ns)

    def _on_quote(self, frame: bytes, received_ns: int) -> list[Output]:
        return self.on_quote(self.ensure_channel(wire.read_futures_quote(frame), QUOTES), received_ns)

    def _on_tickers(self, frame: bytes, received_ns: int) -> list[Output]:
        message = wire.read_tickers(frame)

        def take(data: wire.Ticker) -> list[Output]:
            # A ticker of itself holds no time before 2026: the message's is its own, to the ms where it states that.
            sent_ns = wire.ms_ns(data.t or message.time_ms or message.time * 1000)
            market, size = self.markets.of(data.contract), None if data.total_size is None else str(data.total_size)
            interest = market.open_interest(size, price=data.mark_price, venue_ns=sent_ns, received_ns=received_ns)
            out = market.funding(
                rate=data.funding_rate,
                mark_price=data.mark_price,
                index_price=data.index_price,
                next_funding_ns=wire.seconds_ns(data.funding_next_apply),
                predicted_rate=data.funding_rate_indicative or None,
                last_price=data.last or None,
                venue_ns=sent_ns,
                received_ns=received_ns,
            )
            return out + interest

        return self.each(self.ensure_channel(message, TICKERS), take, frame, received_ns)

    def _on_liquidations(self, frame: bytes, received_ns: int) -> list[Output]:
        alike: Counter[tuple[str, str]] = Counter()

        def take(data: wire.LiquidationOrder) -> list[Output]:
            time_ms = data.time if data.time_ms is None else data.time_ms
            size, price, time_ns = str(data.size), plain(data.price), wire.ms_ns(time_ms)
            # The venue gives no id; two orders of one message may well agree in everything.
            name = f"{time_ms}:{size}@{price}"
            alike[data.contract, name] += 1
            name += f"#{alike[data.contract, name]}"
            market = self.markets.of(data.contract)
            out = market.liquidation(name, price, size.removeprefix("-"), side_of(size), time_ns, received_ns)
            return out or self.count("duplicate_liquidation")

        orders = self.ensure_channel(wire.read_liquidations(frame), LIQUIDATIONS)
        return self.each(orders if isinstance(orders, list) else [orders], take, frame, received_ns)
