"""The last state of every feed: written by the reader's thread, read by the streams."""

from __future__ import annotations

import threading
from typing import Any

from mdplatform.dashboard.connections import Connections
from mdplatform.dashboard.feed import Feed
from mdplatform.dashboard.messages import DECODERS, FeedMessage, StatsMessage
from mdplatform.dashboard.samples import Sample
from mdplatform.errors import UNREADABLE

MAX_FEEDS = 1000
REPLACEABLE_AFTER_MS = 10 * 60 * 1000

Key = tuple[str, str]  # exchange, symbol
Seen = dict[Key, tuple[int, str]]  # what a browser has: version and state of each feed

# What a message that is JSON, but not ours, can raise once somebody looks into its numbers.
MALFORMED = (*UNREADABLE, ValueError, ArithmeticError)


class Board:
    """At most ``max_feeds`` feeds; one more replaces a feed unheard of for ten minutes, or is counted and left out."""

    def __init__(self, max_feeds: int = MAX_FEEDS) -> None:
        self.max_feeds = max_feeds
        self.messages = 0
        self.refused = 0  # messages that are not what their topic holds
        self.left_out = 0  # messages of feeds for which there was no room
        self._feeds: dict[Key, Feed] = {}
        self._connections = Connections()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._feeds)

    def take(self, dataset: str, value: bytes | None, stamp_ms: int) -> None:
        """A message of one of ``DECODERS``; ``stamp_ms`` is the broker's time of it."""
        with self._lock:
            self.messages += 1
            try:
                message = DECODERS[dataset].decode(value or b"")
                if isinstance(message, StatsMessage):
                    self._connections.take(message)
                else:
                    self._apply(message, stamp_ms)
            except MALFORMED:
                self.refused += 1

    def connections(self) -> list[dict[str, Any]]:
        """The last counters of each connection."""
        with self._lock:
            return self._connections.shown()

    def changes(self, seen: Seen, now_ms: int) -> tuple[list[dict[str, Any]], list[Key]]:
        """Rows that differ from what ``seen`` holds, and feeds that are gone. Updates ``seen``."""
        rows = []
        with self._lock:
            for key, feed in sorted(self._feeds.items()):
                mark = (feed.version, feed.state(now_ms)[0])
                if seen.get(key) != mark:
                    seen[key] = mark
                    rows.append(self._row(feed, now_ms))
            gone = [key for key in seen if key not in self._feeds]
        for key in gone:
            del seen[key]
        return rows, gone

    def detail(self, key: Key, now_ms: int, second: float = 0, prints: int = 0) -> dict[str, Any] | None:
        """What a panel shows of one feed, see ``Feed.detail``; None when it is not known."""
        with self._lock:
            feed = self._feeds.get(key)
            if feed is None:
                return None
            self._row(feed, now_ms)  # drops a book that cannot be shown
            return feed.detail(now_ms, second, prints)

    def samples(self, base: str, since: dict[Key, float]) -> dict[Key, list[Sample]]:
        """Of each feed of the asset ``base``, the samples from the second in ``since`` on."""
        with self._lock:
            return {
                key: feed.samples.since(since.get(key, 0))
                for key, feed in sorted(self._feeds.items())
                if feed.symbol.partition("-")[0] == base
            }

    def _row(self, feed: Feed, now_ms: int) -> dict[str, Any]:
        try:
            return feed.row(now_ms)
        except MALFORMED:
            self.refused += 1
            feed.book = None
            return feed.row(now_ms)

    def _apply(self, message: FeedMessage, stamp_ms: int) -> None:
        feed = self._feed(message.exchange, message.symbol, stamp_ms)
        if feed is None:
            self.left_out += 1
        else:
            feed.take(message, stamp_ms)

    def _feed(self, exchange: str, symbol: str, stamp_ms: int) -> Feed | None:
        key = (exchange, symbol)
        if key not in self._feeds:
            if len(self._feeds) >= self.max_feeds and not self._make_room(stamp_ms):
                return None
            self._feeds[key] = Feed(exchange, symbol)
        return self._feeds[key]

    def _make_room(self, stamp_ms: int) -> bool:
        oldest = min(self._feeds.values(), key=lambda feed: feed.stamp_ms)
        if stamp_ms - oldest.stamp_ms < REPLACEABLE_AFTER_MS:
            return False
        del self._feeds[(oldest.exchange, oldest.symbol)]
        return True
