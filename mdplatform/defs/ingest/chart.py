"""Small pictures for Dagster's UI: panels of lines or bars over one span of time, as an SVG inside of Markdown."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import pairwise

WIDTH, HEIGHT, TITLE = 640, 56, 20  # px of a panel: its width, its plot, the line of text above
# Grey that can be read on white and on black: the page behind the picture may be either.
TEXT, GRID = "#7d8590", "#7d859055"
COLORS = ("#3b82f6", "#f59e0b")


@dataclass(frozen=True)
class Curve:
    """Values over time in s since the epoch; None: not known then. ``bars`` for what happens, lines for what is."""

    name: str
    points: Sequence[tuple[float, float | None]]
    unit: str = ""
    bars: bool = False


def picture(panels: Sequence[Sequence[Curve]], begin: float, end: float) -> str:
    """One above the other, as Markdown. Each panel has its own scale from zero to the largest value of its curves."""
    height = len(panels) * (HEIGHT + TITLE) + TITLE
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif">']
    for number, curves in enumerate(panels):
        parts += _panel(curves, number * (HEIGHT + TITLE) + TITLE, begin, end)
    first, last = (f"{datetime.fromtimestamp(at, UTC):%d %b %H:%M:%S}" for at in (begin, end))
    parts += [_text(0, height - 5, first), _text(WIDTH, height - 5, f"{last} UTC", "end"), "</svg>"]
    alternative = "; ".join(_caption(curve) for curves in panels for curve in curves)
    return f"![{alternative}](data:image/svg+xml;base64,{base64.b64encode(''.join(parts).encode()).decode()})"


def _panel(curves: Sequence[Curve], top: int, begin: float, end: float) -> list[str]:
    largest = max((value for curve in curves for _, value in curve.points if value is not None), default=0.0)
    seconds, bottom = max(end - begin, 1e-9), top + HEIGHT

    def place(at: float, value: float) -> tuple[int, int]:
        return round((at - begin) / seconds * WIDTH), round(bottom - value / (largest or 1.0) * (HEIGHT - 6))

    parts = [f'<path d="M0 {bottom}H{WIDTH}" stroke="{GRID}"/>']
    captions: list[str] = []
    for color, curve in zip(COLORS, curves, strict=False):
        known = [place(at, value) for at, value in curve.points if value is not None]
        captions.append(f'<tspan dx="{16 if captions else 0}" fill="{color}">■</tspan> {escape(_caption(curve))}')
        drawn = "".join(f"M{x} {bottom}V{y}" for x, y in known if y < bottom) if curve.bars else _line(known)
        parts.append(f'<path d="{drawn}" fill="none" stroke="{color}" stroke-width="{3 if curve.bars else 1.5}"/>')
    return [*parts, _text(0, top - 4, "".join(captions))]


def _line(places: Sequence[tuple[int, int]]) -> str:
    """A path through them in few letters, as each observation is stored: in steps, and without stops on a level."""
    stops = [
        place
        for n, place in enumerate(places)
        if not 0 < n < len(places) - 1 or not places[n - 1][1] == place[1] == places[n + 1][1]
    ]
    path = "".join(f"M{x} {y}" for x, y in stops[:1])
    for (left, before), (right, after) in pairwise(stops):
        path += f"h{right - left}" if after == before else f"l{right - left} {after - before}"
    return path


def _caption(curve: Curve) -> str:
    """Its name with what matters of it: the sum of what happened, or the last and the largest value."""
    known = [value for _, value in curve.points if value is not None]
    if curve.bars:
        return f"{curve.name}: {sum(known):,.0f}"
    if not known:
        return f"{curve.name}: not known"
    return f"{curve.name}: {_number(known[-1])}{curve.unit}, at most {_number(max(known))}{curve.unit}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _text(x: int, y: int, content: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" fill="{TEXT}" font-size="11" text-anchor="{anchor}">{content}</text>'
