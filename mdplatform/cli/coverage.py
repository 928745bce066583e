"""The command that shows what was recorded and what is missing: coverage."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from mdplatform import cli
from mdplatform.cli.instant import Instant

if TYPE_CHECKING:
    from mdplatform.read.cells import By, Coverage

COLOURS = {"whole": "green", "most": "bright_green", "some": "yellow", "few": "bright_red", "none": "red"}
HOURS_SHOWN = timedelta(days=2)  # a longer range is shown by day


@click.command(epilog="Example: mdplatform coverage --venue binance --from 2026-11-01 --format html > coverage.html")
@click.option("--venue", "venues", multiple=True, help="Only this venue, e.g. binance; may be repeated.")
@click.option("--symbol", "symbols", multiple=True, help="Only this canonical symbol; may be repeated.")
@click.option("--dataset", "datasets", multiple=True, help="Only feeds that bring it, e.g. trades; may be repeated.")
@click.option("--from", "start", type=Instant(), help="From this time on, UTC; hours are whole [a day before the end].")
@click.option("--to", "end", type=Instant(), default="now", show_default=True, help="Before this time, UTC.")
@click.option("--by", type=click.Choice(["hour", "day"]), help="What a cell is [hour, of more than two days: day].")
@click.option("--gaps", type=click.IntRange(0), default=20, show_default=True, help="Gaps listed below the table.")
@click.option("--source", default="clickhouse", show_default=True, help="clickhouse, archive, or an archive's address.")
@click.option("--format", "form", type=click.Choice(["table", "json", "html"]), default="table", show_default=True)
def coverage(start: datetime | None, end: datetime, by: By | None, gaps: int, form: str, **asked: Any) -> None:
    """Show what was recorded of each feed: the share that is proven, gaps with their causes, and what is missing.

    Of each hour or day: the share of time for which some collector proved the feed, gaps, those that a second collector
    prevented, missing messages per million, and trades that were refilled by REST. Of what is not proven it says what
    the venues publish, with the commands that load it. `mdplatform query --name gap_rate` recomputes the rate.
    """
    from mdplatform.read.covered import coverage as read_coverage
    from mdplatform.read.heatmap import page, text

    start = start or end - timedelta(days=1)
    span: By = by or ("hour" if end - start <= HOURS_SHOWN else "day")
    with cli.report_when_slow("reading the intervals of all feeds"):
        found = read_coverage(start=start, end=end, by=span, settings=cli.settings(), **asked)
    if form == "table":
        click.echo(text(found, gaps, _painted if sys.stdout.isatty() else lambda mark, name: mark))
    else:
        cli.output().write(f"{page(found) if form == 'html' else _json(found)}\n".encode())


def _painted(mark: str, name: str) -> str:
    return click.style(mark, fg=COLOURS[name])


def _json(found: Coverage) -> str:
    cells = [{**asdict(cell), "per_million": cell.per_million} for cell in found.cells]
    totals = [{**asdict(cell), "per_million": cell.per_million} for cell in found.totals()]
    gaps = [{**asdict(gap), "is_in_public_archive": gap.is_in_public_archive} for gap in found.gaps]
    whole = {"start": found.start, "end": found.end, "by": found.by, "totals": totals, "cells": cells, "gaps": gaps}
    whole["loadable"] = [{**asdict(each), "commands": each.commands} for each in found.loadable]
    return json.dumps(whole, default=_text)


def _text(at: date) -> str:
    return at.astimezone(UTC).isoformat() if isinstance(at, datetime) else at.isoformat()
