"""Whatever is lost, doubled, swapped or late: a book that is published is the venue's own book at that update."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from mdplatform.core.clock import SECOND
from mdplatform.core.events import Book, FeedStatus
from mdplatform.core.feed_status import FeedState
from mdplatform.core.session import Fetch, Output, Request
from mdplatform.venuekit.books.diff import Diff, DiffBook, Snapshot


def joins(diff: Diff, snapshot_id: int) -> bool:
    return diff.previous <= snapshot_id < diff.last


@dataclass
class Exchange:
    """A venue: every update changes one level; a diff carries some updates; all books are remembered by id."""

    ids: int = 100
    bids: dict[str, str] = field(default_factory=lambda: {"10": "1"})
    asks: dict[str, str] = field(default_factory=lambda: {"20": "1"})
    history: dict[int, tuple[dict[str, str], dict[str, str]]] = field(default_factory=dict)

    def diff(self, changes: list[tuple[int, int]], now_ns: int) -> Diff:
        previous = self.ids
        sides: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
        for price, size in changes:
            self.ids += 1
            side = price >= 16
            (self.bids, self.asks)[side][str(price)] = str(size)
            sides[side].append((str(price), str(size)))
        self.history[self.ids] = (dict(self.bids), dict(self.asks))
        return Diff(previous, self.ids, sides[0], sides[1], now_ns, now_ns)

    def snapshot(self) -> Snapshot:
        return Snapshot(self.ids, list(self.bids.items()), list(self.asks.items()))


def levels(side: dict[str, str], reverse: bool) -> list[str]:
    return sorted((price for price, size in side.items() if size != "0"), key=float, reverse=reverse)


changes = st.lists(st.tuples(st.integers(5, 25), st.integers(0, 3)), min_size=1, max_size=3)
fates = st.sampled_from(["delivered"] * 6 + ["lost", "doubled", "held back"])
answers = st.sampled_from(["now", "late", "late", "failed"])


@given(st.lists(st.tuples(changes, fates, answers), min_size=5, max_size=60))
@settings(max_examples=200, deadline=None)
def test_every_published_book_is_the_venues_own(story: list[tuple[list[tuple[int, int]], str, str]]) -> None:
    exchange, now_ns, held, pending = Exchange(), 0, [], []
    market = DiffBook(FeedState("x", "A-B", "book"), Request("/depth"), joins, 50)
    last: int | None = None
    for step, fate, answer in story:
        now_ns += SECOND
        diff = exchange.diff(step, now_ns)
        deliver = {"lost": [], "doubled": [diff, diff], "held back": []}.get(fate, [diff])
        held, late = ([diff] if fate == "held back" else []), held
        outputs: list[Output] = [output for one in [*deliver, *late] for output in market.take(one)]
        outputs += market.tick(now_ns)
        # A snapshot is of the time when it was asked for, and may come much later than that.
        pending += [exchange.snapshot() for output in outputs if isinstance(output, Fetch)]
        assert len(pending) <= 1
        if pending and answer == "failed":
            pending.clear()
            market.failed(now_ns)
        elif pending and answer == "now":
            answered = market.offer(pending.pop(), now_ns)
            pending += [exchange.snapshot() for output in answered if isinstance(output, Fetch)]
            outputs += answered
        for book in (output for output in outputs if isinstance(output, Book)):
            bids, asks = exchange.history[book.sequence]
            assert book.bid_prices == levels(bids, True)
            assert book.ask_prices == levels(asks, False)
            assert book.bid_sizes == [bids[price] for price in book.bid_prices]
            assert book.previous_sequence in (None, last)
            last = book.sequence


def test_a_book_without_faults_follows_every_update() -> None:
    exchange = Exchange()
    market = DiffBook(FeedState("x", "A-B", "book"), Request("/depth"), joins, 50)
    outputs = market.take(exchange.diff([(9, 1)], 1))
    assert [output for output in outputs if isinstance(output, Fetch)] == [Fetch(Request("/depth"))]
    market.offer(exchange.snapshot(), 2)
    for turn in range(3, 50):
        (book,) = [o for o in market.take(exchange.diff([(turn % 6 + 5, turn % 3)], turn)) if isinstance(o, Book)]
        assert book.bid_prices == levels(exchange.bids, True)


class Ladder:
    """A venue with 400 levels a side, whose snapshots hold the best ``LIMIT``; ``walk`` moves the touch."""

    LIMIT = 40

    def __init__(self) -> None:
        self.last, self.middle = 100, 1000
        self.bids = {price: 1 for price in range(600, 1000)}
        self.asks = {price: 1 for price in range(1001, 1401)}

    def walk(self, ticks: int, now_ns: int) -> Diff:
        """The middle goes down by so many ticks, or up."""
        old, self.middle = self.middle, self.middle - ticks
        bids, asks = [], []
        for price in range(min(old, self.middle), max(old, self.middle) + 1):
            bids.append((price, int(price < self.middle)))
            asks.append((price, int(price > self.middle)))
        for side, changes in ((self.bids, bids), (self.asks, asks)):
            for price, size in changes:
                side[price] = size
                if not size:
                    del side[price]
        self.last += 1
        texts = [[(str(price), str(size)) for price, size in changes] for changes in (bids, asks)]
        return Diff(self.last - 1, self.last, texts[0], texts[1], now_ns, now_ns)

    def snapshot(self) -> Snapshot:
        bids, asks = sorted(self.bids, reverse=True)[: self.LIMIT], sorted(self.asks)[: self.LIMIT]
        return Snapshot(self.last, [(str(price), "1") for price in bids], [(str(price), "1") for price in asks])

    def shows(self, book: Book) -> bool:
        bids, asks = sorted(self.bids, reverse=True), sorted(self.asks)
        wanted = [str(price) for price in bids[: len(book.bid_prices)]], [str(p) for p in asks[: len(book.ask_prices)]]
        return (book.bid_prices, book.ask_prices) == wanted


def ladder_market(depth: int = 10) -> tuple[Ladder, DiffBook]:
    """Joined."""
    ladder = Ladder()
    market = DiffBook(FeedState("x", "A-B", "book"), Request("/depth"), joins, depth, limit=Ladder.LIMIT)
    market.take(ladder.walk(1, 1))
    market.offer(ladder.snapshot(), 1)
    market.take(ladder.walk(-1, 2))
    return ladder, market


def causes(outputs: list[Output]) -> list[str]:
    return [o.cause for o in outputs if isinstance(o, FeedStatus) and o.ended_ns is None]


def test_a_new_snapshot_is_asked_for_before_the_touch_leaves_the_known_range_and_joins_without_a_gap() -> None:
    ladder, market = ladder_market()
    outputs: list[Output] = []
    asked_at: list[int] = []
    for step in range(3, 180):
        new = market.take(ladder.walk(2, step * SECOND))
        for book in (output for output in new if isinstance(output, Book)):
            assert ladder.shows(book)
            assert len(book.bid_prices) == len(book.ask_prices) == 10
        if Fetch(Request("/depth")) in new:
            asked_at.append(step)
            snapshot = ladder.snapshot()
            new += market.take(ladder.walk(1, step * SECOND + 1)) + market.offer(snapshot, step * SECOND + 2)
        outputs += new
    assert len(asked_at) > 5
    assert causes(outputs) == []


def test_a_touch_that_leaves_the_known_range_ends_the_interval_until_a_new_snapshot() -> None:
    ladder, market = ladder_market()
    outputs = market.take(ladder.walk(60, SECOND))
    assert causes(outputs) == ["beyond_snapshot"]
    assert not [output for output in outputs if isinstance(output, Book)]
    assert Fetch(Request("/depth")) in outputs
    outputs = market.offer(ladder.snapshot(), SECOND + 1) + market.take(ladder.walk(1, SECOND + 2))
    (book,) = (output for output in outputs if isinstance(output, Book))
    assert causes(outputs) == ["joined"]
    assert ladder.shows(book)


def test_a_snapshot_that_was_on_its_way_when_the_touch_left_it_behind_is_of_use_all_the_same() -> None:
    ladder, market = ladder_market()
    assert Fetch(Request("/depth")) in market.take(ladder.walk(20, SECOND))
    snapshot = ladder.snapshot()
    assert causes(market.take(ladder.walk(30, SECOND + 1))) == ["beyond_snapshot"]
    outputs = market.offer(snapshot, SECOND + 2)
    (book,) = (output for output in outputs if isinstance(output, Book))
    assert causes(outputs) == ["joined"]
    assert ladder.shows(book)


def test_a_renewal_that_fails_is_asked_for_again_after_a_pause_while_the_book_stands() -> None:
    ladder, market = ladder_market()
    assert Fetch(Request("/depth")) in market.take(ladder.walk(20, SECOND))
    market.failed(SECOND)
    assert Fetch(Request("/depth")) not in market.take(ladder.walk(1, SECOND + 1))
    again = market.take(ladder.walk(1, 2 * SECOND))
    assert Fetch(Request("/depth")) in again
    assert [type(output) for output in again] == [Book, Fetch]


steps = st.lists(st.tuples(st.integers(-15, 15), st.sampled_from(["now", "late", "late", "failed"])), max_size=60)


@given(steps)
@settings(max_examples=150, deadline=None)
def test_wherever_the_touch_goes_what_is_published_are_the_venues_best_levels(story: list[tuple[int, str]]) -> None:
    ladder, market = ladder_market()
    pending: list[Snapshot] = []
    for step, (ticks, answer) in enumerate(story, 3):
        now_ns = step * SECOND
        outputs = market.take(ladder.walk(ticks, now_ns)) + market.tick(now_ns)
        pending += [ladder.snapshot() for output in outputs if isinstance(output, Fetch)]
        assert len(pending) <= 1
        if pending and answer == "failed":
            pending.clear()
            market.failed(now_ns)
        elif pending and answer == "now":
            answered = market.offer(pending.pop(), now_ns)
            pending += [ladder.snapshot() for output in answered if isinstance(output, Fetch)]
            outputs += answered
        # A snapshot that joins publishes what was buffered: only the last of those books is the venue's of now.
        books = [output for output in outputs if isinstance(output, Book)]
        assert all(ladder.shows(book) for book in books if book.sequence == ladder.last)


def test_a_book_known_to_its_end_that_the_venue_empties_is_published_empty() -> None:
    market = DiffBook(FeedState("x", "A-B", "book"), Request("/depth"), joins, 10, limit=5)
    market.take(Diff(1, 2, [], [], 1, 1))
    market.offer(Snapshot(1, [("10", "1")], [("11", "1")]), 1)
    (book,) = market.take(Diff(2, 3, [("10", "0")], [("11", "0")], 2, 2))
    assert isinstance(book, Book)
    assert (book.bid_prices, book.ask_prices, book.sequence) == ([], [], 3)
