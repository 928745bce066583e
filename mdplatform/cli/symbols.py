"""The command that looks instruments up: symbols."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from mdplatform import cli
from mdplatform.cli.instant import Instant
from mdplatform.core.symbols import Kind
from mdplatform.read.numbers import shortest

if TYPE_CHECKING:
    from mdplatform.read.instruments import Symbol

COLUMNS = ("symbol", "venue", "its name", "kind", "tick", "step", "a size of 1 is", "state", "listed", "collected")


@click.command(epilog="Example: mdplatform symbols BTC --venue okx --kind perpetual --at 2026-11-01")
@click.argument("name")
@click.option("--venue", "venues", multiple=True, help="Only this venue, e.g. binance; may be repeated.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice([*Kind]), help="Only this kind; may be repeated.")
@click.option("--at", type=Instant(), help="As listed then; UTC without a zone [now].")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def symbols(name: str, venues: tuple[str, ...], kinds: tuple[str, ...], at: datetime | None, form: str) -> None:
    """Show what NAME is called at each venue, its units, and what is collected of it since when.

    NAME is a base asset (BTC), a canonical symbol (BTC-USDT-PERP) or a venue's own name (BTCUSDT). A table leaves
    options out unless `--kind option` asks for them.
    """
    from mdplatform.read.instruments import symbols as read_symbols

    found = read_symbols(name, venues=venues, kinds=kinds, at=at, settings=cli.settings())
    if form == "json":
        text = "\n".join(json.dumps({**asdict(each), "state": each.state}, default=_utc) for each in found)
        cli.output().write(f"{text}\n".encode() if found else b"")
    else:
        cli.output().write(f"{_table(found, bool(kinds))}\n".encode())


def _table(found: list[Symbol], with_options: bool) -> str:
    shown = [each for each in found if with_options or each.kind != Kind.OPTION]
    left_out = len(found) - len(shown)
    if not found:
        return "no venue that was collected has listed such an instrument"
    rows = [COLUMNS, *(_row(each) for each in shown)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (rows if shown else ())
    ]
    return "\n".join([*lines, *([f"and {left_out} options (--kind option)"] if left_out else [])])


def _row(each: Symbol) -> tuple[str, ...]:
    name = each.venue_symbol if each.category is None else f"{each.venue_symbol} ({each.category})"
    listed = f"since {each.listed_since:%Y-%m-%d}"
    if each.is_gone:
        listed = f"{each.listed_since:%Y-%m-%d} to {each.last_listed:%Y-%m-%d}"
    collected = "no"
    if each.collected_since is not None:
        collected = f"{', '.join(each.channels)} since {each.collected_since:%Y-%m-%d %H:%M}"
    state = each.state if each.status is None else f"{each.state} ({each.status})"
    units = (_number(each.tick), _number(each.step), _unit(each))
    return (each.symbol, each.exchange, name, each.kind, *units, state, listed, collected)


def _unit(each: Symbol) -> str:
    """What the venue's sizes count; ours are base units."""
    asset = each.quote if each.inverse else each.base
    return f"{_number((each.contract_size or 1) * (each.multiplier or 1))} {asset}"


def _number(value: float | None) -> str:
    """A dash where the venue states none."""
    return "-" if value is None else shortest(value)


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
