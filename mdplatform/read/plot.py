"""Rows as a picture made of text: bars where the first column is text, lines where it is a time or a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import plotext as plt

from mdplatform.core.errors import ConfigError

LINES = 14  # of a panel of lines
TICKS = 5
BLOCKS = " ▏▎▍▌▋▊▉█"
VALUE = 10  # characters of a number beside its bar

Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Series:
    """One line of a panel; ``column`` is where its numbers come from."""

    label: str
    column: str
    points: list[tuple[float, float]]

    @property
    def reach(self) -> tuple[float, float]:
        values = [y for _, y in self.points]
        return min(values), max(values)


def picture(columns: Columns, width: int, coloured: bool) -> str:
    """Panels below each other. Columns share one where their values reach into each other, as open and close do.

    The first column is the x axis; other text columns name the series. Raises ConfigError where nothing can be drawn.
    """
    if not any(columns.values()):
        raise ConfigError("there are no rows to draw")
    first, *others = columns
    names = [name for name in columns if _holds(columns[name], str)]
    numbers = [name for name in others if _holds(columns[name], (int, float, Decimal))]
    if not numbers:
        raise ConfigError(f"there is no column of numbers to draw beside {first}")
    if first in names:
        text = "\n\n".join(_bars(columns, names, column, width) for column in numbers)
    else:
        series = [one for column in numbers for one in _series(columns, first, names, column)]
        is_time = _holds(columns[first], date)
        text = "\n".join(_lines(panel, is_time, width) for panel in _sharing(series))
    return text if coloured else str(plt.uncolorize(text))


def _bars(columns: Columns, names: Sequence[str], column: str, width: int) -> str:
    labels = _labels(columns, names)
    values = [float(value or 0) for value in columns[column]]
    margin = max(len(label) for label in labels)
    eighths = 8 * max(width - margin - VALUE - 2, 8) / (max(map(abs, values)) or 1)
    rows = [column]
    for label, value in zip(labels, values, strict=True):
        whole, rest = divmod(round(abs(value) * eighths), 8)
        rows.append(f"{label:<{margin}} {value:>{VALUE}.4g} {BLOCKS[8] * whole}{BLOCKS[rest].strip()}")
    return "\n".join(rows)


def _series(columns: Columns, first: str, names: Sequence[str], column: str) -> Iterator[Series]:
    points: dict[str, list[tuple[float, float]]] = {}
    for kind, x, y in zip(_labels(columns, names), columns[first], columns[column], strict=True):
        if x is not None and y is not None:
            points.setdefault(kind, []).append((_position(x), float(y)))
    for kind, found in points.items():
        yield Series(f"{kind} {column}".strip(), column, sorted(found))


def _sharing(series: Sequence[Series]) -> list[list[Series]]:
    """Series by panel: the same column, or values that reach into those of a panel's first series."""
    panels: list[list[Series]] = []
    for one in series:
        low, high = one.reach
        for panel in panels:
            least, greatest = panel[0].reach
            if one.column == panel[0].column or (low <= greatest and high >= least):
                panel.append(one)
                break
        else:
            panels.append([one])
    return panels


def _lines(series: Sequence[Series], is_time: bool, width: int) -> str:
    plt.clear_figure()
    plt.limit_size(False, False)
    plt.plot_size(width, LINES)
    plt.theme("pro")
    for one in series:
        x, y = zip(*one.points, strict=True)
        plt.plot(x, y, label=one.label, marker="braille")
    if is_time:
        _time_axis(min(one.points[0][0] for one in series), max(one.points[-1][0] for one in series))
    return str(plt.build())


def _time_axis(first: float, last: float) -> None:
    places = [first + (last - first) * number / (TICKS - 1) for number in range(TICKS)]
    form = "%m-%d %H:%M" if last - first > 86_400 else "%H:%M:%S"
    plt.xticks(places, [f"{datetime.fromtimestamp(place, UTC):{form}}" for place in places])


def _labels(columns: Columns, names: Sequence[str]) -> list[str]:
    """What the columns of text say in each row; nothing where there are none."""
    rows = len(next(iter(columns.values())))
    return [" ".join(str(columns[name][row]) for name in names) for row in range(rows)]


def _position(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    return float(value)


def _holds(values: Sequence[Any], kinds: type | tuple[type, ...]) -> bool:
    """Whether the first value that is there is of one of these kinds."""
    return isinstance(next((value for value in values if value is not None), None), kinds)
