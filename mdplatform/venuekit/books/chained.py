"""A streamed book each update of which follows the one before by its number."""

from __future__ import annotations

from mdplatform.core.decimals import Levels, check_levels
from mdplatform.core.feed_status import FeedState
from mdplatform.core.session import Output
from mdplatform.venuekit.books.streamed import Proof, StreamedBook
from mdplatform.venuekit.contract_sizes import ContractSizes


class ChainedBook(StreamedBook):
    """An update names the number of the one before, or numbers count up by one (``counts``).

    Only where they count a gap shows how many are missing.
    """

    def __init__(
        self,
        feed: FeedState,
        depth: int,
        units: ContractSizes | None = None,
        keep: int | None = None,
        *,
        counts: bool = False,
    ) -> None:
        super().__init__(feed, depth, units, keep)
        self._counts = counts
        self.last: int | None = None  # number of the last message on this connection
        self._last: tuple[int, int, Levels, Levels] | None = None  # the update that it was: a repeated one is the same
        self._last_ns = 0  # its venue time

    def connected(self, now_ns: int) -> None:
        super().connected(now_ns)
        self.last = self._last = None

    def snapshot(
        self, bids: Levels, asks: Levels, sequence: int, venue_ns: int, received_ns: int, proof: Proof | None = None
    ) -> list[Output]:
        out = super().snapshot(bids, asks, sequence, venue_ns, received_ns, proof)
        self.last, self._last, self._last_ns = sequence, None, venue_ns
        return out

    def follow(
        self,
        bids: Levels,
        asks: Levels,
        previous: int,
        sequence: int,
        venue_ns: int,
        received_ns: int,
        first: int | None = None,
    ) -> list[Output] | None:
        """An update after the one numbered ``previous``; None where it repeats the last one. Raises FrameError.

        One without levels under the number of the one before it says that nothing changed: it proves the book.
        """
        update = previous, sequence, bids, asks
        if self.is_whole and self.last is not None:
            if previous == sequence == self.last and not bids and not asks:
                return self._unchanged(sequence, received_ns)
            if update == self._last:
                return None
            if previous != self.last:
                check_levels([*bids, *asks])
                return self._broken(previous, sequence, self.last, venue_ns, received_ns)
        out = self.update(bids, asks, sequence, venue_ns, received_ns, first=first)
        self.last, self._last, self._last_ns = sequence, update, venue_ns
        return out

    def _unchanged(self, sequence: int, received_ns: int) -> list[Output]:
        opened = self.feed.valid("resumed", sequence, received_ns)
        self.feed.proven(sequence, received_ns)
        return [*opened]

    def _broken(self, previous: int, sequence: int, last: int, venue_ns: int, received_ns: int) -> list[Output]:
        """An update does not follow: some before it are missing, it is an old one, or the numbers begin again."""
        if previous > last:
            return self.lose("gap", "sequence_gap", received_ns, previous - last if self._counts else None)
        is_reset = sequence < last and venue_ns > self._last_ns
        return self.lose("gap", "sequence_reset" if is_reset else "sequence_back", received_ns)
