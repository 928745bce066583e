"""The commands around tapes: normalize, record, replay."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click

from mdplatform import cli
from mdplatform.cli.feeds import CHANNELS, REST_URL, SYMBOLS, VENUE, WS_URL, names
from mdplatform.core.errors import FeedError
from mdplatform.core.legible import legible_lines

ONLY_SYMBOLS = click.option("--symbols", default="", help="Only these canonical symbols [all that the venue lists].")
INSTRUMENTS = click.option(
    "--instruments",
    multiple=True,
    type=click.File("rb"),
    help="File with the venue's instrument list as its REST API returned it; repeat for several lists or pages.",
)


class Speed(click.ParamType[float | None]):
    """A factor above 0, or ``max``, which is None."""

    name = "speed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        try:
            factor = None if value in ("max", None) else float(value)
        except ValueError:
            factor = 0.0
        if factor is not None and not 0 < factor < float("inf"):
            self.fail(f"{value!r} is neither a number above 0 nor max", param, ctx)
        return factor


@click.command(epilog="Example: mdplatform normalize --venue binance recording.txt.gz > events.jsonl")
@VENUE
@ONLY_SYMBOLS
@CHANNELS
@INSTRUMENTS
@click.option("--depth", type=click.IntRange(1, 1000), default=20, show_default=True, help="Book levels per side.")
@click.option("--quiet", is_flag=True, help="Print no summary on standard error.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
def normalize(
    venue: str,
    symbols: str,
    channels: str,
    instruments: tuple[IO[bytes], ...],
    depth: int,
    quiet: bool,
    files: tuple[Path, ...],
) -> None:
    """Turn recorded frames into normalized events, as JSON Lines.

    Each line of FILES (in the order given; standard input when there are none) is `<receive time> <raw frame>`. The
    unit of the time (s, ms, us or ns) follows from its magnitude; .gz files are read too. A REST snapshot is a line of
    the same form. Nothing is sent anywhere. A frame that cannot be parsed becomes a dead letter with its reason.
    """
    from mdplatform.recordings.normalize import normalize as normalized
    from mdplatform.recordings.player import Summary

    summary = Summary()
    out = cli.output()
    messages = normalized(
        venue,
        _lines(files),
        channels=names(channels),
        symbols=names(symbols),
        instruments=[listed.read() for listed in instruments],
        depth=depth,
        summary=summary,
    )
    for message in messages:
        out.write(message + b"\n")
    out.flush()
    if not quiet:
        click.echo(legible_lines(summary.text()), err=True)


@click.command(epilog="Example: mdplatform record --venue binance --symbols BTC-USDT --seconds 60 btc.tape.gz")
@VENUE
@SYMBOLS
@CHANNELS
@WS_URL
@REST_URL
@click.option(
    "--seconds", type=click.FloatRange(min=0, min_open=True), help="Stop after this many seconds [on SIGINT]."
)
@click.argument("tape", type=click.Path(path_type=Path, dir_okay=False))
def record(
    venue: str,
    symbols: str,
    channels: str,
    ws_url: str | None,
    rest_url: str | None,
    seconds: float | None,
    tape: Path,
) -> None:
    """Record a venue's raw frames to a file (a tape).

    TAPE (gzip when its name ends in .gz; appended to when it exists) gets one line per frame, `<receive time> <raw
    frame>`, and the instrument list and REST snapshots as lines of the same form: `normalize` and `replay` need nothing
    else.
    """
    from mdplatform.collector import CollectorConfig
    from mdplatform.recordings.record import record as recorded

    settings = cli.settings()
    config = CollectorConfig.from_settings(
        settings, venue, names(symbols), names(channels), ws_url=ws_url, rest_url=rest_url, strict=True
    )
    result = recorded(config, settings, tape, seconds)
    report = result.report
    click.echo(f"{result.lines} lines on {tape}; {report.reconnects} reconnects, {report.gaps} gaps", err=True)
    if not report.frames:
        raise FeedError(f"{venue} sent no frame")


@click.command(epilog="Example: mdplatform replay --venue binance --speed 10 btc.tape.gz")
@VENUE
@ONLY_SYMBOLS
@CHANNELS
@INSTRUMENTS
@click.option("--depth", type=click.IntRange(1, 1000), help="Book levels per side in a message [MDPLATFORM_DEPTH].")
@click.option(
    "--speed", type=Speed(), default="max", show_default=True, help="1: as recorded; 10: ten times as fast; max."
)
@click.option("--kafka-brokers", help="Bootstrap servers [KAFKA_BROKERS].")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def replay(
    venue: str,
    symbols: str,
    channels: str,
    instruments: tuple[IO[bytes], ...],
    depth: int | None,
    speed: float | None,
    kafka_brokers: str | None,
    files: tuple[Path, ...],
) -> None:
    """Replay tapes through the collector's code to Kafka, with the times as recorded.

    FILES are as for `normalize`, in the order given. At a given speed, pauses of more than a minute are shortened.
    """
    from mdplatform.recordings.player import Player
    from mdplatform.recordings.replay_tape import Progress
    from mdplatform.recordings.replay_tape import replay as replayed

    settings = cli.settings(KAFKA_BROKERS=kafka_brokers, MDPLATFORM_DEPTH=depth)
    player = Player(
        venue,
        channels=names(channels),
        symbols=names(symbols),
        instruments=[listed.read() for listed in instruments],
        depth=settings.depth,
    )

    def report(now: Progress) -> None:
        at = datetime.fromtimestamp(now.tape_ns / 1e9, UTC)
        click.echo(f"{at:%F %T}: {now.frames} frames, {now.acknowledged} of {now.accepted} delivered", err=True)

    end = replayed(player, venue, _lines(files), settings, speed, report)
    delivered = f"{end.acknowledged} of {end.accepted} messages delivered to {settings.kafka_brokers}"
    click.echo(f"{legible_lines(player.summary.text())}; {delivered}, {end.failed} failed", err=True)
    sys.exit(0 if end.acknowledged == end.accepted else 1)


def _lines(files: tuple[Path, ...]) -> Iterator[bytes]:
    """The lines of the tapes, plain or gzip; of standard input for ``-`` or where no file is given."""
    from mdplatform.recordings.tape import read_lines, unpacked

    for path in files or (Path("-"),):
        if str(path) != "-":
            yield from read_lines(path)
            continue
        piped = io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False))
        packed = piped.peek(2)[:2] == b"\x1f\x8b"
        yield from unpacked(piped) if packed else piped
