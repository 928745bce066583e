"""The command that writes files for other tools: export."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mdplatform import cli
from mdplatform.cli.instant import Instant

if TYPE_CHECKING:
    from mdplatform.export.files import Written
    from mdplatform.export.source import Piece

FORMATS = ("hftbacktest", "nautilus", "tardis", "parquet")


@click.command(
    epilog="Example: mdplatform export --format tardis --venue binance --symbol BTC-USDT --from 2026-11-29 "
    "--to 2026-11-30 --output files"
)
@click.option("--format", "form", type=click.Choice(FORMATS), required=True, help="Of which tool.")
@click.option("--dataset", "datasets", multiple=True, help="Only this dataset, e.g. trades; may be repeated [all].")
@click.option("--venue", required=True, help="Venue id, e.g. binance.")
@click.option("--symbol", "symbols", multiple=True, required=True, help="Canonical symbol; may be repeated.")
@click.option("--from", "start", type=Instant(), required=True, help="From this receive time on, UTC.")
@click.option("--to", "end", type=Instant(), required=True, help="Before this receive time, UTC.")
@click.option("--source", default="clickhouse", show_default=True, help="clickhouse, archive, or an archive's address.")
@click.option("--partial", is_flag=True, help="Pass over hours that the archive lacks [they are an error].")
@click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder of the files."
)
def export(
    form: str,
    datasets: tuple[str, ...],
    venue: str,
    symbols: tuple[str, ...],
    start: datetime,
    end: datetime,
    source: str,
    partial: bool,
    output: Path,
) -> None:
    """Write what was recorded as files that other tools read, one for each symbol and day (UTC, receive time).

    hftbacktest: .npz with depth and trades, in ns. nautilus: a Parquet data catalog with instruments. tardis: CSV.gz in
    the columns of Tardis. parquet: the archive's columns. Sizes are in base units. A run that was stopped goes on where
    it was when it is started again; the same rows give the same bytes.
    """
    from mdplatform.archive.open_store import store_at
    from mdplatform.export.run import Request
    from mdplatform.export.run import export as write
    from mdplatform.export.source import Source
    from mdplatform.read.rows import CLICKHOUSE, archive_root

    settings = cli.settings()
    archive = None if source == CLICKHOUSE else store_at(archive_root(source, settings))
    request = Request(form, venue, symbols, start.astimezone(UTC), end.astimezone(UTC), datasets)
    files = write(request, Source(settings, archive, partial), output, _say)
    rows, size = sum(file.rows for file in files), sum(file.bytes for file in files)
    click.echo(f"{len(files)} files in {output}: {rows:,} rows, {size:,} bytes")


def _say(number: int, count: int, piece: Piece, files: list[Written], was_there: bool) -> None:
    what = f"{piece.dataset} {piece.venue} {piece.symbol} {piece.day}"
    done = "was there" if was_there else "written"
    found = ", ".join(f"{file.rows:,} rows, {file.bytes:,} bytes" for file in files) or "no rows"
    click.echo(f"[{number:>{len(str(count))}}/{count}] {done}  {what}  {found}")
