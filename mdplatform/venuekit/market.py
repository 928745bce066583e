"""One instrument on one connection: a feed for each kind of channel, and its events, sizes in base units."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from msgspec.structs import replace

from mdplatform.core.clock import SECOND
from mdplatform.core.decimals import ZEROS, check_best, check_numbers, check_positive, check_signed, check_traded
from mdplatform.core.errors import FrameError
from mdplatform.core.events import (
    FeedStatus,
    Funding,
    Liquidation,
    OpenInterest,
    OptionSummary,
    Provenance,
    Quote,
    Side,
    Trade,
)
from mdplatform.core.feed_status import FeedState
from mdplatform.core.session import Channel, ChannelKind, Output, Request
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venuekit.contract_sizes import contract_sizes_of
from mdplatform.venuekit.recent_ids import RecentIds
from mdplatform.venuekit.trade_backfill import TradeBackfill
from mdplatform.venuekit.trade_ids import Missing, TradeIds

# Arguments of ``funding``, which some venues state in messages of their own.
_UNSTATED: dict[str, Any] = dict.fromkeys(("rate", "mark_price", "index_price", "next_funding_ns"))
# Of an option: all that a summary holds between its symbol and its times, and what of it may be below zero or is text.
_WORTH: dict[str, str | None] = dict.fromkeys(
    name for name in OptionSummary.__struct_fields__ if name not in ("exchange", "symbol", "venue_ns", "received_ns")
)
_SIGNED = frozenset(("delta", "gamma", "vega", "theta", "rho"))


class MarketBook(Protocol):
    """A book by whatever rule: DiffBook, StreamedBook or FullBook."""

    feed: FeedState

    def connected(self, now_ns: int) -> None: ...
    def tick(self, now_ns: int) -> list[Output]: ...
    def closed(self, cause: str, now_ns: int) -> list[FeedStatus]: ...


@runtime_checkable
class ChangingBook(Protocol):
    """A book that is kept up to date by updates."""

    def publish_changes(self) -> None: ...


class Market:
    """``channels`` are those subscribed; ``sequential_ids``: trade ids are integers that count up by one.

    A venue's own market sets ``book``, and calls ``backfill_trades_by`` where the venue lists trades by REST. What is
    handed in is checked here: methods raise FrameError.
    """

    carrier, content = "channel", "the message"  # what the venue calls what brings messages of one symbol

    def __init__(self, instrument: Instrument, channels: tuple[Channel, ...], *, sequential_ids: bool) -> None:
        self.exchange, self.symbol, self.venue_symbol = instrument.exchange, instrument.symbol, instrument.venue_symbol
        self.instrument = instrument
        self.units = contract_sizes_of(instrument)
        self.feeds: dict[ChannelKind, FeedState] = {}
        for channel in channels:
            if channel.kind not in self.feeds:
                self.feeds[channel.kind] = feed = self._feed(channel.kind, channel.stale_after_s)
                feed.steady_ns = int((channel.cadence_s or 0.0) * SECOND) if channel.is_steady else 0
        self._book: MarketBook | None = None
        self.sources: dict[ChannelKind, Hashable] = {}
        self.sequential_ids = TradeIds(self.feed("trades")) if sequential_ids else None
        self.backfill: TradeBackfill | None = None
        self._seen = RecentIds(self.feed("trades"))
        self._liquidated = RecentIds(self.feed("liquidations"))
        self._traded_ns = 0  # venue time of the newest trade
        self._quotes = self.feed("bbo")
        self._prices = _UNSTATED
        self._priced_ns = 0  # venue time of the latest of them
        self._stated_ns: dict[str, int] = {}  # and of each
        self._worth, self._published_worth = _WORTH, _WORTH  # an option's: as stated, and as published last
        self._worth_ns = 0  # venue time of the latest of it
        self._interest: tuple[str, int] | None = None  # the last open interest as sent, and the minute of it
        self._quoted: int | None = None  # sequence of the last quote
        self._quoted_ns = 0  # and its venue time
        self._has_sides = False  # the last quote had any

    @property
    def book(self) -> MarketBook | None:
        """The book that the venue's own market has set; None where this connection carries no book, of which it then
        has nothing to state either: another one may."""
        return self._book

    @book.setter
    def book(self, book: MarketBook) -> None:
        self._book = book if "book" in self.feeds else None

    def ensure_symbol(self, venue_symbol: str) -> None:
        """Raises FrameError for a message, or a row of it, that is about another symbol than its channel."""
        if venue_symbol != self.venue_symbol:
            about = f"the {self.carrier} is of {self.venue_symbol}, {self.content} of {venue_symbol[:40]!r}"
            raise FrameError("wrong_shape", about)

    def is_active_source(self, kind: ChannelKind, source: Hashable) -> bool:
        """Whether what this kind of channel carries comes from ``source``: the first one that sends decides, since two
        would contradict each other. It is decided again on each connection."""
        return self.sources.setdefault(kind, source) == source

    def feed(self, kind: ChannelKind) -> FeedState:
        """The feed of this kind; a detached one if no channel of the kind is subscribed."""
        return self.feeds.get(kind) or self._feed(kind, None)

    def publish_changes(self) -> None:
        """From now on each update of the book also gives what it changed; a venue with several books adds to this.

        Without effect where the venue sends whole books: nothing states what changed.
        """
        if isinstance(self.book, ChangingBook):
            self.book.publish_changes()

    def backfill_trades_by(self, request: Callable[[Missing | None], Request]) -> None:
        """Trades that are lost are asked for by this call, see ``TradeBackfill``."""
        self.backfill = TradeBackfill(request, self.sequential_ids)

    def connected(self, now_ns: int) -> list[Output]:
        self._quoted = self._interest = None
        self.sources.clear()
        self._prices, self._priced_ns = _UNSTATED, 0
        self._worth, self._published_worth, self._worth_ns = _WORTH, _WORTH, 0
        self._stated_ns.clear()
        if self.book is not None:
            self.book.connected(now_ns)
        if self.backfill is not None:
            self.backfill.connected()
            self.broke_trades()
        opened = [event for feed in self.feeds.values() for event in feed.invalid("resync", "subscribing", now_ns)]
        return [*self._noted(opened)]

    def acknowledged(self, kind: ChannelKind, now_ns: int) -> list[Output]:
        """The venue confirms the subscription: a feed of trades is sound from here on, a book takes more than that."""
        feed = self.feeds.get(kind)
        if kind in ("book", "depth") or feed is None or feed.state != "resync":
            return []
        return [*self._noted(feed.valid("subscribed", None, now_ns))]

    def trade(
        self,
        trade_id: str,
        price: str,
        size: str,
        side: Side,
        venue_ns: int,
        received_ns: int,
        provenance: Provenance = "live",
        number: int | None = None,
        *,
        first: int | None = None,
        checked: bool = False,
    ) -> list[Output]:
        """A trade; nothing where it repeats one. ``number``: what counts up by one, where that is not the id.

        ``first``: the number of its first match, where the message stands for several; ``checked``: the caller has
        found price and size to be above zero.
        """
        if not checked:
            check_traded(price, size)
        trade = Trade(self.exchange, self.symbol, trade_id, price, size, side, venue_ns, received_ns, provenance)
        if first is not None and number is not None and first != number:
            trade = replace(trade, first_id=str(first), count=number - first + 1)
        if self.units is not None:
            trade = self.units.trade(trade)  # may raise: what cannot be published must not be known as seen
        if provenance == "live":
            new, events = self._known(trade_id, number, first, venue_ns, received_ns)
        else:
            new, events = self._lost(trade_id, number, venue_ns, received_ns)
        return [*events, trade] if new else []

    def liquidation(
        self, order_id: str, price: str, size: str, side: Side, venue_ns: int, received_ns: int
    ) -> list[Output]:
        """A liquidation; nothing where it repeats one."""
        check_traded(price, size)
        order = Liquidation(self.exchange, self.symbol, order_id, price, size, side, venue_ns, received_ns)
        if self.units is not None:
            order = self.units.liquidation(order)
        new, events = self._liquidated.take(order_id, venue_ns, received_ns)
        return [*events, order] if new else []

    def funding(
        self,
        *,
        rate: str | None,
        mark_price: str | None,
        index_price: str | None,
        next_funding_ns: int | None,
        venue_ns: int,
        received_ns: int,
        predicted_rate: str | None = None,
        last_price: str | None = None,
    ) -> list[Output]:
        """Funding and mark price; rates are fractions (0.0001 is one basis point)."""
        check_signed(*(text for text in (rate, predicted_rate) if text is not None))
        check_numbers(*(text for text in (mark_price, index_price, last_price) if text is not None))
        feed = self.feed("funding")
        opened = feed.valid("received", None, received_ns)
        feed.proven(None, received_ns)
        event = Funding(
            *(self.exchange, self.symbol, rate, mark_price, index_price, next_funding_ns, venue_ns, received_ns),
            predicted_rate,
            last_price,
        )
        return [*opened, event]

    def prices(self, time_ns: int, received_ns: int, **stated: Any) -> list[Output]:
        """What one message states, as arguments of ``funding``, where a venue sends them apart.

        The event holds beside it the latest values of the others on this connection, and is no older than the one
        before. A value that is older than the one it would replace is dropped.
        """
        new = {name: value for name, value in stated.items() if time_ns >= self._stated_ns.get(name, 0)}
        if not new:
            return []
        prices = self._prices | new
        out = self.funding(**prices, venue_ns=max(time_ns, min(self._priced_ns, received_ns)), received_ns=received_ns)
        self._prices = prices
        self._priced_ns = max(self._priced_ns, time_ns)
        self._stated_ns |= dict.fromkeys(new, time_ns)
        return out

    def unstated(self, *names: str) -> None:
        """The venue states these no longer."""
        self._prices = self._prices | dict.fromkeys(names)

    def note_worth(self, venue_ns: int, **stated: str | None) -> None:
        """What a message states of an option, as fields of its summary; others keep their latest value. None: there is
        none, or the venue says so no longer."""
        for name, text in stated.items():
            if text is not None and name != "underlying":
                (check_signed if name in _SIGNED else check_numbers)(text)
        self._worth = self._worth | stated
        self._worth_ns = max(self._worth_ns, venue_ns)

    def option_summary(self, venue_ns: int, received_ns: int, **stated: str | None) -> list[Output]:
        """An option's summary after ``note_worth``; nothing where it repeats the one before."""
        self.note_worth(venue_ns, **stated)
        feed = self.feed("funding")
        out: list[Output] = [*feed.valid("received", None, received_ns)]
        feed.proven(None, received_ns)
        if self._worth == self._published_worth:
            return out
        self._published_worth = self._worth
        rest: dict[str, Any] = {**self._worth, "venue_ns": self._worth_ns, "received_ns": received_ns}
        return [*out, OptionSummary(exchange=self.exchange, symbol=self.symbol, **rest)]

    def open_interest(
        self,
        size: str | None,
        *,
        venue_ns: int,
        received_ns: int,
        price: str | None = None,
        base: str | None = None,
        value: str | None = None,
    ) -> list[Output]:
        """Contracts that are open: an event where they changed, and one a minute of the venue's time.

        ``size`` is in the units of the venue's other sizes; ``base`` and ``value`` are the same in base and in quote
        units where the venue states them. Inverse contracts without ``base`` take a ``price``, else there is no event.
        """
        check_numbers(*(text for text in (size, price, base, value) if text is not None))
        unpriced = self.instrument.inverse and base is None and (price is None or price in ZEROS)
        if size is None or unpriced or self._interest == (size, minute := venue_ns // (60 * SECOND)):
            return []
        sent = None if self.units is None else size
        if self.units is not None:
            if self.instrument.inverse and value is None:
                value = self.units.base("1", size)  # inverse contracts are worth so much of quote at any price
            base = base or self.units.base(price or "", size)
        self._interest = size, minute
        return [OpenInterest(self.exchange, self.symbol, base or size, value, sent, venue_ns, received_ns)]

    def quote(
        self,
        bid: tuple[str, str] | None,
        ask: tuple[str, str] | None,
        sequence: int | None,
        venue_ns: int,
        received_ns: int,
    ) -> list[Output]:
        """Best bid and ask as (price, size); where ``sequence`` is None the venue's time in us, made to rise, is it.

        One without any side says that the one before it is over, and nothing where there was none.
        """
        if bid is None or ask is None:
            if bid is None and ask is None and not self._has_sides:
                return []
            check_positive(*(bid or ()), *(ask or ()))
        else:
            try:
                check_best(bid, ask)
            except FrameError:
                # A side of 0 is no side. Looked at only here: all but very few have two.
                is_bid, is_ask = (side[1] not in ZEROS for side in (bid, ask))
                if is_bid and is_ask:
                    raise
                there = bid if is_bid else None, ask if is_ask else None
                return self.quote(*there, sequence, venue_ns, received_ns)
            if float(bid[0]) >= float(ask[0]):
                raise FrameError("crossed_book", f"best bid {bid[0]} at or above best ask {ask[0]}")
        last, is_reset = self._quoted, False
        if sequence is None:
            sequence = venue_ns // 1000 if last is None else max(venue_ns // 1000, last + 1)
        elif last is not None and sequence <= last:
            if sequence == last or venue_ns <= self._quoted_ns:
                return []
            is_reset = True
        bid_price, bid_size = bid or (None, None)
        ask_price, ask_size = ask or (None, None)
        event = Quote(
            self.exchange, self.symbol, bid_price, bid_size, ask_price, ask_size, sequence, venue_ns, received_ns
        )
        if self.units is not None:
            event = self.units.quote(event)
        self._quoted, self._quoted_ns = sequence, venue_ns
        self._has_sides = bid is not None or ask is not None
        feed = self._quotes
        opened: list[FeedStatus] = []
        if is_reset:
            opened = feed.reset(sequence, received_ns)
        elif feed.state != "valid":
            opened = feed.valid("received", sequence, received_ns)
        feed.proven(sequence, received_ns)
        return [*opened, event]

    def tick(self, now_ns: int) -> list[Output]:
        out: list[Output] = [] if self.book is None else self.book.tick(now_ns)
        for kind, feed in self.feeds.items():
            if kind != "book" or self.book is None:
                out += feed.tick(now_ns)
        if self.backfill is not None and self.feed("trades").state == "valid":
            out += self.backfill.tick(now_ns)
        return out

    def closed(self, cause: str, now_ns: int) -> list[Output]:
        out: list[Output] = [] if self.book is None else [*self.book.closed(cause, now_ns)]
        for kind, feed in self.feeds.items():
            if kind != "book" or self.book is None:
                out += feed.closed(cause, now_ns)
        return out

    def _known(
        self, trade_id: str, number: int | None, first: int | None, venue_ns: int, now_ns: int
    ) -> tuple[bool, list[FeedStatus]]:
        if self.sequential_ids is not None:
            count = number if number is not None else _number(trade_id, None)
            return self.sequential_ids.take(count, venue_ns, now_ns, first)
        self._traded_ns = max(self._traded_ns, venue_ns)
        new, events = self._seen.take(trade_id, venue_ns, now_ns)
        if new and self.backfill is not None and self.backfill.is_broken:
            self.backfill.resumed(self._seen.added - 1)
        return new, self._noted(events) if events else events

    def _lost(self, trade_id: str, number: int | None, venue_ns: int, now_ns: int) -> tuple[bool, list[FeedStatus]]:
        """As ``_known``, of a trade by REST: new only where it was missing, or nothing came by the socket yet."""
        if self.sequential_ids is not None and self.sequential_ids.last is not None:
            count = _number(trade_id, number)
            # One from before the numbers began again may have a number that is missing now.
            if venue_ns < self.sequential_ids.since_ns or not self.sequential_ids.is_missing(count):
                return False, []
            return self.sequential_ids.take(count, venue_ns, now_ns)
        if self.backfill is not None and not self.backfill.lists(self._seen.rank(trade_id, venue_ns), venue_ns):
            return False, []
        return self._seen.add(trade_id, venue_ns), []

    def broke_trades(self) -> None:
        """From here on trades may be missing; there is nothing to miss where none came before."""
        if self.backfill is not None and self.sequential_ids is None and self._traded_ns:
            self.backfill.broke(self._seen.added, self._traded_ns)

    def _noted(self, events: list[FeedStatus]) -> list[FeedStatus]:
        """``events``; of trades that nobody numbers, those that ended an interval without trades are kept."""
        if self.backfill is not None and self.backfill.is_broken:
            for event in events:
                if event.channel == "trades" and event.state != "valid" and event.ended_ns is not None:
                    self.backfill.broken(event)
        return events

    def _feed(self, kind: ChannelKind, stale_after_s: float | None) -> FeedState:
        stale_ns = None if stale_after_s is None else int(stale_after_s * SECOND)
        return FeedState(self.exchange, self.symbol, kind, stale_ns)


def _number(trade_id: str, number: int | None) -> int:
    if number is not None:
        return number
    if not trade_id.isdecimal():
        raise FrameError("wrong_shape", f"trade id is no number: {trade_id[:40]!r}")
    return int(trade_id)


M = TypeVar("M", bound=Market)


class Markets(Generic[M]):
    """The markets of one session by the venue's symbol, each made when it is first needed.

    Where venue symbols are unique only within a category, a session is of one ``category``.
    """

    def __init__(self, instruments: Instruments, make: Callable[[Instrument], M], category: str | None = None) -> None:
        self.instruments = instruments
        self.category = category
        self._make = make
        self._markets: dict[str, M] = {}
        self._publish_changes: Callable[[str], bool] = lambda symbol: False

    def __iter__(self) -> Iterator[M]:
        return iter(self._markets.values())

    def __len__(self) -> int:
        return len(self._markets)

    def of(self, venue_symbol: str) -> M:
        """Raises UnknownInstrument for a symbol that the venue does not list."""
        market = self._markets.get(venue_symbol)
        if market is None:
            market = self._markets[venue_symbol] = self._make(self.instruments.named(venue_symbol, self.category))
            if self._publish_changes(market.symbol):
                market.publish_changes()
        return market

    def publish_changes(self, wanted: Callable[[str], bool]) -> None:
        """The books of the symbols for which ``wanted`` is true also give what each update changed."""
        self._publish_changes = wanted
        for market in self:
            if wanted(market.symbol):
                market.publish_changes()

    def all(self) -> list[M]:
        """One for every instrument of the category."""
        return [self.of(row.venue_symbol) for row in self.instruments if row.category == self.category]
