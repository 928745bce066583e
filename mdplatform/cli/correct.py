"""``correct``: a wrong row removed in all places, and put back."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from mdplatform import cli
from mdplatform.core.errors import ConfigError
from mdplatform.core.legible import legible

if TYPE_CHECKING:
    from mdplatform.archive.corrections import Target


@click.command(
    epilog="Example: mdplatform correct --venue okx --symbol BTC-USDT --sequence 7 --hour 2026-11-30T05:00 "
    "--reason crossed"
)
@click.option("--venue", default="", help="Venue id.")
@click.option("--symbol", default="", help="Canonical symbol.")
@click.option("--sequence", default="", help="The book with this sequence.")
@click.option("--trade", default="", help="The trade with this id.")
@click.option("--hour", type=click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d-%H:%M"]), help="The hour that holds it, UTC.")
@click.option("--reason", default="", help="Why: it is kept beside the removed row.")
@click.option("--dry-run", is_flag=True, help="Show the rows and change nothing.")
@click.option("--undo", default="", metavar="ID", help="Put back what this correction removed.")
@click.option("--list", "listed", is_flag=True, help="List all corrections.")
def correct(
    venue: str,
    symbol: str,
    sequence: str,
    trade: str,
    hour: datetime | None,
    reason: str,
    dry_run: bool,
    undo: str,
    listed: bool,
) -> None:
    """Remove one book or trade, as a check names it, from the tables, the built hour and its archive.

    What is removed is kept with the reason and your user name, and --undo puts it back. The checks of the hour are
    judged again when Dagster builds it the next time (Jobs > hourly_build).
    """
    from mdplatform.archive import corrections
    from mdplatform.archive.open_store import store_at
    from mdplatform.warehouse.client import connect

    settings = cli.settings()
    if settings.clickhouse_cluster:
        raise ConfigError("on a cluster rows are removed by hand: this command looks at one node alone")
    with connect(settings) as client:
        if listed:
            for row in corrections.corrections(client):
                click.echo(legible(_line(row)))
            return
        root = store_at(settings.archive_root())
        if undo:
            done = corrections.undo(client, root, undo)
        else:
            target = _target(venue, symbol, sequence, trade, hour)
            if dry_run:
                for table, content in corrections.stored(client, target):
                    click.echo(f"{table} {legible(content)}")
                return
            if not reason:
                raise ConfigError("--reason is needed: it is kept beside the removed row")
            done = corrections.correct(client, root, target, reason, getpass.getuser())
    for line in done.done:
        click.echo(line)
    click.echo(f"correction {done.id} is undone" if undo else f"correction {done.id}; `--undo {done.id}` puts it back")


def _target(venue: str, symbol: str, sequence: str, trade: str, hour: datetime | None) -> Target:
    from mdplatform.archive.corrections import Target

    if not (venue and symbol and hour and bool(sequence) != bool(trade)):
        raise ConfigError("name the row: --venue, --symbol, --hour, and either --sequence or --trade")
    start = hour.replace(minute=0, tzinfo=UTC)
    return Target("books" if sequence else "trades", venue, symbol, sequence or trade, start)


def _line(row: dict[str, object]) -> str:
    undone = f", undone {row['undone_at']:%Y-%m-%d %H:%M}" if row["undone_at"] else ""
    what = f"{row['dataset']} {row['exchange']} {row['symbol']} {row['row_id']} of {row['hour']:%Y-%m-%d %H:%M}"
    return f"{row['id']}  {row['corrected_at']:%Y-%m-%d %H:%M}  {what}, by {row['operator']}: {row['reason']}{undone}"
