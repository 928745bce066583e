"""``doctor`` and ``bench``: is this machine set up, and how fast is it."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mdplatform import cli
from mdplatform.errors import ConfigError, MdplatformError
from mdplatform.settings import Settings, hide

WIDTH_OF_A_FILE = 200  # columns, where the output is no terminal
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@click.command(epilog="Example: mdplatform doctor --venues")
@click.option("--venues", is_flag=True, help="Also what each venue's channels can prove.")
def doctor(venues: bool) -> None:
    """Show the settings, with secrets hidden, and tell what is wrong. Exit code 1 when something is."""
    settings = cli.settings()
    console = Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE, highlight=False)
    console.print(_settings_table(settings))
    if venues:
        console.print(_venue_table())
    failed = False
    for claim, check in _CHECKS.items():
        try:
            console.print(f"[green]ok[/]      {claim}: {escape(check(settings))}", soft_wrap=True)
        except MdplatformError as error:
            failed = True
            console.print(f"[red]wrong[/]   {claim}: {escape(str(error))}", soft_wrap=True)
    sys.exit(1 if failed else 0)


@click.command(epilog="Example: mdplatform bench normalize")
@click.argument("names", nargs=-1)
def bench(names: tuple[str, ...]) -> None:
    """Run the benchmarks (all, or those named) and print what each measures."""
    found = {file.stem: file for file in sorted(BENCHMARKS.glob("[a-z]*.py"))}
    unknown = [name for name in names if name not in found]
    if unknown:
        raise ConfigError(f"no benchmark {', '.join(unknown)}; there are {', '.join(found) or 'none'}")
    for name in names or found:
        click.echo(f"== {name}")
        subprocess.run([sys.executable, str(found[name])], check=True)


def _settings_table(settings: Settings) -> Table:
    table = Table(title="settings", title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column("variable", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("meaning")
    for row in settings.shown():
        table.add_row(*map(escape, row))
    return table


def _venue_table() -> Table:
    from mdplatform.venues import venue, venue_ids

    table = Table("venue", "channel", "carries", "proof", title="venues", title_justify="left", box=None)
    for venue_id in venue_ids():
        for channel in venue(venue_id).channels:
            table.add_row(venue_id, channel.name, channel.kind, channel.proof)
    return table


def _python(settings: Settings) -> str:
    return f"{platform.python_version()}, mdplatform {metadata.version('mdplatform')}"


def _wanted(settings: Settings) -> str:
    from mdplatform.shards import parse
    from mdplatform.venues import venue_ids

    return (
        "; ".join(map(str, parse(settings.ingest, venue_ids(), settings.collectors)))
        or "none (MDPLATFORM_INGEST is empty)"
    )


def _topics(settings: Settings) -> str:
    from mdplatform.topics import Topics

    return f"order books go to {Topics.from_settings(settings).books}"


def _kafka(settings: Settings) -> str:
    from mdplatform.bus.admin import Admin

    return f"{len(Admin(settings).topics())} topics at {settings.kafka_brokers}"


def _clickhouse(settings: Settings) -> str:
    from mdplatform.warehouse import client

    return f"version {client.connect(settings).server_version} at {hide(settings.clickhouse_url)}"


_CHECKS: dict[str, Callable[[Settings], str]] = {
    "Python": _python,
    "wanted collectors": _wanted,
    "topic names": _topics,
    "Kafka": _kafka,
    "ClickHouse": _clickhouse,
}
