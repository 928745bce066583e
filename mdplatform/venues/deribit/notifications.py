"""What Deribit publishes: notifications, read by their channel."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mdplatform.core.clock import MS
from mdplatform.core.errors import FrameError
from mdplatform.core.events import Provenance
from mdplatform.core.session import Output
from mdplatform.venuekit.base_session import SocketSession
from mdplatform.venues.deribit import wire
from mdplatform.venues.deribit.market import DeribitMarket

Read = Callable[[bytes, int], list[Output]]

_DATA = b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"'
# First parts of documented channels that give no event here; a recording may hold them.
_UNUSED = (
    "announcements block_rfq block_trade_confirmations chart deribit_price_index deribit_price_ranking "
    "deribit_price_statistics deribit_volatility_index estimated_expiration_price incremental_ticker instrument "
    "markprice platform_state rfq user"
)
_IGNORED = frozenset(_UNUSED.split())


class Notifications(SocketSession[DeribitMarket]):
    """The half of a session that listens."""

    _reads: dict[bytes, Read]  # by the channel's name as it stands in the frame

    def renew(self, now_ns: int) -> list[Output]:
        """A book was lost: subscribe to it anew, when the venue's limit allows."""
        raise NotImplementedError

    def familiar(self, frame: bytes) -> Read | None:
        """How to read a notification of a channel that sent one before, so that it is decoded only once."""
        if not frame.startswith(_DATA):
            return None
        return self._reads.get(frame[len(_DATA) : frame.find(b'"', len(_DATA))])

    def notified(self, channel: str, frame: bytes, received_ns: int) -> list[Output]:
        """The first notification of a channel."""
        read = self._reader_of(channel)
        out = read(frame, received_ns)
        self._reads[channel.encode()] = read
        return out

    def _reader_of(self, channel: str) -> Read:
        """Raises UnknownInstrument or, for a channel that is not documented, FrameError."""
        head, *rest = channel.split(".")
        if head in _IGNORED:
            return partial(self._ignore, head)
        if head == "trades" and len(rest) == 3:  # of a kind and a currency: each row names its own instrument
            return partial(self._on_trades, None)
        by_shape: dict[tuple[str, int], Callable[..., list[Output]]] = {
            ("book", 2): self._on_book,
            ("book", 4): self._on_top,
            ("trades", 2): self._on_trades,
            ("ticker", 2): self._on_ticker,
            ("perpetual", 2): self._on_perpetual,
            ("quote", 1): self._on_quote,
        }
        method = by_shape.get((head, len(rest)))
        if method is None:
            raise FrameError("unknown_message", f"no such channel: {channel[:80]!r}")
        market = self.markets.of(rest[0])
        return partial(method, market, ".".join(rest[1:])) if head == "book" else partial(method, market)

    def _on_book(self, market: DeribitMarket, interval: str, frame: bytes, received_ns: int) -> list[Output]:
        data = market.own(wire.read_book(frame).params.data)
        if not market.pinned(interval):
            return self.count("book")
        was_whole = market.stream.is_whole
        out = market.changed(data, received_ns)
        if not out or not (was_whole or market.stream.is_whole):
            self.count("change_without_effect" if was_whole else "change_without_book")
        return out if market.stream.is_whole else out + self.renew(received_ns)

    def _on_top(self, market: DeribitMarket, source: str, frame: bytes, received_ns: int) -> list[Output]:
        data = market.own(wire.read_top(frame).params.data)
        # Prices that are rounded into groups are another book than the venue's.
        if not source.startswith("none.") or not market.pinned(source):
            return self.count("grouped_book")
        bids, asks = (
            [(wire.number(price), wire.number(size)) for price, size in rows] for rows in (data.bids, data.asks)
        )
        return market.whole.take(data.change_id, bids, asks, data.timestamp * MS, received_ns) or self.count(
            "repeated_book"
        )

    def _on_trades(self, market: DeribitMarket | None, frame: bytes, received_ns: int) -> list[Output]:
        return self.traded(wire.read_trades(frame).params.data, market, frame, received_ns, "live")

    def traded(
        self,
        rows: list[wire.TradeData],
        market: DeribitMarket | None,
        frame: bytes,
        received_ns: int,
        provenance: Provenance,
    ) -> list[Output]:
        """Trades of ``market``, or of whichever instrument each row names."""

        def take(row: wire.TradeData) -> list[Output]:
            owner = self.markets.of(row.instrument_name) if market is None else market
            return owner.printed(owner.own(row), received_ns, provenance) or self.count("trade_without_effect")

        return self.each(rows, take, frame, received_ns, wire.in_order(rows))

    def _on_ticker(self, market: DeribitMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.own(wire.read_ticker(frame).params.data)
        if "funding" not in market.feeds:
            return self.count("ticker")
        out = market.prices(
            data.timestamp * MS,
            received_ns,
            rate=wire.stated(data.current_funding),  # it is paid all the time: no time is the next
            mark_price=wire.stated(data.mark_price),
            index_price=wire.stated(data.index_price),
        )
        return out or self.count("older_price")

    def _on_perpetual(self, market: DeribitMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = wire.read_perpetual(frame).params.data
        if "funding" not in market.feeds:
            return self.count("perpetual")
        out = market.prices(data.timestamp * MS, received_ns, index_price=wire.stated(data.index_price))
        return out or self.count("older_price")

    def _on_quote(self, market: DeribitMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.own(wire.read_quote(frame).params.data)
        if "bbo" not in market.feeds:
            return self.count("quote")
        bid = wire.side_of(data.best_bid_price, data.best_bid_amount)
        ask = wire.side_of(data.best_ask_price, data.best_ask_amount)
        return market.quote(bid, ask, None, data.timestamp * MS, received_ns) or self.count("empty_quote")

    def _ignore(self, kind: str, frame: bytes, received_ns: int) -> list[Output]:
        wire.read_ignored(frame)
        return self.count(kind)
