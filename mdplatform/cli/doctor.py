"""``doctor`` and ``bench``: is this machine set up correctly, and how fast is it?"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mdplatform import cli
from mdplatform.cli.feeds import names
from mdplatform.core.errors import ConfigError, MdplatformError, WarehouseError
from mdplatform.core.legible import legible, legible_lines
from mdplatform.core.settings import Settings, hide

if TYPE_CHECKING:
    from mdplatform.collector.drift import Measured

WIDTH_OF_A_FILE = 200  # columns, where the output is not a terminal
RECENT_STATUSES = 20_000  # messages per partition: each open interval is published again every five seconds
LARGEST_TABLES = 4
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@click.command(epilog="Example: mdplatform doctor --venues --live --venue okx,bybit")
@click.option("--venues", is_flag=True, help="Show each venue's channels, their proof and its limits instead.")
@click.option(
    "--live", is_flag=True, help="With --venues: collect from each venue for a while, compare with what is documented."
)
@click.option("--venue", default="", help="With --live: venue ids, comma-separated [all].")
@click.option(
    "--seconds", type=click.FloatRange(1.0, 3600.0), default=60.0, show_default=True, help="With --live: duration."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(venues: bool, live: bool, venue: str, seconds: float, as_json: bool) -> None:
    """Show the settings, with secrets hidden, and check that everything works. Exit code 1 when a check fails.

    --venues --live needs no broker and no tables: it connects to the venues (or to the addresses in
    MDPLATFORM_WS_URLS), collects the symbols of MDPLATFORM_INGEST or else the most traded ones, and lists how often
    each channel sends, fields and kinds of frames not seen before, channels that stay silent, rate limits hit and the
    rate of gaps.
    """
    console = Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE, highlight=False)
    if live and not venues:
        raise ConfigError("--live goes with --venues")
    if live:
        _look_at_venues(console, names(venue), seconds, as_json)
        return
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
            console.print(f"{verdict}{claim}: {escape(legible_lines(checked['found']))}", soft_wrap=True)
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
    """Run the benchmarks of a checkout: --list lists them, --only NAME runs one, --runs N gives the median of N."""
    if not BENCHMARKS.is_dir():
        raise ConfigError(f"the benchmarks are part of a source checkout, but there is no folder {BENCHMARKS}")
    os.chdir(BENCHMARKS.parent)
    # In place of this process, so that whoever kills it also kills the benchmarks.
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


def _look_at_venues(console: Console, wanted: tuple[str, ...], seconds: float, as_json: bool) -> None:
    import asyncio
    import logging

    from mdplatform.collector.drift import symbols_of, watch
    from mdplatform.core.shards import parse
    from mdplatform.venues import venue_ids

    settings = cli.settings()
    chosen = wanted or venue_ids()
    shards = parse(settings.ingest, venue_ids())
    symbols = {venue_id: symbols_of(venue_id, shards) for venue_id in chosen}

    async def all_of_them() -> list[list[Measured]]:
        return await asyncio.gather(*(watch(name, settings, symbols[name], seconds) for name in chosen))

    logging.getLogger("mdplatform").setLevel(max(logging.WARNING, logging.getLogger("mdplatform").level))
    click.echo(f"looking at {', '.join(chosen)} for {seconds:g} s ...", err=True)
    found = [row for rows in asyncio.run(all_of_them()) for row in rows]
    if as_json:
        click.echo(json.dumps({"measured": [row.row() for row in found]}))
    else:
        console.print(_measured_table(found))
    sys.exit(1 if any(row.is_drift for row in found) else 0)


def _measured_table(found: list[Measured]) -> Table:
    table = Table(title="venues as measured", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in ("venue", "measure", "of", "documented", "measured", ""):
        table.add_column(column, no_wrap=column in ("venue", "measure"), overflow="fold")
    for row in found:
        cells = (row.exchange, row.measure, row.subject, row.documented, row.measured)
        table.add_row(*(escape(legible(cell)) for cell in cells), "[red]drift[/]" if row.is_drift else "[green]ok[/]")
    return table


def _checked(claim: str, check: Callable[[Settings], str], settings: Settings) -> dict[str, Any]:
    try:
        with cli.report_when_slow(f"checking: {claim}"):
            return {"claim": claim, "ok": True, "found": check(settings)}
    except MdplatformError as error:
        return {"claim": claim, "ok": False, "found": str(error)}


def _python(settings: Settings) -> str:
    return f"{platform.python_version()}, mdplatform {metadata.version('mdplatform')}"


def _wanted(settings: Settings) -> str:
    from mdplatform.core.shards import parse
    from mdplatform.venues import venue_ids

    return (
        "; ".join(map(str, parse(settings.ingest, venue_ids(), settings.collectors)))
        or "none (MDPLATFORM_INGEST is empty)"
    )


def _topics(settings: Settings) -> str:
    from mdplatform.core.topics import Topics

    return f"order books go to {Topics.from_settings(settings)['books']}"


def _kafka(settings: Settings) -> str:
    from mdplatform.bus.admin import Admin

    return f"{len(Admin(settings).topics())} topics at {settings.kafka_brokers}"


def _collected(settings: Settings) -> str:
    import time

    from mdplatform.bus.reader import Reader, newest_status
    from mdplatform.collector.unlisted import uncollected
    from mdplatform.core.shards import parse
    from mdplatform.core.topics import Topics
    from mdplatform.venues import venue_ids

    shards, of = parse(settings.ingest, venue_ids(), settings.collectors), Topics.from_settings(settings)
    missing: dict[str, None] = {}
    if shards:
        with Reader(settings) as reader:
            topics = {shard.venue: of.name("status", shard.venue) for shard in shards}
            recent = {topic: reader.tail(topic, RECENT_STATUSES) for topic in set(topics.values())}
        for shard in shards:
            last = newest_status(recent[topics[shard.venue]], shard.venue, shard.collector)
            missing |= dict.fromkeys(map(str, uncollected(last, time.time_ns())))
    if missing:
        raise ConfigError("not collected: " + "; ".join(missing))
    return "every symbol is listed and accepted"


def _paused(settings: Settings) -> str:
    from mdplatform.collector import pauses

    return "; ".join(map(str, pauses.read(settings.data_dir).values())) or "none"


def _alerts(settings: Settings) -> str:
    from mdplatform.alerts.routes import AppriseRoute, routes

    found = routes(settings)
    for route in found:
        if isinstance(route, AppriseRoute):
            route.check()
    return "; ".join(route.name for route in found) or "none: failures are shown in Dagster alone"


def _clickhouse(settings: Settings) -> str:
    from mdplatform.warehouse import client

    return f"version {client.connect(settings).server_version} at {hide(settings.clickhouse_url)}"


def _room(settings: Settings) -> str:
    from datetime import UTC, datetime

    from mdplatform.warehouse import client, sizes

    now = datetime.now(UTC)
    try:
        with client.connect(settings) as connection:
            tables = [row for row in sizes.tables(connection) if row["rows"]]
            rooms = sizes.rooms(connection, settings.local_archive(), now)
    except WarehouseError:
        return "not known: ClickHouse does not answer, see above"
    largest = ", ".join(f"{row['name']} {sizes.size(row['bytes'])}" for row in tables[:LARGEST_TABLES])
    lines = [f"{sizes.size(sum(row['bytes'] for row in tables))} in tables ({largest or 'empty'})"]
    for room in rooms:
        full = room.full_at(now)
        lines.append(f"{room}, {'full on ' + format(full, '%Y-%m-%d') if full else 'never full at this pace'}")
    if scarce := [str(room) for room in rooms if sizes.is_scarce(room, now)]:
        raise ConfigError(f"little room is left: {'; '.join(scarce)}. {lines[0]}; MDPLATFORM_RETENTION_* frees some")
    return "; ".join(lines)


_CHECKS: dict[str, Callable[[Settings], str]] = {
    "Python": _python,
    "configured feeds": _wanted,
    "paused venues": _paused,
    "alert routes": _alerts,
    "topic names": _topics,
    "Kafka": _kafka,
    "collected symbols": _collected,
    "ClickHouse": _clickhouse,
    "room": _room,
}
