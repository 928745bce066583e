"""``mdplatform lag``: how far each consumer group is behind, by partition."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from mdplatform.bus.admin import Admin, Lag
from mdplatform.settings import Settings

COLUMNS = ("group", "topic", "partition", "committed", "end", "lag")


def run_lag(
    settings: Settings, threshold: int | None = None, group: str | None = None, console: Console | None = None
) -> int:
    """Print one row a partition. Exit code 1 when a partition is further behind than ``threshold``, else 0.

    A group that was asked for by name and holds nothing is exit code 1 too: it does not consume. Raises BusError.
    """
    console = console or Console()
    rows = lags(Admin(settings), group)
    if console.is_terminal:
        console.print(table(rows))
    else:
        console.out(*map(line, rows), sep="\n", highlight=False, end="\n" if rows else "")
    if not rows:
        console.out("no consumer group holds a partition" if group is None else f"group {group} holds no partition")
        return 0 if group is None else 1
    behind = [row for row in rows if threshold is not None and row.lag > threshold]
    for row in behind:
        console.out(f"{row.group} is {row.lag} messages behind on {row.topic}/{row.partition}, more than {threshold}")
    return 1 if behind else 0


def lags(admin: Admin, group: str | None = None) -> list[Lag]:
    """The rows of one group, or of all of them."""
    names = admin.groups() if group is None else [group]
    return [row for name in names for row in admin.lag(name)]


def table(rows: Iterable[Lag]) -> Table:
    drawn = Table()
    for column in COLUMNS:
        drawn.add_column(column, justify="left" if column in ("group", "topic") else "right")
    for row in rows:
        drawn.add_row(*_cells(row))
    return drawn


def line(row: Lag) -> str:
    """One row as words, for logs and pipes."""
    return " ".join(_cells(row))


def _cells(row: Lag) -> tuple[str, ...]:
    committed = "-" if row.committed is None else str(row.committed)
    return row.group, row.topic, str(row.partition), committed, str(row.end), str(row.lag)
