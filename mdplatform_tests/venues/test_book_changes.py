"""Applied one after the other, the changes of a book give the book: on every recording, at every update."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from mdplatform.core.events import Book, BookChange, Event
from mdplatform.recordings.player import Player
from mdplatform.recordings.tape import parse
from mdplatform.venues import venue_ids
from mdplatform_tests.venues.recordings_digest import RECORDINGS, golden, recorded

LINES = 4_000  # of each recording
WITHOUT = {"hyperliquid"}  # whole books only: nothing states what changed
STATE_FIRST = {"binance", "binance-usdm", "binance-coinm", "gate", "kucoin"}  # the first id of several in one message
Side = dict[Decimal, Decimal]
Top = list[tuple[Decimal, Decimal]]


class Rebuilt:
    """A book from nothing but its changes."""

    def __init__(self) -> None:
        self.bids: Side = {}
        self.asks: Side = {}
        self.sequence: int | None = None

    def apply(self, change: BookChange) -> None:
        if change.kind == "snapshot":
            self.bids, self.asks = {}, {}
        else:
            assert change.previous_sequence == self.sequence
        for side, prices, sizes in (
            (self.bids, change.bid_prices, change.bid_sizes),
            (self.asks, change.ask_prices, change.ask_sizes),
        ):
            side.update(zip(map(Decimal, prices), map(Decimal, sizes), strict=True))
            for price in [price for price, size in side.items() if not size]:
                del side[price]
        self.sequence = change.sequence

    def top(self, depth: int) -> tuple[Top, Top]:
        return sorted(self.bids.items(), reverse=True)[:depth], sorted(self.asks.items())[:depth]


def tops(book: Book) -> tuple[Top, Top]:
    bids = zip(map(Decimal, book.bid_prices), map(Decimal, book.bid_sizes), strict=True)
    asks = zip(map(Decimal, book.ask_prices), map(Decimal, book.ask_sizes), strict=True)
    return list(bids), list(asks)


def played(venue_id: str, lines: Iterable[bytes], depth: int) -> Iterator[Event]:
    player = Player(venue_id, depth=depth, changes=True)
    for entry in parse(islice(lines, LINES)):
        yield from player.take(entry)
    yield from player.end()


def compared(events: Iterable[Event], depth: int) -> int:
    """How many books are the same as those rebuilt from the changes; fails at the first that differs."""
    rebuilt: dict[str, Rebuilt] = {}
    last: dict[str, Book] = {}
    same = 0
    for event in events:
        if isinstance(event, Book):
            last[event.symbol] = event
        elif isinstance(event, BookChange):
            book, held = last[event.symbol], rebuilt.setdefault(event.symbol, Rebuilt())
            held.apply(event)
            assert (book.sequence, book.received_ns) == (event.sequence, event.received_ns)
            assert held.top(depth) == tops(book), (event.symbol, event.sequence)
            same += 1
    return same


@pytest.mark.parametrize("name", RECORDINGS)
def test_changes_of_a_recording_rebuild_its_books(shared_data: Path, name: str) -> None:
    venue_id, lines = recorded(name)
    events = list(played(venue_id, lines, 50))
    same = compared(events, 50)
    if venue_id in WITHOUT:
        assert not same
    elif any(isinstance(event, Book) and event.previous_sequence is not None for event in events):
        assert same or all_whole(events)


def all_whole(events: list[Event]) -> bool:
    """A recording of a channel of whole books holds no changes."""
    return not any(isinstance(event, BookChange) for event in events)


@pytest.mark.parametrize("venue_id", [venue_id for venue_id in venue_ids() if venue_id not in WITHOUT])
def test_changes_of_golden_frames_rebuild_their_books(venue_id: str) -> None:
    assert compared(played(venue_id, golden(venue_id), 1000), 1000)


@pytest.mark.parametrize("venue_id", [venue_id for venue_id in venue_ids() if venue_id not in WITHOUT])
def test_an_update_states_its_first_id_where_the_venue_does(venue_id: str) -> None:
    changes = [event for event in played(venue_id, golden(venue_id), 1000) if isinstance(event, BookChange)]
    firsts = [(change.kind, change.first_sequence, change.sequence) for change in changes]
    assert all(first is None for kind, first, _ in firsts if kind == "snapshot" or venue_id not in STATE_FIRST)
    if venue_id in STATE_FIRST:
        stated = [(first, last) for kind, first, last in firsts if kind == "update" and first is not None]
        assert all(first <= last for first, last in stated)
        assert any(first < last for first, last in stated)
