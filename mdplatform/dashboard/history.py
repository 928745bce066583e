"""What came before a panel was opened: read from the warehouse, whose state is watched."""

from __future__ import annotations

import logging
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from mdplatform.core.errors import MdplatformError, WarehouseError
from mdplatform.core.legible import legible
from mdplatform.core.settings import Settings, hide
from mdplatform.dashboard.health import Reach, now_ms
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import connect

log = logging.getLogger(__name__)

LOOK_EVERY_S = 3.0
MOST_POINTS = 450  # of one chart
MOST_MINUTES = 60
MOST_DAYS = 14
MOST_GAPS = 500
DAY_MS = 86_400_000
KEPT_MS = 60_000

Points = dict[str, list[Any]]


class History:
    """One client of the warehouse; ``reach`` says whether it answers. Start it, and stop it."""

    def __init__(self, settings: Settings) -> None:
        self.reach = Reach(now_ms())
        self._settings = settings
        self._client: Client | None = None
        self._covered: dict[int, tuple[int, dict[str, Any]]] = {}
        self._one_at_a_time = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dashboard-warehouse", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and closes the connection."""
        self._stopping.set()
        self._thread.join()
        self._close()

    def points(self, exchange: str, symbol: str, minutes: int, until_ms: int) -> dict[str, Any]:
        """The last ``minutes`` of a feed as columns, one point a step. Raises WarehouseError."""
        step_ms = step_seconds(minutes) * 1000
        span = {"exchange": exchange, "symbol": symbol, "since_ms": until_ms - minutes * 60_000, "until_ms": until_ms}
        rows = self._ask("page_points", **span, step_ms=step_ms)
        return {"step_ms": step_ms, **_columns(rows, ("at_ms", "bid", "ask", "imbalance", "flow"))}

    def feed(self, exchange: str, symbol: str, minutes: int, until_ms: int) -> dict[str, Any]:
        """Points, trades with liquidations, breaks, tick and step of a feed. Raises WarehouseError."""
        span = {"exchange": exchange, "symbol": symbol, "since_ms": until_ms - minutes * 60_000, "until_ms": until_ms}
        return {
            "points": self.points(exchange, symbol, minutes, until_ms),
            "prints": self._ask("page_prints", **span),
            "breaks": [list(row.values()) for row in self._ask("page_breaks", **span)],
            "increments": next(iter(self._ask("page_increments", exchange=exchange, symbol=symbol)), {}),
        }

    def coverage(self, days: int, until_ms: int) -> dict[str, Any]:
        """The proven share of each feed by day, of one day by hour, and gaps counted. Raises WarehouseError.

        What was read within the last minute is given again: it is the same for all who look.
        """
        read_ms, known = self._covered.get(days, (0, {}))
        if not 0 <= until_ms - read_ms < KEPT_MS:
            known = self._read_coverage(days, until_ms)
            self._covered[days] = (until_ms, known)
        return known

    def _read_coverage(self, days: int, until_ms: int) -> dict[str, Any]:
        step_h = 1 if days == 1 else 24
        span = {"start": _time(until_ms - days * DAY_MS), "end": _time(until_ms)}
        every = {"exchange": "%", "symbol": "%", "channel": "%"}
        rows = self._ask("page_coverage", **every, **span, step_h=step_h)
        return {"step_ms": step_h * 3_600_000, "cells": [list(row.values()) for row in rows]}

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


def _columns(rows: list[dict[str, Any]], names: tuple[str, ...]) -> Points:
    return {name: [row[name] for row in rows] for name in names}


def _time(ms: int) -> str:
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms):%Y-%m-%d %H:%M:%S.%f}"
