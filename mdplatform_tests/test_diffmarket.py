"""Whatever is lost, doubled, swapped or late: a book that is published is the venue's own book at that update."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from mdplatform.clock import SECOND
from mdplatform.diffbook import Diff, Snapshot
from mdplatform.diffmarket import DiffMarket
from mdplatform.events import Book
from mdplatform.intervals import Feed
from mdplatform.session import Fetch, Output, Request


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
    market = DiffMarket(Feed("x", "A-B", "book"), Request("/depth"), joins, 50)
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
    market = DiffMarket(Feed("x", "A-B", "book"), Request("/depth"), joins, 50)
    outputs = market.take(exchange.diff([(9, 1)], 1))
    assert [output for output in outputs if isinstance(output, Fetch)] == [Fetch(Request("/depth"))]
    market.offer(exchange.snapshot(), 2)
    for turn in range(3, 50):
        (book,) = [o for o in market.take(exchange.diff([(turn % 6 + 5, turn % 3)], turn)) if isinstance(o, Book)]
        assert book.bid_prices == levels(exchange.bids, True)
