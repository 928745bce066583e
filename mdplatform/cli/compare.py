"""The command that holds a day's collected trades against the venues' archives: compare."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from mdplatform import cli
from mdplatform.core.legible import legible_lines

CHECKS = (
    "collected_agrees_with_archive",
    "collected_interest_agrees_with_archive",
    "collected_funding_agrees_with_archive",
)
COLUMNS = ("exchange", "symbol", "id", "at", "difference", "collected", "archive", "proven")


@click.command(epilog="Example: mdplatform compare 2026-11-29 --format json | jq .id")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Differences shown.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def compare(day: datetime, limit: int, form: str) -> None:
    """Show where what was collected on DAY and the venues' archives differ: trades, open interest, funding.

    Load the archive first: `trades_history`, `open_interest_history`, `funding_history` of that day in Dagster.
    Compared is what lies between the first and the last trade that was collected: trades that only one of the two
    has, and such of another price, size or side; open interest that is off by more than 1 % of what was collected
    around it; payments that only one has, or at another rate. Ends with 1 where there are any.
    """
    from mdplatform.warehouse import queries
    from mdplatform.warehouse.client import connect

    with connect(cli.settings()) as client, cli.report_when_slow("comparing trades"):
        found = [queries.run(client, check, day=day.date(), limit=limit) for check in CHECKS]
        both = queries.run(client, "history_compared", day=day.date())
    rows = [row for of_check in found for row in of_check]
    if form == "json":
        cli.output().write("".join(f"{json.dumps(row, default=str)}\n" for row in rows).encode())
    else:
        click.echo(legible_lines(_table(rows, both, sum(of_check[0]["bad_rows"] for of_check in found if of_check))))
    if rows:
        raise click.exceptions.Exit(1)


def _table(rows: list[dict[str, Any]], both: list[dict[str, Any]], count: int) -> str:
    if not both:
        return "nothing of this day was both collected and loaded from an archive"
    head = [
        f"{row['exchange']} {row['symbol']}{row['of']}: {row['collected']} collected, {row['archived']} in the archive"
        for row in both
    ]
    if not rows:
        return "\n".join([*head, "no differences"])
    cells = [COLUMNS, *(_row(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(COLUMNS))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([*head, f"{count} differences", *lines])


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    head, at = (row["exchange"], row["symbol"]), f"{row['at']:%H:%M:%S.%f}"[:-3]
    if "archived_interest" in row:
        between = f"{row['least_collected']} to {row['most_collected']}"
        return *head, "", at, row["difference"], between, str(row["archived_interest"]), ""
    if "archived_rate" in row:
        rates = ("" if row[name] is None else str(row[name]) for name in ("collected_rate", "archived_rate"))
        return *head, "funding", at, row["difference"], *rates, ""
    what = {"price": "price", "size": "size", "side": "side"}.get(row["difference"])
    sides = ("", "") if what is None else tuple(str(row[f"{source}_{what}"]) for source in ("collected", "archived"))
    proven = "yes" if row["proven"] else "no"
    return *head, row["id"], at, row["difference"], *sides, proven
