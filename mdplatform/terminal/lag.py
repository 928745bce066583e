"""``mdplatform lag``: the lag of each consumer group, by partition, and whether it is catching up."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mdplatform.bus.admin import Admin, Lag
from mdplatform.bus.reader import Reader
from mdplatform.core.legible import legible
from mdplatform.core.settings import Settings

COLUMNS = ("group", "topic", "partition", "committed", "end", "lag", "lag s", "trend")
LEFT = ("group", "topic", "trend")


class Trend(NamedTuple):
    """A partition's lag at the second measurement, and its change since the first, in messages per second.

    ``seconds``: the age of the oldest message that the group has not read; None where it is not known.
    """

    now: Lag
    per_s: float
    seconds: float | None = None

    @property
    def word(self) -> str:
        if abs(self.per_s) < 0.5:
            return "steady"
        return f"{'grows' if self.per_s > 0 else 'shrinks'} {abs(self.per_s):,.0f}/s"


def run_lag(
    settings: Settings,
    threshold: int | None = None,
    group: str | None = None,
    interval_s: float = 1.0,
    console: Console | None = None,
) -> int:
    """Measure twice, show one row per partition. Exit code 1 when a partition's lag exceeds ``threshold``, else 0.

    A named group that holds no partition is exit code 1 too: it does not consume. Raises BusError.
    """
    console = console or Console()
    rows = aged(settings, look_twice(Admin(settings), group, interval_s))
    if not rows:
        console.out("no consumer group holds a partition" if group is None else f"group {group} holds no partition")
        return 0 if group is None else 1
    shown = [row for row in rows if row.now.end or row.now.lag]
    if shown and console.is_terminal:
        console.print(table(shown))
    elif shown:
        console.out(*lines(shown), sep="\n", highlight=False)
    console.out(summary(rows, len(rows) - len(shown)), highlight=False)
    behind = [row.now for row in rows if threshold is not None and row.now.lag > threshold]
    for row in behind:
        console.out(
            f"{legible(row.group)} is {row.lag} messages behind on {row.topic}/{row.partition}, more than {threshold}"
        )
    return 1 if behind else 0


def look_twice(admin: Admin, group: str | None, interval_s: float) -> list[Trend]:
    """The rows of one group, or of all of them, with what changed within ``interval_s``."""
    first_at = time.monotonic()
    before = {(row.group, row.topic, row.partition): row.lag for row in lags(admin, group)}
    time.sleep(max(0.0, first_at + interval_s - time.monotonic()))
    second_at = time.monotonic()
    rows = lags(admin, group)
    changes = (row.lag - before.get((row.group, row.topic, row.partition), row.lag) for row in rows)
    return [Trend(row, change / (second_at - first_at)) for row, change in zip(rows, changes, strict=True)]


def aged(settings: Settings, rows: list[Trend]) -> list[Trend]:
    """The same with seconds. A lag of messages says little of a quiet topic; their age says how late the reader is."""
    offsets: dict[str, dict[tuple[str, int], int]] = {}
    for row in (row.now for row in rows if row.now.lag):
        # Two groups may stand at two places of one partition.
        offsets.setdefault(row.group, {})[row.topic, row.partition] = row.end - row.lag
    if not offsets:
        return [row._replace(seconds=0.0) for row in rows]
    with Reader(settings) as reader:
        written = {name: reader.written_at(wanted) for name, wanted in offsets.items()}
    now_ms = time.time() * 1000
    return [row._replace(seconds=_age(row.now, written.get(row.now.group, {}), now_ms)) for row in rows]


def _age(lag: Lag, written: Mapping[tuple[str, int], int], now_ms: float) -> float | None:
    if not lag.lag:
        return 0.0
    at_ms = written.get((lag.topic, lag.partition))
    return None if at_ms is None else max(0.0, now_ms - at_ms) / 1000


def lags(admin: Admin, group: str | None = None) -> list[Lag]:
    """The rows of one group, or of all of them."""
    names = admin.groups() if group is None else [group]
    return [row for name in names for row in admin.lag(name)]


def table(rows: Iterable[Trend]) -> Table:
    drawn = Table()
    for column in COLUMNS:
        drawn.add_column(column, justify="left" if column in LEFT else "right", overflow="fold")
    for row in rows:
        drawn.add_row(*map(escape, _cells(row)))
    return drawn


def lines(rows: Iterable[Trend]) -> list[str]:
    """The rows as aligned words under a heading, for logs and pipes."""
    cells = [COLUMNS, *map(_cells, rows)]
    widths = [max(len(cell[n]) for cell in cells) for n in range(len(COLUMNS))]
    aligned = (
        (cell.ljust(width) if name in LEFT else cell.rjust(width))
        for row in cells
        for cell, width, name in zip(row, widths, COLUMNS, strict=True)
    )
    return ["  ".join(row).rstrip() for row in zip(*[aligned] * len(COLUMNS), strict=True)]


def summary(rows: list[Trend], hidden: int) -> str:
    """All partitions in one line."""
    groups, total = {row.now.group for row in rows}, sum(row.now.lag for row in rows)
    left_out = f"; {hidden} without messages are not shown" if hidden else ""
    counts = _counted(len(groups), "group"), _counted(len(rows), "partition"), _counted(total, "message")
    late = max((row.seconds or 0.0 for row in rows), default=0.0)
    return f"{', '.join(counts)} behind, {late:,.1f} s at most{left_out}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _cells(row: Trend) -> tuple[str, ...]:
    now = row.now
    committed = "-" if now.committed is None else str(now.committed)
    seconds = "-" if row.seconds is None else f"{row.seconds:.1f}"
    numbers = str(now.partition), committed, str(now.end), str(now.lag), seconds
    return legible(now.group), legible(now.topic), *numbers, row.word
