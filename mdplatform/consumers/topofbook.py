"""``mdplatform topofbook``: the best bid and ask of every symbol and venue, live from the order-book topics."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import uuid
from collections.abc import Collection

import msgspec
from rich.console import Console
from rich.live import Live
from rich.table import Table

from mdplatform.bus.admin import Admin
from mdplatform.bus.config import passing_config
from mdplatform.bus.subscription import Subscription, topic_pattern
from mdplatform.clock import MS
from mdplatform.codec import BookMessage, decode_book
from mdplatform.settings import Settings
from mdplatform.topics import Topics

REFRESH_SECONDS = 0.25
ONCE_SECONDS = 2.0
COLUMNS = ("symbol", "venue", "bid", "bid size", "ask", "ask size", "mid", "spread", "spread %", "imbalance", "age s")


class Top(msgspec.Struct, frozen=True):
    """The touch of one book. ``imbalance``: (bid size - ask size) / (bid size + ask size), from -1 to 1."""

    symbol: str
    exchange: str
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    mid: float
    spread: float
    spread_pct: float
    imbalance: float
    received_ns: int

    def cells(self, now_ns: int) -> tuple[str, ...]:
        """One text a column of COLUMNS; the age counts from our receiving the venue's frame."""
        money = (f"{value:.10g}" for value in (self.bid, self.bid_size, self.ask, self.ask_size, self.mid, self.spread))
        age_s = max(0, now_ns - self.received_ns) / (1000 * MS)
        return self.symbol, self.exchange, *money, f"{self.spread_pct:.4f}", f"{self.imbalance:+.2f}", f"{age_s:.1f}"


class TopOfBook:
    """The newest touch of every book seen. ``symbols`` empty: of all."""

    def __init__(self, symbols: Collection[str] = ()) -> None:
        self._wanted = frozenset(symbols)
        self._tops: dict[tuple[str, str], Top] = {}
        self.unreadable = 0
        self.updates = 0

    def take(self, value: bytes) -> None:
        """One message of an order-book topic; what is none is counted as unreadable."""
        try:
            book = decode_book(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.unreadable += 1
            return
        if self._wanted and book.symbol not in self._wanted:
            return
        self.updates += 1
        key, top = (book.symbol, book.exchange), touch(book)
        if top is None:
            # An empty side has no touch: better no row than one that is over.
            self._tops.pop(key, None)
        else:
            self._tops[key] = top

    def rows(self) -> list[Top]:
        """By symbol, then venue."""
        return [self._tops[key] for key in sorted(self._tops)]

    def complete(self) -> bool:
        """Whether every wanted symbol was seen; without a wish, never."""
        return bool(self._wanted) and self._wanted == {symbol for symbol, _ in self._tops}


def touch(book: BookMessage) -> Top | None:
    """The best level of each side with what follows from it; None when a side is empty."""
    if not (book.b and book.a and book.bv and book.av):
        return None
    bid, bid_size, ask, ask_size = book.b[0], book.bv[0], book.a[0], book.av[0]
    mid, spread, shown = (bid + ask) / 2, ask - bid, bid_size + ask_size
    return Top(
        symbol=book.symbol,
        exchange=book.exchange,
        bid=bid,
        bid_size=bid_size,
        ask=ask,
        ask_size=ask_size,
        mid=mid,
        spread=spread,
        spread_pct=100 * spread / mid if mid else 0.0,
        imbalance=(bid_size - ask_size) / shown if shown else 0.0,
        received_ns=book.received_ns,
    )


def run_topofbook(
    settings: Settings,
    symbols: Collection[str] = (),
    once: bool = False,
    console: Console | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Draw until ``stop`` (or Ctrl-C), or with ``once`` a single time: a live table on a terminal, else plain lines.

    Plain: one line a row that changed since the last look. Raises BusError.
    """
    console, stop = console or Console(), stop or threading.Event()
    state = TopOfBook(symbols)
    # A group of its own a run: every run sees everything. Left behind, it would count as lagging for ever.
    group = f"topofbook-{os.uname().nodename}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    admin = Admin(settings)
    if once:
        admin.topics()  # raises where no broker answers; a group would wait for one for ever
    with contextlib.ExitStack() as stack:
        stack.callback(admin.forget, group)
        template = Topics.from_settings(settings).books
        subscription = stack.enter_context(Subscription(passing_config(settings, group), [topic_pattern(template)]))
        draw = _draw_once if once else _draw_live if console.is_terminal else _draw_lines
        draw(subscription, state, console, stop)


def table(state: TopOfBook, now_ns: int) -> Table:
    """The whole state as a table for a terminal."""
    drawn = Table(caption=f"{state.updates} updates, {state.unreadable} unreadable")
    for column in COLUMNS:
        drawn.add_column(column, justify="left" if column in ("symbol", "venue") else "right")
    for row in state.rows():
        drawn.add_row(*row.cells(now_ns))
    return drawn


def line(row: Top, now_ns: int) -> str:
    """One row as ``name=value`` words, for logs and pipes."""
    words = zip(COLUMNS[2:], row.cells(now_ns)[2:], strict=True)
    return " ".join([row.symbol, row.exchange, *(f"{name.replace(' ', '_')}={value}" for name, value in words)])


def _draw_live(subscription: Subscription, state: TopOfBook, console: Console, stop: threading.Event) -> None:
    with Live(console=console, auto_refresh=False) as live:
        while not stop.is_set():
            _take(subscription, state)
            live.update(table(state, time.time_ns()), refresh=True)


def _draw_lines(subscription: Subscription, state: TopOfBook, console: Console, stop: threading.Event) -> None:
    drawn: dict[tuple[str, str], Top] = {}
    while not stop.is_set():
        _take(subscription, state)
        now_ns = time.time_ns()
        for row in state.rows():
            key = (row.symbol, row.exchange)
            if drawn.get(key) != row:
                drawn[key] = row
                console.out(line(row, now_ns), highlight=False)


def _draw_once(subscription: Subscription, state: TopOfBook, console: Console, stop: threading.Event) -> None:
    """Wait for the group's assignment, then ONCE_SECONDS for the symbols."""
    deadline = None
    while not (stop.is_set() or state.complete() or (deadline and time.monotonic() > deadline)):
        _take(subscription, state)
        if deadline is None and subscription.assignment():
            deadline = time.monotonic() + ONCE_SECONDS
    if console.is_terminal:
        console.print(table(state, time.time_ns()))
    else:
        for row in state.rows():
            console.out(line(row, time.time_ns()), highlight=False)


def _take(subscription: Subscription, state: TopOfBook) -> None:
    for message in subscription.take(REFRESH_SECONDS, most=20_000):
        state.take(message.value)
    # Nothing will resume from here: it is what lets `mdplatform lag` tell whether the table is behind.
    subscription.commit()
