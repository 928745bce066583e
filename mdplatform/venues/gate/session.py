"""A connection to Gate, of spot or of contracts: https://www.gate.com/docs/developers/apiv4/ws/en/

Both speak the same protocol with channels of their own. A book comes either whole and then by updates on one stream
(``obu``: documented, and probed without a gap in October 2026; of a stream that does not exist it is acknowledged and
stays silent), or by updates that are joined to a snapshot by REST. A message that is marked ``full`` replaces the book.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from mdplatform.clock import SECOND
from mdplatform.decimals import Levels, check_levels, quoted
from mdplatform.diffbook import Diff
from mdplatform.errors import FrameError
from mdplatform.market import Markets
from mdplatform.session import Channel, Output, Reconnect, Send
from mdplatform.snapshotsession import SnapshotSession
from mdplatform.symbols import Instruments
from mdplatform.unclaimed import Unclaimed
from mdplatform.venues.gate import wire
from mdplatform.venues.gate.channels import BOOK, OBU, OBU_LEVELS, UNUSED
from mdplatform.venues.gate.instruments import EXCHANGE, parse
from mdplatform.venues.gate.market import GateMarket

PING_NS = 10 * SECOND
SILENCE_NS = 30 * SECOND
PACE_NS = SECOND // 2  # requests leave a few a second: one that was made last may be answered so much later
# ``obu`` has its event in front as documented, or behind the result as seen.
_HEAD = re.compile(rb'"channel":"([a-z_0-9.]+)",(?:"event":"(?:update|all)"|"result":(?s:.*)"event":"update"\}$)')

On = Callable[[bytes, int], list[Output]]


class Asked(NamedTuple):
    """A subscription that is not answered yet."""

    channel: Channel
    payload: tuple[str, ...]


class GateSession(SnapshotSession[GateMarket]):
    """What spot and contracts share; ``section`` is both the category and the first word of its channels' names."""

    section: str
    positional: tuple[str, ...]  # what an order book's payload holds after the symbol

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        offered = tuple(channel for channel in channels if channel.name in self.readers())
        markets = Markets(instruments, lambda row: GateMarket(row, offered, depth), self.section)
        super().__init__(EXCHANGE, markets, SILENCE_NS)
        self._channels = offered
        self._on: dict[str, On] = {
            f"{self.section}.{name}": on for name, on in self.readers().items() if any(c.name == name for c in offered)
        }
        self._asked: dict[int, Asked] = {}
        self._requests = 0
        self._ping_ns: int | None = None  # when the next is due; None while not connected
        self._unclaimed = Unclaimed()

    # --- what a section adds

    def readers(self) -> dict[str, On]:
        """Channels of the section and what reads their messages."""
        raise NotImplementedError

    # --- what is sent

    def subscribe(self, now_ns: int) -> list[Output]:
        self._asked.clear()
        self._ping_ns = now_ns + PING_NS
        symbols = [market.venue_symbol for market in self.markets.all()]
        out: list[Output] = []
        for channel in self._channels:
            if channel.kind == "book":
                out += [self._ask(channel, self._book_payload(channel, symbol), now_ns) for symbol in symbols]
            elif symbols:
                out.append(self._ask(channel, tuple(symbols), now_ns))
        return out

    def _book_payload(self, channel: Channel, symbol: str) -> tuple[str, ...]:
        """One book a request."""
        return (f"ob.{symbol}.{OBU_LEVELS}",) if channel is OBU else (symbol, *self.positional)

    def _ask(self, channel: Channel, payload: tuple[str, ...], now_ns: int, verb: str = "subscribe") -> Send:
        self._requests += 1
        if verb == "subscribe":
            self._asked[self._requests] = Asked(channel, payload)
            self.live.awaits(str(self._requests), now_ns + len(self._asked) * PACE_NS)
        name = f"{self.section}.{channel.name}"
        request = {"time": now_ns // SECOND, "id": self._requests, "channel": name, "event": verb}
        return Send(msgspec.json.encode({**request, "payload": payload}))

    def _renew(self, markets: Iterable[GateMarket], now_ns: int) -> list[Output]:
        """Subscribe anew to the streams that were lost: that brings a snapshot."""
        if OBU not in self._channels:
            return []
        out: list[Output] = []
        for market in markets:
            if market.owns(OBU) and market.stream.wants_snapshot(now_ns):
                market.stream.awaits(now_ns)
                payload = self._book_payload(OBU, market.venue_symbol)
                out += [self._ask(OBU, payload, now_ns, verb) for verb in ("unsubscribe", "subscribe")]
        return out

    def tick(self, now_ns: int) -> list[Output]:
        out = super().tick(now_ns) + self._renew(self.markets, now_ns)
        if self._ping_ns is not None and now_ns >= self._ping_ns:
            self._ping_ns = now_ns + PING_NS
            out.append(Send(msgspec.json.encode({"time": now_ns // SECOND, "channel": f"{self.section}.ping"})))
        return out

    def closed(self, cause: str, now_ns: int) -> list[Output]:
        self._ping_ns = None
        return super().closed(cause, now_ns)

    # --- what is received

    def read(self, frame: bytes, received_ns: int) -> list[Output]:
        # The channel is read in place, so that a message is decoded only once; its reader checks that it is there.
        head = _HEAD.search(frame)
        on = None if head is None else self._on.get(head[1].decode())
        return self._other(frame, received_ns) if on is None else on(frame, received_ns)

    def own(self, message: wire.Push[wire.T], channel: Channel) -> wire.T:
        """What the message holds, if it is of this channel."""
        if message.channel != f"{self.section}.{channel.name}":
            raise FrameError("wrong_shape", f"read as {channel.name}, but it is of {message.channel[:40]!r}")
        return message.result

    def on_book(
        self, data: wire.SpotBook | wire.FuturesBook, bids: Levels, asks: Levels, received_ns: int
    ) -> list[Output]:
        """An update of the book, or all of it."""
        market = self.markets.of(data.s)
        check_levels([*bids, *asks])
        if not market.pinned(BOOK):
            return self.count(BOOK.name)
        if data.full:
            return market.diffs.whole(Diff(data.u, data.u, bids, asks, wire.ms_ns(data.t), received_ns))
        if data.U is None or data.u < data.U:
            raise FrameError("wrong_shape", f"first update id {data.U} is missing or above the last, {data.u}")
        diff = Diff(data.U - 1, data.u, bids, asks, wire.ms_ns(data.t), received_ns)
        out = market.diffs.take(diff)
        return out + self._unclaimed.claim(market.diffs, diff, received_ns) if self._unclaimed else out

    def on_stream(self, frame: bytes, received_ns: int) -> list[Output]:
        """The whole book, or what changed in it."""
        data = self.own(wire.read_stream(frame), OBU)
        symbol, levels = wire.stream(data.s)
        market = self.markets.of(symbol)
        if not market.pinned(OBU):
            return self.count(OBU.name)
        out = market.streamed(data, levels, received_ns)
        return out if market.stream.is_whole else out + self._renew([market], received_ns)

    def on_quote(self, data: wire.SpotQuote | wire.FuturesQuote, received_ns: int) -> list[Output]:
        """Best bid and ask; an empty side has no price or no size, and an empty book neither time nor number."""
        bid, ask = quoted(data.b, str(data.B)), quoted(data.a, str(data.A))
        if bid is None and ask is None:
            market = self.markets.of(data.s)
            told = market.quote(bid, ask, data.u, wire.ms_ns(data.t), received_ns) if data.t else []
            return told or self.count("no_quote")
        return self.markets.of(data.s).quote(bid, ask, data.u, wire.ms_ns(data.t), received_ns)

    def _other(self, frame: bytes, received_ns: int) -> list[Output]:
        """All that is no message of a channel that is taken."""
        if frame[:1] == b"[":
            return self.listed(parse(frame), received_ns)
        envelope = wire.read_envelope(frame)
        if envelope.asks is not None:
            return self._unclaimed.give(self.snapshot(frame), [m.diffs for m in self.markets], received_ns)
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
        on = self._on.get(str(envelope.channel))
        if on is not None and envelope.event in ("update", "all"):
            return on(frame, received_ns)
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
        """An acknowledgement or a refusal. One unknown symbol has a request refused whole: then each is asked alone."""
        asked = self._settled(reply, name)
        if reply.error is not None:
            what = "" if asked is None else f"; asked for: {', '.join(asked.payload[:5])}"
            error = FrameError("venue_error", f"{name}: code {reply.error.code}: {reply.error.message}{what}")
            is_book = asked is None or asked.channel.kind == "book"
            alone = asked.payload if asked is not None and not is_book and len(asked.payload) > 1 else ()
            asks = [self._ask(asked.channel, (symbol,), received_ns) for symbol in alone if asked is not None]
            return [*self.refuse(error, frame, received_ns), *asks]
        self.count("acknowledgement")
        if asked is None or asked.channel.kind == "book":
            return []
        markets = [self.markets.of(symbol) for symbol in asked.payload]
        return [event for market in markets for event in market.acknowledged(asked.channel.kind, received_ns)]

    def _settled(self, reply: wire.Envelope, name: str) -> Asked | None:
        """What is answered here: by its id, or where the venue leaves that out the oldest of its channel."""
        number = reply.id
        if number is None and reply.event == "subscribe":
            number = next((n for n, asked in self._asked.items() if asked.channel.name == name), 0)
        self.live.acknowledged(str(number))
        return self._asked.pop(number or 0, None)


def _stranger(envelope: wire.Envelope, section: str) -> FrameError:
    """What a frame is that is of no channel of the section."""
    if envelope.error is not None:
        return FrameError("venue_error", f"code {envelope.error.code}: {envelope.error.message}")
    if envelope.label is not None:
        return FrameError("venue_error", f"{envelope.label}: {envelope.message}")
    if envelope.channel is None:
        return FrameError("unknown_message", "neither a channel's message nor a REST answer that is documented")
    return FrameError("unknown_message", f"a message of {envelope.channel[:40]!r} on a socket of {section}")
