"""The time between two collectors of the same feed: a ``down`` interval from what the last one knew to be held."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStatus

Feed = tuple[str, str]  # symbol, channel
EXTEND_NS = 5 * SECOND
KEPT = 32  # statuses of a feed; one that lasts is stated again every few seconds


class StatusHistory:
    """What a collector said of its feeds lately: where the broker has forgotten it, nobody else knows."""

    def __init__(self) -> None:
        self._said: dict[Feed, deque[FeedStatus]] = defaultdict(lambda: deque(maxlen=KEPT))

    def hear(self, status: FeedStatus) -> None:
        self._said[status.symbol, status.channel].append(status)

    def until(self, ns: int) -> dict[Feed, FeedStatus]:
        """The last word on each feed that does not reach beyond ``ns``; of younger feeds, only that they began."""
        return {feed: _latest(said, ns) for feed, said in self._said.items()}


class DowntimeTracker:
    """``previous``: the last status of each feed, of whoever collected it before. Publishes through ``publish``."""

    def __init__(self, previous: Mapping[Feed, FeedStatus], publish: Callable[[FeedStatus], None]) -> None:
        self._down = {feed: _down(status) for feed, status in previous.items()}
        self._publish = publish
        self._told_ns = 0

    def last(self, channel: str) -> dict[str, int]:
        """The last sequence that was proven of this channel before, by symbol; where it is known."""
        numbers = ((symbol, down.last_sequence) for (symbol, kind), down in self._down.items() if kind == channel)
        return {symbol: number for symbol, number in numbers if number is not None}

    def until(self, channel: str) -> dict[str, int]:
        """The receive time until when updates of this channel were proven before, by symbol."""
        return {symbol: down.started_ns for (symbol, kind), down in self._down.items() if kind == channel}

    def only(self, symbols: Collection[str]) -> None:
        """Nobody wants the others any more: contracts that expired, where a rule names their successors."""
        self._down = {feed: status for feed, status in self._down.items() if feed[0] in symbols}

    def take(self, symbol: str) -> list[FeedStatus]:
        """What is down of a symbol, to be stated by somebody else."""
        return [self._down.pop(feed) for feed in list(self._down) if feed[0] == symbol]

    def begin(self, now_ns: int) -> None:
        """Say that every feed of before is down, since when and after which update."""
        self._told_ns = now_ns
        for status in self._down.values():
            self._publish(status)

    def tick(self, now_ns: int) -> None:
        """Extend what lasts, about every 5 s."""
        if now_ns - self._told_ns >= EXTEND_NS:
            self._told_ns = now_ns
            for status in self._down.values():
                self._publish(msgspec.structs.replace(status, ended_ns=max(now_ns, status.started_ns)))

    def seen(self, status: FeedStatus) -> None:
        """A feed was heard of; the first time that it is valid, its interval closes there."""
        if status.state == "valid" and (status.symbol, status.channel) in self._down:
            down = self._down.pop((status.symbol, status.channel))
            self._publish(msgspec.structs.replace(down, ended_ns=max(status.started_ns, down.started_ns)))


def _latest(said: deque[FeedStatus], ns: int) -> FeedStatus:
    older = [status for status in said if max(status.started_ns, status.ended_ns or 0) <= ns]
    valid_ns = max((status.started_ns for status in older if status.state == "valid"), default=0)
    # A gap is stated again when its trades were filled: it was over when the valid interval began.
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
