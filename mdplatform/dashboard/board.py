"""The last state of every feed: written by the reader's thread, read by the streams."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from mdplatform.core.errors import MessageError
from mdplatform.core.market_room import QUIET_NS, MarketRoom
from mdplatform.core.messages import AHEAD_NS, REFUSALS, PassedOver, check_time
from mdplatform.dashboard.connections import Connections, Sent
from mdplatform.dashboard.feed import NOTHING, Feed, Since
from mdplatform.dashboard.messages import DECODERS, MOST_BYTES, FeedMessage, Message, SignalMessage, StatsMessage
from mdplatform.dashboard.samples import Sample

MAX_FEEDS = 1000
SIGNALS_KEPT = 50
REPLACEABLE_AFTER_MS = QUIET_NS // 1_000_000

Key = tuple[str, str]  # exchange, symbol
Seen = dict[Key, tuple[int, str]]  # what a browser has: version and state of each feed


class Board:
    """At most ``max_feeds`` feeds, see ``MarketRoom``; messages of one more are counted and left out."""

    def __init__(self, max_feeds: int = MAX_FEEDS, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.max_feeds = max_feeds
        self.messages = 0  # each is one of the next three
        self.taken = 0
        self.passed_over = PassedOver()  # messages that are not what their topic holds, or cannot be
        self._now_ns = now_ns
        self.left_out = 0  # messages of feeds for which there was no room
        self._feeds: dict[Key, Feed] = {}
        self._room = MarketRoom(max_feeds)
        self._connections = Connections()
        self._signals: deque[SignalMessage] = deque(maxlen=SIGNALS_KEPT)
        self._signal_count = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._feeds)

    def take(self, dataset: str, value: bytes | None, stamp_ms: int) -> None:
        """A message of one of ``DECODERS``; ``stamp_ms`` is the broker's time of it."""
        with self._lock:
            self.messages += 1
            now_ns = self._now_ns()
            # The broker's time of a message is its writer's word too.
            stamp_ms = min(stamp_ms, now_ns // 1_000_000)
            try:
                message = _decoded(dataset, value or b"")
                if message.latest_ns() > now_ns + AHEAD_NS:
                    check_time(now_ns + AHEAD_NS, message.latest_ns())
                if isinstance(message, StatsMessage):
                    self._connections.take(message)
                    self.taken += 1
                elif isinstance(message, SignalMessage):
                    self._take_signal(message)
                    self.taken += 1
                else:
                    self._apply(message, stamp_ms)
            except REFUSALS as error:
                self.passed_over.note(dataset, error)

    def states(self, now_ms: int) -> Counter[tuple[str, str]]:
        """How many feeds of each exchange are in each state."""
        with self._lock:
            return Counter((feed.exchange, feed.state(now_ms)[0]) for feed in self._feeds.values())

    @property
    def refused(self) -> int:
        """Messages passed over."""
        return self.passed_over.total

    def connections(self, sent: Sent) -> tuple[list[dict[str, Any]], list[Key]]:
        """See ``Connections.changes``."""
        with self._lock:
            return self._connections.changes(sent)

    def signals(self, count: int) -> tuple[list[SignalMessage], int]:
        """What was found after the first ``count`` findings, oldest first, and how many there are now."""
        with self._lock:
            fresh = min(self._signal_count - count, len(self._signals))
            return list(self._signals)[len(self._signals) - fresh :], self._signal_count

    def bars_from(self, key: Key) -> int | None:
        """The first second of which all trades of a feed are known here; None where there are none."""
        with self._lock:
            feed = self._feeds.get(key)
            return None if feed is None else feed.bars.first()

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

    def detail(self, key: Key, now_ms: int, since: Since = NOTHING) -> dict[str, Any] | None:
        """What a panel shows of one feed, see ``Feed.detail``; None when it is not known."""
        with self._lock:
            feed = self._feeds.get(key)
            if feed is None:
                return None
            return self._shown(feed, lambda: feed.detail(now_ms, since))

    def samples(self, base: str, since: dict[Key, float]) -> dict[Key, list[Sample]]:
        """Of each feed of the asset ``base``, the samples from the second in ``since`` on."""
        with self._lock:
            return {
                key: feed.samples.since(since.get(key, 0))
                for key, feed in sorted(self._feeds.items())
                if feed.symbol.partition("-")[0] == base
            }

    def _row(self, feed: Feed, now_ms: int) -> dict[str, Any]:
        return self._shown(feed, lambda: feed.row(now_ms))

    def _shown(self, feed: Feed, show: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What ``show`` gives; without book and quote where these cannot be shown: nobody's page stops at them."""
        try:
            return show()
        except REFUSALS as error:
            self.passed_over.note("shown", error)
            feed.forget()
            return show()

    def _take_signal(self, message: SignalMessage) -> None:
        """One that was published twice, as after a restart, is known by its id."""
        if all(message.id != kept.id for kept in self._signals):
            self._signals.append(message)
            self._signal_count += 1

    def _apply(self, message: FeedMessage, stamp_ms: int) -> None:
        feed = self._feed(message.exchange, message.symbol, stamp_ms)
        if feed is None:
            self.left_out += 1
            return
        try:
            feed.take(message, stamp_ms)
            self.taken += 1
        except REFUSALS:
            if not feed.version:  # nothing else is known of it either
                del self._feeds[feed.exchange, feed.symbol]
                self._room.leave((feed.exchange, feed.symbol))
            raise

    def _feed(self, exchange: str, symbol: str, stamp_ms: int) -> Feed | None:
        key = (exchange, symbol)
        try:
            gone = self._room.admit(key, stamp_ms * 1_000_000)
        except MessageError:
            return None
        if gone is not None:
            del self._feeds[gone]
        if key not in self._feeds:
            self._feeds[key] = Feed(exchange, symbol)
        return self._feeds[key]


def _decoded(dataset: str, value: bytes) -> Message:
    if len(value) > MOST_BYTES[dataset]:
        raise MessageError("too_long", f"{len(value):,} bytes")
    return DECODERS[dataset].decode(value)
