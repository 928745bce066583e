"""A recording through a venue's rules: tape entries in, events out. No broker, no socket, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from mdplatform.core.clock import MS
from mdplatform.core.event_kinds import KIND_OF
from mdplatform.core.events import DeadLetter, Event
from mdplatform.core.session import (
    Fetch,
    MatchesReplies,
    Output,
    PublishesBookChanges,
    Reconnect,
    RoutesBySocketPath,
    Send,
)
from mdplatform.core.symbols import Instruments
from mdplatform.recordings.tape import Entry, Unreadable
from mdplatform.venues import venue

TICK_NS = 200 * MS  # sessions receive ticks as often as from a collector

TYPES = {type: kind.tag for type, kind in KIND_OF.items()}
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


class Player:
    """One recording of a venue. ``symbols`` keeps only theirs; ``instruments`` are bodies of the venue's lists.

    With ``changes`` each update of a book also gives what it changed.

    Where several instruments have one venue symbol, one of ``symbols`` is meant first, then one of ``instruments``.
    Raises ConfigError for an unknown venue, channel or symbol, FrameError for a bad list.
    """

    def __init__(
        self,
        venue_id: str,
        *,
        channels: tuple[str, ...] = (),
        symbols: tuple[str, ...] = (),
        instruments: Sequence[bytes] = (),
        depth: int = 20,
        changes: bool = False,
        summary: Summary | None = None,
    ) -> None:
        facts = venue(venue_id)
        lists = [facts.parse_instruments(body) for body in instruments]
        stated = [row for stated in lists for row in stated.instruments]
        # Whose place is first is meant first; whose row is last replaces what is only composed.
        listed = Instruments(venue_id, [*stated, *facts.known_instruments(), *stated])
        known = Instruments(venue_id, [*listed.select(symbols), *listed])
        self.summary = summary or Summary()
        self._session = facts.reader(known, channels, depth)
        if changes and isinstance(self._session, PublishesBookChanges):
            self._session.publish_changes(lambda symbol: True)
        self._symbols = frozenset(symbols)
        self._refused = lists  # rows of these are kept with the first line
        self._now_ns = self._ticked_ns = 0

    def take(self, entry: Entry | Unreadable) -> Iterator[Event]:
        """The events of one line; the session's time is the lines' time only."""
        if self._refused:
            lists, self._refused = self._refused, []
            for stated in lists:
                yield from self._kept(stated.letters(self._session.exchange, self._now_ns))
        if isinstance(entry, Unreadable):
            exchange = self._session.exchange
            problem = DeadLetter(exchange, "unreadable_line", entry.problem, entry.line, self._now_ns, "")
            yield from self._kept([problem])
            return
        self.summary.frames += 1
        self._now_ns = now_ns = entry.received_ns
        # Times may go back, as between two recordings or after one that is wrong: the session goes with them.
        if not 0 <= now_ns - self._ticked_ns < TICK_NS:
            self._ticked_ns = now_ns
            yield from self._kept(self._session.tick(now_ns))
        yield from self._kept(self._receive(entry))

    def _receive(self, entry: Entry) -> list[Output]:
        """A REST answer as one, where the session knows what it asked for; a frame as one of its socket."""
        if entry.request is not None and isinstance(self._session, MatchesReplies):
            recalled = self._session.recall(entry.request, entry.frame, entry.received_ns)
            if recalled is not None:
                return recalled
        session = None
        if entry.path is not None and isinstance(self._session, RoutesBySocketPath):
            session = self._session.at(entry.path)
        return (session or self._session).receive(entry.frame, entry.received_ns)

    def end(self) -> Iterator[Event]:
        """What follows from the recording's end; completes the summary."""
        yield from self._kept(self._session.closed("renewed", self._now_ns))
        self.summary.ignored.update(self._session.ignored)

    def _kept(self, outputs: Iterable[Output]) -> Iterator[Event]:
        """The events among them that are wanted, counted."""
        summary = self.summary
        for output in outputs:
            if isinstance(output, Send | Fetch | Reconnect):
                summary.commands[type(output).__name__.lower()] += 1
                continue
            if isinstance(output, DeadLetter):
                summary.dead_letters[output.reason] += 1
            elif self._symbols and getattr(output, "symbol", None) not in self._symbols:
                continue
            summary.events[TYPES[type(output)]] += 1
            yield _hinted(output)


def _hinted(event: Event) -> Event:
    """What a person can do about it, where that is known."""
    if isinstance(event, DeadLetter) and event.reason == "unknown_instrument":
        return msgspec.structs.replace(event, error=event.error + _HINT)
    return event
