"""A session whose books begin with a snapshot by REST: whose answer it is, and what a bad one costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from mdplatform.core.session import REFUSALS, ChannelKind, Output, Request
from mdplatform.venuekit.base_session import SocketSession
from mdplatform.venuekit.books.diff import Diff, DiffBook, Snapshot
from mdplatform.venuekit.market import Market, Markets
from mdplatform.venuekit.pending_snapshots import PendingSnapshots


class SnapshotMarket(Market):
    """One symbol whose book is rebuilt from diffs: ``diffs.request`` asks for the snapshot that they are joined to."""

    diffs: DiffBook


S = TypeVar("S", bound=SnapshotMarket)


def offer_answer(
    book: DiffBook, read: Callable[[bytes], Snapshot], status: int, body: bytes, now_ns: int
) -> list[Output]:
    """What follows from the answer to a request for the snapshot of a book; raises one of ``REFUSALS``."""
    if status != 200:
        book.failed(now_ns)
        return []
    try:
        return book.offer(read(body), now_ns)
    except REFUSALS:
        book.failed(now_ns)
        raise


class SnapshotSession(SocketSession[S]):
    """A venue adds ``snapshot`` to what it adds to ``SocketSession``.

    ``snapshot_path``: what the path of a request for a snapshot holds, where its query states the ``symbol``.
    """

    snapshot_path: str | None = None
    repeated = "repeated_update"  # the name under which a diff is counted that repeats the one before

    def __init__(self, exchange: str, markets: Markets[S], silence_ns: int, ping_every_ns: int = 0) -> None:
        super().__init__(exchange, markets, silence_ns, ping_every_ns)
        self.pending_snapshots = PendingSnapshots()

    @property
    def ignored(self) -> Counter[str]:
        for market in self.markets:
            book = market.diffs.chain
            if book.stale:
                self._ignored["stale_diff"] += book.stale
                book.stale = 0
        return self._ignored

    def snapshot(self, body: bytes) -> Snapshot:
        """The answer to a request for an order book; raises one of ``REFUSALS``."""
        raise NotImplementedError

    def take(self, diffs: DiffBook, diff: Diff) -> list[Output]:
        """A diff from the socket; in a recording it may be the first that a snapshot leads on to."""
        out = diffs.take(diff)
        if not out and diffs.chain.last is not None:
            self.count(self.repeated)
        return out + self.pending_snapshots.claim(diffs, diff, diff.received_ns) if self.pending_snapshots else out

    def offered(self, body: bytes, received_ns: int) -> list[Output]:
        """The answer to a request for a snapshot in a recording, which does not say for whom it was."""
        return self.pending_snapshots.give(self.snapshot(body), [m.diffs for m in self.markets], received_ns)

    def recall(self, path: str, body: bytes, received_ns: int) -> list[Output] | None:
        """On a tape: a snapshot is of the symbol that was asked for."""
        url = urlsplit(path)
        if self.snapshot_path is None or self.snapshot_path not in url.path:
            return super().recall(path, body, received_ns)
        try:
            market = self.markets.of(parse_qs(url.query).get("symbol", [""])[0])
            return market.diffs.offer(self.snapshot(body), received_ns)
        except REFUSALS as error:
            return self.refuse(error, body, received_ns)

    def is_heard(self, market: S, kind: ChannelKind) -> bool:
        return kind == "book" and bool(market.diffs.chain.buffer)

    def answer(self, request: Request, status: int, body: bytes, received_ns: int) -> list[Output]:
        market = next((market for market in self.markets if market.diffs.request == request), None)
        if market is None:
            return super().answer(request, status, body, received_ns)
        try:
            return offer_answer(market.diffs, self.snapshot, status, body, received_ns)
        except REFUSALS as error:
            return self.refuse(error, body, received_ns)
