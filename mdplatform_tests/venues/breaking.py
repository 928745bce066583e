"""Recorded diff streams that are broken on purpose, and a venue that serves the snapshots which a session then wants.

A snapshot is what the venue would have served at that moment: the recorded one with all recorded updates since applied.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from mdplatform.core.clock import MS
from mdplatform.core.events import Book, FeedStatus
from mdplatform.core.session import Fetch, Output, Send, Session
from mdplatform.core.symbols import Instruments
from mdplatform.recordings.tape import Entry, parse, read_lines
from mdplatform.venues import venue

Pairs = list[tuple[str, str]]
_WORD = re.compile(rb"[\w-]+")
TICK_NS = 200_000_000
PATIENCE = 2  # updates of its symbol that come before a snapshot that was asked for


class Update(NamedTuple):
    """One line of a diff stream, or a snapshot. Ids as the venue counts; levels as text, size 0 deletes."""

    symbol: str  # the venue's
    previous: int
    last: int
    bids: Pairs
    asks: Pairs


class State(NamedTuple):
    """The book of one symbol after the update ``last``."""

    last: int
    bids: dict[str, str]
    asks: dict[str, str]

    def copy(self) -> State:
        return State(self.last, {**self.bids}, {**self.asks})

    def after(self, update: Update) -> State:
        if update.last <= self.last:
            return self
        for side, changes in ((self.bids, update.bids), (self.asks, update.asks)):
            for price, size in changes:
                if float(size):
                    side[price] = size
                else:
                    side.pop(price, None)
        return self._replace(last=update.last)


class Stream(NamedTuple):
    """How a venue's recording is read.

    update, snapshot  what a line is, if it is one; as JSON with numbers as text
    serve             a snapshot as the venue sends it: the body of a REST answer, or a frame
    subscribed        the symbols whose books a message of ours subscribes; None: snapshots come by REST
    tells_size        whether the ids show how many updates are missing
    """

    venue: str
    files: tuple[str, ...]
    update: Callable[[Any], Update | None]
    snapshot: Callable[[Any, str], Update | None]  # with the address that it came from
    serve: Callable[[str, State], bytes]
    subscribed: Callable[[Any], list[str]] | None = None
    tells_size: bool = True
    lists: tuple[str, ...] = ()
    category: str | None = None  # of its instruments, where the venue has several
    channels: tuple[str, ...] = ()  # those of its recording, where the venue's default is another book by now
    by_reader: bool = True  # or else by the session of a live line: a reader of two sections knows no answers


class Recording:
    """The frames of a stream in order, without its snapshots, and what each symbol's book was at any of them."""

    def __init__(self, stream: Stream, folder: Path) -> None:
        self.stream = stream
        facts = venue(stream.venue)
        lists = [entry.frame for name in stream.lists for entry, _ in _entries(folder / name)]
        rows = [row for body in lists for row in facts.parse_instruments(body).instruments]
        self.frames: list[Entry] = []
        self.updates: list[Update | None] = []  # of each frame
        self.starts: dict[str, State] = {}
        lines = [line for name in stream.files for line in _entries(folder / name)]
        for entry, address in sorted(lines, key=lambda line: line[0].received_ns):
            value = json.loads(entry.frame, parse_float=str, parse_int=str)
            whole = stream.snapshot(value, address)
            if whole is None:
                self.frames.append(entry)
                self.updates.append(stream.update(value))
            else:
                self.starts.setdefault(whole.symbol, State(whole.last, dict(whole.bids), dict(whole.asks)))
        # Those that the frames name: a venue lists thousands, and every session is made for all that it is given.
        words = {word.decode() for entry in self.frames for word in _WORD.findall(entry.frame)}
        listed = [row for row in (*facts.known_instruments(), *rows) if row.venue_symbol in words]
        self.instruments = Instruments(stream.venue, listed)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """The frames that hold the updates of each symbol that has a snapshot, from the first that follows it."""
        found: dict[str, list[int]] = {symbol: [] for symbol in self.starts}
        for index, update in enumerate(self.updates):
            if update is not None and update.symbol in found and update.last > self.starts[update.symbol].last:
                found[update.symbol].append(index)
        return found

    def session(self, now_ns: int) -> Session:
        """A new one, which knows the symbols."""
        facts = venue(self.stream.venue)
        if self.stream.by_reader:
            return facts.reader(self.instruments)
        rows = [self.instruments.named(symbol, self.stream.category) for symbol in self.starts]
        (line,) = facts.plan_connections(Instruments(facts.id, rows), self.stream.channels)
        line.session.connected("live", now_ns)
        return line.session

    def canonical(self, venue_symbol: str) -> str:
        return self.instruments.named(venue_symbol, self.stream.category).symbol

    def venue_symbol(self, canonical: str) -> str:
        return next(row.venue_symbol for row in self.instruments if row.symbol == canonical)


class Desk:
    """The venue: its books as they are once the frame that ``move_to`` was given is sent. Time only moves forward."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._next = 0
        self._states = {name: state.copy() for name, state in recording.starts.items()}

    def move_to(self, index: int) -> None:
        for update in self._recording.updates[self._next : index + 1]:
            if update is not None and update.symbol in self._states:
                self._states[update.symbol] = self._states[update.symbol].after(update)
        self._next = max(self._next, index + 1)

    def copy(self) -> Desk:
        other = Desk(self._recording)
        other._next = self._next
        other._states = {name: state.copy() for name, state in self._states.items()}
        return other

    def state(self, symbol: str) -> State | None:
        return self._states.get(symbol)


class Played(NamedTuple):
    """What came out of frames, each output with the number of the frame that it followed from."""

    outputs: list[tuple[int, Output]]

    def books(self, symbol: str) -> list[tuple[int, Book]]:
        return [(at, o) for at, o in self.outputs if isinstance(o, Book) and o.symbol == symbol]

    def opened(self, symbol: str) -> list[tuple[int, FeedStatus]]:
        """The intervals of the symbol's book, at the frame where each opened."""
        statuses = [(at, o) for at, o in self.outputs if isinstance(o, FeedStatus) and o.ended_ns is None]
        return [(at, o) for at, o in statuses if (o.symbol, o.channel) == (symbol, "book")]

    def of_others(self, symbol: str) -> list[object]:
        """The events of all other symbols on the socket, and the intervals that opened for them."""
        events = [o for _, o in self.outputs if getattr(o, "symbol", symbol) != symbol]
        opened = [
            (o.symbol, o.channel, o.state, o.cause) for o in events if isinstance(o, FeedStatus) and not o.ended_ns
        ]
        return [*opened, *(o for o in events if not isinstance(o, FeedStatus))]


class Play:
    """Frames through a new session, from where ``desk`` stands.

    A snapshot that is asked for comes when PATIENCE more updates of its symbol have come.
    """

    def __init__(self, recording: Recording, desk: Desk) -> None:
        self._recording, self._stream, self._desk = recording, recording.stream, desk.copy()
        self._outputs: list[tuple[int, Output]] = []
        self._waiting: dict[str, tuple[int, Output]] = {}  # symbol -> updates still to come, what asked
        self._ticked_ns = 0

    def through(self, order: Sequence[int]) -> Played:
        frames = self._recording.frames
        self._session = self._recording.session(frames[order[0]].received_ns)
        if self._stream.subscribed is not None:  # who subscribes is sent the book
            for symbol in self._recording.starts:
                self._serve(order[0], symbol, None, frames[order[0]].received_ns)
        # What comes in another order comes at the same times, and the venue has sent as much by then.
        for index, place in zip(order, sorted(order), strict=True):
            now_ns = frames[place].received_ns
            if now_ns - self._ticked_ns >= TICK_NS:
                self._ticked_ns = now_ns
                self._take(index, self._session.tick(now_ns))
            self._take(index, self._session.receive(frames[index].frame, now_ns))
            self._desk.move_to(place)
            self._pass(index, now_ns)
        return Played(self._outputs)

    def _pass(self, index: int, now_ns: int) -> None:
        """An update has come: whoever waited long enough is served."""
        update = self._recording.updates[index]
        if update is None or update.symbol not in self._waiting:
            return
        left, asked = self._waiting.pop(update.symbol)
        if left:
            self._waiting[update.symbol] = (left - 1, asked)
        else:
            self._serve(index, update.symbol, asked, now_ns)

    def _serve(self, at: int, symbol: str, asked: Output | None, now_ns: int) -> None:
        state = self._desk.state(symbol)
        if state is None:
            return
        body = self._stream.serve(symbol, state)
        if isinstance(asked, Fetch):
            self._take(at, self._session.answer(asked.request, 200, body, now_ns))
        else:
            self._take(at, self._session.receive(body, now_ns))

    def _take(self, at: int, outputs: list[Output]) -> None:
        for output in outputs:
            self._outputs.append((at, output))
            for symbol in self._asked(output):
                self._waiting[symbol] = (PATIENCE, output)

    def _asked(self, output: Output) -> list[str]:
        if isinstance(output, Send) and self._stream.subscribed is not None:
            return self._stream.subscribed(json.loads(output.frame))
        if isinstance(output, Fetch) and output.request.purpose == "snapshot" and output.request.symbol is not None:
            return [self._recording.venue_symbol(output.request.symbol)]
        return []


def _entries(path: Path) -> Iterator[tuple[Entry, str]]:
    """Each with what its line says before an arrow: the address that a REST answer came from.

    A line that is nothing but a frame was received when it says that it was sent.
    """
    for line in read_lines(path):
        if line.startswith(b"{"):
            yield Entry(json.loads(line)["ts"] * MS, line.strip()), ""
            continue
        for entry in parse((line,)):
            if isinstance(entry, Entry) and entry.frame:
                yield entry, line.partition(b" -> ")[0].decode() if entry.kind == "answer" else ""
