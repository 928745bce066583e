"""What collectors say of one feed: the state of each of its channels, and when its book was broken."""

from __future__ import annotations

from mdplatform.core.errors import MessageError
from mdplatform.core.legible import legible
from mdplatform.dashboard.messages import StatusMessage

# An open interval is sent again about every 5 s; three missed ones and nobody vouches for the feed any more.
SILENT_AFTER_MS = 15_000
BREAKS_KEPT = 50
MOST_CHANNELS, MOST_COLLECTORS = 32, 32
MOST_OF_CAUSE = 120  # characters that are shown, and sent with every change

# begin and end (None: still open) in ms, state, cause
Break = tuple[int, int | None, str, str]


class Intervals:
    """By channel and collector, the newest interval with the broker's time of the last word of it."""

    def __init__(self) -> None:
        self._newest: dict[str, dict[str, tuple[StatusMessage, int]]] = {}
        self._breaks: dict[tuple[str, int, str], StatusMessage] = {}

    def take(self, status: StatusMessage, stamp_ms: int) -> bool:
        """False for an interval older than the one that is known. Raises MessageError for one channel too many."""
        said = self._newest.get(status.channel, {})
        if status.collector not in said and len(said) >= MOST_COLLECTORS:
            raise MessageError("no_room", f"{len(said)} collectors of this feed are known")
        if status.channel not in self._newest and len(self._newest) >= MOST_CHANNELS:
            raise MessageError("no_room", f"{len(self._newest)} channels of this feed are known")
        said = self._newest.setdefault(status.channel, said)
        kept = said.get(status.collector)
        if kept is not None and status.started_ns < kept[0].started_ns:
            return False
        said[status.collector] = (status, stamp_ms)
        if status.channel == "book" and status.state != "valid":
            self._breaks[status.collector, status.started_ns, status.state] = status
            if len(self._breaks) > BREAKS_KEPT:
                del self._breaks[next(iter(self._breaks))]
        return True

    def channels(self) -> list[str]:
        return sorted(self._newest)

    def state(self, channel: str, now_ms: int) -> tuple[str, str]:
        """(state, cause) of a channel: valid where one collector reports so, ``unknown`` without any status,
        ``silent`` when the last status is old."""
        said = [_state(*word, now_ms) for word in self._newest.get(channel, {}).values()]
        if not said:
            return "unknown", "the collector has not said anything of this feed"
        return min(said, key=lambda state: state[0] != "valid")

    def breaks(self) -> list[Break]:
        """When the book was not valid; none where several collect it, since what one missed another had."""
        if len(self._newest.get("book", {})) > 1:
            return []
        return [
            (
                s.started_ns // 1_000_000,
                None if s.ended_ns is None else s.ended_ns // 1_000_000,
                s.state,
                legible(s.cause, MOST_OF_CAUSE),
            )
            for s in self._breaks.values()
        ]

    def gaps(self) -> int:
        """How many gaps of the book the page has received."""
        return sum(status.state == "gap" for status in self._breaks.values())


def _state(status: StatusMessage, stamp_ms: int, now_ms: int) -> tuple[str, str]:
    if status.state != "down" and now_ms - stamp_ms > SILENT_AFTER_MS:
        return "silent", f"no word from its collector for more than {SILENT_AFTER_MS // 1000} s; was {status.state}"
    return status.state, legible(status.cause, MOST_OF_CAUSE)
