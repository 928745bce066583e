"""``doctor`` and ``bench``: is this machine set up, and how fast is it."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mdplatform import cli
from mdplatform.cli.progress import said_when_long
from mdplatform.errors import ConfigError, MdplatformError
from mdplatform.settings import Settings, hide

WIDTH_OF_A_FILE = 200  # columns, where the output is no terminal
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@click.command(epilog="Example: mdplatform doctor --venues")
@click.option("--venues", is_flag=True, help="Instead: each venue's channels, what of them can be proven, its limits.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def doctor(venues: bool, as_json: bool) -> None:
    """Show the settings, with secrets hidden, and tell what is wrong. Exit code 1 when something is."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE, highlight=False)
    if venues:
        _show_venues(console, as_json)
        return
    settings = cli.settings()
    if not as_json:
        console.print(_settings_table(settings))
    checks = []
    for claim, check in _CHECKS.items():
        checks.append(checked := _checked(claim, check, settings))
        if not as_json:
            verdict = "[green]ok[/]      " if checked["ok"] else "[red]wrong[/]   "
            console.print(f"{verdict}{claim}: {escape(checked['found'])}", soft_wrap=True)
    if as_json:
        shown = [dict(zip(("variable", "value", "meaning"), row, strict=True)) for row in settings.shown()]
        click.echo(json.dumps({"settings": shown, "checks": checks}))
    sys.exit(0 if all(checked["ok"] for checked in checks) else 1)


@click.command(
    epilog="Example: mdplatform bench --only frame_to_bytes",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.pass_context
def bench(context: click.Context) -> None:
    """Run the benchmarks of a checkout: --list names them, --only NAME runs one, --runs N takes the median of N."""
    if not BENCHMARKS.is_dir():
        raise ConfigError(f"the benchmarks are part of a checkout, and there is no folder {BENCHMARKS}")
    os.chdir(BENCHMARKS.parent)
    # In place of this process, so that who ends it ends the benchmarks.
    os.execv(sys.executable, [sys.executable, "-m", BENCHMARKS.name, *context.args])


def _settings_table(settings: Settings) -> Table:
    table = Table(title="settings", title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column("variable", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("meaning")
    for row in settings.shown():
        table.add_row(*map(escape, row))
    return table


def _show_venues(console: Console, as_json: bool) -> None:
    from mdplatform.cli.capabilities import capabilities, tables

    if as_json:
        click.echo(json.dumps({"venues": capabilities()}))
        return
    for table in tables():
        console.print(table)
        console.print()


def _checked(claim: str, check: Callable[[Settings], str], settings: Settings) -> dict[str, Any]:
    try:
        with said_when_long(f"checking: {claim}"):
            return {"claim": claim, "ok": True, "found": check(settings)}
    except MdplatformError as error:
        return {"claim": claim, "ok": False, "found": str(error)}


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
