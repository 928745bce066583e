"""The commands that open or serve WebSockets: collect, simulate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from mdplatform import cli
from mdplatform.simulator.config import DEFAULT_SYMBOLS

SYMBOLS = click.option("--symbols", required=True, help="Canonical symbols, comma-separated: BTC-USDT,ETH-USDT.")
VENUE = click.option("--venue", required=True, help="Venue id, e.g. binance or coinbase.")
CHANNELS = click.option("--channels", default="", help="The venue's channels, comma-separated [its default ones].")
WS_URL = click.option("--ws-url", help="WebSocket address to use instead of the venue's own.")
PORT = click.option("--port", type=click.IntRange(0, 65535), default=0, show_default="a free one")
REST_URL = click.option("--rest-url", help="REST address to use instead of the venue's own.")


def names(text: str) -> tuple[str, ...]:
    """A comma-separated option as a tuple."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


@click.command(epilog="Example: mdplatform collect --venue binance --symbols BTC-USDT,ETH-USDT")
@VENUE
@SYMBOLS
@CHANNELS
@WS_URL
@REST_URL
@click.option("--depth", type=click.IntRange(1, 1000), help="Book levels per side in a message [MDPLATFORM_DEPTH].")
@click.option("--keep-raw/--no-keep-raw", default=None, help="Also publish every raw frame [MDPLATFORM_KEEP_RAW].")
@click.option(
    "--collector", default="A", show_default=True, help="This collector's letter; B collects the same feed beside A."
)
@click.option("--kafka-brokers", help="Bootstrap servers [KAFKA_BROKERS].")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the latest counters of each connection to this file, as JSON, every ten seconds.",
)
@click.option("--take-over", is_flag=True, help="End a running collector of this shard first; else it is an error.")
@click.option(
    "--wait-for-listing",
    is_flag=True,
    help="Wait for a symbol that the venue does not list yet; else it is an error.",
)
def collect(
    venue: str,
    symbols: str,
    channels: str,
    ws_url: str | None,
    rest_url: str | None,
    depth: int | None,
    keep_raw: bool | None,
    collector: str,
    kafka_brokers: str | None,
    report: Path | None,
    take_over: bool,
    wait_for_listing: bool,
) -> None:
    """Run one collector in the foreground: a venue's frames to Kafka.

    On SIGINT or SIGTERM it drains: it closes the sockets, delivers what was received and ends the open intervals.
    """
    from mdplatform.collector import CollectorConfig, run
    from mdplatform.collector.report import Reporter

    settings = cli.settings(KAFKA_BROKERS=kafka_brokers, MDPLATFORM_DEPTH=depth, MDPLATFORM_KEEP_RAW=keep_raw)
    config = CollectorConfig.from_settings(
        settings,
        venue,
        names(symbols),
        names(channels),
        ws_url=ws_url,
        rest_url=rest_url,
        collector=collector,
        strict=not wait_for_listing,
    )
    reporter = Reporter(report, settings.queue_messages) if report else None
    on_status = reporter.note if reporter else None
    sys.exit(run(config, settings, on_stats=reporter, on_status=on_status, take_over=take_over))


@click.command(epilog="Example: mdplatform simulate --port 8090 --symbols BTC,ETH --rate 200")
@click.option("--host", default="127.0.0.1", show_default=True)
@PORT
@click.option(
    "--symbols",
    default=",".join(DEFAULT_SYMBOLS),
    show_default=True,
    help="Assets; each venue lists its own products.",
)
@click.option("--venues", default="", help="Venue ids, comma-separated [all].")
@click.option("--rate", default=100.0, show_default=True, help="Level changes per second for each symbol and venue.")
@click.option("--options", default=0, help="Strikes of options at each of four expiries, on BTC and ETH [none].")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same orders.")
@click.option("--levels", default=3_000, show_default=True, help="Levels per side of a book.")
@click.option(
    "--faults",
    default="",
    help="Faults and market events, see above; separated by ';'.",
)
@click.option(
    "--truth-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what was published to this file, one line per update.",
)
def simulate(symbols: str, venues: str, **given: Any) -> None:
    """Serve simulated exchanges on loopback, in the venues' real protocols (WebSocket and REST).

    Ground truth is at /_sim/truth?symbol=BTCUSDT; markets, connections and CPU at /_sim/status. A market starts with
    its first subscription and pauses when nobody is subscribed.

    \b
    Faults, in --faults or while it runs at /_sim/fault?script=...:
      at=5s drop venue=binance symbol=BTCUSDT channel=depth count=3
      duplicate, garbage (count=, kind=text|truncated|binary|fields), skip n=7,
      stall for=2s, refuse for=5s, 429 count=3 retry=5, cut, half-open,
      checksum, bad-row, reset, silence for=90s, slow n=20 for=100s, deaf for=30s,
      maintenance for=40s retry=40
    \b
    Lists and symbols:
      odd-row for=60s odd=null|empty|zero|absent, shrink for=60s,
      delist symbol=BTCUSDT for=60s, deny symbol=BTCUSDT, list symbol=BTCUSDT
    \b
    Market events, in the same place:
      jump BTC 0.8%                  moves the price on all venues, or on venue=
      liquidate BTC n=5 side=sell    in every subscribed derivative of it
      volume BTC x10 for 5s side=buy
      empty symbol=BTCUSDT for=4s    removes every order from the book
    All take at=SECONDS, every=SECONDS, venue= and symbol= (the venue's own name).
    """
    from mdplatform.simulator.config import SimulatorConfig
    from mdplatform.simulator.server import Simulator, run

    cli.settings()

    def ready(simulator: Simulator) -> None:
        click.echo(f"simulating at {simulator.url}; ground truth at {simulator.url}/_sim/truth?symbol=BTCUSDT")
        for name, urls in simulator.urls().items():
            click.echo(f"  {name:<20} --ws-url {urls['ws']} --rest-url {urls['rest']}")
        sys.stdout.flush()

    run(SimulatorConfig(symbols=names(symbols), venues=names(venues), **given), ready)
