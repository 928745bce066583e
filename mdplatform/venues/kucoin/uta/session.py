"""The UTA push socket, of spot or of futures: books without a key, a ticket or a snapshot by REST.

https://www.kucoin.com/docs-new/websocket-api/base-info/introduction-uta

A book begins with a snapshot of its best 500 levels on the stream, and each delta goes on from the one before: no gap
in 8,650 of them (probed 2026-10). Where much fewer than 500 are left, which should not be, a new one is asked for while
the old book stands. A connection takes 600 topics; of a symbol that does not exist the subscription is acknowledged and
stays silent (both probed 2026-10).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from mdplatform.core.clock import MS, SECOND
from mdplatform.core.errors import FrameError
from mdplatform.core.session import Channel, ChannelKind, Output
from mdplatform.core.symbols import Instruments
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.subscriptions import Subscriptions, Terms, Verb
from mdplatform.venues.kucoin import wire
from mdplatform.venues.kucoin.channels import OBU
from mdplatform.venues.kucoin.instruments import EXCHANGE
from mdplatform.venues.kucoin.session import WelcomedSession
from mdplatform.venues.kucoin.uta import wire as uta
from mdplatform.venues.kucoin.uta.market import UtaSymbol

SILENCE_NS = 60 * SECOND
PING_NS = 12 * SECOND
DEPTH = "increment@10ms"
# One symbol a request. No limit of messages is documented; the classic socket's is kept to.
TERMS = Terms(topics_a_request=1, pace=(9, 1.0))


class UtaSession(WelcomedSession[UtaSymbol]):
    """One connection; ``trade_type``: SPOT or FUTURES."""

    name_behind = b'{"T":"'

    def __init__(
        self, instruments: Instruments, channels: tuple[Channel, ...], depth: int, trade_type: str = "SPOT"
    ) -> None:
        self._channels = tuple(channel for channel in channels if channel is OBU)
        markets = Markets(instruments, lambda instrument: UtaSymbol(instrument, self._channels, depth))
        super().__init__(EXCHANGE, markets, SILENCE_NS, PING_NS)
        self.subscriptions: Subscriptions[str] = Subscriptions(TERMS, self._request, self._feeds)
        self._trade_type = trade_type
        self.readers = {f"{OBU.name}.{kind}".encode(): self._on_book for kind in ("SPOT", "FUTURES")}

    # --- what is sent

    def topics_of(self, market: UtaSymbol, kind: ChannelKind) -> list[str]:
        return [market.venue_symbol] if kind == "book" else []

    def tick(self, now_ns: int) -> list[Output]:
        return super().tick(now_ns) + self._renew(self.markets, now_ns)

    def _renew(self, markets: Iterable[UtaSymbol], now_ns: int) -> list[Output]:
        """Subscribe again to the books that were lost, and to those that grow short: that brings a snapshot."""
        if not self.pings.are_sent or not self._channels:  # before the welcome
            return []
        names = []
        for market in markets:
            if market.stream.wants_snapshot(now_ns):
                market.stream.awaits(now_ns)
            elif market.is_due(now_ns):
                market.renewed(now_ns)
            else:
                continue
            names.append(market.venue_symbol)
        return self.subscriptions.renew(names, now_ns)

    def _request(self, verb: Verb, symbols: Sequence[str], number: int) -> bytes:
        head = {"id": str(number), "action": verb, "channel": OBU.name, "tradeType": self._trade_type}
        return msgspec.json.encode({**head, "symbol": symbols[0], "depth": DEPTH, "rpiFilter": 0})

    def _feeds(self, symbol: str) -> list[tuple[UtaSymbol, ChannelKind]]:
        return self.feeds_of(symbol, ("book",))

    # --- what is received

    def unfamiliar(self, frame: bytes, received_ns: int) -> list[Output]:
        message = uta.read_envelope(frame)
        if message.T is not None:
            name = message.T.partition(".")[0]
            return self._on_book(frame, received_ns) if name == OBU.name else self.count(f"uta_{name}"[:40])
        if message.type == "pong":
            return self.ponged(message.id)
        if message.result is not None:
            return self._on_reply(message, frame, received_ns)
        if message.message == "welcome":
            return self._on_welcome(message, received_ns)
        raise FrameError("unknown_message", "neither a push, a reply, a pong nor a welcome")

    def _on_welcome(self, message: uta.Envelope, now_ns: int) -> list[Output]:
        if message.pingInterval is not None:
            self.pings.every_ns = min(PING_NS, message.pingInterval * MS // 2)
        return self.welcomed(lambda: [market.venue_symbol for market in self.markets.all()], now_ns)

    def _on_reply(self, reply: uta.Envelope, frame: bytes, received_ns: int) -> list[Output]:
        number = wire.number_of(reply.id or "")
        if reply.result in (True, "true"):
            self.count("acknowledgement")
            return self.subscriptions.confirmed(received_ns, number)
        text = reply.reason or reply.message or f"code {reply.code}"
        out, asked, _ = self.subscriptions.refused(text, received_ns, number)
        what = ", ".join(asked) or "nothing that is waited for"
        return [*out, *self.refuse(FrameError("venue_error", f"{text}; asked for: {what}"), frame, received_ns)]

    def _on_book(self, frame: bytes, received_ns: int) -> list[Output]:
        push = uta.read_book(frame)
        if not self._channels:
            return self.count(OBU.name)
        market = self.markets.of(push.d.s)
        if push.t == "snapshot":
            return market.snapshot(push.d, received_ns)
        if not market.stream.is_whole:
            self.count("update_before_snapshot")
        out = market.delta(push.d, received_ns)
        if out is None:
            return self.count("repeated_update")
        return out if market.stream.is_whole else out + self._renew([market], received_ns)
