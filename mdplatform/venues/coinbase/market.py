"""What both feeds of Coinbase share: their times, their sides, and one product's book and trades.

``side`` is that of the maker's order: documented for both feeds; of Advanced Trade clients disagree, and one capture of
April 2026 agrees with the documents. Times of the year 1 and of 1970 stand for none (seen in recordings).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from mdplatform.core.decimals import Levels, is_price, sound_levels
from mdplatform.core.errors import FrameError
from mdplatform.core.events import FeedStatus, Provenance
from mdplatform.core.session import Channel, Output
from mdplatform.core.symbols import Instrument
from mdplatform.venuekit.books.streamed import StreamedBook, TimeSequence
from mdplatform.venuekit.streamed_session import StreamedMarket
from mdplatform.venues.coinbase.wire import TAKER, MakerSide


def nonsense(levels: Sequence[object]) -> FrameError:
    """Why a message was taken without some of its levels."""
    shown = msgspec.json.encode(levels[0]).decode()[:80]
    return FrameError("bad_level", f"{len(levels)} levels left out, the first one: {shown}")


class Product(StreamedMarket):
    """One product on one connection."""

    def __init__(self, instrument: Instrument, channels: tuple[Channel, ...], depth: int) -> None:
        super().__init__(instrument, channels, sequential_ids=True)
        self.stream = StreamedBook(self.feed("book"), depth)
        self.book = self.stream
        self._sequence = TimeSequence()

    def snapshot(self, bids: Levels, asks: Levels, time_ns: int, received_ns: int) -> list[Output]:
        return self.stream.snapshot(bids, asks, self._sequence.next(time_ns), time_ns, received_ns)

    def update(self, bids: Levels, asks: Levels, time_ns: int, received_ns: int) -> list[Output]:
        return self.stream.update(bids, asks, self._sequence.next(time_ns), time_ns, received_ns)

    def without_nonsense(
        self, error: FrameError, bids: Levels, asks: Levels, time_ns: int, received_ns: int, *, is_whole: bool
    ) -> tuple[list[Output], Levels]:
        """(what follows from a snapshot, ``is_whole``, or an update that ``error`` refuses, the levels left out of it).

        One level of nonsense costs itself and not a book of tens of thousands. Of an update only those are left out
        that no book could hold, by their price. Raises ``error`` where that is not what is wrong, or most is nonsense.
        """
        (bids, odd_bids), (asks, odd_asks) = sound_levels(bids), sound_levels(asks)
        odd = odd_bids + odd_asks
        is_update_sound = is_whole or not any(is_price(price) for price, _ in odd)
        if error.reason != "bad_number" or len(odd) > len(bids) + len(asks) or not is_update_sound:
            raise error
        take = self.snapshot if is_whole else self.update
        return take(bids, asks, time_ns, received_ns), odd

    def matched(
        self,
        trade_id: int,
        price: str,
        size: str,
        maker: MakerSide,
        time_ns: int,
        received_ns: int,
        provenance: Provenance = "live",
    ) -> list[Output]:
        """A trade; nothing where it repeats one. Raises FrameError. ``time_ns`` is 0 where the venue states none."""
        taker, sequential_ids = TAKER[maker], self.sequential_ids
        if not time_ns:
            is_behind = (
                sequential_ids is not None and sequential_ids.last is not None and trade_id <= sequential_ids.last
            )
            if sequential_ids is not None and is_behind and not sequential_ids.is_missing(trade_id):
                return []  # without a time it cannot be known for another trade
            time_ns = received_ns
        return self.trade(str(trade_id), price, size, taker, time_ns, received_ns, provenance, trade_id)

    def alive(self, last_trade_id: int, now_ns: int) -> None:
        """A heartbeat came: trades are proven by it where it states an id that was seen.

        Of the book it says nothing: that other frames come does not mean that there was nothing to say of the book.
        """
        trades = self.feed("trades")
        seen = None if self.sequential_ids is None else self.sequential_ids.last
        if trades.state == "valid" and last_trade_id == seen:
            trades.proven(last_trade_id, now_ns)

    def reached(self, trade_id: int, now_ns: int) -> list[FeedStatus]:
        """The venue says that trades up to this one were sent."""
        return [] if self.sequential_ids is None else self.sequential_ids.reached(trade_id, now_ns)
