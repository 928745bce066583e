"""What of a venue's public archive becomes which table: the assets by day, and what must be true of them."""

import warnings
from dataclasses import dataclass

import dagster as dg

from mdplatform.defs.asset_metadata import OWNERS
from mdplatform.history.layout import BOOKS, FIRST_DAY, TRADES, Kind, published

# The last day that is over: its files appear during the next one.
DAILY = dg.DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone="UTC")
SOURCE = dg.AssetSpec(
    ["archive", "binance_public_archive"],
    description="Binance's public archive: trades, klines and depth as zipped CSV with checksums.",
    group_name="history",
    kinds={"csv"},
    owners=OWNERS,
    metadata={"dagster/uri": "https://data.binance.vision"},
)
BYBIT_SOURCE = dg.AssetSpec(
    ["archive", "bybit_public_archive"],
    description="Bybit's public archive: trades as gzipped CSV, books as zipped frames of its socket; no checksums.",
    group_name="history",
    kinds={"csv", "json"},
    owners=OWNERS,
    metadata={"dagster/uri": "https://www.bybit.com/derivatives/en/history-data"},
)
SOURCES = (SOURCE, BYBIT_SOURCE)
COUNTED = ["binance"]  # venues of which single trades are stored
TOLERATED_PPM = 1.0  # sums of decimals as floats are off by far less


@dataclass(frozen=True)
class Dataset:
    """An asset: the files of ``kind`` in ``table``, see ``published``; from ``sources``."""

    name: str
    table: str
    kind: Kind | None
    meaning: str
    sources: tuple[dg.AssetSpec, ...] = (SOURCE,)

    def kinds(self, venue: str, symbol: str) -> tuple[Kind, ...]:
        """The kinds of files of an instrument, of which the first that is there is taken."""
        return published(venue, symbol, self.kind)

    @property
    def spec(self) -> dg.AssetSpec:
        return dg.AssetSpec(
            self.name,
            description=f"{self.meaning} Loading a day again changes nothing, unless the venue has replaced its file.",
            partitions_def=DAILY,
            deps=[source.key for source in self.sources],
            group_name="history",
            kinds={"clickhouse"},
            owners=OWNERS,
            metadata={"dagster/table_name": f"marketdata.{self.table}"},
        )


DATASETS = (
    Dataset(
        TRADES,
        "md_trades",
        None,
        "Trades from the venues' archives beside those collected live, with provenance `archive`; both bear the "
        "venue's ids, and of one trade the live row stays. Of Binance's spot the trades, of its USD-M futures the "
        "aggregated ones, of Bybit the linear contracts.",
        SOURCES,
    ),
    Dataset("agg_trades_history", "md_agg_trades", "aggTrades", "Fills of one order at one price, by the venue."),
    Dataset("klines_history", "md_klines", "klines", "Candles of a minute, by the venue: what trades must add up to."),
    Dataset(
        BOOKS,
        "md_book_increments",
        "ob500",
        "Whole books as their changes, from Bybit's archive, each update proven to follow the one before: the book of "
        "any instant.",
        (BYBIT_SOURCE,),
    ),
    Dataset(
        "book_depth_history", "md_book_depth_history", "bookDepth", "What books held within some percent of the price."
    ),
)
KLINES = next(dataset for dataset in DATASETS if dataset.kind == "klines")
with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.PreviewWarning)  # partitions of a check spec are new in Dagster 1.13
    CHECK = dg.AssetCheckSpec(
        "volume_agrees_with_klines",
        asset=KLINES.name,
        additional_deps=[TRADES],
        description="In each minute the stored trades have the volume, prices and, where single trades are stored, the "
        "number of the venue's own klines.",
        partitions_def=DAILY,
    )
NEXT_STEP = (
    "Too little: trades are missing; load trades_history of the day. Too much: find by id which are stored twice. A "
    "price that differs by more: symbol and file are not of one instrument."
)
