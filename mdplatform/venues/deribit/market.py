"""One instrument of Deribit on one connection.

Flags of liquidation are documented as part of the trades that a socket brings, but in September 2026 none of 51,107
such trades bore one while REST showed 91. So both are read: the first to bear the flag makes the event, the other
repeats it.

A change names the ``change_id`` before it (documented). Breaks of that chain occur: one each on three USDC books in one
of three runs (probed in autumn 2026). A change that names 0 is reported and not documented.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar
from urllib.parse import parse_qs, quote, urlsplit

from mdplatform.core.clock import MS, SECOND
from mdplatform.core.errors import FrameError
from mdplatform.core.events import Provenance, Side
from mdplatform.core.session import Channel, ChannelKind, Fetch, Output, Request
from mdplatform.core.symbols import Instrument, Kind
from mdplatform.venuekit.books.chained import ChainedBook
from mdplatform.venuekit.books.full import FullBook
from mdplatform.venuekit.market import Market
from mdplatform.venuekit.trade_ids import Missing
from mdplatform.venues.deribit import wire
from mdplatform.venues.deribit.channels import POLLED, channels_of

D = TypeVar("D", wire.BookData, wire.TopData, wire.TradeData, wire.TickerData, wire.QuoteData)

_OTHER: dict[Side, Side] = {"buy": "sell", "sell": "buy"}


class DeribitMarket(Market):
    """Its book, by changes or in whole; its trades, numbered by ``trade_seq``; its liquidations; its funding."""

    def __init__(self, instrument: Instrument, channels: tuple[Channel, ...], depth: int) -> None:
        super().__init__(instrument, channels_of(instrument, channels), sequential_ids=True)
        self.backfill_trades_by(self._lost_trades)
        feed = self.feed("book")
        self.stream = ChainedBook(feed, depth, self.units)
        self.whole = FullBook(feed, depth, self.units)
        self.book = self.stream
        self._resets = 0  # how often the numbers of trades are known to have started again
        is_polled = POLLED in channels and instrument.kind in (Kind.PERPETUAL, Kind.FUTURE)
        self.poll = FlagPoll(self.venue_symbol, self.symbol) if is_polled else None

    def connected(self, now_ns: int) -> list[Output]:
        self.whole.connected(now_ns)
        if self.poll is not None:
            self.poll.connected(now_ns)
        return super().connected(now_ns)

    def tick(self, now_ns: int) -> list[Output]:
        return super().tick(now_ns) + ([] if self.poll is None else [*self.poll.tick(now_ns)])

    def checked(self, data: D) -> D:
        """``data``, if it is about this instrument; raises FrameError."""
        self.ensure_symbol(data.instrument_name)
        return data

    @property
    def source(self) -> str | None:
        """What the book comes from: `100ms`, `none.20.100ms`."""
        source = self.sources.get("book")
        return None if source is None else str(source)

    def is_active_source(self, kind: ChannelKind, source: Hashable) -> bool:
        return super().is_active_source(kind, source) and self.book is not None

    @property
    def awaits_book(self) -> bool:
        """Whether its book comes by changes, and their snapshot is missing."""
        return self.source is not None and "." not in self.source and not self.stream.is_whole

    def lost_book(self, now_ns: int) -> str | None:
        """The name to subscribe to again for a snapshot, when that is due."""
        return (
            f"book.{self.venue_symbol}.{self.source}"
            if self.awaits_book and self.stream.wants_snapshot(now_ns)
            else None
        )

    def changed(self, data: wire.BookData, received_ns: int) -> list[Output]:
        """A snapshot, or a change: its ``prev_change_id`` must be the ``change_id`` before it."""
        is_snapshot = data.type == "snapshot" or self._begins(data)
        bids, asks = (wire.levels(rows, "new" if is_snapshot else None) for rows in (data.bids, data.asks))
        venue_ns = data.timestamp * MS
        if is_snapshot:
            return self.stream.snapshot(bids, asks, data.change_id, venue_ns, received_ns)
        previous, number = data.prev_change_id, data.change_id
        if previous is None or previous >= number:
            raise FrameError("wrong_shape", f"change {number} cannot follow {previous}")
        return self.stream.follow(bids, asks, previous, number, venue_ns, received_ns) or []

    def _begins(self, data: wire.BookData) -> bool:
        """Whether a change is all that the book holds: it follows nothing (0), and nothing is held before it.

        Where levels are held it is not trusted with them, and a snapshot is asked for as after any break.
        """
        if data.prev_change_id != 0 or self.stream.last == 0:
            return False
        book = self.stream.book
        is_empty = not self.stream.is_whole or (book.bids.best() is None and book.asks.best() is None)
        return is_empty and all(row[0] == "new" for row in (*data.bids, *data.asks))

    def traded(self, row: wire.TradeData, received_ns: int, provenance: Provenance = "live") -> list[Output]:
        """A trade that was checked, and the liquidations that it states."""
        price, size, venue_ns = wire.number(row.price), wire.number(row.amount), row.timestamp * MS
        out: list[Output] = []
        if "trades" in self.feeds:
            taker, number = row.direction, row.trade_seq
            out += self.trade(row.trade_id, price, size, taker, venue_ns, received_ns, provenance, number)
            if self.poll is not None and self.sequential_ids is not None and self.sequential_ids.resets > self._resets:
                self._resets = self.sequential_ids.resets
                self.poll.begin_again()
        if "liquidations" in self.feeds:
            for suffix, side in _liquidated(row):
                out += self.liquidation(row.trade_id + suffix, price, size, side, venue_ns, received_ns)
        return out

    def summary(self, data: wire.OptionData, received_ns: int) -> list[Output]:
        """What an option is worth; nothing where it repeats the one before. Raises FrameError."""
        greeks = data.greeks or wire.Greeks()
        return self.option_summary(
            data.timestamp * MS,
            received_ns,
            mark_price=wire.stated(data.mark_price),
            mark_iv=wire.fraction(data.mark_iv),
            bid_iv=wire.fraction(data.bid_iv),
            ask_iv=wire.fraction(data.ask_iv),
            bid_price=wire.above_zero(data.best_bid_price),
            ask_price=wire.above_zero(data.best_ask_price),
            last_price=wire.above_zero(data.last_price),
            delta=wire.stated(greeks.delta),
            gamma=wire.stated(greeks.gamma),
            vega=wire.stated(greeks.vega),
            theta=wire.stated(greeks.theta),
            rho=wire.stated(greeks.rho),
            underlying=data.underlying_index,
            underlying_price=wire.stated(data.underlying_price),
            open_interest=wire.stated(data.open_interest),
        )

    def _lost_trades(self, missing: Missing | None) -> Request:
        first, last = (None, None) if missing is None else missing
        return trades_request(self.venue_symbol, self.symbol, "trades", first, last)


def _liquidated(row: wire.TradeData) -> list[tuple[str, Side]]:
    """(suffix of the id, side) of each order that was liquidated in a trade: the taker's, the maker's or both."""
    taker: tuple[str, Side] = ("", row.direction)
    match row.liquidation:
        case "T":
            return [taker]
        case "M":
            return [("", _OTHER[row.direction])]
        case "MT":
            return [taker, ("-M", _OTHER[row.direction])]
    return []


EVERY_NS = 60 * SECOND
TRADES_A_REQUEST = 1000
_LATEST = "/public/get_last_trades_by_instrument"


def trades_request(
    venue_symbol: str, symbol: str, purpose: str, first: int | None = None, last: int | None = None
) -> Request:
    """At most 1000 trades from number ``first`` on, oldest first; without it the latest ten."""
    path = f"{_LATEST}?instrument_name={quote(venue_symbol)}"
    if first is not None:
        path += f"&count={TRADES_A_REQUEST}&sorting=asc&start_seq={first}"
    if last is not None:
        path += f"&end_seq={last}"
    return Request(path, symbol=symbol, purpose=purpose)


def begins_poll(path: str) -> bool:
    """Whether this is the call that a poll begins with: what it lists only shows where the numbers stand."""
    url = urlsplit(path)
    return url.path.endswith(_LATEST) and "start_seq" not in parse_qs(url.query)


class FlagPoll:
    """Asks for the trades of one instrument since the last time. It outlives connections."""

    def __init__(self, venue_symbol: str, symbol: str) -> None:
        self._venue_symbol, self._symbol = venue_symbol, symbol
        self._next_seq: int | None = None  # None: where the numbers stand is still to be asked
        self._under_way: Request | None = None
        self._due_ns: int | None = None  # None: not connected, as in a recording

    def connected(self, now_ns: int) -> None:
        self._under_way, self._due_ns = None, now_ns

    def begin_again(self) -> None:
        """The venue numbers its trades from the start: where the numbers stand is asked again."""
        self._next_seq = None

    def tick(self, now_ns: int) -> list[Fetch]:
        if self._under_way is not None or self._due_ns is None or now_ns < self._due_ns:
            return []
        self._under_way = trades_request(self._venue_symbol, self._symbol, "liquidations", self._next_seq)
        return [Fetch(self._under_way)]

    def owns(self, request: Request) -> bool:
        return request == self._under_way

    def answered(self, now_ns: int) -> None:
        """Whatever the answer was: the next is due in a while."""
        self._under_way, self._due_ns = None, now_ns + EVERY_NS

    def reached(self, last_seq: int, has_more: bool, now_ns: int) -> bool:
        """The answer held trades up to this number. Whether they count: the first ones may be days old."""
        is_first, self._next_seq = self._next_seq is None, last_seq + 1
        if has_more and not is_first:
            self._due_ns = now_ns
        return not is_first
