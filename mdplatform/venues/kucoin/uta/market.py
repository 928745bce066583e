"""One symbol's book of the UTA push socket."""

from __future__ import annotations

from mdplatform.core.clock import SECOND
from mdplatform.core.decimals import check_levels
from mdplatform.core.session import Channel, Output
from mdplatform.core.symbols import Instrument, Kind
from mdplatform.venuekit.books.streamed import StreamedBook
from mdplatform.venuekit.market import Market
from mdplatform.venues.kucoin import wire
from mdplatform.venues.kucoin.uta import wire as uta

LEVELS = 500  # a side
_RENEW_NS = 60 * SECOND  # a book that stands is renewed no more often


class UtaSymbol(Market):
    """One symbol's book."""

    def __init__(self, instrument: Instrument, channels: tuple[Channel, ...], depth: int) -> None:
        super().__init__(instrument, channels, sequential_ids=False)
        self.is_spot = instrument.kind is Kind.SPOT
        self.stream = StreamedBook(self.feed("book"), depth, self.units, LEVELS)
        self.book = self.stream
        self._last: tuple[int, int] = 0, 0  # number and time of the last change
        self._renewed_ns = 0

    def snapshot(self, data: uta.Book, received_ns: int) -> list[Output]:
        """The best levels; raises FrameError when they are no sound book."""
        out = self.stream.snapshot(data.b, data.a, data.C, wire.ns(data.M), received_ns)
        self._last = data.C, data.M
        return out

    def delta(self, data: uta.Book, received_ns: int) -> list[Output] | None:
        """Absolute sizes; None where they are known already. Raises FrameError."""
        venue_ns = wire.ns(data.M)
        check_levels([*data.b, *data.a])
        last, at = self._last
        if self.stream.is_whole and last + 1 != data.O:
            if last >= data.C and at >= data.M:
                return None
            if last < data.O:
                return self.stream.lose("gap", "sequence_gap", received_ns, data.O - last - 1)
            return self.stream.lose("gap", "sequence_reset" if last >= data.C else "sequence_back", received_ns)
        out = self.stream.update(data.b, data.a, data.C, venue_ns, received_ns, first=data.O)
        self._last = data.C, data.M
        return out

    def is_due(self, now_ns: int) -> bool:
        """Whether the book is to be renewed while it stands: much of what was known is gone."""
        if not self.stream.is_whole or now_ns - self._renewed_ns < _RENEW_NS:
            return False
        return self.stream.book.is_short((self.stream.depth + LEVELS) // 2)

    def renewed(self, now_ns: int) -> None:
        self._renewed_ns = now_ns
