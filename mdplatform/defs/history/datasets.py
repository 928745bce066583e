"""What of a venue's public archive becomes which table: the assets by day, and what must be true of them."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg

from mdplatform.defs.asset_metadata import OWNERS
from mdplatform.history.files import Kind, Period, periods
from mdplatform.history.layout import BOOKS, FIRST_DAY, PUBLISHERS, TRADES, published

# The last day that is over: its files appear during the next one.
DAILY = dg.DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone="UTC")


def _source(name: str, description: str, uri: str, *kinds: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["archive", f"{name}_public_archive"],
        description=description,
        group_name="history",
        kinds=set(kinds),
        owners=OWNERS,
        metadata={"dagster/uri": uri},
    )


SOURCE = _source(
    "binance",
    "Binance's public archive: trades, klines, depth, quotes, metrics and funding as zipped CSV with checksums.",
    "https://data.binance.vision",
    "csv",
)
BYBIT_SOURCE = _source(
    "bybit",
    "Bybit's public archive: trades as gzipped CSV, books as zipped frames of its socket; no checksums.",
    "https://www.bybit.com/derivatives/en/history-data",
    "csv",
    "json",
)
OKX_SOURCE = _source(
    "okx",
    "OKX's historical data: trades as zipped CSV, books of 400 levels as lines of JSON; a call names the files.",
    "https://www.okx.com/historical-data",
    "csv",
    "json",
)
KUCOIN_SOURCE = _source(
    "kucoin", "KuCoin's public archive: trades as zipped CSV.", "https://historical-data.kucoin.com", "csv"
)
LISTED_SOURCES = tuple(
    _source(name, f"{title}'s trades by REST, page by page within its budget; no files.", uri, "json")
    for name, title, uri in (
        ("deribit", "Deribit", "https://docs.deribit.com"),
        ("coinbase", "Coinbase", "https://docs.cdp.coinbase.com/exchange"),
        ("kraken", "Kraken", "https://docs.kraken.com"),
    )
)
SOURCES = (SOURCE, BYBIT_SOURCE, OKX_SOURCE, KUCOIN_SOURCE, *LISTED_SOURCES)
COUNTED = ["binance"]  # venues of which single trades are stored
ROUNDED = ["binance-coinm"]  # venues whose klines state base units that were rounded
TOLERATED_PPM = 1.0  # sums of decimals as floats are off by far less


@dataclass(frozen=True)
class Dataset:
    """An asset: the files of ``kind`` in ``table``, see ``published``; from ``sources``.

    ``may_lack``: that there is no file of a day is no fault.
    """

    name: str
    table: str
    kind: Kind | None
    meaning: str
    sources: tuple[dg.AssetSpec, ...] = (SOURCE,)
    may_lack: bool = False

    def kinds(self, venue: str, symbol: str) -> tuple[Kind, ...]:
        """The kinds of files of an instrument, of which the first that is there is taken."""
        return published(venue, symbol, self.kind)

    def periods(self, days: Sequence[date]) -> Iterator[Period]:
        """The days as periods of files; where a venue has none of a month, its days are loaded one by one."""
        kind = self.kind or "trades"
        publishers = [one for one in PUBLISHERS.values() if one.kinds("BTC-USDT-PERP", self.kind)]
        has_months, has_days = any(p.has_months(kind) for p in publishers), any(p.has_days(kind) for p in publishers)
        return periods(days, has_months, has_days)

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
        "venue's ids, and of one trade the live row stays. Of Binance's spot the trades, of its futures the aggregated "
        "ones, of Bybit the linear contracts; of OKX and KuCoin from files, of Deribit, Coinbase and Kraken by REST.",
        SOURCES,
    ),
    Dataset("agg_trades_history", "md_agg_trades", "aggTrades", "Fills of one order at one price, by the venue."),
    Dataset("klines_history", "md_klines", "klines", "Candles of a minute, by the venue: what trades must add up to."),
    Dataset(
        BOOKS,
        "md_book_increments",
        "ob500",
        "Whole books as their changes: the book of any instant. From Bybit's archive, each update proven to follow the "
        "one before; from OKX's, each further snapshot compared with what the updates made.",
        (BYBIT_SOURCE, OKX_SOURCE),
    ),
    Dataset(
        "book_depth_history", "md_book_depth_history", "bookDepth", "What books held within some percent of the price."
    ),
    Dataset(
        "open_interest_history",
        "md_open_interest_history",
        "metrics",
        "Open interest and ratios of long to short of Binance's futures, each five minutes.",
    ),
    Dataset(
        "funding_history",
        "md_funding_history",
        "fundingRate",
        "Funding of Binance's perpetuals as it was paid. Files are of whole months: of the running one there is none.",
        may_lack=True,
    ),
    Dataset(
        "quotes_history",
        "md_quotes",
        "bookTicker",
        "Best bid and ask of Binance's futures at each change, of the days for which there are files (2023 to 2024).",
        may_lack=True,
    ),
)


@dataclass(frozen=True)
class Check:
    """A check of each day, by the query of its name."""

    spec: dg.AssetCheckSpec
    next_step: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


def _spec(name: str, asset: str, beside: Sequence[str], description: str) -> dg.AssetCheckSpec:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # partitions of a check spec are new in Dagster 1.13
        return dg.AssetCheckSpec(
            name, asset=asset, additional_deps=beside, description=description, partitions_def=DAILY
        )


VOLUME = Check(
    _spec(
        "volume_agrees_with_klines",
        "klines_history",
        [TRADES],
        "In each minute the stored trades have the volume, prices and, where single trades are stored, the number of "
        "the venue's own klines.",
    ),
    "Too little: trades are missing; load trades_history of the day. Too much: find by id which are stored twice. A "
    "price that differs by more: symbol and file are not of one instrument.",
    {"ppm": TOLERATED_PPM, "counted": COUNTED, "rounded": ROUNDED},
)
AGREEMENT = Check(
    _spec(
        "collected_agrees_with_archive",
        TRADES,
        [],
        "From the first to the last trade that was collected on the day, the archive has the same ones, at the same "
        "prices and sizes.",
    ),
    "Not collected, but proven: a fault of the collector or the venue; else a gap, which the archive's row fills. Not "
    "in the archive: see whether the venue has published the file again. Another price or size: two trades under one "
    "id, or a wrong conversion; look at raw_size.",
)
INTEREST = Check(
    _spec(
        "collected_interest_agrees_with_archive",
        "open_interest_history",
        [],
        "Open interest in the archive lies between what was collected before and after it.",
    ),
    "Twice or half of it: one side of each contract against both. Another factor: what a contract is worth.",
)
FUNDING = Check(
    _spec(
        "collected_funding_agrees_with_archive",
        "funding_history",
        [],
        "From the first to the last payment of the day that was collected, the archive has the same ones, at the rates "
        "that were stated last before them.",
    ),
    "Not collected: a gap, which the archive's row fills. Another rate: see in md_funding what was stated before.",
)
CHECKS = (VOLUME, AGREEMENT, INTEREST, FUNDING)
