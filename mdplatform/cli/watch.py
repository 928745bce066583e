"""The commands that watch what runs: topofbook, signals, lag, dashboard, metrics."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeVar

import click
import msgspec

from mdplatform import cli
from mdplatform.cli.feeds import PORT, names
from mdplatform.core.errors import ConfigError
from mdplatform.signals.detectors.thresholds import Thresholds
from mdplatform.terminal.topofbook import COLUMNS

F = TypeVar("F", bound=Callable[..., Any])


@click.command(epilog="Example: mdplatform topofbook --symbols BTC-USDT,BTC-USD")
@click.option("--symbols", default="", help="Only these canonical symbols, comma-separated; BTC-* is a pattern.")
@click.option("--venues", default="", help="Only these venues, comma-separated.")
@click.option("--sort", type=click.Choice(COLUMNS), help="Sort by this column, numbers from the largest down.")
@click.option("--once", is_flag=True, help="Print what arrived within two seconds, then exit.")
def topofbook(symbols: str, venues: str, sort: str | None, once: bool) -> None:
    """Show the best bid and ask of every symbol, live; plain lines when the output is not a terminal."""
    from mdplatform.terminal.watch import run_topofbook
    from mdplatform.venues import venue_ids

    unknown = set(names(venues)) - set(venue_ids())
    if unknown:
        raise ConfigError(f"no venue {', '.join(sorted(unknown))}; there are {', '.join(venue_ids())}")
    settings = cli.settings()
    waits = cli.report_when_slow(f"joining a group at Kafka at {settings.kafka_brokers}") if once else nullcontext()
    with waits:
        run_topofbook(settings, symbols=names(symbols), venues=names(venues), once=once, sort=sort)


def _at(option: str, name: str, meaning: str) -> Callable[[F], F]:
    """An option for a field of Thresholds, with its default."""
    default = getattr(Thresholds(), name)
    kind = click.IntRange(1) if isinstance(default, int) else click.FloatRange(0, min_open=True)
    return click.option(option, name, type=kind, default=default, show_default=True, help=meaning)


@click.command(epilog="Example: mdplatform signals --threshold-pct 0.5 --window 60")
@_at("--threshold-pct", "move_pct", "Price move: percent of the mid price.")
@_at("--window", "move_window_s", "Price move: within this many seconds.")
@_at("--volume-ratio", "volume_ratio", "Volume spike: multiple of the usual volume, on several exchanges at once.")
@_at("--volume-exchanges", "volume_exchanges", "Volume spike: on at least this many exchanges.")
@_at("--liquidations", "liquidations", "Liquidation cascade: liquidations of one side within ten seconds.")
@_at("--imbalance", "imbalance", "Imbalance: share of one side, averaged over five seconds.")
@_at("--order-flow-sd", "order_flow_sd", "Order flow in one second: standard deviations from the market's own mean.")
@_at("--dislocation-bps", "dislocation_bps", "Dislocation: best bid above another venue's best ask, in bps.")
@_at("--cooldown", "cooldown_s", "Seconds before the same signal is published again.")
def signals(**given: float) -> None:
    """Detect extreme market events and publish them to the signals topic.

    It reads the topics of books, quotes, trades and liquidations as consumer group signal-engine. After a restart it
    continues where it stopped and repeats nothing.
    """
    from mdplatform.signals.process import run_signals

    run_signals(cli.settings(), msgspec.structs.replace(Thresholds(), **given))


@click.command(epilog="Example: mdplatform lag --threshold 10000")
@click.option("--threshold", type=click.IntRange(0), help="Exit with code 1 when a partition's lag exceeds this.")
@click.option("--group", default=None, help="Only this consumer group.")
@click.option(
    "--interval",
    "interval_s",
    type=click.FloatRange(0.1),
    default=1.0,
    show_default=True,
    help="Seconds between the two measurements that show the trend.",
)
def lag(threshold: int | None, group: str | None, interval_s: float) -> None:
    """Show the lag of each consumer group, by partition, and whether it is catching up."""
    from mdplatform.terminal.lag import run_lag

    settings = cli.settings()
    with cli.report_when_slow(f"measuring twice the lag of the groups of Kafka at {settings.kafka_brokers}"):
        code = run_lag(settings, threshold=threshold, group=group, interval_s=interval_s)
    sys.exit(code)


@click.command(epilog="Example: mdplatform dashboard --port 8080")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Beyond loopback, MDPLATFORM_DASHBOARD_TOKEN is required."
)
@PORT
def dashboard(host: str, port: int) -> None:
    """Serve the live page."""
    from mdplatform.dashboard.server import run

    def ready(url: str) -> None:
        click.echo(f"live page at {url}")
        sys.stdout.flush()

    run(cli.settings(), host, port, ready)


@click.command(epilog="Example: mdplatform metrics --port 9464")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Beyond loopback, name what Prometheus calls this host in MDPLATFORM_ALLOWED_HOSTS.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=9464, show_default=True, help="0 takes a free one.")
def metrics(host: str, port: int) -> None:
    """Serve to Prometheus, under /metrics, this host's collectors and the lag of every consumer group.

    Collectors are those that report into MDPLATFORM_DATA_DIR/ingest, as Dagster's ingest runs have them do.
    """
    from mdplatform.metrics.server import run

    def ready(url: str) -> None:
        click.echo(f"metrics at {url}")
        sys.stdout.flush()

    run(cli.settings(), host, port, ready)
