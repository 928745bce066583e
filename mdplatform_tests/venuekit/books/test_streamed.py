"""A book of snapshot and updates on one socket: what is kept of it, and what it takes to believe it."""

import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.events import Book, FeedStatus
from mdplatform.core.feed_status import FeedState
from mdplatform.core.session import Output
from mdplatform.venuekit.books.streamed import StreamedBook

BIDS = [("10", "1"), ("9", "1"), ("8", "1")]
ASKS = [("11", "1"), ("12", "1"), ("13", "1")]


def opened(keep: int | None = None) -> StreamedBook:
    book = StreamedBook(FeedState("x", "BTC-USD", "book"), 20, keep=keep)
    book.awaits(0)
    book.feed.invalid("resync", "subscribing", 0)
    return book


def states(outputs: list[Output]) -> list[tuple[str, str]]:
    return [(o.state, o.cause) for o in outputs if isinstance(o, FeedStatus) and o.ended_ns is None]


def test_levels_that_fall_behind_the_kept_ones_are_dropped() -> None:
    book = opened(keep=3)
    book.snapshot(BIDS, ASKS, 1, 1, SECOND)
    book.update([("9.5", "2")], [], 2, 2, SECOND)
    [event] = book.update([("10", "0")], [], 3, 3, SECOND)
    assert isinstance(event, Book)
    assert event.bid_prices == ["9.5", "9"]


def test_an_update_that_is_not_proven_opens_a_gap_and_asks_at_once() -> None:
    book = opened()
    book.snapshot(BIDS, ASKS, 1, 1, SECOND, lambda held: True)
    outputs = book.update([("9.5", "2")], [], 2, 2, SECOND, lambda held: len(held.bids) == 3)
    assert states(outputs) == [("gap", "checksum")]
    assert not [output for output in outputs if isinstance(output, Book)]
    assert book.wants_snapshot(SECOND)


@pytest.mark.parametrize("now_ns", [SECOND, 9 * SECOND])
def test_a_snapshot_that_is_not_proven_is_not_asked_for_again_at_once(now_ns: int) -> None:
    book = opened()
    assert states(book.snapshot(BIDS, ASKS, 1, 1, now_ns, lambda held: False)) == [("gap", "checksum")]
    assert not book.wants_snapshot(now_ns)
    assert book.wants_snapshot(11 * SECOND)


def test_of_a_feed_of_the_best_levels_what_lies_behind_a_hole_is_not_published() -> None:
    book = opened(keep=3)
    book.snapshot(BIDS, ASKS, 1, 1, SECOND)
    [event] = book.update([("10", "0"), ("9", "0"), ("5", "1")], [], 2, 2, SECOND)
    assert isinstance(event, Book)
    assert event.bid_prices == ["8"]


def test_a_feed_of_the_best_levels_that_names_what_comes_after_them_goes_on() -> None:
    book = opened(keep=3)
    book.snapshot(BIDS, ASKS, 1, 1, SECOND)
    [event] = book.update([("10", "0"), ("9", "0"), ("8", "0"), ("5", "1"), ("4", "1"), ("3", "1")], [], 2, 2, SECOND)
    assert isinstance(event, Book)
    assert event.bid_prices == ["5", "4", "3"]


def test_a_touch_that_left_the_best_levels_ends_the_book() -> None:
    book = opened(keep=3)
    book.snapshot(BIDS, ASKS, 1, 1, SECOND)
    outputs = book.update([("10", "0"), ("9", "0"), ("8", "0"), ("5", "1")], [], 2, 2, SECOND)
    assert states(outputs) == [("resync", "beyond_snapshot")]
    assert book.wants_snapshot(SECOND)


def test_a_side_that_came_with_fewer_levels_than_the_feed_keeps_is_known_to_its_end() -> None:
    book = opened(keep=4)
    book.snapshot(BIDS, ASKS, 1, 1, SECOND)
    [event] = book.update([("10", "0"), ("9", "0"), ("8", "0"), ("5", "1")], [], 2, 2, SECOND)
    assert isinstance(event, Book)
    assert event.bid_prices == ["5"]


def test_a_book_that_the_venue_empties_is_published_empty_and_stays_valid() -> None:
    book = opened()
    book.snapshot(BIDS[:1], ASKS[:1], 1, 1, SECOND)
    [event] = book.update([("10", "0")], [("11", "0")], 2, 2, SECOND)
    assert isinstance(event, Book)
    assert (event.bid_prices, event.ask_prices, event.previous_sequence) == ([], [], 1)
    assert book.feed.state == "valid"
