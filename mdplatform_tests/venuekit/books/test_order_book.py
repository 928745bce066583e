"""The order book against a plain model, and the corners of decimal text."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdplatform.venuekit.books.order_book import BookSide, OrderBook

prices = st.integers(1, 60).map(lambda tick: f"{tick / 4:.2f}")
sizes = st.sampled_from(["0", "0.000", "1", "2.50", "0.00000001"])
updates = st.lists(st.lists(st.tuples(prices, sizes), max_size=6), max_size=30)


@pytest.mark.parametrize("sign", [1, -1])
@given(updates=updates, depth=st.integers(1, 8))
@settings(max_examples=150)
def test_top_is_what_a_sorted_dictionary_gives(sign: int, updates: list[list[tuple[str, str]]], depth: int) -> None:
    side, model = BookSide(sign), {}
    for levels in updates:
        side.apply(levels)
        for price, size in levels:
            model[Decimal(price)] = (price, size)
            if not Decimal(size):
                del model[Decimal(price)]
        best = [model[price] for price in sorted(model, reverse=sign > 0)]
        assert side.levels() == best
        # Asked twice, and for other depths in between: the remembered top must not be a wrong one.
        for n in (depth, depth + 1, depth, depth - 1):
            assert side.top(n) == ([p for p, _ in best[:n]], [s for _, s in best[:n]])


def test_prices_are_the_same_when_they_are_numerically_the_same() -> None:
    side = BookSide(1)
    side.apply([("100.0", "1"), ("100.00", "2")])
    assert side.levels() == [("100.00", "2")]
    side.apply([("100", "0.0")])
    assert len(side) == 0


def test_fifteen_digits_distinguish_two_prices() -> None:
    side = BookSide(-1)
    side.apply([("123456789.123456", "1"), ("123456789.123457", "1")])
    assert len(side) == 2


def test_deleting_what_is_not_there_changes_nothing() -> None:
    side = BookSide(1)
    side.apply([("5", "1")])
    side.apply([("4", "0")])
    assert side.levels() == [("5", "1")]


def test_a_snapshot_replaces_everything_and_keeps_no_zero() -> None:
    side = BookSide(-1)
    side.apply([("5", "1")])
    assert side.top(1) == (["5"], ["1"])
    side.replace([("7", "1"), ("6", "2"), ("8", "0")])
    assert side.top(3) == (["6", "7"], ["2", "1"])


def test_a_deep_level_that_rises_into_the_top_shows() -> None:
    side = BookSide(1)
    side.apply([("3", "1"), ("2", "1"), ("1", "1")])
    assert side.top(2)[0] == ["3", "2"]
    side.apply([("3", "0")])
    assert side.top(2)[0] == ["2", "1"]


@pytest.mark.parametrize(
    ("bids", "asks", "crossed"),
    [
        ([("2", "1")], [("1", "1")], True),
        ([("2", "1")], [("2.0", "1")], True),
        ([("2", "1")], [("2.1", "1")], False),
        ([], [("1", "1")], False),
        ([("1", "1")], [], False),
    ],
)
def test_crossed_means_bid_at_or_above_ask(
    bids: list[tuple[str, str]], asks: list[tuple[str, str]], crossed: bool
) -> None:
    book = OrderBook()
    book.replace(bids, asks)
    assert book.is_crossed() is crossed


@pytest.mark.parametrize("sign", [1, -1])
@given(updates=updates, limit=st.integers(1, 6), depth=st.integers(1, 8))
@settings(max_examples=100)
def test_pruning_after_each_update_leaves_the_best(
    sign: int, updates: list[list[tuple[str, str]]], limit: int, depth: int
) -> None:
    side, kept, edge = BookSide(sign), list[tuple[str, str]](), Decimal("-Infinity")
    for levels in updates:
        model = {Decimal(price): (price, size) for price, size in kept}
        model |= {Decimal(price): (price, size) for price, size in levels}
        kept = [model[p] for p in sorted(model, reverse=sign > 0) if Decimal(model[p][1])][:limit]
        side.apply(levels)
        side.prune(limit)
        assert side.levels() == kept
        # Where fewer are left, nobody said what lies between the last one that was known and those behind it.
        edge = Decimal(kept[-1][0]) * sign if len(kept) == limit else edge
        shown = [level for level in kept if Decimal(level[0]) * sign >= edge][:depth]
        assert side.top(depth) == ([p for p, _ in shown], [s for _, s in shown])


def test_behind_the_last_level_of_a_snapshot_that_was_cut_nothing_is_known() -> None:
    side = BookSide(1)
    side.replace([("10", "1"), ("9", "1")], 2)
    side.apply([("8", "5"), ("9.5", "2"), ("10", "0")])
    assert side.levels() == [("9.5", "2"), ("9", "1")]
    assert not side.is_short(2)
    side.apply([("9", "0"), ("9.5", "0"), ("7", "1")])
    assert side.is_short(1)
    assert side.best() is None


def test_a_snapshot_with_fewer_levels_than_were_asked_for_is_known_to_its_end() -> None:
    side = BookSide(-1)
    side.replace([("10", "1"), ("11", "1")], 3)
    side.apply([("10", "0"), ("11", "0"), ("90", "1")])
    assert side.levels() == [("90", "1")]
    assert not side.is_short(1)


@pytest.mark.parametrize("sign", [1, -1])
@given(
    start=st.dictionaries(st.integers(1, 60), st.integers(1, 3), max_size=30),
    changes=st.lists(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 3)), max_size=6), max_size=30),
    limit=st.integers(1, 12),
    depth=st.integers(1, 8),
)
@settings(max_examples=150)
def test_a_cut_side_never_shows_a_level_beside_one_that_it_misses(
    sign: int, start: dict[int, int], changes: list[list[tuple[int, int]]], limit: int, depth: int
) -> None:
    """The truth holds levels that the snapshot left out: what the side shows are the truth's own best levels."""
    truth, side = dict(start), BookSide(sign)
    best = sorted(truth, reverse=sign > 0)[:limit]
    side.replace([(str(price), str(truth[price])) for price in best], limit)
    for levels in changes:
        side.apply([(str(price), str(size)) for price, size in levels])
        truth.update(levels)
        truth = {price: size for price, size in truth.items() if size}
        shown = side.top(depth)[0]
        assert shown == [str(price) for price in sorted(truth, reverse=sign > 0)][: len(shown)]
        assert len(shown) == min(depth, len(truth)) or side.is_short(depth)


def test_a_level_that_is_deleted_at_the_edge_of_a_feed_of_so_many_is_among_the_changes() -> None:
    """The edge moves with it: what replaced it came in before it."""
    side = BookSide(1)
    side.replace([("10", "1"), ("9", "1"), ("8", "1")])
    side.prune(3)
    side.follow()
    update = [("11", "1"), ("8", "0")]
    side.apply(update)
    side.prune(3)
    assert side.changes(update) == update
