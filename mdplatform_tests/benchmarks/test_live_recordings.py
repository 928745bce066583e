"""Recordings that are played over and over, as a session takes them."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.live_recordings import FEEDS, listing, tracks
from mdplatform.core.clock import MS
from mdplatform.core.events import DeadLetter, FeedStatus
from mdplatform.core.session import Output
from mdplatform.core.symbols import Instruments

START_NS = 1_790_000_000_000 * MS
EVERY_NS = 20 * MS


@pytest.mark.parametrize("name", FEEDS)
def test_turns_follow_each_other_without_a_gap(name: str) -> None:
    track = tracks(FEEDS[name])[-1]
    assert len(track.forms) >= 10
    session = listing(name, [track.instrument]).reader(Instruments(name, [track.instrument]), FEEDS[name].channels)
    outputs, now_ns = list[Output](), START_NS
    for turn in range(3):
        for place in range(len(track.forms)):
            now_ns += EVERY_NS
            outputs += session.receive(track.frame(place, now_ns // MS, turn), now_ns)
            if FEEDS[name].by_rest and (turn, place) == (0, 3):
                outputs += session.receive(track.book(place + 1, turn), now_ns)
    assert not [one for one in outputs if isinstance(one, DeadLetter)]
    states = [(one.channel, one.state, one.cause) for one in outputs if isinstance(one, FeedStatus)]
    books = [(state, cause) for channel, state, cause in states if channel == "book"]
    before = [("resync", "no_snapshot")] * 2 if FEEDS[name].by_rest else []
    assert books == [*before, ("valid", "joined" if FEEDS[name].by_rest else "snapshot")]
    assert max(Counter(states).values()) <= 2


def test_names_differ_and_times_are_those_of_the_sending() -> None:
    first, second = tracks(FEEDS["bybit"], 2)
    frame = second.frame(1, START_NS // MS, 4)
    assert first.symbol != second.symbol
    assert second.symbol.encode() in frame
    assert first.symbol.encode() not in frame
    assert b'"ts":%d' % (START_NS // MS) in frame


def test_a_book_by_rest_is_that_of_the_last_frame_sent() -> None:
    track = tracks(FEEDS["gate"])[0]
    places = [place for place, form in enumerate(track.forms) if form.channel == FEEDS["gate"].book]
    last, *_ = FEEDS["gate"].changes(track.frame(places[2], 0, 1))
    assert b'"id":%d,' % last in track.book(places[2] + 1, 1)
    before, *_ = FEEDS["gate"].changes(track.frame(places[-1], 0, 0))
    assert b'"id":%d,' % before in track.book(0, 1)
