"""The commands that read topics: topofbook, signals, lag, dashboard."""

from __future__ import annotations

import sys

import click

from mdplatform import cli
from mdplatform.cli.feeds import PORT, names


@click.command(epilog="Example: mdplatform topofbook --symbols BTC-USDT,BTC-USD")
@click.option("--symbols", default="", help="Only these canonical symbols, comma-separated.")
@click.option("--once", is_flag=True, help="Print the table once every symbol was seen (2 s), then end.")
def topofbook(symbols: str, once: bool) -> None:
    """Show the best bid and ask of every symbol, live; plain lines when the output is not a terminal."""
    from mdplatform.consumers.topofbook import run_topofbook

    run_topofbook(cli.settings(), symbols=names(symbols), once=once)


@click.command(epilog="Example: mdplatform signals --threshold-pct 0.5 --window 60")
@click.option("--threshold-pct", default=0.5, show_default=True, help="Smallest move of the mid price, in percent.")
@click.option("--window", "window_s", default=60.0, show_default=True, help="Within so many seconds.")
def signals(threshold_pct: float, window_s: float) -> None:
    """Find price moves in the order-book topics and publish them to the signals topic."""
    from mdplatform.consumers.signals import run_signals

    run_signals(cli.settings(), threshold_pct=threshold_pct, window_s=window_s)


@click.command(epilog="Example: mdplatform lag --threshold 10000")
@click.option("--threshold", default=None, type=int, help="Exit with 1 when a partition is further behind than this.")
@click.option("--group", default=None, help="Only this consumer group.")
def lag(threshold: int | None, group: str | None) -> None:
    """Show how far each consumer group is behind, by partition."""
    from mdplatform.consumers.lag import run_lag

    sys.exit(run_lag(cli.settings(), threshold=threshold, group=group))


@click.command(epilog="Example: mdplatform dashboard --port 8080")
@click.option("--host", default="127.0.0.1", show_default=True, help="Beyond loopback set MDPLATFORM_DASHBOARD_TOKEN.")
@PORT
def dashboard(host: str, port: int) -> None:
    """Serve the live page."""
    from mdplatform.dashboard.server import run

    def ready(url: str) -> None:
        click.echo(f"live page at {url}")
        sys.stdout.flush()

    run(cli.settings(), host, port, ready)
