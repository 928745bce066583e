"""Symbols that the venue does not list: their feeds are ``down`` until it does, and a line for a person says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from mdplatform.collector.downtime import Feed
from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStatus

CAUSE = "not_listed"
EXTEND_NS = 5 * SECOND
CAUSES = (CAUSE, "refused")  # of what is configured and not collected
STATED_NS = 60 * SECOND  # an open interval is published every few seconds: one that was not for this long is over


class Unlisted:
    """Publishes through ``publish``. Times are ns since the epoch."""

    def __init__(self, exchange: str, publish: Callable[[FeedStatus], None]) -> None:
        self._exchange, self._publish = exchange, publish
        self._down: dict[Feed, FeedStatus] = {}
        self._coming: dict[str, bool] = {}  # listed by now -> whether a session has stated any of its feeds
        self._extended_ns = 0

    @property
    def symbols(self) -> set[str]:
        return {symbol for symbol, _ in self._down}

    def last(self, channel: str) -> dict[str, int]:
        """The last sequence that was proven of this channel before, by symbol; where it is known."""
        numbers = ((symbol, down.last_sequence) for (symbol, kind), down in self._down.items() if kind == channel)
        return {symbol: number for symbol, number in numbers if number is not None}

    def until(self, channel: str) -> dict[str, int]:
        """The receive time until when updates of this channel were proven before, by symbol."""
        return {symbol: down.started_ns for (symbol, kind), down in self._down.items() if kind == channel}

    def begin(self, symbol: str, kinds: Iterable[str], last: Iterable[FeedStatus], now_ns: int) -> None:
        """These feeds of the symbol are down from now on. ``last``: the last word on each that is known; what lasts
        of that ends here, and one that was not listed before has not been since."""
        self._coming.pop(symbol, None)
        before = {status.channel: status for status in last}
        for kind in dict.fromkeys((*before, *kinds)):
            down = self._followed(symbol, kind, before.get(kind), now_ns)
            if self._down.get((symbol, kind)) is None:
                self._down[symbol, kind] = down
                self._publish(down)

    def _followed(self, symbol: str, kind: str, last: FeedStatus | None, now_ns: int) -> FeedStatus:
        """The interval that follows the ``last`` one, which is ended; or goes on, where it is of the same cause."""
        if last is not None and (last.state, last.cause) == ("down", CAUSE):
            return msgspec.structs.replace(last, ended_ns=None)
        since_ns = now_ns
        if last is not None:
            # What is valid is so up to its last update, everything else up to now.
            proven = last.state == "valid"
            since_ns = max(last.started_ns, (last.ended_ns or 0) if proven else now_ns)
            self._publish(msgspec.structs.replace(last, ended_ns=since_ns))
        sequence = None if last is None else last.last_sequence
        return FeedStatus(self._exchange, symbol, kind, "down", CAUSE, since_ns, last_sequence=sequence)

    def over(self, symbol: str, now_ns: int) -> None:
        """Nobody wants it any more: a rule names its successor."""
        self._end([feed for feed in self._down if feed[0] == symbol], now_ns)

    def listed(self, symbol: str) -> None:
        """It is collected from now on: each of its intervals ends where its feed is stated by a session."""
        if any(feed[0] == symbol for feed in self._down):
            self._coming.setdefault(symbol, False)

    def seen(self, status: FeedStatus) -> None:
        """A session published a status of a feed."""
        if status.symbol in self._coming:
            self._coming[status.symbol] = True
            self._end([(status.symbol, status.channel)], status.started_ns)

    def tick(self, now_ns: int) -> None:
        """Extend what lasts, about every 5 s. Where a session states some feeds of a symbol, it has no others."""
        if now_ns - self._extended_ns < EXTEND_NS:
            return
        self._extended_ns = now_ns
        for symbol in [symbol for symbol, is_stated in self._coming.items() if is_stated]:
            self.over(symbol, now_ns)
            del self._coming[symbol]
        for down in list(self._down.values()):
            self._extend(down, now_ns)

    def closed(self, now_ns: int) -> None:
        """The collector ends; the next one continues from these statuses."""
        for down in list(self._down.values()):
            self._extend(down, now_ns)

    def _extend(self, down: FeedStatus, now_ns: int) -> None:
        self._publish(msgspec.structs.replace(down, ended_ns=max(now_ns, down.started_ns)))

    def _end(self, feeds: Iterable[Feed], now_ns: int) -> None:
        for feed in feeds:
            down = self._down.pop(feed, None)
            if down is not None:
                self._extend(down, now_ns)


class Uncollected(msgspec.Struct, frozen=True):
    """One symbol of a venue. ``since_ns``: when the oldest of its intervals began."""

    exchange: str
    symbol: str
    channels: tuple[str, ...]
    cause: str
    since_ns: int

    def __str__(self) -> str:
        since = f"{datetime.fromtimestamp(self.since_ns // SECOND, UTC):%Y-%m-%d %H:%M:%S} UTC"
        return f"{self.symbol} of {self.exchange} ({', '.join(self.channels)}): {self.cause} since {since}"


def uncollected(last: Mapping[Feed, FeedStatus], now_ns: int) -> list[Uncollected]:
    """By the last status of each feed; what no collector publishes any more is left out."""
    found: dict[tuple[str, str, str], list[FeedStatus]] = {}
    for status in last.values():
        reach = max(status.started_ns, status.ended_ns or 0)
        if status.state == "down" and status.cause in CAUSES and now_ns - reach < STATED_NS:
            found.setdefault((status.exchange, status.symbol, status.cause), []).append(status)
    return [_one(statuses) for _, statuses in sorted(found.items())]


def _one(statuses: Iterable[FeedStatus]) -> Uncollected:
    first, *_ = ordered = sorted(statuses, key=lambda status: status.channel)
    since_ns = min(status.started_ns for status in ordered)
    channels = tuple(status.channel for status in ordered)
    return Uncollected(first.exchange, first.symbol, channels, first.cause, since_ns)
