"""The ``mdplatform`` command. Each sub-command is imported only when it is called, so that a collector stays light."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
import threading
from collections.abc import Iterator
from typing import IO, Any

import click

from mdplatform.core.environment import environment
from mdplatform.core.errors import MdplatformError
from mdplatform.core.legible import LegibleFormatter, LegibleStream, legible_lines
from mdplatform.core.settings import Settings, load

SILENT_S = 2.0  # a command that takes longer says what it waits for

# command -> (module, what it does, one line). The text is repeated by ``--help`` without importing the module.
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("stack", "Start Kafka, ClickHouse, Dagster and the live page on this machine."),
    "down": ("stack", "Stop what `up` started."),
    "collect": ("feeds", "Run one collector in the foreground: a venue's frames to Kafka."),
    "pause": ("pauses", "Stop collecting one venue until it is resumed; it stays so over restarts."),
    "resume": ("pauses", "Collect a paused venue again."),
    "normalize": ("tapes", "Turn recorded frames into normalized events, as JSON Lines."),
    "record": ("tapes", "Record a venue's raw frames to a file (a tape)."),
    "replay": ("tapes", "Replay a tape through the collector's code to Kafka."),
    "simulate": ("feeds", "Serve simulated exchanges on loopback."),
    "migrate": ("warehouse", "Create or update topics, tables and views."),
    "connect": ("connect", "Show the address, user and password of ClickHouse, for other programs."),
    "query": ("query", "Run SQL in the warehouse and print the rows."),
    "book": ("book", "Show the order book of a symbol at any instant, and whether it is proven."),
    "coverage": ("coverage", "Show what was recorded of each feed, what is missing and why."),
    "compare": ("compare", "Show where collected trades differ from the venues' archives."),
    "symbols": ("symbols", "Show what an instrument is called at each venue, and what is collected of it."),
    "export": ("export", "Write what was recorded as files that other tools read."),
    "serve": ("serve", "Serve what was recorded, and what is recorded now, to clients of tardis-machine."),
    "correct": ("correct", "Remove a wrong row from tables, built hour and archive, or put it back."),
    "verify": ("archive", "Re-read an archive and prove its manifests."),
    "restore": ("archive", "Load archived hours back into ClickHouse."),
    "topofbook": ("watch", "Show the best bid and ask of every symbol, live."),
    "signals": ("watch", "Detect price moves, volume spikes and other signals, and publish them."),
    "lag": ("watch", "Show the lag of each consumer group."),
    "dashboard": ("watch", "Serve the live page."),
    "alerts": ("alerts", "Send a test alert by each route that is set."),
    "metrics": ("watch", "Serve this host's collectors and all consumer lags to Prometheus."),
    "report": ("report", "Show a day on one page: coverage, gaps, lag, what each hour cost; also as HTML."),
    "doctor": ("doctor", "Show the settings and check that everything works."),
    "bench": ("doctor", "Run the benchmarks."),
}


class Lazy(click.Group):
    """Sub-commands by name from COMMANDS, imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"mdplatform.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
@click.version_option(package_name="mdplatform")
def cli() -> None:
    """Crypto market data from WebSocket frame to Parquet file, orchestrated by Dagster, with proof.

    \b
    Example:
      mdplatform up --demo
      mdplatform query "SELECT exchange, symbol, count() FROM md_trades GROUP BY ALL"
    """


def settings(**overrides: Any) -> Settings:
    """Settings from the environment; sets up logging accordingly. ``overrides``: variables given as options."""
    environ = environment()
    environ.update({name: str(value) for name, value in overrides.items() if value is not None})
    loaded = load(environ)
    to_stderr = logging.StreamHandler(sys.stderr)
    to_stderr.setFormatter(LegibleFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=loaded.log_level.upper(), handlers=[to_stderr])
    # Whatever they warn of also reaches us as an exception, which we print as one line.
    for library in ("urllib3.connectionpool", "clickhouse_connect"):
        logging.getLogger(library).setLevel(logging.ERROR)
    return loaded


def output() -> IO[bytes] | LegibleStream:
    """Standard output for rows and events: verbatim for a file or a program, escaped on a terminal."""
    return LegibleStream(sys.stdout.buffer) if sys.stdout.isatty() else sys.stdout.buffer


@contextlib.contextmanager
def report_when_slow(doing: str, seconds: float = SILENT_S) -> Iterator[None]:
    """Print ``doing`` to standard error if the block takes longer than ``seconds``."""
    timer = threading.Timer(seconds, click.echo, [f"{doing} ..."], {"err": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def main() -> None:
    """Entry point: an error of ours is one line and exit code 1, wrong usage is exit code 2, Ctrl-C is 130."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else error.message)
        sys.exit(0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except MdplatformError as error:
        click.echo(f"mdplatform: {legible_lines(str(error))}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except BrokenPipeError:
        # `mdplatform query ... | head` is not an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
