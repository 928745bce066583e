"""KuCoin's past trades: https://historical-data.kucoin.com

A zip a symbol and day with one CSV (trade_id, trade_time, price, size, side; the taker's), without checksums: the zip
proves its own content. A symbol is written without its dash, one of perpetuals as the assets and an M (BTCUSDTM,
although the contract is XBTUSDTM). Sizes of perpetuals count contracts. Books of 50 levels do not state what changed:
not taken.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from mdplatform.core.errors import ArchiveError
from mdplatform.core.symbols import Instrument
from mdplatform.history.files import Kind, PublishedFile
from mdplatform.history.publisher import Note, Publisher, told, whose
from mdplatform.history.sizes import sized

NAMES = ("trade_id", "trade_time", "price", "size", "side")
TYPES = {"trade_id": pa.string(), "trade_time": pa.int64(), "price": pa.float64(), "size": pa.float64()}
TYPES |= {"side": pa.string()}
DAY_MS = 86_400_000
MS, NS = pa.timestamp("ms", "UTC"), pa.timestamp("ns", "UTC")


class Kucoin(Publisher):
    def kinds(self, symbol: str, kind: Kind | None) -> tuple[Kind, ...]:
        has_files = symbol.count("-") == 1 or symbol.endswith("-PERP")
        return ("trades",) if kind is None and has_files else ()

    def base_url(self, kind: Kind) -> str:
        return "https://historical-data.kucoin.com"

    def path(self, file: PublishedFile) -> str:
        base, quote, *rest = file.symbol.split("-")
        name, market = (f"{base}{quote}M", "futures") if rest else (f"{base}{quote}", "spot")
        return f"data/{market}/daily/trades/{name}/{name}-trades-{file.period}.zip"

    def rows(
        self, paths: Sequence[Path], file: PublishedFile, instrument: Instrument, as_trades: bool, note: Note
    ) -> Iterator[pa.Table]:
        name = self.path(file)
        options = csv.ConvertOptions(column_types=TYPES, include_columns=list(NAMES), strings_can_be_null=False)
        with told(name), zipfile.ZipFile(paths[0]) as archive:
            inside = [member for member in archive.namelist() if member.endswith(".csv")]
            if len(inside) != 1:
                raise ArchiveError(f"{name} holds {len(inside)} CSV files, not one")
            with archive.open(inside[0]) as member:
                read = csv.ReadOptions(block_size=16 << 20, use_threads=False)
                for batch in csv.open_csv(member, read_options=read, convert_options=options):
                    if batch.num_rows:
                        columns = sized(instrument, _columns(batch, name, file))
                        yield whose(instrument.exchange, instrument.symbol, columns)


def _columns(rows: pa.RecordBatch, name: str, file: PublishedFile) -> dict[str, pa.Array]:
    sides, at = pc.utf8_lower(rows["side"]), rows["trade_time"]
    if not pc.all(pc.is_in(sides, pa.array(["buy", "sell"]))).as_py():
        raise ArchiveError(f"{name} has a side that is neither buy nor sell")
    first, last = (int(moment.timestamp() * 1000) for moment in (file.period.begin, file.period.end))
    bounds = pc.min_max(at).as_py()
    if bounds["min"] < first - DAY_MS or bounds["max"] >= last + DAY_MS:
        raise ArchiveError(f"{name} has times from {bounds['min']} to {bounds['max']}, far from its day: another unit?")
    return {
        "id": rows["trade_id"],
        "price": rows["price"],
        "qty": rows["size"],
        "side": sides,
        "timestamp": at.cast(MS),
        "venue_time": pc.multiply(at, 1_000_000).cast(NS),
    }
