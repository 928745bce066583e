"""Books that begin with a snapshot on the stream, and were lost: to subscribe again brings another snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from mdplatform.venuekit.books.streamed import StreamedBook


class Streamed(Protocol):
    """One symbol whose book comes by a stream."""

    @property
    def stream(self) -> StreamedBook: ...


M = TypeVar("M", bound=Streamed)


def lost_books(markets: Iterable[M], now_ns: int) -> list[M]:
    """The markets to subscribe to again now: each counts as asked for."""
    lost = [market for market in markets if market.stream.wants_snapshot(now_ns)]
    for market in lost:
        market.stream.awaits(now_ns)
    return lost
