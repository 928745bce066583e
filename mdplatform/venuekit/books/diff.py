"""One symbol on a feed of diffs with a snapshot by REST: the events and requests that follow from each message."""

from __future__ import annotations

from collections.abc import Callable

from mdplatform.core.decimals import check_levels
from mdplatform.core.errors import FrameError
from mdplatform.core.events import Book, FeedStatus
from mdplatform.core.feed_status import Feed
from mdplatform.core.session import Fetch, Output, Request
from mdplatform.venuekit.books.diff_book import Diff, DiffBook, Snapshot, Verdict
from mdplatform.venuekit.contract_sizes import Units


class DiffMarket:
    """``request`` is the REST call for its snapshot. Events carry ``depth`` levels a side, their sizes in ``units``.

    ``limit``: levels a side that the request asks for; ``keep``: that diffs are of. None: all. See ``DiffBook``.
    """

    def __init__(
        self,
        feed: Feed,
        request: Request,
        joins: Callable[[Diff, int], bool],
        depth: int,
        units: Units | None = None,
        limit: int | None = None,
        keep: int | None = None,
    ) -> None:
        self.feed = feed
        self.units = units
        self.request = request
        self.depth = depth
        self.joins = joins
        self.diffs = DiffBook(joins, depth, limit, keep, units)
        self._published: int | None = None  # sequence of the last event; None where a chain starts

    def connected(self, now_ns: int) -> None:
        """A new connection: nothing carries over."""
        self.restart()
        self.diffs.forget()

    def restart(self) -> None:
        """A new subscription on the same connection: the book begins again, how often it was asked for stays known."""
        self.diffs.restart()
        self.diffs.asked = False
        self._published = None

    def take(self, diff: Diff) -> list[Output]:
        """A diff from the socket; its levels are checked already."""
        verdict = self.diffs.take(diff)
        if verdict == "applied":
            return self._applied(diff)
        if verdict == "repeated":
            return []
        if verdict == "waiting":
            out: list[Output] = []
            if self.feed.state != "gap":
                out += self.feed.invalid("resync", "no_snapshot", diff.received_ns)
            return out + self._drain(diff.received_ns)
        return self._broken(diff, verdict, diff.received_ns)

    def offer(self, snapshot: Snapshot, now_ns: int) -> list[Output]:
        """A snapshot that was asked for; raises FrameError when it cannot be one."""
        was_asked, self.diffs.asked = self.diffs.asked, False
        if self.diffs.last is not None and not was_asked:
            return []
        try:
            check_snapshot(snapshot)
        except FrameError:
            self.diffs.delay(now_ns)
            raise
        if self.diffs.last is not None:
            self.diffs.renew(snapshot, now_ns)
            return []
        self.diffs.offer(snapshot, now_ns)
        return self._drain(now_ns)

    def failed(self, now_ns: int) -> None:
        """The request for a snapshot failed."""
        self.diffs.asked = False
        self.diffs.delay(now_ns)

    def tick(self, now_ns: int) -> list[Output]:
        """The interval as time passes, and the snapshot that is due.

        One that renews a book is asked for when a diff is taken, not here: so a replay asks where the collector did.
        """
        return [*self.feed.tick(now_ns), *([] if self.diffs.last is not None else self._ask(now_ns))]

    def closed(self, cause: str, now_ns: int) -> list[FeedStatus]:
        """The connection is gone."""
        return self.feed.closed(cause, now_ns)

    def _ask(self, now_ns: int) -> list[Output]:
        if not self.diffs.wants_snapshot(now_ns):
            return []
        self.diffs.ask(now_ns)
        return [Fetch(self.request)]

    def _drain(self, now_ns: int) -> list[Output]:
        out: list[Output] = []
        for diff, verdict in self.diffs.drain(now_ns):
            out += self._applied(diff) if verdict == "applied" else self._broken(diff, verdict, now_ns)
        return out + self._ask(now_ns)

    def _broken(self, diff: Diff, verdict: Verdict, now_ns: int) -> list[Output]:
        """The book is not proven any more: say so, forget it and start from this diff with a new snapshot."""
        last, last_ns, following = self.diffs.last, self.diffs.venue_ns, list(self.diffs.buffer)
        # The touch was faster than the snapshot that is on its way: what was applied since may yet lead on from that.
        since = self.diffs.since[:-1] if verdict == "beyond_snapshot" else []
        self.diffs.restart()
        self.diffs.pause.broke(now_ns)
        self._published = None
        self.diffs.buffer.extend([*since, diff, *following])
        out: list[Output] = []
        if verdict in ("crossed", "beyond_snapshot", "too_many_levels"):
            out += self.feed.invalid("resync", verdict, now_ns)
        elif last is None:
            out += self.feed.invalid("gap", "snapshot_ahead", now_ns)
        elif diff.previous <= last:
            is_reset = diff.last <= last and diff.venue_ns > last_ns
            out += self.feed.invalid("gap", "sequence_reset" if is_reset else "sequence_back", now_ns)
        else:
            out += self.feed.invalid("gap", "sequence_gap", now_ns, last + 1, diff.previous - last)
        return out + self._ask(now_ns)

    def _applied(self, diff: Diff) -> list[Output]:
        out: list[Output] = []
        feed, book, now_ns = self.feed, self.diffs.book, diff.received_ns
        if feed.state != "valid":
            cause = "resumed" if feed.state == "stale" else "joined"
            out += feed.valid(cause, diff.last, now_ns)
        if self._published is not None and diff.last < self._published:
            # It follows the one before by the venue's word, under a number of a new count.
            out += feed.reset(diff.last, now_ns)
        feed.proven(diff.last, now_ns)
        bids, asks = book.bids.top(self.depth), book.asks.top(self.depth)
        event = Book(
            feed.exchange,
            feed.symbol,
            *bids,
            *asks,
            diff.venue_ns,
            diff.last,
            self._published,
            now_ns,
            None,
            None,
            *book.near(),
        )
        out.append(event if self.units is None else self.units.book(event))
        self._published = diff.last
        return out + self._ask(now_ns) if self.diffs.is_short else out


def check_snapshot(snapshot: Snapshot) -> None:
    """Raises FrameError unless the levels are decimals and the best bid is below the best ask."""
    check_levels([*snapshot.bids, *snapshot.asks])
    bid = max((float(price) for price, _ in snapshot.bids), default=0.0)
    ask = min((float(price) for price, _ in snapshot.asks), default=float("inf"))
    if bid >= ask:
        raise FrameError("crossed_book", f"snapshot with bid {bid} at or above ask {ask}")
