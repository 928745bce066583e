"""A channel that falls silent alone, while others of its connection go on: requested again, then marked."""

from __future__ import annotations

from dataclasses import dataclass, field

from mdplatform.core.clock import SECOND
from mdplatform.core.event_kinds import EVENT_KINDS
from mdplatform.core.events import FeedStatus
from mdplatform.core.feed_status import FeedState
from mdplatform.venuekit.pause import Pause

# A channel that was acknowledged may take so long for its first message; the largest snapshots take some seconds.
FIRST_MESSAGE_NS = 30 * SECOND
# Between two requests for one silent channel: one that is silent for good costs some 24 requests an hour.
FIRST_PAUSE_NS, LAST_PAUSE_NS = 10 * SECOND, 150 * SECOND

# Nothing happens, nothing is sent: silence says nothing.
EVENTFUL = frozenset(channel for kind in EVENT_KINDS if kind.is_eventful for channel in kind.channels)


@dataclass(slots=True)
class _Silence:
    pause: Pause = field(default_factory=lambda: Pause(FIRST_PAUSE_NS, LAST_PAUSE_NS))
    requests: int = 0  # since the feed was last valid


class SilentChannels:
    """The silent feeds of one connection; ``is_due`` is asked at each tick, for each feed."""

    def __init__(self) -> None:
        self._silences: dict[FeedState, _Silence] = {}

    def is_due(self, feed: FeedState, now_ns: int) -> bool:
        """Whether the feed's channel is to be asked for again now."""
        silence = self._silences.get(feed)
        if not _is_silent(feed, now_ns):
            if silence is not None and feed.state == "valid":
                silence.pause.whole(now_ns)
                silence.requests = 0
            return False
        if silence is None:
            silence = self._silences[feed] = _Silence()
        silence.pause.broke(now_ns)
        return silence.pause.is_over(now_ns)

    def asked(self, feed: FeedState, now_ns: int) -> list[FeedStatus]:
        """It was requested again. Where an earlier request brought nothing, the feed is marked."""
        silence = self._silences[feed]
        silence.pause.asked(now_ns)
        silence.requests += 1
        return [] if silence.requests == 1 else feed.invalid("down", "silent_channel", now_ns)


def _is_silent(feed: FeedState, now_ns: int) -> bool:
    if feed.state == "valid":
        return False
    if feed.state == "stale" or feed.cause == "silent_channel":
        return feed.cause != "cadence"  # a slow channel sends
    waits = feed.state == "resync" and feed.cause == "subscribing" and feed.channel not in EVENTFUL
    return waits and now_ns - feed.started_ns >= FIRST_MESSAGE_NS
