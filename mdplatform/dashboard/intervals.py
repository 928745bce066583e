"""What collectors say of one feed: the state of each of its channels, and when its book was broken.

An interval is one channel's, collector's, begin's and state's; of all that is said of it, in whatever order, the word
that reaches furthest holds, as in ``md_feed_status``.
"""

from __future__ import annotations

from mdplatform.core.errors import MessageError
from mdplatform.core.legible import legible
from mdplatform.dashboard.messages import StatusMessage

# An open interval is sent again about every 5 s; three missed ones and nobody vouches for the feed any more.
SILENT_AFTER_MS = 15_000
INTERVALS_KEPT = 200  # of the book, the latest
MOST_CHANNELS, MOST_COLLECTORS = 32, 32
MOST_OF_CAUSE = 120  # characters that are shown, and sent with every change

# begin and end (None: still open) in ms, state, cause, collector
Break = tuple[int, int | None, str, str, str]
_Identity = tuple[int, str, str]  # begin in ns, collector, state


class Intervals:
    """By channel and collector, the newest interval with the broker's time of the last word of it."""

    def __init__(self) -> None:
        self._newest: dict[str, dict[str, tuple[StatusMessage, int]]] = {}
        self._book: dict[_Identity, StatusMessage] = {}

    def take(self, status: StatusMessage, stamp_ms: int) -> bool:
        """False for a word that changes nothing. Raises MessageError for one channel or collector too many."""
        said = self._newest.get(status.channel, {})
        if status.collector not in said and len(said) >= MOST_COLLECTORS:
            raise MessageError("no_room", f"{len(said)} collectors of this feed are known")
        if status.channel not in self._newest and len(self._newest) >= MOST_CHANNELS:
            raise MessageError("no_room", f"{len(self._newest)} channels of this feed are known")
        is_new = status.channel == "book" and self._merge(status)
        said = self._newest.setdefault(status.channel, said)
        kept = said.get(status.collector)
        if kept is not None and _rank(status) < _rank(kept[0]) and not _is_said_again(status, kept[0]):
            return is_new
        said[status.collector] = (status, stamp_ms)
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
        """When no collector had the book proven, by the rule of ``md_feed_gaps``; oldest first."""
        proven = _islands([status for status in self._book.values() if status.state == "valid"])
        broken = sorted((s for s in self._book.values() if s.state != "valid"), key=lambda s: s.started_ns)
        return [_break(s, self._end(s)) for s in broken if not _prevented(s.started_ns, s.ended_ns, proven)]

    def gaps(self) -> int:
        """How many gaps of the book the page has received."""
        return sum(status.state == "gap" for status in self._book.values())

    def _merge(self, status: StatusMessage) -> bool:
        identity = (status.started_ns, status.collector, status.state)
        kept = self._book.get(identity)
        if kept is not None and (status.ended_ns or 0) <= (kept.ended_ns or 0):
            return False
        self._book[identity] = status
        if len(self._book) > INTERVALS_KEPT:
            del self._book[min(self._book)]
        return True

    def _end(self, status: StatusMessage) -> int | None:
        """In ns. An interval of which only the begin was said ended where its collector's next one begins."""
        if status.ended_ns is not None:
            return status.ended_ns
        later = (s.started_ns for s in self._book.values() if s.collector == status.collector)
        return min((begin for begin in later if begin > status.started_ns), default=None)


def _rank(status: StatusMessage) -> tuple[int, bool]:
    """What is larger is newer; of two that begin together, the one that took no time was before the other."""
    return status.started_ns, status.ended_ns is None or status.ended_ns > status.started_ns


def _is_said_again(status: StatusMessage, kept: StatusMessage) -> bool:
    """Whether it is the same interval: one of a channel on which nothing has happened yet ends where it began."""
    return (status.started_ns, status.state) == (kept.started_ns, kept.state)


def _islands(proven: list[StatusMessage]) -> list[tuple[int, int]]:
    """Times (ns) that any of these covers, those that overlap or touch as one."""
    islands: list[tuple[int, int]] = []
    for begin, end in sorted((status.started_ns, status.ended_ns or status.started_ns) for status in proven):
        if islands and begin <= islands[-1][1]:
            islands[-1] = (islands[-1][0], max(end, islands[-1][1]))
        else:
            islands.append((begin, end))
    return islands


def _prevented(begin: int, end: int | None, proven: list[tuple[int, int]]) -> bool:
    """Whether the feed was proven all the while; of an open end, at least where it began."""
    return any(first <= begin and (begin < last if end is None else end <= last) for first, last in proven)


def _break(status: StatusMessage, end_ns: int | None) -> Break:
    end_ms = None if end_ns is None else end_ns // 1_000_000
    begin_ms, cause = status.started_ns // 1_000_000, legible(status.cause, MOST_OF_CAUSE)
    return begin_ms, end_ms, status.state, cause, status.collector


def _state(status: StatusMessage, stamp_ms: int, now_ms: int) -> tuple[str, str]:
    if status.state != "down" and now_ms - stamp_ms > SILENT_AFTER_MS:
        return "silent", f"no word from its collector for more than {SILENT_AFTER_MS // 1000} s; was {status.state}"
    return status.state, legible(status.cause, MOST_OF_CAUSE)
