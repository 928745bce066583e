"""``report``: a day on one page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from mdplatform import cli
from mdplatform.core.legible import legible_lines


@click.command(epilog="Example: mdplatform report --day 2026-11-29 --html report.html")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="The day, UTC [today].")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write it to this file: one page with charts, which needs no other file.",
)
def report(day: datetime | None, html: Path | None) -> None:
    """Show a day on one page: coverage, gaps, lag, dead letters, drift, what each hour cost, and sizes."""
    from mdplatform.core.private import overwritten_file
    from mdplatform.report.day import gather
    from mdplatform.report.page import page
    from mdplatform.report.sections import lines, sections

    now = datetime.now(UTC)
    start = (day or now).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    with cli.report_when_slow(f"gathering {start:%Y-%m-%d}"):
        found = gather(cli.settings(), start, now)
    head = [f"{start:%Y-%m-%d} UTC", *(f"  {name}: {value}" for name, value in found.headline().items())]
    click.echo(legible_lines("\n".join([*head, *lines(sections(found))])))
    if html is not None:
        with overwritten_file(html) as file:
            file.write(page(found).encode())
        click.echo(f"\nwritten to {html}", err=True)
