"""``mdplatform topofbook``: its own consumer group reads the order-book topics; drawn four times a second."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from mdplatform.bus.admin import Admin
from mdplatform.bus.config import passing_config
from mdplatform.bus.subscription import Subscription, topic_pattern
from mdplatform.bus.wait_for_broker import until_kafka_answers
from mdplatform.core.errors import BusError
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.terminal.topofbook import COLUMNS, LEFT_OUT, TEXTUAL, Top, TopOfBook

log = logging.getLogger(__name__)

REFRESH_S = 0.25
ONCE_S = 2.0
QUIET_S = 5.0  # without any book: then a line states what it waits for
COMMIT_S = 1.0
WIDE = 135  # columns of a terminal in which everything fits
WIDTHS = {"symbol": 15, "venue": 13, "spread %": 9, "imbalance": 9, "age s": 6}
WIDTH = 12  # of the others


def run_topofbook(
    settings: Settings,
    symbols: Collection[str] = (),
    venues: Collection[str] = (),
    once: bool = False,
    console: Console | None = None,
    stop: threading.Event | None = None,
    sort: str | None = None,
) -> None:
    """Draw until ``stop`` (or Ctrl-C), or with ``once`` a single time: a live table on a terminal, else plain lines.

    Plain: a heading, then one aligned line a row that changed since the last look. Waits for a broker that is away,
    except with ``once``. Raises BusError.
    """
    console, stop = console or Console(), stop or threading.Event()
    view = _View(settings, TopOfBook(symbols, venues, sort=sort), console, stop)
    admin = Admin(settings)
    if once:
        admin.topics()  # raises where no broker answers; a group would wait for one forever
    else:
        until_kafka_answers(admin, settings.kafka_brokers, stop)
    # Each run has its own group and sees everything. A group left behind would count as lagging forever.
    group = f"topofbook-{os.uname().nodename}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    with contextlib.ExitStack() as stack:
        stack.callback(_forget, admin, group)
        subscription = stack.enter_context(Subscription(passing_config(settings, group), [topic_pattern(view.topic)]))
        (view.draw_once if once else view.draw_live if console.is_terminal else view.draw_lines)(subscription)


def table(state: TopOfBook, now_ns: int, caption: str = "", width: int = WIDE) -> Table:
    """The whole state as a table for a terminal of this width, without the columns for which it has no room."""
    drawn = Table(caption=caption, caption_justify="left")
    rows = [dict(zip(COLUMNS, row.cells(now_ns), strict=True)) for row in state.rows()]
    shown = fitting(rows, width)
    for column in shown:
        drawn.add_column(column, justify="left" if column in TEXTUAL else "right", no_wrap=True)
    for cells in rows:
        drawn.add_row(*(escape(cells[column]) for column in shown))
    return drawn


def fitting(rows: Sequence[Mapping[str, str]], width: int) -> list[str]:
    """The columns that fit; symbol, venue, bid, ask and spread always."""
    widths = {name: max([cell_len(name), *(cell_len(row[name]) for row in rows)]) for name in COLUMNS}
    shown = list(COLUMNS)
    for name in LEFT_OUT:
        if sum(widths[each] for each in shown) + 3 * len(shown) + 1 <= width:
            break
        shown.remove(name)
    return shown


def heading() -> str:
    return _aligned(COLUMNS)


def line(row: Top, now_ns: int) -> str:
    """One row under ``heading``, for logs and pipes."""
    return _aligned(row.cells(now_ns))


def _aligned(cells: Collection[str]) -> str:
    named = zip(COLUMNS, cells, strict=True)
    texts = (text.ljust if name in TEXTUAL else text.rjust for name, text in named)
    return " ".join(pad(WIDTHS.get(name, WIDTH)) for name, pad in zip(COLUMNS, texts, strict=True))


class _View:
    """What is drawn where, and since when nothing has come."""

    def __init__(self, settings: Settings, state: TopOfBook, console: Console, stop: threading.Event) -> None:
        self.topic = Topics.from_settings(settings)["books"]
        self._brokers = settings.kafka_brokers
        self._state = state
        self._console = console
        self._stop = stop
        self._committed = time.monotonic()
        self._received_s = time.monotonic()

    def draw_live(self, subscription: Subscription) -> None:
        """Redraw in place. The state of the connection is shown below the table; log lines would cut through it."""
        with (
            _silent("mdplatform.bus"),
            _silent("mdplatform.core.messages"),
            Live(console=self._console, auto_refresh=False) as live,
        ):
            while not self._stop.is_set():
                self._take(subscription)
                shown = table(self._state, time.time_ns(), self._caption(subscription), self._console.width)
                live.update(shown, refresh=True)

    def draw_lines(self, subscription: Subscription) -> None:
        drawn: dict[tuple[str, str], Top] = {}
        is_reported = False
        while not self._stop.is_set():
            self._take(subscription)
            if not (self._state.updates or is_reported) and time.monotonic() - self._received_s > QUIET_S:
                log.warning(self._caption(subscription))
                is_reported = True
            for row in self._state.rows():
                if drawn.get((row.symbol, row.exchange)) != row:
                    if not drawn:
                        self._console.out(heading(), highlight=False)
                    drawn[row.symbol, row.exchange] = row
                    self._console.out(line(row, time.time_ns()), highlight=False)

    def draw_once(self, subscription: Subscription) -> None:
        """Wait for the group's assignment, then ONCE_S for the symbols."""
        deadline = None
        while not (self._stop.is_set() or self._state.complete() or (deadline and time.monotonic() > deadline)):
            self._take(subscription)
            if deadline is None and subscription.assignment():
                deadline = time.monotonic() + ONCE_S
        if not self._state.rows():
            Console(stderr=True).out(self._caption(subscription), highlight=False)
        elif self._console.is_terminal:
            self._console.print(table(self._state, time.time_ns(), width=self._console.width))
        else:
            texts = [heading(), *(line(row, time.time_ns()) for row in self._state.rows())]
            self._console.out(*texts, sep="\n", highlight=False)

    def _caption(self, subscription: Subscription) -> str:
        """What the table is based on, or why it does not change."""
        state, quiet_s = self._state, time.monotonic() - self._received_s
        if subscription.is_cut_off:
            return f"Kafka at {self._brokers} has not answered for {quiet_s:.0f} s; trying again, Ctrl-C ends"
        if not state.updates:
            return f"no book of these has come on {self.topic} yet; is a collector running?"
        passed = state.passed_over.total
        unreadable = f", {passed:,} passed over" if passed else ""
        silence = f"; none for {quiet_s:.0f} s" if quiet_s > QUIET_S else ""
        return f"{state.updates:,} updates{unreadable}{silence}. Ctrl-C ends"

    def _take(self, subscription: Subscription) -> None:
        messages = subscription.take(REFRESH_S, most=20_000)
        now = time.monotonic()
        for message in messages:
            self._state.take(message.value)
        if messages:
            self._received_s = now
        if now - self._committed > COMMIT_S and not subscription.is_cut_off:
            self._committed = now
            # Nothing will resume from here: the commit lets `mdplatform lag` show whether the table is behind.
            with contextlib.suppress(BusError):
                subscription.commit(wait=False)


def _forget(admin: Admin, group: str) -> None:
    """Without a broker the group ends by its own expiry."""
    with contextlib.suppress(BusError):
        admin.forget(group)


@contextlib.contextmanager
def _silent(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
