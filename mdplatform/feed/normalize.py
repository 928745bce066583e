"""A recording through a venue's rules: tape lines in, messages out as JSON Lines. No broker, no socket, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from mdplatform.clock import MS
from mdplatform.codec import encode
from mdplatform.events import Book, DeadLetter, Event, FeedStats, FeedStatus, Funding, Liquidation, RawFrame, Trade
from mdplatform.feed.tape import Unreadable, parse
from mdplatform.session import Fetch, Output, Reconnect, Send, Session
from mdplatform.venues import venue

TICK_NS = 200 * MS  # sessions are told of the time as often as by a collector

_TYPES: dict[type, str] = {
    Book: "book",
    Trade: "trade",
    Liquidation: "liquidation",
    Funding: "funding",
    FeedStatus: "status",
    FeedStats: "stats",
    DeadLetter: "dead_letter",
    RawFrame: "raw",
}
_HINT = ": give the venue's instrument list, as an option or as a line of the recording"


@dataclass
class Summary:
    """What came in and what became of it."""

    frames: int = 0
    events: Counter[str] = field(default_factory=Counter)  # by type
    dead_letters: Counter[str] = field(default_factory=Counter)  # by reason
    ignored: Counter[str] = field(default_factory=Counter)  # documented frames without event, by kind
    commands: Counter[str] = field(default_factory=Counter)  # what a collector would have done: send fetch reconnect

    def text(self) -> str:
        """One line for a person."""
        parts = [f"{self.frames} frames"]
        for name in ("events", "dead_letters", "ignored", "commands"):
            counts: Counter[str] = getattr(self, name)
            if counts:
                parts.append(f"{name}: " + ", ".join(f"{key} {count}" for key, count in sorted(counts.items())))
        return "; ".join(parts)


def normalize(
    venue_id: str,
    lines: Iterable[bytes],
    *,
    channels: tuple[str, ...] = (),
    symbols: tuple[str, ...] = (),
    instruments: bytes | None = None,
    depth: int = 20,
    summary: Summary | None = None,
) -> Iterator[bytes]:
    """Messages without line ends, ``type`` first. ``symbols`` keeps only theirs; ``instruments`` is the body of the
    venue's list. Raises ConfigError for an unknown venue, channel or symbol, FrameError for a bad list.
    """
    facts = venue(venue_id)
    known = facts.known_instruments()
    for instrument in facts.parse_instruments(instruments) if instruments is not None else ():
        known.add(instrument)
    known.select(symbols)
    session = facts.reader(known, channels, depth)
    return _messages(session, lines, frozenset(symbols), summary or Summary())


def _messages(session: Session, lines: Iterable[bytes], symbols: frozenset[str], summary: Summary) -> Iterator[bytes]:
    for output in _play(session, lines, summary):
        if isinstance(output, Send | Fetch | Reconnect):
            summary.commands[type(output).__name__.lower()] += 1
            continue
        if symbols and getattr(output, "symbol", None) not in symbols and not isinstance(output, DeadLetter):
            continue
        kind = _TYPES[type(output)]
        summary.events[kind] += 1
        if isinstance(output, DeadLetter):
            summary.dead_letters[output.reason] += 1
        _, value = encode(_hinted(output))
        yield b'{"type":"%s",%s' % (kind.encode(), value[1:])
    summary.ignored.update(session.ignored)


def _hinted(event: Event) -> Event:
    """What a person can do about it, where that is known."""
    if isinstance(event, DeadLetter) and event.reason == "unknown_instrument":
        return msgspec.structs.replace(event, error=event.error + _HINT)
    return event


def _play(session: Session, lines: Iterable[bytes], summary: Summary) -> Iterator[Output]:
    """The session's outputs; its time is the lines' time only."""
    now_ns = ticked_ns = 0
    for entry in parse(lines):
        if isinstance(entry, Unreadable):
            yield DeadLetter(session.exchange, "unreadable_line", entry.problem, entry.line, now_ns, "")
            continue
        summary.frames += 1
        now_ns = entry.received_ns
        # Times may go back, as between two recordings or after one that is wrong: the session goes with them.
        if not 0 <= now_ns - ticked_ns < TICK_NS:
            ticked_ns = now_ns
            yield from session.tick(now_ns)
        yield from session.receive(entry.frame, now_ns)
    yield from session.closed("renewed", now_ns)
