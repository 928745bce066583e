"""Status intervals: for each feed (a symbol's channel) what it was worth, from when to when, and why.

A ``valid`` interval reaches to the last update that was proven; a quiet feed is extended when its next update proves
that nothing was missed. Any other interval reaches to now. They follow each other without a hole.
"""

from __future__ import annotations

from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStatus, State

EXTEND_NS = 5 * SECOND  # an open interval is published again this often
FIRST_UPDATE_NS = 30 * SECOND  # silence allowed before a feed has a rhythm
JUDGED_NS = 60 * SECOND  # a feed has a rhythm of its own by then
SLOW = 3  # a steady channel that is slower than documented by this factor does what nobody counts on
RHYTHM = 10  # stale after this many of the feed's own mean distances, if longer than the channel's threshold


class FeedState:
    """The intervals of one symbol's channel. ``stale_after_ns`` None: silence says nothing on this channel."""

    __slots__ = (
        "_extended_ns",
        "_first",
        "_mean_ns",
        "_missed",
        "_proven",
        "cause",
        "channel",
        "exchange",
        "last_ns",
        "last_sequence",
        "stale_after_ns",
        "started_ns",
        "state",
        "steady_ns",
        "symbol",
    )

    def __init__(self, exchange: str, symbol: str, channel: str, stale_after_ns: int | None = None) -> None:
        self.exchange = exchange
        self.symbol = symbol
        self.channel = channel
        self.stale_after_ns = stale_after_ns
        self.steady_ns = 0  # documented cadence of a channel that also sends without a change; 0: it has none
        self.state: State | None = None
        self.last_ns = 0  # receive time of the last proven update
        self.last_sequence: int | None = None
        self._mean_ns = FIRST_UPDATE_NS // RHYTHM
        self.started_ns = 0  # of the interval that lasts
        self._extended_ns = 0
        self.cause = ""
        self._first: int | None = None
        self._missed: int | None = None
        self._proven: int | None = None  # the newest sequence that was ever proven

    def proven(self, sequence: int | None, now_ns: int) -> None:
        """An update arrived that follows the one before it."""
        self._mean_ns += (now_ns - self.last_ns - self._mean_ns) >> 3  # as ``_learn``: a call costs as much as all this
        self.last_ns = now_ns
        self.last_sequence = self._proven = sequence

    def valid(self, cause: str, sequence: int | None, now_ns: int) -> list[FeedStatus]:
        """The feed is proven from now on, beginning with ``sequence``. No-op where it is valid already."""
        if self.state == "valid" or self._is_slow():
            return []
        # An update from a buffer was received before the interval that ends here was last extended.
        since_ns = max(now_ns, self._extended_ns)
        out = self._close(since_ns)
        if self.state == "stale" or (self.cause == "silent_channel" and self.last_ns):
            self._learn(now_ns)  # else a feed that is slower than it was thought to be would be stale ever again
        self.last_ns, self.last_sequence = now_ns, sequence
        self._proven = self._proven if sequence is None else sequence
        return [*out, self._open("valid", cause, since_ns, sequence, None)]

    def invalid(
        self, state: State, cause: str, now_ns: int, first: int | None = None, missed: int | None = None
    ) -> list[FeedStatus]:
        """The feed is not proven since its last proven update; ``first`` is the first missing id.

        No-op while an interval of this state lasts: one trouble is one interval. One that is ``down`` states the last
        sequence that was proven: from there a later collector goes on.
        """
        if self.state == state:
            return []
        since_ns = self.last_ns if self.state == "valid" else now_ns
        out = self._close(since_ns)
        self.last_sequence = self._proven if state == "down" else None
        if first is not None and missed is not None:
            self.last_sequence = first + missed - 1
        return [*out, self._open(state, cause, since_ns, first, missed)]

    def lost(self, cause: str, first: int, missed: int, sequence: int, now_ns: int) -> list[FeedStatus]:
        """Updates are missing between the last proven one and this one, which is sound: a closed gap, then valid."""
        since_ns = self.last_ns if self.state == "valid" else now_ns
        out = self._close(since_ns)
        self.last_sequence = first + missed - 1
        self._open("gap", cause, since_ns, first, missed)
        return [*out, *self.valid("resumed", sequence, now_ns)]

    def reset(self, sequence: int | None, now_ns: int) -> list[FeedStatus]:
        """The venue numbers from the start, and this update is sound: a closed gap between the two, then valid."""
        out = self.invalid("resync", "sequence_reset", now_ns) if self.state == "gap" else []
        out += self.invalid("gap", "sequence_reset", now_ns)
        return [*out, *self.valid("resumed", sequence, now_ns)]

    def tick(self, now_ns: int) -> list[FeedStatus]:
        """Extend what lasts; find out whether a valid feed went stale."""
        if self.state is None:
            return []
        if self._is_stale(now_ns):
            return self.invalid("stale", "no_updates", now_ns)
        if self._became_slow(now_ns):
            return self.invalid("stale", "cadence", now_ns)
        if now_ns - self._extended_ns < EXTEND_NS:
            return []
        self._extended_ns = now_ns
        return self._close(self.last_ns if self.state == "valid" else now_ns)

    @property
    def mean_ns(self) -> int | None:
        """Mean time between two updates, the latest counted most; None where it is not known: none came lately."""
        return self._mean_ns if self.state in ("valid", "stale") and self.last_ns else None

    def _became_slow(self, now_ns: int) -> bool:
        """Whether a steady channel turned out to be slower than documented, once it has sent for a while."""
        judged = self.steady_ns and self.state == "valid" and now_ns - self.started_ns >= JUDGED_NS
        return bool(judged) and self._mean_ns > SLOW * self.steady_ns

    def _is_slow(self) -> bool:
        """Whether updates still come more slowly than documented: an interval of that ends when they no longer do."""
        slow = self.state == "stale" and self.cause == "cadence"
        return slow and self._mean_ns > (SLOW - 1) * self.steady_ns

    def _is_stale(self, now_ns: int) -> bool:
        if self.state != "valid" or self.stale_after_ns is None:
            return False
        return now_ns - self.last_ns > max(self.stale_after_ns, RHYTHM * self._mean_ns)

    def closed(self, cause: str, now_ns: int) -> list[FeedStatus]:
        """The connection is gone: what is open ends and a ``down`` interval begins.

        None begins when the connection was ``renewed``: another one has taken the feed over already.
        """
        if cause != "renewed":
            return self.invalid("down", cause, now_ns)
        out = self._close(self.last_ns if self.state == "valid" else now_ns)
        self.state = None
        return out

    def _learn(self, now_ns: int) -> None:
        self._mean_ns += (now_ns - self.last_ns - self._mean_ns) >> 3

    def _open(self, state: State, cause: str, now_ns: int, first: int | None, missed: int | None) -> FeedStatus:
        self.state, self.cause, self._first, self._missed = state, cause, first, missed
        self.started_ns = self._extended_ns = now_ns
        return self._message(state, None)

    def _close(self, ended_ns: int) -> list[FeedStatus]:
        return [] if self.state is None else [self._message(self.state, max(ended_ns, self.started_ns))]

    def _message(self, state: State, ended_ns: int | None) -> FeedStatus:
        return FeedStatus(
            self.exchange,
            self.symbol,
            self.channel,
            state,
            self.cause,
            self.started_ns,
            ended_ns,
            self._first,
            self.last_sequence,
            self._missed,
        )
