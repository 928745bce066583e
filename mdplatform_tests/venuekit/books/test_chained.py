"""A book whose updates each name the one before: what breaks the chain, and what says that nothing changed."""

import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import FrameError
from mdplatform.core.events import Book, FeedStatus
from mdplatform.core.feed_status import FeedState
from mdplatform.core.session import Output
from mdplatform.venuekit.books.chained import ChainedBook


def whole(*, counts: bool = False) -> ChainedBook:
    """A book whose snapshot is numbered 500 and of 1 s."""
    book = ChainedBook(FeedState("x", "BTC-USD", "book", 10 * SECOND), 20, counts=counts)
    book.awaits(0)
    book.feed.invalid("resync", "subscribing", 0)
    book.snapshot([("10", "1")], [("11", "1")], 500, SECOND, SECOND)
    return book


def opened(outputs: list[Output] | None) -> list[tuple[str, str]]:
    return [(o.state, o.cause) for o in outputs or () if isinstance(o, FeedStatus) and o.ended_ns is None]


def test_an_update_that_names_the_one_before_is_applied_whatever_its_number() -> None:
    book = whole()
    [first] = book.follow([("9", "2")], [], 500, 7000, 2 * SECOND, 2 * SECOND) or []
    [second] = book.follow([("10", "0")], [], 7000, 7001, 3 * SECOND, 3 * SECOND) or []
    assert isinstance(first, Book)
    assert isinstance(second, Book)
    assert (first.bid_prices, second.bid_prices, second.previous_sequence) == (["10", "9"], ["9"], 7000)


@pytest.mark.parametrize(
    ("previous", "sequence", "venue_s", "cause"),
    [
        (600, 700, 2, "sequence_gap"),
        (400, 450, 1, "sequence_back"),
        (400, 600, 2, "sequence_back"),
        (4, 5, 2, "sequence_reset"),
    ],
)
def test_an_update_that_names_another_breaks_the_book(previous: int, sequence: int, venue_s: int, cause: str) -> None:
    book = whole()
    out = book.follow([("9", "2")], [], previous, sequence, venue_s * SECOND, 2 * SECOND)
    assert opened(out) == [("gap", cause)]
    assert book.wants_snapshot(2 * SECOND)


@pytest.mark.parametrize(("counts", "missed"), [(True, 100), (False, None)])
def test_a_gap_states_how_many_are_missing_where_numbers_count(counts: bool, missed: int | None) -> None:
    out = whole(counts=counts).follow([("9", "2")], [], 600, 700, 2 * SECOND, 2 * SECOND) or []
    assert [o.missed for o in out if isinstance(o, FeedStatus) and o.ended_ns is None] == [missed]


def test_a_repeated_update_is_nothing() -> None:
    book = whole()
    book.follow([("9", "2")], [], 500, 501, SECOND, SECOND)
    assert book.follow([("9", "2")], [], 500, 501, SECOND, SECOND) is None


def test_another_update_under_the_numbers_of_the_last_one_breaks_the_book() -> None:
    book = whole()
    book.follow([("9", "2")], [], 500, 501, SECOND, SECOND)
    assert opened(book.follow([("9", "3")], [], 500, 501, SECOND, SECOND)) == [("gap", "sequence_back")]


def test_one_that_says_that_nothing_changed_proves_a_quiet_book_and_publishes_none() -> None:
    book = whole()
    for second in range(2, 60, 5):
        assert book.follow([], [], 500, 500, second * SECOND, second * SECOND) == []
        assert not opened(book.tick((second + 1) * SECOND))
    assert opened(book.follow([], [], 600, 600, 61 * SECOND, 61 * SECOND)) == [("gap", "sequence_gap")]


def test_after_a_refused_update_the_next_one_shows_that_it_is_missing() -> None:
    book = whole()
    with pytest.raises(FrameError):
        book.follow([("9", "x")], [], 500, 501, SECOND, SECOND)
    assert opened(book.follow([("9", "2")], [], 501, 502, SECOND, SECOND)) == [("gap", "sequence_gap")]
