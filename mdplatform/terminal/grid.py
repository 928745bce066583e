"""Rows of a query as a table for people: numbers to the right, without the noise of adding floats up.

What does not fit the width of a terminal is shown row by row, one column a line.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import msgspec

MOST_ROWS = 10_000
DIGITS = 15  # that a float holds of any number; what follows is noise of computing with it

_NUMBER = re.compile(r"(?:Nullable\(|LowCardinality\()*(?:U?Int\d|Float|BFloat|Decimal)")
_FLOAT = re.compile(r"\b(?:Float64|Nullable\(Float64\))")
_LONG = re.compile(r"-?\d+\.\d{2,}")
_line = msgspec.json.Decoder(list[str | None])


def table(lines: Iterable[bytes], width: int | None = None) -> str:
    """What ClickHouse gave as ``JSONCompactStringsEachRowWithNamesAndTypes``; empty where there are no rows.

    ``width``: columns of the terminal; None for a file, whose lines may be of any length.
    """
    read = iter(lines)
    names, types = _cells(next(read)), _cells(next(read))
    rows: list[list[str]] = []
    left = 0
    for line in read:
        if len(rows) < MOST_ROWS:
            rows.append(list(map(_shown, _cells(line), types)))
        else:
            left += 1
    if not rows:
        return ""
    widths = [max(map(_width, column)) for column in zip(names, *rows, strict=True)]
    is_flat = not any("\n" in cell for row in rows for cell in row)
    fits = is_flat and (width is None or sum(widths) + 3 * len(widths) + 1 <= width)
    drawn = _boxed(names, types, rows, widths) if fits else _by_row(names, rows)
    return "\n".join([*drawn, *([f"… and {left:,} more rows"] if left else [])])


def short(text: str) -> str:
    """A float's text with at most ``DIGITS`` digits, so that a sum reads as the numbers that it was made of."""
    whole, _, decimals = text.lstrip("-0.").partition(".")
    if "e" in text or len(whole) + len(decimals) <= DIGITS:
        return text
    rounded = f"{float(text):.{DIGITS}g}"
    return text if "e" in rounded else rounded


def _cells(line: bytes) -> list[str]:
    return ["NULL" if cell is None else cell for cell in _line.decode(line)]


def _shown(cell: str, type_: str) -> str:
    return _LONG.sub(lambda number: short(number[0]), cell) if _FLOAT.search(type_) and "String" not in type_ else cell


def _boxed(
    names: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]
) -> list[str]:
    right = [_NUMBER.match(type_) is not None for type_ in types]
    head = [_padded(name, width, side, "─") for name, width, side in zip(names, widths, right, strict=True)]
    lines = [f"┌─{'─┬─'.join(head)}─┐"]
    for row in rows:
        cells = [_padded(cell, width, side, " ") for cell, width, side in zip(row, widths, right, strict=True)]
        lines.append(f"│ {' │ '.join(cells)} │")
    return [*lines, f"└─{'─┴─'.join('─' * width for width in widths)}─┘"]


def _by_row(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    wide = max(map(_width, names))
    lines = []
    for number, row in enumerate(rows, 1):
        lines.append(f"─── row {number} ───")
        lines += [f"{_padded(name, wide, False, ' ')}  {cell}" for name, cell in zip(names, row, strict=True)]
    return lines


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum((unicodedata.east_asian_width(c) in "WF") + (not unicodedata.combining(c)) for c in text)


def _padded(text: str, width: int, right: bool, filling: str) -> str:
    padding = filling * (width - _width(text))
    return f"{padding}{text}" if right else f"{text}{padding}"
