"""What a benchmark gives: a table of medians, ratios first."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

Cell = str | float | int | None
NONE = "-"


class Table(msgspec.Struct):
    """``claim`` in one line; rows as wide as ``columns``; ``notes`` say what a reader must know to believe it."""

    name: str
    claim: str
    columns: list[str]
    rows: list[list[Cell]]
    notes: list[str] = []

    def text(self) -> str:
        """As aligned Markdown."""
        shown = [self.columns, *([_shown(cell) for cell in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
        left = [all(isinstance(row[i], str) for row in self.rows) for i in range(len(widths))]
        lines = [
            "| " + " | ".join(_padded(*cell) for cell in zip(row, widths, left, strict=True)) + " |" for row in shown
        ]
        rule = "|" + "|".join(
            "-" * (width + 1) + ("-" if is_left else ":") for width, is_left in zip(widths, left, strict=True)
        )
        return "\n".join([f"### {self.name}: {self.claim}", "", lines[0], f"{rule}|", *lines[1:], "", *self.notes, ""])


def _padded(text: str, width: int, is_left: bool) -> str:
    return text.ljust(width) if is_left else text.rjust(width)


def _shown(cell: Cell) -> str:
    if cell is None:
        return NONE
    if isinstance(cell, str):
        return cell
    if abs(cell) >= 100 or isinstance(cell, int):
        return f"{cell:,.0f}"
    return f"{cell:.2f}" if abs(cell) < 10 else f"{cell:.1f}"


def ratio(ours: float | None, other: float | None) -> float | None:
    """How many times ``other`` is ``ours``; None where one of them was not measured."""
    return None if not ours or not other else ours / other


def median(values: list[float]) -> float | None:
    """None of nothing."""
    return statistics.median(values) if values else None


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of this process for ``work``: what other processes do hardly shows. Garbage is collected as always."""
    gc.collect()
    return warm_cpu_seconds(work)


def warm_cpu_seconds(work: Callable[[], object]) -> float:
    """The same without a collection just before it, which leaves little of what ``work`` needs in the caches."""
    began = time.process_time()
    work()
    return time.process_time() - began


def process_cpu_seconds(pid: int, thread: int | None = None) -> float:
    """User and system time of another process since it began, or of one of its threads; proc(5).

    Raises OSError when it has ended.
    """
    directory = Path(f"/proc/{pid}") if thread is None else Path(f"/proc/{pid}/task/{thread}")
    fields = (directory / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
