"""What a session says about its feeds, on its way out: remembered, and held back while another speaks for them."""

from __future__ import annotations

import msgspec

from mdplatform.core.events import FeedStatus

Feed = tuple[str, str]  # symbol, channel


class StatusHandover:
    """Statuses of one session. Closed, it lets nothing out: a connection that is to take over a line's feeds."""

    def __init__(self, is_open: bool = True) -> None:
        self.is_open = is_open
        self.last: dict[Feed, FeedStatus] = {}  # as the session said it
        self._gone: set[str] = set()  # symbols whose statuses are published no more
        self._starts: dict[Feed, tuple[int, int]] = {}  # an interval's own start, and the one that is published

    def opens_gap(self, status: FeedStatus) -> bool:
        """Whether ``status``, not yet passed, is the first word of a gap."""
        if status.state != "gap" or status.symbol in self._gone:
            return False
        if status.missed == 0:  # it was made good: it was counted before
            return False
        last = self.last.get((status.symbol, status.channel))
        return last is None or last.state != "gap" or last.started_ns != status.started_ns

    def passed(self, status: FeedStatus) -> FeedStatus | None:
        """Remember ``status``; what of it is to be published, None while closed."""
        if status.symbol in self._gone:
            return None
        if status.missed != 0:  # else it is over and was made good later: what holds now was said before
            self.last[status.symbol, status.channel] = status
        return self._handed_over(status) if self.is_open else None

    def forget(self, symbol: str) -> list[FeedStatus]:
        """Publish no status of this symbol from now on; gives the last status of each of its feeds."""
        self._gone.add(symbol)
        return [self.last.pop(feed) for feed in list(self.last) if feed[0] == symbol]

    def proves_all_of(self, other: StatusHandover) -> bool:
        """Whether every feed that is valid in ``other`` is valid here, and there is one at all."""
        valid = {feed for feed, status in other.last.items() if status.state == "valid"}
        return bool(self.last) and all(feed in self.last and self.last[feed].state == "valid" for feed in valid)

    def take_over(self, other: StatusHandover) -> list[FeedStatus]:
        """Open, after ``other`` has said its last: the intervals that go on from where those of ``other`` ended.

        Two sessions that prove the same feed at the same time would else have their time counted twice.
        """
        self.is_open = True
        for symbol in other._gone:
            self.forget(symbol)
        for feed, status in self.last.items():
            before = other.last.get(feed)
            if before is not None and before.ended_ns is not None:
                self._starts[feed] = (status.started_ns, max(status.started_ns, before.ended_ns))
        return [self._handed_over(status) for status in self.last.values()]

    def _handed_over(self, status: FeedStatus) -> FeedStatus:
        own, published_ns = self._starts.get((status.symbol, status.channel), (None, 0))
        if own != status.started_ns:
            return status
        ended_ns = None if status.ended_ns is None else max(status.ended_ns, published_ns)
        return msgspec.structs.replace(status, started_ns=published_ns, ended_ns=ended_ns)
