"""The time between two collectors of the same feed: a ``down`` interval from the last proven state on."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStatus

Feed = tuple[str, str]  # symbol, channel
EXTEND_NS = 5 * SECOND
KEPT = 32  # statuses of a feed; an open interval is published again every few seconds


class StatusHistory:
    """The statuses that a collector published lately: where the broker lost them, nobody else has them."""

    def __init__(self) -> None:
        self._said: dict[Feed, deque[FeedStatus]] = defaultdict(lambda: deque(maxlen=KEPT))

    def note(self, status: FeedStatus) -> None:
        self._said[status.symbol, status.channel].append(status)

    def until(self, ns: int) -> dict[Feed, FeedStatus]:
        """The last status of each feed that does not reach beyond ``ns``; of younger feeds, only their beginning."""
        return {feed: _latest(said, ns) for feed, said in self._said.items()}


class DowntimeTracker:
    """``previous``: the last status of each feed, of whoever collected it before. Publishes through ``publish``."""

    def __init__(self, previous: Mapping[Feed, FeedStatus], publish: Callable[[FeedStatus], None]) -> None:
        self._down = {feed: _down(status) for feed, status in previous.items()}
        self._publish = publish
        self._published_ns = 0

    def last(self, channel: str) -> dict[str, int]:
        """The last sequence that was proven of this channel before, by symbol; where it is known."""
        numbers = ((symbol, down.last_sequence) for (symbol, kind), down in self._down.items() if kind == channel)
        return {symbol: number for symbol, number in numbers if number is not None}

    def until(self, channel: str) -> dict[str, int]:
        """The receive time until when updates of this channel were proven before, by symbol."""
        return {symbol: down.started_ns for (symbol, kind), down in self._down.items() if kind == channel}

    def only(self, symbols: Collection[str]) -> None:
        """The others are no longer collected: contracts that expired, where a rule names their successors."""
        self._down = {feed: status for feed, status in self._down.items() if feed[0] in symbols}

    def take(self, symbol: str) -> list[FeedStatus]:
        """The down intervals of a symbol, which the caller publishes from now on."""
        return [self._down.pop(feed) for feed in list(self._down) if feed[0] == symbol]

    def begin(self, now_ns: int) -> None:
        """Publish that every earlier feed is down, since when and after which update."""
        self._published_ns = now_ns
        for status in self._down.values():
            self._publish(status)

    def tick(self, now_ns: int) -> None:
        """Extend open intervals, about every 5 s."""
        if now_ns - self._published_ns >= EXTEND_NS:
            self._published_ns = now_ns
            for status in self._down.values():
                self._publish(msgspec.structs.replace(status, ended_ns=max(now_ns, status.started_ns)))

    def seen(self, status: FeedStatus) -> None:
        """A session published this status; a feed's down interval ends where the feed is valid for the first time."""
        if status.state == "valid" and (status.symbol, status.channel) in self._down:
            down = self._down.pop((status.symbol, status.channel))
            self._publish(msgspec.structs.replace(down, ended_ns=max(status.started_ns, down.started_ns)))


def _latest(said: deque[FeedStatus], ns: int) -> FeedStatus:
    older = [status for status in said if max(status.started_ns, status.ended_ns or 0) <= ns]
    valid_ns = max((status.started_ns for status in older if status.state == "valid"), default=0)
    # A gap is published again when its trades were filled: it was over when the valid interval began.
    older = [status for status in older if status.state != "gap" or status.started_ns > valid_ns]
    return older[-1] if older else msgspec.structs.replace(said[0], ended_ns=None, last_sequence=said[0].first_sequence)


def _down(last: FeedStatus) -> FeedStatus:
    if last.state == "down":
        return msgspec.structs.replace(last, ended_ns=None)  # it goes on, whoever ended the collector
    return FeedStatus(
        last.exchange,
        last.symbol,
        last.channel,
        "down",
        "restart",
        max(last.started_ns, last.ended_ns or 0),
        last_sequence=last.last_sequence if last.state == "valid" else None,
    )
