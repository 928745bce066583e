"""The command that holds a day's collected trades against the venues' archives: compare."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from mdplatform import cli
from mdplatform.core.legible import legible_lines

COLUMNS = ("exchange", "symbol", "id", "at", "difference", "collected", "archive", "proven")


@click.command(epilog="Example: mdplatform compare 2026-11-29 --format json | jq .id")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Differences shown.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def compare(day: datetime, limit: int, form: str) -> None:
    """Show where the trades collected on DAY and those of the venues' archives differ.

    Load the archive first: `trades_history` of that day in Dagster. Compared is what lies between the first and the
    last trade that was collected: trades that only one of the two has, and such of another price, size or side. Ends
    with 1 where there are any.
    """
    from mdplatform.warehouse import queries
    from mdplatform.warehouse.client import connect

    with connect(cli.settings()) as client, cli.report_when_slow("comparing trades"):
        rows = queries.run(client, "collected_agrees_with_archive", day=day.date(), limit=limit)
        both = queries.run(client, "history_compared", day=day.date())
    if form == "json":
        cli.output().write("".join(f"{json.dumps(row, default=str)}\n" for row in rows).encode())
    else:
        click.echo(legible_lines(_table(rows, both)))
    if rows:
        raise click.exceptions.Exit(1)


def _table(rows: list[dict[str, Any]], both: list[dict[str, Any]]) -> str:
    if not both:
        return "nothing of this day was both collected and loaded from an archive"
    head = [
        f"{row['exchange']} {row['symbol']}: {row['collected']} collected, {row['archived']} in the archive"
        for row in both
    ]
    if not rows:
        return "\n".join([*head, "no differences"])
    cells = [COLUMNS, *(_row(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(COLUMNS))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([*head, f"{rows[0]['bad_rows']} differences", *lines])


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    what = {"price": "price", "size": "size", "side": "side"}.get(row["difference"])
    sides = ("", "") if what is None else tuple(str(row[f"{source}_{what}"]) for source in ("collected", "archived"))
    proven = "yes" if row["proven"] else "no"
    return row["exchange"], row["symbol"], row["id"], f"{row['at']:%H:%M:%S.%f}"[:-3], row["difference"], *sides, proven
