"""The same day as one HTML file that needs no other: tables, and two charts as inline SVG."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from html import escape

from mdplatform.report.day import Day, Row
from mdplatform.report.sections import Section, sections

WIDTH, LABEL, ROW, BARS = 960, 130, 22, 120  # px
# From red to green, by the share that is proven. Who cannot distinguish these reads the number in the cell.
SHADES = ((0.999, "#1a7f37"), (0.99, "#57ab5a"), (0.95, "#d4a72c"), (0.5, "#e16f24"), (-1.0, "#c93c37"))
COLORS = ("#3b82f6", "#f59e0b", "#10b981", "#a855f7", "#ef4444", "#64748b")
STYLE = """
:root { color-scheme: light dark; --text: #1f2328; --quiet: #59636e; --line: #d1d9e0; --back: #ffffff }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --quiet: #9198a1; --line: #3d444d; --back: #0d1117 }
}
body { font: 14px/1.45 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 1000px;
  margin: 24px auto; padding: 0 16px }
h1 { font-size: 22px; margin: 0 }
h2 { font-size: 16px; margin: 28px 0 8px }
p, dt, th { color: var(--quiet) }
dl { display: flex; flex-wrap: wrap; gap: 8px 28px; margin: 16px 0 }
dd { margin: 0; font-size: 20px; font-variant-numeric: tabular-nums }
.table { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); white-space: nowrap;
  font-variant-numeric: tabular-nums }
th { font-weight: 500 }
svg { max-width: 100%; height: auto }
svg text { fill: var(--text); font-size: 11px }
"""


def page(day: Day) -> str:
    """The whole file."""
    made = f"made {day.made_at:%Y-%m-%d %H:%M:%S} UTC"
    until = "" if day.end - day.start >= timedelta(days=1) else f", until {day.end:%H:%M} UTC"
    numbers = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in day.headline().items())
    body = "\n".join(
        (
            f"<h1>{day.start:%A, %d %B %Y}{until}</h1><p>mdplatform, {made}</p><dl>{numbers}</dl>",
            "<h2>Proven, by venue and hour</h2>",
            _shares(day) if day.venues else "<p>nothing was collected on this day</p>",
            "<h2>Seconds to build each hour</h2>",
            _bars(day) if day.costs else "<p>no hour of this day was built</p>",
            *map(_table, sections(day)),
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>mdplatform {day.start:%Y-%m-%d}</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _shares(day: Day) -> str:
    step = (WIDTH - LABEL) / 24
    height = (len(day.venues) + 1) * ROW
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="share proven by venue and hour">']
    parts += [f'<text x="{LABEL + n * step:.1f}" y="14">{n:02}</text>' for n in range(24)]
    for place, venue in enumerate(day.venues, 1):
        top = place * ROW
        parts.append(f'<text x="0" y="{top + 15}">{escape(venue)}</text>')
        for number, hour in enumerate(day.hours):
            share = day.share(day.by_venue(venue, hour))
            if share is None:
                continue
            color = next(color for least, color in SHADES if share >= least)
            left = LABEL + number * step
            parts.append(
                f"<g><title>{escape(venue)} {hour:%H:%M}: {100 * share:.3f} % proven</title>"
                f'<rect x="{left:.1f}" y="{top}" width="{step - 2:.1f}" height="{ROW - 2}" rx="2" fill="{color}"/>'
                f'<text x="{left + 3:.1f}" y="{top + 14}" style="fill:#fff">{_percent(share)}</text></g>'
            )
    return "".join([*parts, "</svg>"])


def _percent(share: float) -> str:
    """Short, and never 100 where something is missing."""
    return "100" if share >= 1 else f"{min(99.9, 100 * share):.1f}"


def _bars(day: Day) -> str:
    parts = sorted({row["part"] for row in day.costs})
    colors = dict(zip(parts, COLORS, strict=False))
    step = (WIDTH - LABEL) / 24
    most = max(sum(row["seconds"] for row in day.cost(hour).values()) for hour in day.hours) or 1.0
    drawn = [f'<svg viewBox="0 0 {WIDTH} {BARS + 40}" role="img" aria-label="seconds to build each hour">']
    drawn.append(f'<text x="0" y="12">{most:.1f} s</text><text x="0" y="{BARS}">0 s</text>')
    for number, hour in enumerate(day.hours):
        drawn += _stack(hour.strftime("%H:%M"), day.cost(hour), colors, (LABEL + number * step, step, most))
    for place, part in enumerate(parts):
        left = LABEL + place * 160
        drawn.append(f'<rect x="{left}" y="{BARS + 24}" width="10" height="10" fill="{colors.get(part, COLORS[-1])}"/>')
        drawn.append(f'<text x="{left + 14}" y="{BARS + 33}">{escape(part)}</text>')
    return "".join([*drawn, "</svg>"])


def _stack(hour: str, cost: dict[str, Row], colors: dict[str, str], place: tuple[float, float, float]) -> Iterator[str]:
    left, step, most = place
    bottom = float(BARS)
    for part, row in cost.items():
        height = row["seconds"] / most * (BARS - 16)
        bottom -= height
        yield (
            f"<g><title>{hour} {escape(part)}: {row['seconds']:.1f} s, {row['rows']:,} rows</title>"
            f'<rect x="{left:.1f}" y="{bottom:.1f}" width="{step - 4:.1f}" height="{height:.1f}" '
            f'fill="{colors.get(part, COLORS[-1])}"/></g>'
        )
    yield f'<text x="{left:.1f}" y="{BARS + 14}">{hour[:2]}</text>'


def _table(section: Section) -> str:
    title = f"<h2>{escape(section.title)}</h2>"
    if not section.rows:
        return f"{title}<p>{escape(section.empty)}</p>"
    head = "".join(f"<th>{escape(cell)}</th>" for cell in section.head)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in section.rows)
    more = f"<p>and {section.more} more</p>" if section.more else ""
    return f'{title}<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{more}'
