"""One symbol on one connection: its book, by diffs or as whole top levels, and its trades."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from mdplatform.core.session import Channel, ChannelKind, Output, Request
from mdplatform.core.symbols import Instrument
from mdplatform.venuekit.books.diff import Diff, DiffBook
from mdplatform.venuekit.books.full import FullBook
from mdplatform.venuekit.snapshot_session import SnapshotMarket


class _Symboled(Protocol):
    @property
    def s(self) -> str: ...


D = TypeVar("D", bound=_Symboled)


class StreamMarket(SnapshotMarket):
    """One symbol: its book, by diffs or in whole, and what else it has. ``limit``: levels that ``request`` asks for."""

    carrier = "stream"

    def __init__(
        self,
        instrument: Instrument,
        channels: tuple[Channel, ...],
        depth: int,
        request: Request,
        joins: Callable[[Diff, int], bool],
        limit: int,
    ) -> None:
        super().__init__(instrument, channels, sequential_ids=True)
        feed = self.feed("book")
        self.diffs = DiffBook(feed, request, joins, depth, self.units, limit)
        self.whole = FullBook(feed, depth, self.units)
        self.book = self.diffs

    def connected(self, now_ns: int) -> list[Output]:
        self.whole.connected(now_ns)
        return super().connected(now_ns)

    def acknowledged(self, kind: ChannelKind, now_ns: int) -> list[Output]:
        """Trades may be long in coming. What comes regularly is proven by coming: any name is acknowledged."""
        return super().acknowledged(kind, now_ns) if kind in ("trades", "liquidations") else []

    def checked(self, data: D) -> D:
        """``data``, if it is about this symbol; raises FrameError."""
        if data.s != self.venue_symbol:
            self.ensure_symbol(data.s)
        return data
