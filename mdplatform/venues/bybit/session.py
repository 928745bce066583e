"""One connection: subscriptions in batches, keep-alive, and what each frame is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from mdplatform.clock import SECOND
from mdplatform.errors import FrameError, UnknownInstrument
from mdplatform.market import Markets
from mdplatform.session import Channel, ChannelKind, Output, Send
from mdplatform.socketsession import SocketSession
from mdplatform.symbols import Instruments
from mdplatform.venues.bybit import wire
from mdplatform.venues.bybit.market import BybitMarket

Read = Callable[[bytes, int], list[Output]]

PING_NS = 20 * SECOND
SILENCE_NS = 45 * SECOND  # two pings without an answer
ARGS_A_REQUEST = 10  # spot takes no more; and a bad topic may cost all of its request

KINDS: dict[str, ChannelKind] = {"publicTrade": "trades", "allLiquidation": "liquidations", "tickers": "funding"}
# Documented topics that give no event here; a recording may hold them.
IGNORED = frozenset(("kline", "priceLimit", "insurance", "adlAlert", "system", "orderbook.full", "orderbook.rpi"))
_TOPIC = re.compile(rb'"topic"\s*:\s*"([a-zA-Z]+)\.(?:[0-9a-z]+\.)?([^"\\.]{1,64})"')
_REPLY = re.compile(rb'"(?:op|ret_msg|retCode)"\s*:')
_WORDS = re.compile(r"[\s,:\[\]]+")


class Asked(NamedTuple):
    op: str  # subscribe, unsubscribe
    topics: tuple[str, ...]


class BybitSession(SocketSession[BybitMarket]):
    """``category`` is what its socket's path says; no frame repeats it."""

    def __init__(
        self, category: wire.Category, instruments: Instruments, channels: tuple[Channel, ...], depth: int
    ) -> None:
        make = partial(BybitMarket, channels=channels, depth=depth, count=self.count)
        super().__init__(wire.EXCHANGE, Markets(instruments, make, category), SILENCE_NS)
        self.category = category
        self.path = f"/v5/public/{category}"
        self._channels = channels
        self._kinds = {channel.kind for channel in channels}
        self._topics: dict[bytes, Read] = {}
        self._requests = 0
        self._asked: dict[str, Asked] = {}  # by request id, oldest first
        self._ping_ns: int | None = None  # when the next is due; None while there is no connection

    def subscribe(self, now_ns: int) -> list[Output]:
        self._asked.clear()
        self._ping_ns = now_ns + PING_NS
        topics = [
            f"{channel.name}.{market.venue_symbol}" for market in self.markets.all() for channel in self._channels
        ]
        return self._ask("subscribe", topics, now_ns)

    def read(self, frame: bytes, received_ns: int) -> list[Output]:
        # The topic is read in place where it is first: it tells the type, so that the frame is decoded only once.
        if frame[:10] == b'{"topic":"':
            read = self._topics.get(frame[10 : frame.find(b'"', 10)])
            if read is not None:
                return read(frame, received_ns)
        envelope = wire.read_envelope(frame)
        if envelope.topic is None:
            return self.replied(envelope, received_ns)
        known = envelope.topic.encode()
        read = self._topics.get(known) or self._reader_of(envelope.topic)
        out = read(frame, received_ns)
        self._topics[known] = read
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
            return [out for m in self.markets if m.venue_symbol == symbol for out in m.doubt(kinds, now_ns)]
        if _REPLY.search(frame):
            return []
        return [out for market in self.markets for out in market.doubt(tuple(KINDS.values()), now_ns)]

    def replied(self, envelope: wire.Envelope, received_ns: int) -> list[Output]:
        """The answer to a ping, a subscription or its end."""
        if envelope.op == "pong" or (envelope.op == "ping" and envelope.success):
            return self.count("pong")
        if envelope.type == "COMMAND_RESP":  # what the socket for options answers
            failed = wire.read_topics(envelope.data).failTopics
            if failed or not envelope.success:
                raise FrameError("venue_error", f"refused: {' '.join(failed) or envelope.ret_msg}")
            return self._accepted()
        if envelope.success is None:
            raise FrameError("unknown_message", "neither a topic nor a reply that is documented")
        asked = self._answered(envelope)
        if not envelope.success:
            return self._refused(asked, envelope.ret_msg, received_ns)
        return self._accepted() + self._acknowledged(asked, received_ns)

    def read_trades(self, market: BybitMarket, body: bytes, received_ns: int) -> list[Output]:
        return market.past(wire.read_past_trades(body), received_ns)

    def tick(self, now_ns: int) -> list[Output]:
        out = super().tick(now_ns) + self._renew(self.markets, now_ns)
        if self._ping_ns is not None and now_ns >= self._ping_ns:
            self._ping_ns = now_ns + PING_NS
            out.append(Send(b'{"op":"ping"}'))
        return out

    def closed(self, cause: str, now_ns: int) -> list[Output]:
        self._ping_ns = None
        return super().closed(cause, now_ns)

    # --- asking and being answered

    def _ask(self, op: str, topics: Sequence[str], now_ns: int) -> list[Output]:
        out: list[Output] = []
        for start in range(0, len(topics), ARGS_A_REQUEST):
            batch = tuple(topics[start : start + ARGS_A_REQUEST])
            self._requests += 1
            # The reply repeats it: so a recording tells which category its socket was of.
            name = f"{self.category}-{self._requests}"
            self._asked[name] = Asked(op, batch)
            self.live.awaits(name, now_ns)
            out.append(Send(msgspec.json.encode({"op": op, "req_id": name, "args": batch})))
        return out

    def _answered(self, envelope: wire.Envelope) -> Asked:
        """What this replies to: by its id, by a topic that it names (refusals may lack the id), or the oldest."""
        op, words = envelope.op or "", frozenset(_WORDS.split(envelope.ret_msg))
        alike = [name for name, asked in self._asked.items() if asked.op == op]
        naming = [name for name in alike if not words.isdisjoint(self._asked[name].topics)]
        names = [envelope.req_id] if envelope.req_id in self._asked else [] if envelope.req_id else naming or alike
        if not names:
            return Asked(op, ())
        self.live.acknowledged(names[0])
        return self._asked.pop(names[0])

    def _accepted(self) -> list[Output]:
        return self.count("acknowledgement")

    def _acknowledged(self, asked: Asked, now_ns: int) -> list[Output]:
        if asked.op != "subscribe":
            return []
        out: list[Output] = []
        for topic in asked.topics:
            name, _, symbol = topic.rpartition(".")
            for channel in self._channels:
                if channel.name == name:
                    out += self.markets.of(symbol).acknowledged(channel.kind, now_ns)
        return out

    def _refused(self, asked: Asked, reason: str, now_ns: int) -> list[Output]:
        """One bad topic may have cost the others of its request: each is asked for alone."""
        if "already subscribed" in reason and len(asked.topics) == 1:
            return self._accepted() + self._acknowledged(asked, now_ns)
        if asked.op == "unsubscribe":
            return self.count("unsubscribe_refused")
        if len(asked.topics) > 1:
            self.count("batch_refused")
            return [output for topic in asked.topics for output in self._ask("subscribe", [topic], now_ns)]
        raise FrameError("venue_error", f"{reason or 'refused'}; asked for: {' '.join(asked.topics) or 'unknown'}")

    def _renew(self, markets: Iterable[BybitMarket], now_ns: int) -> list[Output]:
        """Subscribe anew to what lost its snapshot: that brings another."""
        topics = [topic for market in markets for topic in market.lost_topics(now_ns)]
        return self._ask("unsubscribe", topics, now_ns) + self._ask("subscribe", topics, now_ns)

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
        market.own(message.data.s)
        return market.levels(message, topic, depth, received_ns) + self._renew((market,), received_ns)

    def _on_best(self, market: BybitMarket, frame: bytes, received_ns: int) -> list[Output]:
        message = wire.read_book(frame)
        market.own(message.data.s)
        return market.best(message, received_ns)

    def _on_trades(self, market: BybitMarket, frame: bytes, received_ns: int) -> list[Output]:
        return market.prints(wire.read_trades(frame).data, received_ns)

    def _on_liquidations(self, market: BybitMarket, frame: bytes, received_ns: int) -> list[Output]:
        return market.liquidations(wire.read_liquidations(frame).data, received_ns)

    def _on_ticker(self, market: BybitMarket, frame: bytes, received_ns: int) -> list[Output]:
        message = wire.read_ticker(frame)
        market.own(message.data.symbol)
        return market.ticker(message, received_ns)
