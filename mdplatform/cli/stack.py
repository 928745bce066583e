"""``up`` and ``down``: the embedded stack from the command line."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from mdplatform import cli
from mdplatform.cli.warehouse import prepare
from mdplatform.core.environment import environment
from mdplatform.core.errors import ConfigError
from mdplatform.core.private import owned_directory
from mdplatform.core.settings import hide, load

START_S = 240.0
STOP_S = 90.0
FIRST_ROWS_S = 120.0
ALLOWED_HOSTS = "MDPLATFORM_ALLOWED_HOSTS"

LABELS = {
    "dagster": "Dagster (runs, assets)",
    "dashboard": "Live page",
    "clickhouse": "ClickHouse (HTTP)",
    "kafka": "Kafka",
}

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory for all state [MDPLATFORM_DATA_DIR].",
)


@click.command(epilog="Example: mdplatform up --demo --data-dir /tmp/market")
@click.option("--demo", is_flag=True, help="Collect from simulated exchanges on this machine.")
@data_dir_option
@click.option("--detach", is_flag=True, help="Run in the background; `mdplatform down` stops it.")
@click.option(
    "--only", help="Start only these, comma-separated: broker, clickhouse, simulator, dashboard, signals, dagster."
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="An additional host name to accept; may be repeated [MDPLATFORM_ALLOWED_HOSTS].",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the addresses as one JSON object once everything is ready."
)
def up(
    demo: bool, data_dir: Path | None, detach: bool, only: str | None, hosts: tuple[str, ...], as_json: bool
) -> None:
    """Start Kafka, ClickHouse, Dagster and the live page on this machine.

    Everything listens on loopback only. State is kept in the data directory, so a stopped stack can be resumed.
    """
    from mdplatform.core import stack_state

    directory, parts, allowed = _directory(data_dir), _parts(only, demo), _allowed(hosts)
    owned_directory(directory)
    if stack_state.is_running(directory):
        raise ConfigError(f"a stack already runs on {directory}; stop it with `mdplatform down --data-dir {directory}`")
    if detach:
        _start_in_background(directory, parts, allowed)
        _announce(directory, as_json)
    else:
        _run_here(directory, parts, allowed, as_json)


@click.command(epilog="Example: mdplatform down --data-dir /tmp/market")
@data_dir_option
def down(data_dir: Path | None) -> None:
    """Stop what `up` started."""
    from mdplatform.core import stack_state

    directory = _directory(data_dir)
    running = stack_state.read(directory)
    if running is None or not stack_state.is_running(directory):
        click.echo(f"no stack is running on {directory}")
        return
    with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
        os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    with cli.report_when_slow(f"stopping the stack on {directory}: collectors deliver what they have received"):
        while stack_state.is_running(directory):
            if time.monotonic() > deadline:
                log = directory / "logs" / "up.log"
                raise ConfigError(f"process {running.pid} has not ended in {STOP_S:g} s; see {log}")
            time.sleep(0.1)
    click.echo(f"stopped the stack on {directory}")


def _directory(data_dir: Path | None) -> Path:
    return (data_dir or Path(load(environment()).data_dir)).absolute()


def _parts(only: str | None, demo: bool) -> tuple[str, ...]:
    from mdplatform.embedded.stack import PARTS

    wanted = [name.strip() for name in only.split(",")] if only else [p for p in PARTS if demo or p != "simulator"]
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        raise ConfigError(f"--only does not know {', '.join(unknown)}; it knows {', '.join(PARTS)}")
    return tuple(name for name in PARTS if name in wanted)


def _allowed(hosts: tuple[str, ...]) -> dict[str, str]:
    """The setting that adds ``hosts`` to the host names that are set already. Raises ConfigError."""
    given = environment()
    named = ",".join(filter(None, (given.get(ALLOWED_HOSTS, ""), *hosts)))
    load({**given, ALLOWED_HOSTS: named})
    return {ALLOWED_HOSTS: named} if named else {}


def _run_here(directory: Path, parts: tuple[str, ...], allowed: dict[str, str], as_json: bool) -> None:
    from mdplatform.embedded import stack

    started_s = time.monotonic()
    cli.settings()

    def report(line: str) -> None:
        click.echo(f"[{time.monotonic() - started_s:5.1f} s] {line}", err=True)

    def started(running: stack.Stack, stop: threading.Event) -> None:
        if as_json:
            click.echo(json.dumps(running.state.addresses()))
            sys.stdout.flush()
            return
        if {"clickhouse", "simulator", "dagster"} <= set(parts):
            _wait_for_rows(running.environ, report, stop)
        click.echo(_welcome(running.state.addresses()))

    report(f"starting {', '.join(parts)} with state in {directory}")
    stack.run(stack.Plan(directory, parts, {**environment(), **allowed}), prepare, report, started)


def _start_in_background(directory: Path, parts: tuple[str, ...], allowed: dict[str, str]) -> None:
    """Raises ProcessError when it does not start."""
    from mdplatform.core import stack_state
    from mdplatform.core.process import spawn

    command = [sys.executable, "-m", "mdplatform", "up", "--data-dir", str(directory), "--only", ",".join(parts)]
    child = spawn(command, name="up", log=directory / "logs" / "up.log", env=allowed, die_with_parent=False)

    def answers() -> bool:
        found = stack_state.read(directory)
        return found is not None and found.ready and found.pid == child.pid

    child.wait_until_ready(answers, START_S)


def _announce(directory: Path, as_json: bool) -> None:
    from mdplatform.core import stack_state

    found = stack_state.read(directory)
    if found is None:
        raise ConfigError(f"{directory} holds no state of a stack")
    if as_json:
        click.echo(json.dumps(found.addresses()))
    else:
        click.echo(_welcome(found.addresses()))
        click.echo(f"It runs in the background; `mdplatform down --data-dir {directory}` stops it.")


def _wait_for_rows(environ: dict[str, str], report: Callable[[str], None], stop: threading.Event) -> None:
    """Wait until every simulated venue has rows in the top-of-book table, or the time is over; report which."""
    from mdplatform.warehouse import client, queries

    connection = client.connect(load(environ))
    since = datetime.now(UTC)
    deadline = time.monotonic() + FIRST_ROWS_S
    wanted = {part.partition(":")[0] for part in environ["MDPLATFORM_INGEST"].split(";")}
    seen: set[str] = set()
    while wanted - seen and time.monotonic() < deadline and not stop.wait(0.5):
        for row in queries.run(connection, "rows_by_exchange", since=since):
            exchange = row["exchange"]
            if exchange not in seen:
                seen.add(exchange)
                report(f"{exchange}: {row['rows']} book updates are in ClickHouse")
    if wanted - seen:
        report(f"no rows yet from {', '.join(sorted(wanted - seen))}: look at the ingest runs in Dagster")


def _welcome(at: dict[str, str | None]) -> str:
    """What to open and what to try."""
    lines = ["", "mdplatform is running:"]
    for name, label in LABELS.items():
        if at[name] is not None:
            lines.append(f"  {label:<24} {hide(str(at[name]))}")
    lines.append(f"  {'Data directory':<24} {at['data_dir']}")
    if at["clickhouse"]:
        command = _command(str(at["data_dir"]))
        lines += ["", "Clients of ClickHouse log in as reader (read-only) or as default. To show the passwords:"]
        lines += [f"  {command} connect", f"  {command} connect --write", "", "Try:"]
        lines += [f"  {line}" for line in _examples(command)]
    lines.append("")
    return "\n".join(lines)


def _command(data_dir: str) -> str:
    """The command line that calls us again from here, with the data directory where it is not the default."""
    called = Path(sys.argv[0])
    name = (
        "mdplatform" if shutil.which("mdplatform") else os.path.relpath(called) if called.name == "mdplatform" else ""
    )
    is_usual = _directory(None) == Path(data_dir)
    return ("" if is_usual else f"MDPLATFORM_DATA_DIR={data_dir} ") + (name or f"{sys.executable} -m mdplatform")


def _examples(command: str) -> list[str]:
    query = (
        "SELECT exchange, symbol, timestamp, bid_price, ask_price FROM md_top_of_book ORDER BY timestamp DESC LIMIT 10"
    )
    return [
        f'{command} query "{query}"',
        f'{command} connect --format curl | curl -K - --data-binary "{query} FORMAT PrettyCompact"',
        f"{command} topofbook",
        "Dagster > Jobs > hourly_build > Materialize all > Latest > Launch 1 run: the current hour, down to files",
    ]
