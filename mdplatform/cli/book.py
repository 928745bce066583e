"""The command that shows a book at an instant: book."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from mdplatform import cli
from mdplatform.cli.instant import Instant
from mdplatform.core.errors import ConfigError
from mdplatform.read.numbers import shortest

if TYPE_CHECKING:
    from mdplatform.read.books import BookAt

BAR = 30  # characters of the largest level's bar


@click.command(
    epilog="Example: mdplatform book --venue binance --symbol BTC-USDT --at 2026-11-30T12:34:56.789 --depth 200"
)
@click.option("--venue", required=True, help="Venue id, e.g. binance.")
@click.option("--symbol", required=True, help="Canonical symbol, e.g. BTC-USDT.")
@click.option("--at", type=Instant(), default="now", show_default=True, help="Receive time; UTC without a zone.")
@click.option("--depth", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Levels a side.")
@click.option("--source", default="clickhouse", show_default=True, help="clickhouse, archive, or an archive's address.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "csv", "plot"]), default="table", show_default=True
)
def book(venue: str, symbol: str, at: datetime, depth: int, source: str, form: str) -> None:
    """Show the order book of a symbol as it was known at an instant, and whether it is proven.

    Where MDPLATFORM_INCREMENTS keeps the changes of the book it is the whole book, elsewhere the best levels that were
    last published; the answer says which.
    """
    from mdplatform.read.books import book as read_book

    found = read_book(venue, symbol, at, depth=depth, source=source, settings=cli.settings())
    cli.output().write(f"{FORMS[form](found)}\n".encode())


def heading(found: BookAt) -> str:
    """What the book is, in one line, and whether it is proven, in another."""
    whole = "all changes" if found.source == "increments" else "the last published levels (no changes are kept)"
    state = "proven" if found.is_proven else f"NOT proven: {found.reason}"
    return (
        f"{found.exchange} {found.symbol} at {_time(found.at)}, from {whole}: sequence {found.sequence}, "
        f"venue time {_time(found.venue_time)}, received {_time(found.received_at)}\n{state}"
    )


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"


def _table(found: BookAt) -> str:
    rows = [("bid size", "bid", "ask", "ask size")]
    for place in range(max(len(found.bids), len(found.asks))):
        bid = found.bids[place] if place < len(found.bids) else None
        ask = found.asks[place] if place < len(found.asks) else None
        rows.append(
            (
                *((shortest(bid[1]), shortest(bid[0])) if bid else ("", "")),
                *((shortest(ask[0]), shortest(ask[1])) if ask else ("", "")),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([heading(found), "", *lines])


def _plot(found: BookAt) -> str:
    """Depth as bars: what can be bought or sold down to each level, asks above bids."""
    largest = max((_summed(side)[-1] for side in (found.bids, found.asks) if side), default=0.0)
    if not largest:
        raise ConfigError("the book is empty: there is nothing to draw")
    asks = list(zip(found.asks, _summed(found.asks), strict=True))[::-1]
    bids = list(zip(found.bids, _summed(found.bids), strict=True))
    prices = [shortest(level[0]) for level, _ in [*asks, *bids]]
    width = max(map(len, prices), default=0)
    lines = [
        f"{price:>{width}}  {'█' * max(1, round(total / largest * BAR))} {shortest(total)}"
        for price, (_, total) in zip(prices, [*asks, *bids], strict=True)
    ]
    return "\n".join([heading(found), "", *lines[: len(asks)], "-" * (width + BAR), *lines[len(asks) :]])


def _summed(levels: list[tuple[float, float]]) -> list[float]:
    total, sums = 0.0, []
    for _, size in levels:
        total += size
        sums.append(total)
    return sums


def _json(found: BookAt) -> str:
    return json.dumps(
        {
            "exchange": found.exchange,
            "symbol": found.symbol,
            "at": found.at.isoformat(),
            "source": found.source,
            "sequence": found.sequence,
            "venue_time": found.venue_time.isoformat(),
            "received_at": found.received_at.isoformat(),
            "is_proven": found.is_proven,
            "reason": found.reason or None,
            "bids": found.bids,
            "asks": found.asks,
        }
    )


def _csv(found: BookAt) -> str:
    """The levels alone; the heading goes to standard error, so that a file holds nothing else."""
    click.echo(heading(found), err=True)
    rows = [
        f"{side},{number},{shortest(price)},{shortest(size)}"
        for side, levels in (("bid", found.bids), ("ask", found.asks))
        for number, (price, size) in enumerate(levels, 1)
    ]
    return "\n".join(["side,level,price,size", *rows])


FORMS = {"table": _table, "json": _json, "csv": _csv, "plot": _plot}
