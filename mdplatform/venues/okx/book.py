"""A book, and the three ways in which it is proven: a file of its own, as no other venue has three.

What decides, message by message:
- a book with ``seqId`` is proven by it: each update's prevSeqId is the seqId before (documented 2026-06). Its checksum
  is never checked: it has been 0 since 2026-06-23 or is absent (the venue's notice; recordings of 2026-10);
- a book without ``seqId`` (recordings of 2022) is proven by its checksum, which it then must have; 0 is none;
- where the venue sends changes and no snapshot before them (announced for August 2026; recordings of 2026-10 still
  begin with one), the snapshot is the REST book, and the first change to apply is the one with
  prevSeqId <= its seqId < seqId.
"""

from __future__ import annotations

from collections.abc import Callable
from zlib import crc32

from mdplatform.core.decimals import check_levels
from mdplatform.core.errors import FrameError
from mdplatform.core.events import FeedStatus
from mdplatform.core.feed_status import FeedState
from mdplatform.core.session import Output, Request
from mdplatform.venuekit.books.diff import Diff, DiffBook, Snapshot, joins
from mdplatform.venuekit.books.order_book import OrderBook
from mdplatform.venuekit.books.streamed import StreamedBook, TimeSequence
from mdplatform.venuekit.contract_sizes import ContractSizes
from mdplatform.venues.okx.wire import BookData, pairs, venue_ns

LEVELS = 400  # of the channel ``books`` and of the REST book
_SUMMED = 25  # levels a side under the checksum


class OkxBook:
    """The book of ``books``: from the socket's own snapshot or, where none is sent, from the REST one."""

    def __init__(self, feed: FeedState, request: Request, depth: int, units: ContractSizes | None) -> None:
        self.feed = feed
        self.stream = StreamedBook(feed, depth, units, keep=LEVELS)
        self.rest = DiffBook(feed, request, joins, depth, units, limit=LEVELS, keep=LEVELS)
        self._by_rest = False
        self._renewing = False  # the book broke: until a new subscription is acknowledged, updates are of the old one
        self._previous: int | None = None  # prevSeqId of the last message, and its
        self._last: int | None = None  # seqId
        self._last_ns = 0  # and venue time
        self._sequence = TimeSequence()

    def publish_changes(self) -> None:
        self.stream.publish_changes()
        self.rest.publish_changes()

    @property
    def is_whole(self) -> bool:
        return self.rest.chain.last is not None if self._by_rest else self.stream.is_whole

    def connected(self, now_ns: int) -> None:
        self._by_rest = self._renewing = False
        self.stream.connected(now_ns)
        self.rest.connected(now_ns)

    def awaits(self, now_ns: int) -> None:
        """Subscribed again on the same connection."""
        self._by_rest, self._renewing = False, True
        self.stream.awaits(now_ns)
        self.rest.restart()

    def acknowledged(self) -> None:
        self._renewing = False

    def wants_snapshot(self, now_ns: int) -> bool:
        """Whether to subscribe again now; call ``awaits`` when that was done."""
        return not self.is_whole and self.stream.wants_snapshot(now_ns)

    def tick(self, now_ns: int) -> list[Output]:
        return self.rest.tick(now_ns) if self._by_rest else self.stream.tick(now_ns)

    def closed(self, cause: str, now_ns: int) -> list[FeedStatus]:
        self.rest.chain.restart()
        return self.stream.closed(cause, now_ns)

    def snapshot(self, data: BookData, received_ns: int) -> list[Output]:
        """Raises FrameError, as does ``update``."""
        if data.seqId is None:
            return self._summed(self.stream.snapshot, data, received_ns)
        if data.prevSeqId != -1:
            raise FrameError("wrong_shape", f"a snapshot with prevSeqId {data.prevSeqId}")
        if self.stream.is_whole and self._previous == -1 and self._last == data.seqId:
            return []
        bids, asks = pairs(data.bids), pairs(data.asks)
        out = self.stream.snapshot(bids, asks, data.seqId, venue_ns(data.ts), received_ns)
        self._by_rest = self._renewing = False
        self._previous, self._last, self._last_ns = -1, data.seqId, venue_ns(data.ts)
        return out

    def update(self, data: BookData, received_ns: int) -> list[Output]:
        if data.seqId is None:
            return self._summed(self.stream.update, data, received_ns)
        if data.prevSeqId is None or data.prevSeqId < 0:
            raise FrameError("wrong_shape", f"an update with prevSeqId {data.prevSeqId}")
        bids, asks = pairs(data.bids), pairs(data.asks)
        diff = Diff(data.prevSeqId, data.seqId, bids, asks, venue_ns(data.ts), received_ns)
        if diff.previous == diff.last:
            return self._heartbeat(diff)
        if self._by_rest or not (self._renewing or self.stream.is_whole):
            return self._follow_rest(diff)
        return self._follow(diff)

    def _follow(self, diff: Diff) -> list[Output]:
        """An update after the socket's own snapshot. A reset after maintenance goes back in number and still chains."""
        if self.stream.is_whole:
            if self._repeats(diff):
                return []
            if self._last != diff.previous:
                self._renewing = True
                return self.stream.lose("gap", self._break(diff), diff.received_ns)
        out = self.stream.update(diff.bids, diff.asks, diff.last, diff.venue_ns, diff.received_ns)
        self._renewing = not self.stream.is_whole
        self._previous, self._last, self._last_ns = diff.previous, diff.last, diff.venue_ns
        return out

    def _follow_rest(self, diff: Diff) -> list[Output]:
        """An update on a connection that sent no snapshot to apply it to."""
        check_levels([*diff.bids, *diff.asks])
        whole, out = self.is_whole, list[Output]()
        if not self._by_rest:
            self._by_rest = whole = True
            self.rest.restart()
        elif whole and self._repeats(diff):
            return []
        elif whole and self._last != diff.previous:
            out += self.feed.invalid("gap", self._break(diff), diff.received_ns)
        out += self.rest.take(diff)
        self._previous, self._last, self._last_ns = diff.previous, diff.last, diff.venue_ns
        if self.is_whole:
            self.stream.pause.whole(diff.received_ns)
        elif whole:
            self.stream.pause.broke(diff.received_ns)
            self.stream.awaits(diff.received_ns)  # the REST book first: only if it does not come, subscribe again
        return out

    def _repeats(self, diff: Diff) -> bool:
        return (self._previous, self._last) == (diff.previous, diff.last)

    def _break(self, diff: Diff) -> str:
        """The cause. How many updates are missing is unknown: their numbers do not count up by one."""
        if self._last is not None and diff.previous > self._last:
            return "sequence_gap"
        is_reset = self._last is not None and diff.last < self._last and diff.venue_ns > self._last_ns
        return "sequence_reset" if is_reset else "sequence_back"

    def _heartbeat(self, diff: Diff) -> list[Output]:
        """Nothing changed for about a minute: that proves the book, if it is the one we have."""
        if diff.bids or diff.asks:
            raise FrameError("wrong_shape", f"levels in a heartbeat: seqId and prevSeqId are both {diff.last}")
        if not self.is_whole:
            return []
        if self._last != diff.last:
            return self._follow_rest(diff) if self._by_rest else self._follow(diff)
        out = [*self.feed.valid("resumed", diff.last, diff.received_ns)]
        self.feed.proven(diff.last, diff.received_ns)
        return [*out]

    def _summed(self, take: Callable[..., list[Output]], data: BookData, received_ns: int) -> list[Output]:
        """A message without numbers: its checksum proves it, its time in us, made to rise, is its sequence."""
        if not data.checksum:  # absent, or the 0 that has stood for it since 2026-06
            raise FrameError("wrong_shape", "a book with neither seqId nor checksum proves nothing")
        time_ns, checksum = venue_ns(data.ts), data.checksum
        self._by_rest, self._previous, self._last = False, None, None
        bids, asks = pairs(data.bids), pairs(data.asks)
        return take(
            bids, asks, self._sequence.next(time_ns), time_ns, received_ns, lambda book: summed(book) == checksum
        )


def summed(book: OrderBook) -> int:
    """The venue's checksum: signed CRC32 of price:size of the best 25 levels, bid and ask in turn."""
    columns = *book.bids.top(_SUMMED), *book.asks.top(_SUMMED)
    texts = [""] * 4 * _SUMMED
    for place, column in enumerate(columns):
        texts[place : 4 * len(column) : 4] = column
    is_full = len(columns[0]) == len(columns[2]) == _SUMMED
    value = crc32(":".join(texts if is_full else filter(None, texts)).encode())
    return value - 2**32 if value >= 2**31 else value


def read_snapshot(data: BookData) -> Snapshot:
    """Raises FrameError where the venue states no number, by which alone it can be joined."""
    if data.seqId is None:
        raise FrameError("wrong_shape", "a REST book without seqId joins nothing")
    return Snapshot(data.seqId, pairs(data.bids), pairs(data.asks))
