"""A streamed book each update of which names the number of the update before it."""

from __future__ import annotations

from mdplatform.core.decimals import Levels
from mdplatform.core.feed_status import FeedState
from mdplatform.core.session import Output
from mdplatform.venuekit.books.streamed import Proof, StreamedBook
from mdplatform.venuekit.contract_sizes import ContractSizes


class ChainedBook(StreamedBook):
    """Numbers need not count up by one, so a gap does not show how many updates are missing."""

    def __init__(
        self, feed: FeedState, depth: int, units: ContractSizes | None = None, keep: int | None = None
    ) -> None:
        super().__init__(feed, depth, units, keep)
        self._link: tuple[int | None, int] = (None, 0)  # (number before, number) of the last message
        self._link_ns = 0  # and its venue time

    def snapshot(
        self, bids: Levels, asks: Levels, sequence: int, venue_ns: int, received_ns: int, proof: Proof | None = None
    ) -> list[Output]:
        out = super().snapshot(bids, asks, sequence, venue_ns, received_ns, proof)
        self._link, self._link_ns = (None, sequence), venue_ns
        return out

    def follow(
        self, bids: Levels, asks: Levels, previous: int, sequence: int, venue_ns: int, received_ns: int
    ) -> list[Output] | None:
        """An update after the one numbered ``previous``; None where it repeats the last one. Raises FrameError.

        One without levels under the number of the one before it says that nothing changed: it proves the book.
        """
        if self.is_whole:
            if previous == sequence == self._link[1] and not bids and not asks:
                return self._unchanged(sequence, received_ns)
            if (previous, sequence) == self._link:
                return None
            if previous != self._link[1]:
                return self.lose("gap", self._break(previous, sequence, venue_ns), received_ns)
        out = self.update(bids, asks, sequence, venue_ns, received_ns)
        self._link, self._link_ns = (previous, sequence), venue_ns
        return out

    def _unchanged(self, sequence: int, received_ns: int) -> list[Output]:
        opened = self.feed.valid("resumed", sequence, received_ns)
        self.feed.proven(sequence, received_ns)
        return [*opened]

    def _break(self, previous: int, sequence: int, venue_ns: int) -> str:
        """Why an update does not follow: some before it are missing, it is an old one, or the numbers begin again."""
        if previous > self._link[1]:
            return "sequence_gap"
        return "sequence_reset" if sequence < self._link[1] and venue_ns > self._link_ns else "sequence_back"
