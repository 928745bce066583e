"""What consumers read of the topics, within bounds, and the account of what they pass over.

Whoever may write to a topic may write anything; every consumer reads it, and reads it again after a restart. So what is
read here is bounded in length and size, whatever is not raises one of ``REFUSALS``, and it is counted and passed over.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import Literal

import msgspec

from mdplatform.core.bounds import LEAST, MOST, Count, Levels, Name, Price, Sequence, Size, Time
from mdplatform.core.clock import SECOND
from mdplatform.core.errors import UNREADABLE, MessageError, reason_of
from mdplatform.core.events import FeedStatus
from mdplatform.core.legible import legible

log = logging.getLogger(__name__)

# Arithmetic that fails is a bound that we did not think of: one message less, not a consumer that ends at each start.
REFUSALS = (*UNREADABLE, MessageError, ArithmeticError, ValueError)

# A time so far ahead of the reader's clock is not believed: it would make everything that follows look late.
AHEAD_NS = 300 * SECOND
MOST_NAMED = 1_000  # places and reasons that are remembered as named in the log
MOST_DIGITS = 64  # of a number that is shown


class BookMessage(msgspec.Struct, frozen=True, gc=False):
    """A book message as a consumer reads it; numbers as floats, of which ``best`` gives the first levels checked."""

    exchange: Name
    symbol: Name
    b: Levels
    bv: Levels
    a: Levels
    av: Levels
    timestamp: Time
    sequence: Sequence
    previous_sequence: Sequence | None
    venue_ns: Time
    received_ns: Time
    bid_depth_10bps: float | None = None
    ask_depth_10bps: float | None = None


class QuoteMessage(msgspec.Struct, frozen=True, gc=False):
    """A quote message as a consumer reads it; a side is None while it is empty."""

    exchange: Name
    symbol: Name
    bid_price: Price | None
    bid_size: Size | None
    ask_price: Price | None
    ask_size: Size | None
    sequence: Sequence
    venue_ns: Time
    received_ns: Time


class TradeMessage(msgspec.Struct, frozen=True, gc=False):
    """A trade message as a consumer reads it, or a liquidation, which has no provenance of its own."""

    exchange: Name
    symbol: Name
    id: Name
    price: Price
    qty: Size
    side: Literal["buy", "sell"]
    ts: Time
    venue_ns: Time
    received_ns: Time
    provenance: Name = "live"
    first_id: Name | None = None  # of the first of the matches that the message stands for, where they are several
    count: Count | None = None


decode_book = msgspec.json.Decoder(BookMessage).decode
decode_quote = msgspec.json.Decoder(QuoteMessage).decode
decode_trade = msgspec.json.Decoder(TradeMessage).decode
decode_status = msgspec.json.Decoder(FeedStatus, strict=True).decode

Best = tuple[float, float, float, float]  # bid, bid size, ask, ask size


def best(book: BookMessage) -> Best | None:
    """The first level of both sides; None while one is empty. Raises MessageError where one cannot be."""
    if not (book.b and book.a and book.bv and book.av):
        return None
    found = bid, bid_size, ask, ask_size = book.b[0], book.bv[0], book.a[0], book.av[0]
    if LEAST <= bid <= MOST and LEAST <= ask <= MOST and 0 <= bid_size <= MOST and 0 <= ask_size <= MOST:
        return found
    raise MessageError("no_price", f"{bid:g} x {bid_size:g} bid and {ask:g} x {ask_size:g} asked are no best prices")


def check_time(latest_ns: int, *times_ns: int) -> None:
    """Raises MessageError for a time later than ``latest_ns``, which is the reader's own time and ``AHEAD_NS``."""
    for at_ns in times_ns:
        if at_ns > latest_ns:
            ahead_s = (at_ns - latest_ns + AHEAD_NS) / SECOND
            raise MessageError("from_the_future", f"its time is {ahead_s:,.0f} s ahead of this machine's")


class PassedOver:
    """Messages that were passed over, by place (a topic or what it holds) and reason; each named once in the log."""

    def __init__(self) -> None:
        self.total = 0
        self._counts: Counter[tuple[str, str]] = Counter()

    def note(self, place: str, error: Exception, at: str = "") -> str:
        """Count what raised ``error``; its reason. ``at``: where to find the message, for the log."""
        known = isinstance(error, (*UNREADABLE, MessageError))
        reason, detail = reason_of(error) if known else ("not_computable", f"{type(error).__name__}: {error}")
        self.total += 1
        key = (place, reason)
        if key not in self._counts:
            if len(self._counts) >= MOST_NAMED:
                key = ("others", reason)
            else:
                where = legible(at or place)
                log.warning("%s is passed over, as all like it will be: %s: %s", where, reason, legible(detail))
        self._counts[key] += 1
        return reason

    def counts(self) -> dict[str, dict[str, int]]:
        """Number by place and reason."""
        found: dict[str, dict[str, int]] = {}
        for (place, reason), count in sorted(self._counts.items()):
            found.setdefault(place, {})[reason] = count
        return found
