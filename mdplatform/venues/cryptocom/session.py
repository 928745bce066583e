"""One connection, which carries pairs and contracts alike: the market data socket of the Exchange API v1."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import FrameError, UnknownInstrument
from mdplatform.core.session import Channel, ChannelKind, Output, Send
from mdplatform.core.symbols import Instruments
from mdplatform.venuekit.base_session import Read
from mdplatform.venuekit.index_prices import IndexPrices
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.streamed_session import StreamedSession
from mdplatform.venuekit.subscriptions import Refused, Subscriptions, Terms, Verb, verb_of
from mdplatform.venues.cryptocom import wire
from mdplatform.venues.cryptocom.channels import (
    BOOK,
    FUNDING,
    INDEX,
    MARK,
    TICKER,
    TRADES,
    UNUSED,
    offered,
    topic_of,
)
from mdplatform.venues.cryptocom.instruments import parse
from mdplatform.venues.cryptocom.market import CryptoComMarket
from mdplatform.venues.cryptocom.wire import EXCHANGE

# The venue takes 100 requests a second, counted from the calendar second of the connection, and advises to wait for one
# second before the first (documented). 100 channels a request were taken (probed). Of a request with a bad channel the
# others are taken, each with a reply of its own (probed).
TERMS = Terms(topics_a_request=100, pace=(10, 1.0), settle_s=3.0, opening_s=1.0)
# The server beats every 30 s; who does not answer within 5 s is cut (documented), at the third beat (probed).
SILENCE_NS = 45 * SECOND
BUSY = 42901  # too many requests: nothing is wrong with what was asked for
REST = frozenset(("public/get-trades", "public/get-book", "public/get-tickers", "public/get-valuations"))
# The order of fields is documented (2024-01-04); where it is another, the frame is decoded twice.
_HEAD = re.compile(
    rb'\A\{"id":-?\d+,"method":"subscribe","code":0,"result":'
    rb'\{"instrument_name":"[^"]*","subscription":"[^"]*","channel":"([a-z.]+)"'
)

T = TypeVar("T")


class CryptoComSession(StreamedSession[CryptoComMarket]):
    name_in = _HEAD

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        markets = Markets(instruments, lambda row: CryptoComMarket(row, offered(channels, row), depth))
        super().__init__(EXCHANGE, markets, SILENCE_NS)
        self._channels = channels
        self._indices = IndexPrices(EXCHANGE)
        self.subscriptions: Subscriptions[str] = Subscriptions(TERMS, _request, self._feeds, _is_book)
        self.takes_books = BOOK in channels
        reads: dict[str, tuple[Channel, Read]] = {
            "book": (BOOK, self._on_book),
            "book.update": (BOOK, self._on_change),
            "trade": (TRADES, self._on_trades),
            "ticker": (TICKER, self._on_ticker),
            "funding": (FUNDING, self._on_funding),
            "mark": (MARK, self._on_mark),
            "index": (INDEX, self._on_index),
        }
        self.readers = {name.encode(): read for name, (channel, read) in reads.items() if channel in channels}
        self._known = UNUSED | set(reads)

    # --- asking

    def subscribe(self, now_ns: int) -> list[Output]:
        markets = self.markets.all()
        topics = [topic_of(c, m.instrument) for c in self._channels for m in markets if c in self._of(m)]
        return self.subscriptions.connected(dict.fromkeys(topics), now_ns)

    def topics_of(self, market: CryptoComMarket, kind: ChannelKind) -> list[str]:
        return [topic_of(channel, market.instrument) for channel in self._of(market) if channel.kind == kind]

    def read_trades(self, market: CryptoComMarket, body: bytes, received_ns: int) -> list[Output]:
        rows = wire.rows_of(wire.read_past_trades(body))
        return self.each(rows, lambda row: market.traded(row, received_ns, "rest"), body, received_ns, _in_time(rows))

    def _of(self, market: CryptoComMarket) -> tuple[Channel, ...]:
        return offered(self._channels, market.instrument)

    def book_topic(self, market: CryptoComMarket) -> str:
        """It is ended before it is subscribed to again: the second of two subscriptions brings no snapshot (probed)."""
        return topic_of(BOOK, market.instrument)

    def _feeds(self, topic: str) -> list[tuple[CryptoComMarket, ChannelKind]]:
        """The feeds of a topic: an index is that of several contracts."""
        word, _, rest = topic.partition(".")
        channel = next((channel for channel in self._channels if _word(channel.name) == word), None)
        if channel is None:
            return []
        if channel is INDEX:
            return [(market, channel.kind) for market in self.markets if market.index == rest]
        try:
            market = self.markets.of(rest.partition(".")[0])
        except UnknownInstrument:
            return []  # of a recording whose list is not at hand
        return [(market, channel.kind)] if topic == topic_of(channel, market.instrument) else []

    # --- what is received

    def _pushed(self, push: wire.Push[T], name: str, received_ns: int) -> list[Output]:
        """What every message of a channel goes through; raises FrameError where it is of another.

        A request for anything but a book is answered by its first message, which bears the request's id (probed).
        """
        if push.result.channel != name:
            raise FrameError("wrong_shape", f"read as {name}, but it is {push.result.channel[:40]}")
        if push.id == -1:
            return []
        self.count("acknowledgement")
        return self.subscriptions.confirmed(received_ns, push.id, [push.result.subscription])

    def _on_book(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_whole(frame)
        market = self._book_of(push)
        if market is None:
            return self.count("book_of_another_depth")
        out = self._pushed(push, "book", received_ns)
        return out + market.snapshot(_only(push), received_ns)

    def _on_change(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_change(frame)
        market = self._book_of(push)
        if market is None:
            return self.count("book_of_another_depth")
        out, row = self._pushed(push, "book.update", received_ns), _only(push)
        was_whole, events = market.stream.is_whole, market.change(row, received_ns)
        if events is None or row.u == row.pu:
            self.count("repeated_update" if events is None else "unchanged_book")
        elif not was_whole:
            self.count("update_before_snapshot")
        return out + (events or []) + self.renew([market], received_ns)

    def _book_of(self, push: wire.Push[T]) -> CryptoComMarket | None:
        """None where the message is of a book of more or fewer levels, as a recording may hold."""
        market = self.markets.of(push.result.instrument_name)
        return market if push.result.subscription == topic_of(BOOK, market.instrument) else None

    def _on_trades(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_trades(frame)
        market = self.markets.of(push.result.instrument_name)
        rows = push.result.data

        def take(row: wire.Trade) -> list[Output]:
            return market.traded(row, received_ns) or self.count("duplicate_trade")

        return self._pushed(push, "trade", received_ns) + self.each(rows, take, frame, received_ns, _in_time(rows))

    def _on_ticker(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_ticker(frame)
        market = self.markets.of(push.result.instrument_name)
        out = self._pushed(push, "ticker", received_ns)
        return out + (market.best(_only(push), received_ns) or self.count("empty_quote"))

    def _on_funding(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_value(frame)
        market = self.markets.of(push.result.instrument_name)
        out = self._pushed(push, "funding", received_ns)
        return out + (market.funded(_only(push), received_ns) or self.count("older_price"))

    def _on_mark(self, frame: bytes, received_ns: int) -> list[Output]:
        push = wire.read_value(frame)
        market, row = self.markets.of(push.result.instrument_name), _only(push)
        out = self._pushed(push, "mark", received_ns)
        return out + (market.prices(wire.ms_ns(row.t), received_ns, mark_price=row.v) or self.count("older_price"))

    def _on_index(self, frame: bytes, received_ns: int) -> list[Output]:
        """The price of an index is that of every contract on it."""
        push = wire.read_value(frame)
        out, row = self._pushed(push, "index", received_ns), _only(push)
        on_it = [m for m in self.markets if m.index == push.result.instrument_name and INDEX in self._of(m)]
        if on_it:
            symbol = f"{on_it[0].instrument.base}-{on_it[0].instrument.quote}-INDEX"
            out = out + self._indices.stated(symbol, row.v, wire.ms_ns(row.t), received_ns)
        events = [e for m in on_it for e in m.prices(wire.ms_ns(row.t), received_ns, index_price=row.v)]
        return out + (events or self.count("index_of_no_market" if not on_it else "older_price"))

    # --- all that is no message of a channel that is taken

    def unfamiliar(self, frame: bytes, received_ns: int) -> list[Output]:
        envelope = wire.read_envelope(frame)
        match envelope.method:
            case "public/heartbeat":
                self.count("heartbeat")
                answer = {"id": envelope.id, "method": "public/respond-heartbeat"}
                return [Send(msgspec.json.encode(answer), paced=True)]
            case "subscribe" | "unsubscribe" if int(envelope.code) == 0 and bytes(envelope.result) == b"null":
                return self._confirmed(envelope, received_ns)
            case "subscribe" | "unsubscribe" if int(envelope.code) != 0:
                return self._refused(envelope, frame, received_ns)
            case "subscribe":
                return self._out_of_order(frame, received_ns)
            case "public/get-instruments":
                return self.listed(parse(frame), received_ns)
            case method if method in REST:
                return self.count(method)
        if int(envelope.code) != 0:
            raise FrameError("venue_error", f"code {envelope.code}: {envelope.message}")
        raise FrameError("unknown_message", f"no method {envelope.method[:40]!r} is documented")

    def _out_of_order(self, frame: bytes, received_ns: int) -> list[Output]:
        """A message of a channel that is not taken, or whose fields come in another order."""
        name = wire.read_push(frame).result.channel
        read = self.readers.get(name.encode())
        if read is not None:
            return read(frame, received_ns)
        if name not in self._known:
            raise FrameError("unknown_message", f"no channel {name[:40]!r} is documented")
        return self.count(name)

    def _confirmed(self, reply: wire.Envelope, received_ns: int) -> list[Output]:
        """One reply a channel; that to an unsubscription names none."""
        self.count("acknowledgement")
        topics = None if reply.channel is None else [reply.channel]
        return self.subscriptions.confirmed(received_ns, _number(reply), topics, verb_of(reply.method))

    def _refused(self, reply: wire.Envelope, frame: bytes, received_ns: int) -> list[Output]:
        text = f"code {reply.code}: {reply.message}"
        topics = None if reply.channel is None else [reply.channel]
        answer = Refused[str]([], [], [])
        if int(reply.code) != BUSY:
            answer = self.subscriptions.refused(text, received_ns, _number(reply), topics)
        named = answer.bad or topics or answer.asked
        if named:
            text += f"; asked for: {', '.join(named[:5])}{' and more' if len(named) > 5 else ''}"
        return self.refusal(answer, text, frame, received_ns, about=named)


def _request(verb: Verb, topics: Sequence[str], number: int) -> bytes:
    """The kind of book is stated beside the channels; the venue's examples state it in every request."""
    how = {"book_subscription_type": "SNAPSHOT_AND_UPDATE", "book_update_frequency": 10}
    params = {"channels": topics} | (how if verb == "subscribe" and _is_book(topics[0]) else {})
    return msgspec.json.encode({"id": number, "method": verb, "params": params})


def _word(topic: str) -> str:
    return topic.partition(".")[0]


def _is_book(topic: str) -> bool:
    return _word(topic) == "book"


def _number(reply: wire.Envelope) -> int | None:
    """That of the request which it answers; None where it says none."""
    number = int(reply.id) if str(reply.id).lstrip("-").isdecimal() else 0
    return None if number == -1 else number


def _only(push: wire.Push[T]) -> T:
    rows = push.result.data
    if len(rows) != 1:
        raise FrameError("wrong_shape", f"{len(rows)} rows where the channel sends one")
    return rows[0]


def _in_time(rows: list[wire.Trade]) -> list[wire.Trade]:
    """Messages and answers list the newest first."""
    return sorted(reversed(rows), key=lambda row: int(row.t))
