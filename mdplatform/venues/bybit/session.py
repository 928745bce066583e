"""One connection: subscriptions in batches, keep-alive, and what each frame is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import FrameError, UnknownInstrument
from mdplatform.core.session import Channel, ChannelKind, Output, refused
from mdplatform.core.symbols import Instruments, Kind
from mdplatform.venuekit.base_session import Read, SocketSession
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.subscriptions import Subscriptions, Terms, Verb, verb_of
from mdplatform.venues.bybit import wire
from mdplatform.venues.bybit.channels import TRADES
from mdplatform.venues.bybit.instruments import Category
from mdplatform.venues.bybit.market import BybitMarket

PING_NS = 20 * SECOND
SILENCE_NS = 45 * SECOND  # two pings without an answer
ARGS_A_REQUEST = 10  # spot takes no more (documented); and a bad topic costs all of its request (2026, not documented)

KINDS: dict[str, ChannelKind] = {"publicTrade": "trades", "allLiquidation": "liquidations", "tickers": "funding"}
# Documented topics that give no event here; a recording may hold them.
IGNORED = frozenset(("kline", "priceLimit", "insurance", "adlAlert", "system", "orderbook.full", "orderbook.rpi"))
_TOPIC = re.compile(rb'"topic"\s*:\s*"([a-zA-Z]+)\.(?:[0-9a-z]+\.)?([^"\\.]{1,64})"')
_REPLY = re.compile(rb'"(?:op|ret_msg|retCode)"\s*:')
_WORDS = re.compile(r"[\s,:\[\]]+")


# The venue allows 500 connections in 5 minutes and states no limit of requests (documented 2026-07).
TERMS = Terms(topics_a_request=ARGS_A_REQUEST, pace=(5, 1.0))
OF_OPTIONS = Terms(topics_a_request=100, pace=(5, 1.0))  # of 2,000 a connection; a bad one costs no other


class BybitSession(SocketSession[BybitMarket]):
    """``category`` is what its socket's path says; no frame repeats it."""

    name_behind = b'{"topic":"'

    def __init__(self, category: Category, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        make = partial(BybitMarket, channels=channels, depth=depth, count=self.count)
        super().__init__(wire.EXCHANGE, Markets(instruments, make, category), SILENCE_NS, PING_NS)
        self.category = category
        self.path = f"/v5/public/{category}"
        self._channels = channels
        self._kinds = {channel.kind for channel in channels}
        self.subscriptions: Subscriptions[str] = Subscriptions(
            OF_OPTIONS if category == "option" else TERMS, self._request, self._feeds
        )

    def subscribe(self, now_ns: int) -> list[Output]:
        self.pings.begin(now_ns)
        topics = [topic for m in self.markets.all() for kind in m.feeds for topic in self.topics_of(m, kind)]
        return self.subscriptions.connected(list(dict.fromkeys(topics)), now_ns)

    def topics_of(self, market: BybitMarket, kind: ChannelKind) -> list[str]:
        if kind == "trades" and self.category == "option":
            return [f"{TRADES.name}.{market.instrument.base}"]  # of all options on it
        return [f"{channel.name}.{market.venue_symbol}" for channel in self._channels if channel.kind == kind]

    def _feeds(self, topic: str) -> list[tuple[BybitMarket, ChannelKind]]:
        name, _, symbol = topic.rpartition(".")
        if name == TRADES.name and self.category == "option":
            return [(market, "trades") for market in self.markets if market.instrument.base == symbol]
        return [(self.markets.of(symbol), channel.kind) for channel in self._channels if channel.name == name]

    def unfamiliar(self, frame: bytes, received_ns: int) -> list[Output]:
        """A reply, or a message whose topic is new or does not stand first."""
        envelope = wire.read_envelope(frame)
        if envelope.topic is None:
            return self.replied(envelope, frame, received_ns)
        known = envelope.topic.encode()
        read = self.readers.get(known) or self._reader_of(envelope.topic)
        out = read(frame, received_ns)
        self.readers[known] = read
        return out

    def refuse(self, error: Exception, frame: bytes, received_ns: int) -> list[Output]:
        out = super().refuse(error, frame, received_ns)
        return out if isinstance(error, UnknownInstrument) else out + self.doubted(frame, received_ns)

    def doubted(self, frame: bytes, now_ns: int) -> list[Output]:
        """What is not proven any more because this frame was not understood: what it names, or else everything.

        Not the books: the next ``u`` shows that a message was lost. Other feeds have nothing that would.
        """
        named = _TOPIC.search(frame)
        if named is not None:
            word, symbol = named[1].decode(), named[2].decode(errors="replace")
            kinds = (KINDS[word],) if word in KINDS else ()
            of_base = self.category == "option" and word == TRADES.name
            named_by = [m for m in self.markets if symbol == (m.instrument.base if of_base else m.venue_symbol)]
            return [out for m in named_by for out in m.doubt(kinds, now_ns)]
        if _REPLY.search(frame):
            return []
        return [out for market in self.markets for out in market.doubt(tuple(KINDS.values()), now_ns)]

    def replied(self, envelope: wire.Envelope, frame: bytes, received_ns: int) -> list[Output]:
        """The answer to a ping, a subscription or its end."""
        if envelope.op == "pong" or (envelope.op == "ping" and envelope.success):
            return self.count("pong")
        if envelope.type == "COMMAND_RESP":  # what the socket for options answers
            return self._answered_in_parts(envelope, frame, received_ns)
        if envelope.success is None:
            raise FrameError("unknown_message", "neither a topic nor a reply that is documented")
        number, topics = self._subject(envelope)
        verb = verb_of(envelope.op)
        if envelope.success:
            self.count("acknowledgement")
            return self.subscriptions.confirmed(received_ns, number, topics, verb)
        return self._refused(envelope, number, topics, verb, frame, received_ns)

    def read_trades(self, market: BybitMarket, body: bytes, received_ns: int) -> list[Output]:
        """Only where a trade that the socket brought shows that both have the same ids."""
        rows = wire.read_past_trades(body)
        if not any(market.knows(row.execId) for row in rows):
            return self.count("unrelated_answer")
        return self.each(rows, lambda row: market.past(row, received_ns), body, received_ns, reversed(rows))

    def tick(self, now_ns: int) -> list[Output]:
        return super().tick(now_ns) + self._renew(self.markets, now_ns)

    def ping(self, now_ns: int) -> bytes:
        return b'{"op":"ping"}'

    # --- asking and being answered

    def _request(self, verb: Verb, topics: Sequence[str], number: int) -> bytes:
        # The reply repeats the id, by which a recording states the category of its socket.
        return msgspec.json.encode({"op": verb, "req_id": f"{self.category}-{number}", "args": topics})

    def _subject(self, reply: wire.Envelope) -> tuple[int | None, list[str] | None]:
        """What a reply is about, as ``Subscriptions`` takes it: by its id, or by topics that it names, or neither."""
        if reply.req_id:
            category, _, number = reply.req_id.rpartition("-")
            return (int(number) if category == self.category and number.isdecimal() else -1), None
        wanted = self._wanted()
        return None, [word for word in _WORDS.split(reply.ret_msg) if word in wanted] or None

    def _wanted(self) -> set[str]:
        return {topic for m in self.markets for kind in m.feeds for topic in self.topics_of(m, kind)}

    def _answered_in_parts(self, reply: wire.Envelope, frame: bytes, now_ns: int) -> list[Output]:
        listed = wire.read_topics(reply.data)
        if listed.failTopics or not reply.success:
            reason = f"refused: {' '.join(listed.failTopics) or reply.ret_msg}"
            number, _ = self._subject(reply)
            out = self.subscriptions.refused(reason, now_ns, number, listed.failTopics or None).outputs
            return [*out, refused(FrameError("venue_error", reason), self.exchange, frame, now_ns, self.conn)]
        self.count("acknowledgement")
        number, _ = self._subject(reply)
        wanted = self._wanted()
        return self.subscriptions.confirmed(now_ns, number, [t for t in listed.successTopics if t in wanted])

    def _refused(
        self, reply: wire.Envelope, number: int | None, topics: list[str] | None, verb: Verb, frame: bytes, now_ns: int
    ) -> list[Output]:
        """One bad topic costs the others of its request; the reply names it, mostly."""
        reason = reply.ret_msg or "refused"
        named = topics or [word for word in _WORDS.split(reason) if word.rpartition(".")[0]]
        if "already subscribed" in reason:
            self.count("acknowledgement")
            return self.subscriptions.confirmed(now_ns, number, named, verb)
        out, asked, bad = self.subscriptions.refused(reason, now_ns, number, named or None, verb)
        if verb == "unsubscribe":
            return out + self.count("unsubscribe_refused")
        if asked and not bad:
            return out + self.count("batch_refused")
        problem = FrameError("venue_error", f"{reason}; asked for: {' '.join(bad) or 'unknown'}")
        return [*out, refused(problem, self.exchange, frame, now_ns, self.conn)]

    def _renew(self, markets: Iterable[BybitMarket], now_ns: int) -> list[Output]:
        """Subscribe again to what lost its snapshot: that brings another."""
        topics = [topic for market in markets for topic in market.lost_topics(now_ns)]
        return self.subscriptions.renew(topics, now_ns) if topics else []

    # --- messages by topic

    def _reader_of(self, topic: str) -> Read:
        name, _, symbol = topic.rpartition(".")
        word, _, detail = name.partition(".")
        if word in IGNORED or name in IGNORED:
            return partial(self._pass_over, name if name in IGNORED else word)
        if word == "orderbook" and detail.isdecimal():
            if detail == "1":
                return self._taken("bbo", partial(self._on_best, self.markets.of(symbol)))
            return self._taken("book", partial(self._on_levels, self.markets.of(symbol), topic, int(detail)))
        if name == TRADES.name and self.category == "option":
            return self._taken("trades", self._on_trades_of_all)
        readers = {"publicTrade": self._on_trades, "allLiquidation": self._on_liquidations, "tickers": self._on_ticker}
        if name in readers:
            return self._taken(KINDS[name], partial(readers[name], self.markets.of(symbol)))
        raise FrameError("unknown_message", f"no such topic: {topic[:80]!r}")

    def _taken(self, kind: ChannelKind, read: Read) -> Read:
        """``read`` where channels of this kind are wanted."""
        return read if kind in self._kinds else partial(self._pass_over, kind)

    def _pass_over(self, kind: str, frame: bytes, received_ns: int) -> list[Output]:
        wire.read_envelope(frame)
        return self.count(kind)

    def _on_levels(self, market: BybitMarket, topic: str, depth: int, frame: bytes, received_ns: int) -> list[Output]:
        message = wire.read_book(frame)
        market.ensure_symbol(message.data.s)
        out = market.levels(message, topic, depth, received_ns)
        lost = market.lost_topics(received_ns)
        return out + self.subscriptions.renew(lost, received_ns) if lost else out

    def _on_best(self, market: BybitMarket, frame: bytes, received_ns: int) -> list[Output]:
        message = wire.read_book(frame)
        market.ensure_symbol(message.data.s)
        return market.best(message, received_ns)

    def _on_trades(self, market: BybitMarket, frame: bytes, received_ns: int) -> list[Output]:
        return self.each(wire.read_trades(frame).data, lambda row: market.traded(row, received_ns), frame, received_ns)

    def _on_trades_of_all(self, frame: bytes, received_ns: int) -> list[Output]:
        """Of every option on an asset, those that nobody asked for among them."""

        def take(row: wire.TradeRow) -> list[Output]:
            try:
                market = self.markets.of(row.s)
            except UnknownInstrument:
                return self.count("other_instrument")
            return market.traded(row, received_ns)

        return self.each(wire.read_trades(frame).data, take, frame, received_ns)

    def _on_liquidations(self, market: BybitMarket, frame: bytes, received_ns: int) -> list[Output]:
        equal = Counter[str]()
        rows = wire.read_liquidations(frame).data
        return self.each(rows, lambda row: market.liquidated(row, equal, received_ns), frame, received_ns)

    def _on_ticker(self, market: BybitMarket, frame: bytes, received_ns: int) -> list[Output]:
        if market.instrument.kind is Kind.OPTION:
            worth = wire.read_option(frame)
            market.ensure_symbol(worth.data.symbol)
            return market.option(worth, received_ns)
        message = wire.read_ticker(frame)
        market.ensure_symbol(message.data.symbol)
        return market.ticker(message, received_ns)
