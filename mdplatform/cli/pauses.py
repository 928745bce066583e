"""``pause`` and ``resume``: collecting from one venue stops, and goes on, on an operator's word."""

from __future__ import annotations

import getpass
import time

import click

from mdplatform import cli
from mdplatform.core.errors import ConfigError
from mdplatform.core.legible import legible


@click.command(epilog="Example: mdplatform pause okx --reason 'maintenance until noon'")
@click.argument("venue", required=False)
@click.option("--reason", default="", help="For whoever finds the venue paused.")
def pause(venue: str | None, reason: str) -> None:
    """Stop collecting VENUE until `mdplatform resume VENUE`; without VENUE, list what is paused.

    Dagster's supervisor ends the venue's collectors within ten seconds and starts none, also after restarts. Meanwhile
    its feeds are stated as down with the cause `paused`, so that coverage counts the time. A collector that was started
    by hand is left alone.
    """
    from mdplatform.collector import pauses

    directory = cli.settings().data_dir
    if venue is None:
        held = pauses.read(directory)
        click.echo("\n".join(legible(str(each)) for each in held.values()) or "no venue is paused")
        return
    wanted = pauses.Pause(_known(venue), time.time_ns(), getpass.getuser(), reason)
    click.echo(legible(str(pauses.pause(directory, wanted))))


@click.command(epilog="Example: mdplatform resume okx")
@click.argument("venue")
def resume(venue: str) -> None:
    """Collect a paused VENUE again: the supervisor starts its collectors within ten seconds."""
    from mdplatform.collector import pauses

    held = pauses.resume(cli.settings().data_dir, _known(venue))
    if held is None:
        raise ConfigError(f"{venue} is not paused")
    click.echo(f"{venue} is collected again; it was paused since {legible(str(held).partition(' since ')[2])}")


def _known(name: str) -> str:
    from mdplatform.venues import venue

    return venue(name).id
