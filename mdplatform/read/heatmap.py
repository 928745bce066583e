"""Coverage as a picture: one row a feed, one cell an hour or day; made of text, or as an HTML page of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from html import escape

from mdplatform.core.legible import legible
from mdplatform.read.cells import Cell, Coverage, Feed, Gap
from mdplatform.read.loadable import Loadable

# The least share of each shade, its mark in a terminal, its class in a page; the marks differ without colours too.
SHADES = ((1.0, "█", "whole"), (0.999, "▓", "most"), (0.99, "▒", "some"), (0.9, "░", "few"), (0.0, "·", "none"))
UNKNOWN = " "
Paint = Callable[[str, str], str]  # (mark, class of its shade) -> what is shown


def shade(proven: float) -> tuple[str, str]:
    """(mark, class) of a share; only what is proven whole has the first."""
    for least, mark, name in SHADES:
        if proven >= least:
            return mark, name
    return SHADES[-1][1:]


def text(found: Coverage, most_gaps: int, paint: Paint = lambda mark, name: mark) -> str:
    """The heat map, totals of each feed beside it, and the last ``most_gaps`` gaps below it."""
    starts = sorted({cell.start for cell in found.cells})
    by_feed = _by_feed(found.cells)
    width = max((len(_name(feed)) for feed in by_feed), default=4)
    if not starts:
        return "\n".join(["nothing is known of any such feed in this range", *_loadable_lines(found)])
    keys = ", ".join(f"{paint(mark, name)} {_from(least)}" for least, mark, name in SHADES)
    lines = [
        f"{found.start:%Y-%m-%d %H:%M} to {found.end:%Y-%m-%d %H:%M} UTC; a mark of the map is one {found.by}",
        f"proven: {keys}",
        "",
        f"{'feed':<{width}}  {_HEAD} map from {starts[0]:{_form(found)}} on",
    ]
    for total in found.totals():
        cells = by_feed[total.feed]
        marks = "".join(paint(*shade(cells[at].proven)) if at in cells else UNKNOWN for at in starts)
        lines.append(f"{_name(total.feed):<{width}}  {_figures(total)} {marks}")
    return "\n".join([*lines, *_gap_lines(found.gaps, most_gaps), *_loadable_lines(found)])


_HEAD = f"{'proven':>10} {'gaps':>6} {'prevented':>9} {'missed':>8} {'/million':>9} {'refilled':>8}"


def _figures(total: Cell) -> str:
    counts = f"{total.gaps:>6} {total.prevented:>9} {total.missed:>8}"
    return f"{_percent(total):>10} {counts} {total.per_million:>9.3f} {total.refilled:>8}"


def _percent(cell: Cell) -> str:
    """Only what is proven whole is 100 %."""
    return "100 %" if cell.proven == 1 else f"{min(100 * cell.proven, 99.9999):.4f} %"


def _from(least: float) -> str:
    return "whole" if least == 1 else f"from {100 * least:g} %" if least else "less"


def _form(found: Coverage) -> str:
    return "%m-%d %H:%M" if found.by == "hour" else "%Y-%m-%d"


def _gap_lines(gaps: list[Gap], most: int) -> Iterator[str]:
    if not gaps:
        return
    shown = gaps[-most:] if most else []
    yield ""
    yield f"gaps: {len(gaps)}" + (f", the last {len(shown)} of them (--gaps)" if len(shown) < len(gaps) else "")
    for gap in shown:
        yield f"{_span(gap)}  {_name(gap.feed)}  {_what(gap)}"


def _loadable_lines(found: Coverage) -> Iterator[str]:
    if found.loadable:
        yield ""
        yield "not proven, but published by the venue; to load it:"
    for each in found.loadable:
        yield f"{legible(each.exchange)} {legible(each.symbol)}: {_lacking(each)}"
        yield from (f"  {legible(command)}" for command in each.commands)


def _lacking(each: Loadable) -> str:
    days = f"{len(each.days)} days, {each.days[0]} to {each.days[-1]}" if each.days[1:] else f"{each.days[0]}"
    return f"{each.holds}, {each.unproven_s / 3600:.2f} h of {days}"


def _span(gap: Gap) -> str:
    lasted = "?" if gap.ended_at is None else f"{(gap.ended_at - gap.started_at).total_seconds():.3f} s"
    return f"{gap.started_at:%Y-%m-%d %H:%M:%S.%f} UTC {lasted:>12}"


def _what(gap: Gap) -> str:
    said = [f"{gap.state} ({legible(gap.cause)})"]
    if gap.missed is not None:
        said.append(f"{gap.missed} missed")
    if gap.prevented:
        said.append("prevented by another collector")
    elif gap.is_in_public_archive:
        said.append("the venue publishes these trades: job load_history")
    by = f" [collector {legible(gap.collector)}]" if gap.collector else ""
    return f"{', '.join(said)}{by}"


def page(found: Coverage) -> str:
    """An HTML page that needs nothing else: the calendar, and below it the gaps that its cells lead to."""
    starts = sorted({cell.start for cell in found.cells})
    by_feed = _by_feed(found.cells)
    head = "".join(f"<th scope=col>{start:{_form(found)}}" for start in starts)
    rows = "".join(
        f"<tr><th scope=row>{escape(_name(total.feed))}{_numbers(total)}"
        + "".join(_square(by_feed[total.feed].get(start), found) for start in starts)
        for total in found.totals()
    )
    title = f"Coverage, {found.start:%Y-%m-%d %H:%M} to {found.end:%Y-%m-%d %H:%M} UTC"
    legend = ", ".join(f"<span class='key {name}'></span> {_from(least)}" for least, _, name in SHADES)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>"
        f"<h1>{title}</h1><p>Proven: {legend}. A cell with gaps leads to them.</p>"
        "<table class=map><tr><th>feed<th>proven<th>gaps<th>prevented<th>missed<th>per million<th>refilled"
        f"{head}{rows}</table><h2>Gaps</h2>{''.join(_lists(found))}{''.join(_offers(found))}\n"
    )


def _offers(found: Coverage) -> Iterator[str]:
    if found.loadable:
        yield "<h2>Not proven, but published by the venue</h2><dl>"
    for each in found.loadable:
        commands = "".join(f"<dd><code>{escape(command)}</code>" for command in each.commands)
        yield f"<dt>{escape(f'{each.exchange} {each.symbol}: {_lacking(each)}')}{commands}"
    if found.loadable:
        yield "</dl>"


def _numbers(total: Cell) -> str:
    counts = (total.gaps, total.prevented, total.missed, f"{total.per_million:.3f}", total.refilled)
    return "".join(f"<td class=n>{figure}" for figure in (_percent(total), *counts))


def _square(cell: Cell | None, found: Coverage) -> str:
    if cell is None:
        return "<td>"
    title = (
        f"{cell.start:%Y-%m-%d %H:%M} {100 * cell.proven:.4f} %, {cell.gaps} gaps, {cell.missed} missed {cell.causes}"
    )
    link = f"href='#{_anchor(cell.feed, cell.start)}'" if cell.gaps or cell.prevented else ""
    return f"<td class={shade(cell.proven)[1]} title='{escape(title)}'><a {link}>&nbsp;</a>"


def _lists(found: Coverage) -> Iterator[str]:
    """The gaps, under the cell in which they begin."""
    below: dict[tuple[datetime, Feed], list[Gap]] = {}
    for gap in found.gaps:
        hour = gap.started_at.replace(minute=0, second=0, microsecond=0)
        start = hour if found.by == "hour" else hour.replace(hour=0)
        below.setdefault((start, gap.feed), []).append(gap)
    for (start, feed), gaps in sorted(below.items()):
        items = "".join(f"<li>{escape(_span(gap))} {escape(_what(gap))}" for gap in gaps)
        yield f"<h3 id='{_anchor(feed, start)}'>{escape(_name(feed))}, {start:%Y-%m-%d %H:%M}</h3><ul>{items}</ul>"
    if not below:
        yield "<p>None."


def _anchor(feed: Feed, start: datetime) -> str:
    return escape("-".join((*feed, f"{start:%Y%m%dT%H}")).replace(" ", "_"))


def _name(feed: Feed) -> str:
    return legible(" ".join(feed))


def _by_feed(cells: Iterable[Cell]) -> dict[Feed, dict[datetime, Cell]]:
    found: dict[Feed, dict[datetime, Cell]] = {}
    for cell in cells:
        found.setdefault(cell.feed, {})[cell.start] = cell
    return found


_STYLE = """
:root{color-scheme:light dark;font:14px/1.4 system-ui,sans-serif}body{margin:1rem}table{border-collapse:collapse}
th,td{padding:.1rem .35rem;text-align:left;white-space:nowrap;font-weight:400}.n{text-align:right}
.map{display:block;overflow-x:auto}.map td{border:1px solid Canvas}.map th[scope=col]{writing-mode:vertical-rl}
.map a{display:block;text-decoration:none}
.key{display:inline-block;width:1em;height:1em}.whole{background:#2b8a3e}.most{background:#74b816}
.some{background:#f2c037}.few{background:#f0803c}.none{background:#c92a2a}
:target{outline:2px solid}"""
