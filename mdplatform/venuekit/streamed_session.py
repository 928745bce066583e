"""A session whose books begin with a snapshot on the stream: one that was lost is subscribed to again for another."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Protocol, TypeVar

from mdplatform.core.session import Output
from mdplatform.venuekit.base_session import SocketSession
from mdplatform.venuekit.books.streamed import StreamedBook
from mdplatform.venuekit.market import Market


class Renewable(Protocol):
    """A book that a new subscription repairs."""

    def wants_snapshot(self, now_ns: int) -> bool: ...

    def awaits(self, now_ns: int) -> None: ...


class Streamed(Protocol):
    """One symbol whose book comes by a stream."""

    @property
    def stream(self) -> Renewable: ...


M = TypeVar("M", bound=Streamed)


def lost_books(markets: Iterable[M], now_ns: int) -> list[M]:
    """The markets to subscribe to again now: each counts as asked for."""
    lost = [market for market in markets if market.stream.wants_snapshot(now_ns)]
    for market in lost:
        market.stream.awaits(now_ns)
    return lost


class StreamedMarket(Market):
    """One symbol whose book comes by a stream."""

    stream: StreamedBook


S = TypeVar("S", bound=StreamedMarket)


class StreamedSession(SocketSession[S]):
    """A venue adds ``book_topic`` to what it adds to ``SocketSession``.

    ``takes_books``: whether the connection subscribes to any.
    """

    takes_books = True

    def book_topic(self, market: S) -> Hashable:
        """What brings the book of this market."""
        raise NotImplementedError

    def renew(self, markets: Iterable[S], now_ns: int) -> list[Output]:
        """Subscribe again to those of these books that were lost: that brings a snapshot."""
        lost = lost_books(markets, now_ns) if self.takes_books else []
        return self.subscriptions.renew([self.book_topic(market) for market in lost], now_ns)

    def tick(self, now_ns: int) -> list[Output]:
        return super().tick(now_ns) + self.renew(self.markets, now_ns)
