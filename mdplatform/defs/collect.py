"""The collector as an ingest run starts it: a process of its own, so that Dagster's threads cost its loop nothing.

``python -m mdplatform.defs.collect VENUE SYMBOLS CHANNELS COLLECTOR REPORT``. Imports no Dagster. The file REPORT gets
the last counters of each connection, every ten seconds. Settings come from the environment alone.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import msgspec

from mdplatform.collector import CollectorConfig, run
from mdplatform.errors import MdplatformError
from mdplatform.events import FeedStats
from mdplatform.settings import load

REPORT_NS = 10 * 10**9


class Reporter:
    """Keeps the last counters of each connection and writes them down now and then."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: dict[str, FeedStats] = {}
        self._written_ns = 0

    def __call__(self, stats: FeedStats) -> None:
        self._last[stats.conn] = stats
        if stats.ts_ns - self._written_ns >= REPORT_NS:
            self._written_ns = stats.ts_ns
            write_counters(self._path, self._last)


def write_counters(path: Path, counters: dict[str, FeedStats]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(msgspec.json.encode(counters))
    temporary.replace(path)


def read_counters(path: Path) -> dict[str, FeedStats]:
    """By connection; empty when the collector has not reported yet."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, FeedStats])
    except FileNotFoundError:
        return {}


def main(venue: str, symbols: str, channels: str, collector: str, report: str) -> int:
    """Collect until SIGTERM; 0 when everything was acknowledged. A living collector of the shard is ended first:
    the supervisor starts one only where it knows of none, so that one is an orphan."""
    settings = load(os.environ)
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr
    )
    config = CollectorConfig.from_settings(
        settings, venue, tuple(symbols.split(",")), tuple(filter(None, channels.split(","))), collector=collector
    )
    return run(config, settings, on_stats=Reporter(Path(report)), take_over=True)


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except MdplatformError as error:
        sys.exit(f"mdplatform: {error}")
