"""What is bid and asked within 10 bps of the mid, of the whole book that is known."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdplatform.core.codec import encode
from mdplatform.core.decimals import Levels
from mdplatform.core.events import Book
from mdplatform.core.feed_status import FeedState
from mdplatform.core.session import Output
from mdplatform.core.symbols import Instrument
from mdplatform.venuekit.books.full import FullBook
from mdplatform.venuekit.books.order_book import OrderBook
from mdplatform.venuekit.books.streamed import StreamedBook
from mdplatform.venuekit.contract_sizes import book_in, contract_sizes_of

BIDS = [("99.95", "1"), ("99.9", "2.5"), ("99.89", "4")]
ASKS = [("100.05", "0.25"), ("100.1", "0.5"), ("100.11", "8")]


def held(bids: Levels, asks: Levels, limit: int | None = None) -> OrderBook:
    book = OrderBook()
    book.replace(bids, asks, limit)
    return book


def test_levels_that_stand_just_at_ten_basis_points_are_near() -> None:
    assert held(BIDS, ASKS).near() == ("3.5", "0.75")


def test_more_levels_count_than_are_published() -> None:
    book = StreamedBook(FeedState("x", "A-B", "book"), 1)
    event = book.snapshot(BIDS, ASKS, 1, 1, 1)[-1]
    assert isinstance(event, Book)
    assert (event.bid_prices, event.bid_depth_10bps, event.ask_depth_10bps) == (["99.95"], "3.5", "0.75")
    assert b'"bid_depth_10bps":3.5,"ask_depth_10bps":0.75' in encode(event)[1]


@pytest.mark.parametrize(("bids", "asks"), [([], ASKS), (BIDS, []), ([], [])])
def test_without_both_sides_there_is_no_mid(bids: Levels, asks: Levels) -> None:
    assert held(bids, asks).near() == (None, None)


def test_a_side_whose_known_levels_end_nearer_is_not_measured() -> None:
    assert held(BIDS[:2], ASKS, 2).near() == (None, "0.75")
    assert held(BIDS, ASKS, 3).near() == ("3.5", "0.75")


def test_a_side_with_nothing_near_has_none_near() -> None:
    assert held([("99", "1")], [("101", "1")]).near() == ("0", "0")


def test_a_feed_of_the_best_levels_is_known_as_far_as_the_last_of_them() -> None:
    book = StreamedBook(FeedState("x", "A-B", "book"), 20, keep=2)
    event = book.snapshot(BIDS[:2], ASKS[:1], 1, 1, 1)[-1]
    assert isinstance(event, Book)
    assert (event.bid_depth_10bps, event.ask_depth_10bps) == (None, "0.25")


@pytest.mark.parametrize(("inverse", "near"), [(False, "0.035"), (True, f"{(1 / 99.95 + 2.5 / 99.9) * 0.01:.12g}")])
def test_contracts_count_in_base_units(inverse: bool, near: str) -> None:
    contract = Instrument(
        exchange="x", venue_symbol="A", base="A", quote="B", contract_size="0.01", inverse=inverse, settle="A"
    )
    book = book_in(contract_sizes_of(contract))
    book.replace(BIDS, ASKS)
    assert book.near()[0] == near


def test_a_message_of_some_levels_is_measured_where_it_reaches_far_enough() -> None:
    def taken(bids: Levels) -> Output:
        return FullBook(FeedState("x", "A-B", "book"), 1).take(1, bids, ASKS, 1, 1)[-1]

    whole, short = taken(BIDS), taken(BIDS[:2])
    assert isinstance(whole, Book)
    assert isinstance(short, Book)
    assert (whole.bid_depth_10bps, whole.ask_depth_10bps) == ("3.5", "0.75")
    assert (short.bid_depth_10bps, short.ask_depth_10bps) == (None, "0.75")


def test_a_huge_order_that_comes_and_goes_leaves_no_trace() -> None:
    book = held([("100", "0.1"), ("99.99", "0.2")], [("100.01", "1")])
    assert book.near()[0] == "0.3"
    book.apply([("99.98", "900000000000000000")], [])
    book.near()
    book.apply([("99.98", "0")], [])
    assert book.near()[0] == "0.3"


ticks = st.tuples(st.integers(9985, 10015), st.integers(0, 50))


@pytest.mark.parametrize("per_price", [False, True])
@given(changes=st.lists(st.tuples(st.lists(ticks, max_size=5), st.lists(ticks, max_size=5)), max_size=40))
@settings(max_examples=100, deadline=None)
def test_what_is_summed_on_the_way_is_what_is_summed_from_the_book(
    per_price: bool, changes: list[tuple[list[tuple[int, int]], list[tuple[int, int]]]]
) -> None:
    book = OrderBook(per_price=per_price)
    for bids, asks in changes:
        book.apply(*([(f"{price / 100:.2f}", f"{size / 8}") for price, size in side] for side in (bids, asks)))
        held_bids, held_asks = (
            [(float(price), float(size)) for price, size in side.levels()] for side in (book.bids, book.asks)
        )
        if not held_bids or not held_asks:
            assert book.near() == (None, None)
            continue
        mid = (held_bids[0][0] + held_asks[0][0]) / 2
        near = (
            [level for level in held_bids if level[0] >= mid * 0.999 - 1e-9],
            [level for level in held_asks if level[0] <= mid * 1.001 + 1e-9],
        )
        sums = [sum(size / price if per_price else size for price, size in side) for side in near]
        assert [float(text or "nan") for text in book.near()] == pytest.approx(sums, rel=1e-9, abs=1e-12)


def test_a_sum_that_reaches_close_to_the_edge_lets_nothing_in_from_behind_it() -> None:
    book = held([("100", "1"), ("99.95", "1"), ("99.89", "1")], [("100.01", "1")], 3)
    assert book.near()[0] == "2"
    book.apply([("99.885", "5")], [])
    assert len(book.bids) == 3


@given(
    start=st.dictionaries(st.integers(9985, 10000), st.integers(1, 9), min_size=4, max_size=16),
    changes=st.lists(st.lists(ticks, max_size=5), max_size=30),
    limit=st.integers(1, 12),
)
@settings(max_examples=100, deadline=None)
def test_a_side_that_ends_is_measured_as_far_as_it_is_known(
    start: dict[int, int], changes: list[list[tuple[int, int]]], limit: int
) -> None:
    book, truth = OrderBook(), dict(start)
    best = sorted(truth, reverse=True)[:limit]
    book.replace([(f"{price / 100:.2f}", str(truth[price])) for price in best], [("100.16", "1")], limit)
    floor = best[-1] if len(best) == limit else 0
    for bids in changes:
        book.apply([(f"{price / 100:.2f}", str(size)) for price, size in bids], [])
        truth.update(bids)
        truth = {price: size for price, size in truth.items() if size}
        known = {price: size for price, size in truth.items() if price >= floor}
        if not known:
            assert book.near()[0] is None
            continue
        worst = (max(known) + 10016) / 2 * 0.999
        near = book.near()[0]
        if floor > worst:
            assert near is None
        else:
            assert float(near or "nan") == sum(size for price, size in known.items() if price >= worst - 1e-6)
