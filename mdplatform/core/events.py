"""Normalized events: what every venue's frames become.

All are frozen. Times are nanoseconds since the epoch: ``venue_ns`` is the venue's clock (the receive time where the
venue sends none), ``received_ns`` is ours. Prices and sizes keep the venue's decimal text; sizes are in base units.

A new kind of event is a struct here, a row of ``event_kinds``, a table (``sql/migrations``) and a stream that fills it
(``sql/streams``). New fields go at the end: archives keep their columns in this order.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from mdplatform.core.bounds import Cause, Count, Name, Sequence, Time
from mdplatform.core.symbols import Instrument

# Decimal text of the venue: a number in messages, tables and archives, where a plain ``str`` stays text.
Number = Annotated[str, msgspec.Meta(description="a JSON number")]
Side = Literal["buy", "sell"]
Provenance = Literal["live", "rest", "archive"]
State = Literal["valid", "gap", "resync", "stale", "down"]


class Book(msgspec.Struct, frozen=True, gc=False, tag="book"):
    """The best levels of a book after one update, best first; parallel sequences of decimal text."""

    exchange: str
    symbol: str
    bid_prices: list[Number]
    bid_sizes: list[Number]
    ask_prices: list[Number]
    ask_sizes: list[Number]
    venue_ns: int
    sequence: int  # the venue's update id after this update
    previous_sequence: int | None  # sequence of the update before; None where the chain starts (snapshot, resync)
    received_ns: int
    # As the venue sent them, where it quotes contracts; None: the sizes above are what it sent.
    raw_bid_sizes: list[Number] | None = None
    raw_ask_sizes: list[Number] | None = None
    # All that is bid and asked within 10 bps of the mid (bids >= 0.999 mid, asks <= 1.001 mid), in base units, not only
    # the levels above; None where the book is known less far than that or a side is empty.
    bid_depth_10bps: Number | None = None
    ask_depth_10bps: Number | None = None


class BookChange(msgspec.Struct, frozen=True, gc=False, tag="increment"):
    """What one update changed of a book, or all that is known of it; parallel sequences of decimal text.

    Sizes are absolute and in base units; 0 deletes the level. Applied in order from a snapshot on, they give the book.
    """

    exchange: str
    symbol: str
    kind: Literal["snapshot", "update"]
    bid_prices: list[Number]
    bid_sizes: list[Number]
    ask_prices: list[Number]
    ask_sizes: list[Number]
    first_sequence: int | None  # the venue's id of the first of several updates that one message holds, where stated
    sequence: int  # the venue's update id after this update
    previous_sequence: int | None  # sequence of the message before; None where the chain starts
    venue_ns: int
    received_ns: int


class Quote(msgspec.Struct, frozen=True, gc=False, tag="quote"):
    """Best bid and ask, from a channel that sends just them; a side is None while it is empty."""

    exchange: str
    symbol: str
    bid_price: Number | None
    bid_size: Number | None
    ask_price: Number | None
    ask_size: Number | None
    sequence: int  # the venue's update id; its time in us, made to rise, where it has none
    venue_ns: int
    received_ns: int
    raw_bid_size: Number | None = None
    raw_ask_size: Number | None = None


class Trade(msgspec.Struct, frozen=True, gc=False, tag="trade"):
    """One trade, as the venue's channel has it: a match, or several of one order at one price."""

    exchange: str
    symbol: str
    id: str
    price: Number
    size: Number
    side: Side  # taker side, not maker
    venue_ns: int
    received_ns: int
    provenance: Provenance = "live"
    raw_size: Number | None = None  # as the venue sent it, where it quotes contracts
    # Where the message stands for several matches with consecutive ids, ``id`` being that of the last:
    first_id: str | None = None  # that of the first
    count: int | None = None  # how many they are


class Liquidation(msgspec.Struct, frozen=True, gc=False, tag="liquidation"):
    """One liquidation."""

    exchange: str
    symbol: str
    id: str
    price: Number
    size: Number
    side: Side  # side of the liquidation order: "sell" closed a long
    venue_ns: int
    received_ns: int
    raw_size: Number | None = None


class Funding(msgspec.Struct, frozen=True, gc=False, tag="funding"):
    """Funding and mark price of a perpetual. ``rate`` is the fraction paid per funding interval."""

    exchange: str
    symbol: str
    rate: Number | None
    mark_price: Number | None
    index_price: Number | None
    next_funding_ns: int | None
    venue_ns: int
    received_ns: int
    predicted_rate: Number | None = None  # the venue's estimate for the interval after that; None where it makes none
    last_price: Number | None = None  # of the last trade, where the same message states it


class OpenInterest(msgspec.Struct, frozen=True, gc=False, tag="open_interest"):
    """Contracts of a derivative that are open, as the venue counts them: one side of each or both, see its channels."""

    exchange: str
    symbol: str
    open_interest: Number  # in base units
    open_interest_value: Number | None  # in quote units; None where nothing states it
    raw_open_interest: Number | None  # as the venue sent it, where it counts contracts
    venue_ns: int
    received_ns: int


class IndexPrice(msgspec.Struct, frozen=True, gc=False, tag="index"):
    """An index of prices (`BTC-USD-INDEX`, in quote units) or of volatility (`BTC-DVOL`, in percent a year)."""

    exchange: str
    symbol: str
    price: Number
    venue_ns: int
    received_ns: int


class OptionSummary(msgspec.Struct, frozen=True, gc=False, tag="option"):
    """What an option is worth. None: not stated, or there is none, as where a side of its book is empty.

    Prices are in the units in which the option is quoted: of one that is paid in coin, in that coin. Volatilities are
    fractions a year (0.65), greeks as the venue defines them.
    """

    exchange: str
    symbol: str
    mark_price: Number | None
    mark_iv: Number | None
    bid_iv: Number | None
    ask_iv: Number | None
    bid_price: Number | None
    ask_price: Number | None
    last_price: Number | None
    delta: Number | None
    gamma: Number | None
    vega: Number | None
    theta: Number | None
    rho: Number | None
    underlying: str | None  # what it is valued by, under the venue's name
    underlying_price: Number | None
    open_interest: Number | None  # in base units
    venue_ns: int
    received_ns: int


class Listing(msgspec.Struct, frozen=True, tag="listing"):
    """One instrument as the venue lists it."""

    instrument: Instrument
    received_ns: int

    @property
    def exchange(self) -> str:
        return self.instrument.exchange

    @property
    def symbol(self) -> str:
        return self.instrument.symbol


class FeedStatus(msgspec.Struct, frozen=True, tag="status"):
    """An interval of one feed (symbol and channel). Sent when it opens, while it lasts and when it closes.

    ``ended_ns`` is None only in the opening message of an interval; while it lasts it is extended, so that the last
    message states until when the interval is known to have held, even if the collector died.
    """

    exchange: Name
    symbol: Name
    channel: Name  # "book", "trades", ...
    state: State
    cause: Cause
    started_ns: Time
    ended_ns: Time | None = None
    first_sequence: Sequence | None = None
    last_sequence: Sequence | None = None
    missed: Count | None = None  # venue updates known to be missing, where the venue's ids show it
    collector: Name = "A"  # which one says so, where several collect the same feed


class FeedStats(msgspec.Struct, frozen=True, kw_only=True, tag="stats"):
    """Counters of one connection, cumulative since the collector started; sent once a second."""

    exchange: str
    conn: str
    ts_ns: int
    symbols: int
    frames: int
    bytes: int
    events: int
    reconnects: int
    gaps: int
    dead_letters: int
    published: int  # messages acknowledged by the broker
    failed: int  # messages the broker refused for good
    queue: int  # messages waiting for acknowledgement
    renewals: int = 0  # connections replaced by another before they ended, without a gap
    paused_ms: int  # time for which sockets were not read because the queue was full
    latency_p50_ms: float | None = None  # receive to broker acknowledgement, over the last second
    latency_p99_ms: float | None = None
    venue_lag_ms: float | None = None  # receive time minus venue time, median over the last second
    # Frames, and rows of them, that gave no event by design, by kind: repeated, older, of a channel that is not taken.
    ignored: dict[str, int] = {}
    limits_met: int = 0  # times the venue said "too much": HTTP 429 and 418, a refused handshake among them
    unfamiliar: dict[str, int] = {}  # frames looked at that hold a field never seen before, by field
    cadence_ms: dict[str, float] = {}  # mean time between two updates of the most active symbols, by kind of channel


class DeadLetter(msgspec.Struct, frozen=True, tag="dead_letter"):
    """A frame that could not be understood, verbatim."""

    exchange: str
    reason: str  # short stable word for counting
    error: str  # what was wrong with it
    frame: bytes
    received_ns: int
    conn: str


class RawFrame(msgspec.Struct, frozen=True, gc=False, tag="raw"):
    """A frame as received, acknowledgements and errors too, or the body of a REST answer (``conn`` ends in /rest)."""

    exchange: str
    conn: str
    seq: int  # counts the frames of this connection from 1
    received_ns: int
    frame: bytes
    request: str | None = None  # path of the REST call that it answers, with its query
    path: str | None = None  # of the socket, where the frame would mean something else on another

    @property
    def is_list(self) -> bool:
        """An instrument list: the only answer that is kept without the call that it answers."""
        return self.request is None and self.conn.endswith("/rest")


Event = (
    Book
    | BookChange
    | Quote
    | Trade
    | Liquidation
    | Funding
    | OpenInterest
    | IndexPrice
    | OptionSummary
    | Listing
    | FeedStatus
    | FeedStats
    | DeadLetter
    | RawFrame
)
