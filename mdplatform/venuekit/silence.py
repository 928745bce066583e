"""A channel that falls silent alone, while others of its connection go on: asked for again, then marked."""

from __future__ import annotations

from dataclasses import dataclass

from mdplatform.clock import SECOND
from mdplatform.events import FeedStatus
from mdplatform.intervals import Feed

# A channel that was acknowledged may take so long for its first message; the largest snapshots take some seconds.
FIRST_MESSAGE_NS = 30 * SECOND
# Between two requests for one silent channel: a channel that is silent for good costs some 24 requests an hour, one
# that is silent off and on no more, because the pause is forgotten only when the feed was valid for a while.
FIRST_PAUSE_NS = 10 * SECOND
LAST_PAUSE_NS = 150 * SECOND
HEALTHY_NS = 60 * SECOND

_EVENTFUL = ("trades", "liquidations")  # nothing happens, nothing is sent: silence says nothing


@dataclass(slots=True)
class _Pause:
    until_ns: int
    length_ns: int = FIRST_PAUSE_NS
    requests: int = 0  # in this silence
    well_ns: int | None = None  # since when the feed is valid again


class SilentChannels:
    """The silent feeds of one connection; ``is_due`` is asked at each tick, for each feed."""

    def __init__(self) -> None:
        self._pauses: dict[Feed, _Pause] = {}

    def is_due(self, feed: Feed, now_ns: int) -> bool:
        """Whether the feed's channel is to be asked for again now."""
        pause = self._pauses.get(feed)
        if not _is_silent(feed, now_ns):
            if pause is not None:
                self._recover(feed, pause, now_ns)
            return False
        if pause is None:
            self._pauses[feed] = _Pause(now_ns)
            return True
        pause.well_ns = None
        return now_ns >= pause.until_ns

    def asked(self, feed: Feed, now_ns: int) -> list[FeedStatus]:
        """It was asked for again. Where that was in vain before, the feed is marked."""
        pause = self._pauses[feed]
        pause.until_ns = now_ns + pause.length_ns
        pause.length_ns = min(2 * pause.length_ns, LAST_PAUSE_NS)
        pause.requests += 1
        return [] if pause.requests == 1 else feed.invalid("down", "silent_channel", now_ns)

    def _recover(self, feed: Feed, pause: _Pause, now_ns: int) -> None:
        pause.requests = 0
        if feed.state != "valid":
            return
        if pause.well_ns is None:
            pause.well_ns = now_ns
        elif now_ns - pause.well_ns >= HEALTHY_NS:
            del self._pauses[feed]


def _is_silent(feed: Feed, now_ns: int) -> bool:
    if feed.state == "valid":
        return False
    if feed.state == "stale" or feed.cause == "silent_channel":
        return feed.cause != "cadence"  # a slow channel sends
    waits = feed.state == "resync" and feed.cause == "subscribing" and feed.channel not in _EVENTFUL
    return waits and now_ns - feed.started_ns >= FIRST_MESSAGE_NS
