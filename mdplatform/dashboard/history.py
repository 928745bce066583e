"""What came before a panel was opened: read from the warehouse, whose state is watched."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from clickhouse_connect.driver.client import Client

from mdplatform.core.errors import MdplatformError, WarehouseError
from mdplatform.core.legible import legible
from mdplatform.core.settings import Settings, hide
from mdplatform.dashboard.health import Reach, now_ms
from mdplatform.read.loadable import Loadable, loadable
from mdplatform.read.request import HOUR
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import connect

log = logging.getLogger(__name__)

LOOK_EVERY_S = 3.0
MOST_POINTS = 450  # of one chart
MOST_MINUTES = 7 * 24 * 60
MOST_BOOK_MINUTES = 60  # what is made of books is read from the books themselves: a week of them would take minutes
BARS_S = (1, 5, 15, 60, 300, 900, 3600)  # lengths of candles
MOST_BARS = 1500
MOST_DEPTH_STEPS, LEVELS = 240, 20
# So far behind the page's own reading the warehouse may be: from there on the page counts trades by itself.
BEHIND_S = 20
MOST_DAYS = 14
MOST_GAPS = 500
DAY_MS = 86_400_000
KEPT_MS = 60_000
STAGES_MS = 120_000
PIPELINE_MS, PANEL_MS, FAILED_MS = 5_000, 3_000, 2_000
MOST_KEPT = 64  # answers
SHARE = 20  # an answer is given again for so many times the time that it took
MOST_KEPT_MS = 240_000  # less than the seconds that the page itself remembers
DERIVED = ("open_interest", "funding")
CELL = ("exchange", "symbol", "channel", "at_ms", "proven", "gaps", "prevented", "missed")  # of the calendar
MILLISECOND = timedelta(milliseconds=1)

Points = dict[str, list[Any]]
T = TypeVar("T")


class History:
    """One client of the warehouse; ``reach`` says whether it answers. Start it, and stop it."""

    def __init__(self, settings: Settings) -> None:
        self.reach = Reach(now_ms())
        self._settings = settings
        self._client: Client | None = None
        self._kept: dict[Hashable, tuple[int, Any]] = {}
        self._one_at_a_time = threading.Lock()
        self._reading = threading.Lock()  # what all share is read once, however many ask
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dashboard-warehouse", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and closes the connection."""
        self._stopping.set()
        self._thread.join()
        self._close()

    def points(
        self, exchange: str, symbol: str, minutes: int, until_ms: int, step_s: int | None = None
    ) -> dict[str, Any]:
        """The last ``minutes``, an hour of them at most, as columns, one point a step. Raises WarehouseError."""
        minutes = min(minutes, MOST_BOOK_MINUTES)
        step_ms = (step_s or step_seconds(minutes)) * 1000
        since_ms = (until_ms - minutes * 60_000) // step_ms * step_ms
        span = {"exchange": exchange, "symbol": symbol, "since_ms": since_ms, "until_ms": until_ms}
        rows = self._ask("page_points", **span, step_ms=step_ms)
        return {"step_ms": step_ms, **_columns(rows, ("at_ms", "bid", "ask", "imbalance", "flow"))}

    def feed(
        self, exchange: str, symbol: str, minutes: int, bar_s: int, until_ms: int, bars_from_s: int | None = None
    ) -> dict[str, Any]:
        """Candles, points, open interest and funding, trades with liquidations, breaks, tick and step of a feed.

        Candles and points end before ``until_s``, a moment ago, or ``bars_from_s`` if that is later: from there on the
        page knows them by itself. What was read a few seconds ago is given again. Raises WarehouseError.
        """
        asked = exchange, symbol, minutes, bar_s
        return self._shared(asked, until_ms, lambda: self._read_feed(*asked, until_ms, bars_from_s), PANEL_MS)

    def _read_feed(
        self, exchange: str, symbol: str, minutes: int, bar_s: int, until_ms: int, bars_from_s: int | None
    ) -> dict[str, Any]:
        since_ms = (until_ms - minutes * 60_000) // (bar_s * 1000) * bar_s * 1000
        feed = {"exchange": exchange, "symbol": symbol}
        span = {**feed, "since_ms": since_ms, "until_ms": until_ms}
        now_s = until_ms // 1000
        until_s = min(now_s, max(now_s - BEHIND_S, bars_from_s or 0))
        times = {"since_s": since_ms // 1000, "running_s": until_s // bar_s * bar_s, "until_s": until_s, "bar_s": bar_s}
        derived = self._ask("page_derived", **span, bar_s=bar_s)
        return {
            "since_s": since_ms // 1000,
            "until_s": until_s,
            "bars": [list(row.values()) for row in self._ask("page_bars", **feed, **times)],
            "points": self.points(exchange, symbol, minutes, until_s * 1000 - 1, bar_s),
            **{kind: [[r["at_s"], r["value"]] for r in derived if r["kind"] == kind] for kind in DERIVED},
            "prints": self._ask("page_prints", **span),
            "breaks": [list(row.values()) for row in self._ask("page_breaks", **span)],
            "increments": next(iter(self._ask("page_increments", **feed)), {}),
        }

    def depth(self, exchange: str, symbol: str, minutes: int, until_ms: int) -> dict[str, Any]:
        """The published levels step by step, an hour at most: [ms, bids, asks], (price, size) each.

        Raises WarehouseError.
        """
        asked = "depth", exchange, symbol, minutes
        return self._shared(asked, until_ms, lambda: self._read_depth(*asked[1:], until_ms), PANEL_MS)

    def _read_depth(self, exchange: str, symbol: str, minutes: int, until_ms: int) -> dict[str, Any]:
        minutes = min(minutes, MOST_BOOK_MINUTES)
        step_ms = max(1, minutes * 60 // MOST_DEPTH_STEPS) * 1000
        span = {"since_ms": until_ms - minutes * 60_000, "until_ms": until_ms, "step_ms": step_ms, "levels": LEVELS}
        rows = self._ask("page_depth", exchange=exchange, symbol=symbol, **span)
        return {"step_ms": step_ms, "books": [[row["at_ms"], row["bids"], row["asks"]] for row in rows]}

    def day(self, until_ms: int) -> list[dict[str, Any]]:
        """The last 24 hours of each feed: first and last price, extremes, volume. Raises WarehouseError."""
        return self._shared("day", until_ms, lambda: self._ask("page_day", since_s=(until_ms - DAY_MS) // 60_000 * 60))

    def pipeline(self, until_ms: int) -> dict[str, Any]:
        """How late rows are by venue and stage, and the hours built last. Raises WarehouseError."""
        return self._shared(
            "pipeline",
            until_ms,
            lambda: {
                "stages": self._ask("page_stages", since_ms=until_ms - STAGES_MS),
                "built": self._ask("page_built"),
            },
            kept_ms=PIPELINE_MS,
        )

    def coverage(self, days: int, until_ms: int) -> dict[str, Any]:
        """The proven share of each feed by day, of one day by hour, and gaps counted; what of the unproven time the
        venue publishes, with the commands that load it. Raises WarehouseError."""
        return self._shared(days, until_ms, lambda: self._read_coverage(days, until_ms))

    def _shared(self, name: Hashable, until_ms: int, read: Callable[[], T], kept_ms: int = KEPT_MS) -> T:
        """What ``read`` gives, or gave a moment ago: it is the same for all who look. A failure is kept likewise.

        What took long to read is kept longer, so that those who look cost the warehouse a bounded share of its time.
        """
        with self._reading:
            good_until_ms, known = self._kept.get(name, (0, None))
            if until_ms >= good_until_ms:
                started_s = time.monotonic()
                try:
                    known = read()
                except WarehouseError as error:
                    known, kept_ms = error, FAILED_MS
                took_ms = int((time.monotonic() - started_s) * 1000)
                self._kept.pop(name, None)
                self._kept[name] = (until_ms + max(kept_ms, min(SHARE * took_ms, MOST_KEPT_MS)), known)
                if len(self._kept) > MOST_KEPT:
                    del self._kept[next(iter(self._kept))]
        if isinstance(known, WarehouseError):
            raise known
        return cast("T", known)

    def _read_coverage(self, days: int, until_ms: int) -> dict[str, Any]:
        step = timedelta(hours=1 if days == 1 else 24)
        start, end = _at(until_ms - days * DAY_MS).replace(minute=0, second=0, microsecond=0), _at(until_ms)
        every = {"exchange": "%", "symbol": "%", "channel": "%"}
        span = {"start": _time(until_ms - days * DAY_MS), "end": _time(until_ms)}
        rows = self._ask("page_coverage", **every, **span, step_h=step // HOUR)
        proven = [
            ((row["exchange"], row["symbol"], row["channel"]), _at(row["at_ms"]), row["proven_s"]) for row in rows
        ]
        found = loadable(proven, {feed for feed, _, _ in proven}, start, end, step)
        cells = [[row[name] for name in CELL] for row in rows]
        return {"step_ms": step // MILLISECOND, "cells": cells, "loadable": [*map(_offer, found)]}

    def gaps(self, exchange: str, symbol: str, channel: str, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
        """The first gaps of a feed that began in [from_ms, to_ms). Raises WarehouseError."""
        feed = {"exchange": exchange, "symbol": symbol, "channel": channel}
        exactly = {name: re.sub(r"([\\%_])", r"\\\1", text) for name, text in feed.items()}
        span = {"start": _time(from_ms), "end": _time(to_ms)}
        rows = self._ask("coverage_gaps", **exactly, **span, most=MOST_GAPS)
        return [{**row, "cause": legible(row["cause"])} for row in rows]

    def _ask(self, query: str, **params: Any) -> list[dict[str, Any]]:
        with self._one_at_a_time:
            try:
                return queries.run(self._connected(), query, **params)
            except WarehouseError:
                self._close()
                raise

    def _run(self) -> None:
        while True:
            self._look()
            if self._stopping.wait(LOOK_EVERY_S):
                return

    def _look(self) -> None:
        address = hide(self._settings.clickhouse_url)
        try:
            with self._one_at_a_time:
                if not self._connected().ping():
                    self._close()
                    raise WarehouseError(f"ClickHouse at {address} does not answer")
        except MdplatformError as error:
            if self.reach.turn("unreachable", now_ms(), str(error)):
                log.warning("the page has no history: %s", error)
            return
        if self.reach.turn("reachable", now_ms()):
            log.info("warehouse %s is reachable", address)

    def _connected(self) -> Client:
        if self._client is None:
            self._client = connect(self._settings)
        return self._client

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def step_seconds(minutes: int) -> int:
    """How many seconds a point of a chart over ``minutes`` stands for."""
    return max(1, minutes * 60 // MOST_POINTS)


def bar_seconds(minutes: int) -> int:
    """The length of candles over ``minutes`` where none is chosen: the shortest that a chart can show."""
    return next(bar for bar in BARS_S if minutes * 60 <= MOST_POINTS * bar)


def _columns(rows: list[dict[str, Any]], names: tuple[str, ...]) -> Points:
    return {name: [row[name] for row in rows] for name in names}


def _offer(found: Loadable) -> dict[str, Any]:
    days = [round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000) for day in found.days]
    feed = {"exchange": found.exchange, "symbol": found.symbol, "channel": found.channel}
    return {**feed, "holds": found.holds, "days": days, "unproven_s": found.unproven_s, "commands": found.commands}


def _at(ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + ms * MILLISECOND


def _time(ms: int) -> str:
    return f"{_at(ms):%Y-%m-%d %H:%M:%S.%f}"
