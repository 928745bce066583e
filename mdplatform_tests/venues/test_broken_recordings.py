"""A line of a recorded diff stream is cut out, doubled, or swapped with the next of its symbol: it shows and mends."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from mdplatform_tests.venues.breaking import Desk, Play, Played, Recording
from mdplatform_tests.venues.recorded_streams import STREAMS

LEAD = 5  # updates before the broken place: a book stands by then
TAIL = 8  # updates behind it: more than it takes to be mended
MENDED = 4  # updates that come until a book stands again
SAMPLE = 40
EXHAUSTIVE = ("binance-of-four", "gate-spot", "bybit", "deribit")  # short enough to try every line


class Case:
    """One place of a recording. ``order`` are its frames around that place, unbroken."""

    def __init__(self, recording: Recording, symbol: str, number: int) -> None:
        self.recording, self.symbol = recording, recording.canonical(symbol)
        places = recording.places[symbol]
        self.first, self.second = places[number], places[number + 1]
        self.update = recording.updates[self.first]
        self.left = len(places) - number - 2  # updates behind the two
        self.order = list(range(places[number - LEAD], places[min(number + TAIL, len(places) - 1)] + 1))

    def cut(self) -> list[int]:
        return [index for index in self.order if index != self.first]

    def doubled(self) -> list[int]:
        return [again for index in self.order for again in ([index, index] if index == self.first else [index])]

    def swapped(self) -> list[int]:
        exchanged = {self.first: self.second, self.second: self.first}
        return [exchanged.get(index, index) for index in self.order]


def cases(name: str, shared_data: Path) -> Iterator[tuple[Case, Desk]]:
    """Each with the venue as it is when it begins: every place of a short recording, a seeded sample of a long one."""
    recording = Recording(STREAMS[name], shared_data)
    spots = [
        (places[number - LEAD], symbol, number)
        for symbol, places in recording.places.items()
        for number in range(LEAD, len(places) - 1)
    ]
    if name not in EXHAUSTIVE:
        spots = random.Random(20261121).sample(spots, SAMPLE)
    desk = Desk(recording)
    for start, symbol, number in sorted(spots):
        desk.move_to(start - 1)
        yield Case(recording, symbol, number), desk


def check_noticed(case: Case, played: Played) -> None:
    """One interval, opened at the first message that follows what is missing, with its cause and size."""
    (gap,) = [(at, status) for at, status in played.opened(case.symbol) if status.state == "gap"]
    at, status = gap
    assert case.update is not None
    size = case.update.last - case.update.previous if case.recording.stream.tells_size else None
    assert (at, status.cause, status.missed) == (case.second, "sequence_gap", size)


def check_mended(case: Case, played: Played, unbroken: Played) -> None:
    """What is published is what is published of the unbroken stream, and it goes on; nothing else opens."""
    states = [status.state for _, status in played.opened(case.symbol)]
    assert states[-2:] == ["gap", "valid"]
    true = {book.sequence: book for _, book in unbroken.books(case.symbol)}
    for _, book in played.books(case.symbol):
        assert (book.bid_prices, book.bid_sizes) == (true[book.sequence].bid_prices, true[book.sequence].bid_sizes)
        assert (book.ask_prices, book.ask_sizes) == (true[book.sequence].ask_prices, true[book.sequence].ask_sizes)
    assert played.books(case.symbol)[-1][1].sequence == max(true)


def check_alone(case: Case, played: Played, unbroken: Played) -> None:
    """The other symbols on the socket lose nothing."""
    assert played.of_others(case.symbol) == unbroken.of_others(case.symbol)


def check_missing(case: Case, played: Played, unbroken: Played) -> None:
    check_noticed(case, played)
    check_alone(case, played, unbroken)
    if case.left >= MENDED:
        check_mended(case, played, unbroken)


def check_doubled(case: Case, played: Played, unbroken: Played) -> None:
    assert played.books(case.symbol) == unbroken.books(case.symbol)
    assert played.opened(case.symbol) == unbroken.opened(case.symbol)
    check_alone(case, played, unbroken)


@pytest.mark.parametrize("name", STREAMS)
def test_what_is_missing_or_swapped_shows_there_and_is_mended_and_what_is_doubled_changes_nothing(
    name: str, shared_data: Path
) -> None:
    tried = 0
    for case, desk in cases(name, shared_data):
        unbroken, cut, swapped, doubled = (
            Play(case.recording, desk).through(order)
            for order in (case.order, case.cut(), case.swapped(), case.doubled())
        )
        check_missing(case, cut, unbroken)
        check_missing(case, swapped, unbroken)
        check_doubled(case, doubled, unbroken)
        tried += case.left >= MENDED
    assert tried >= 20
