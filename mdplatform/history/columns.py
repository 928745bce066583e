"""The columns of Binance's CSV files, and how each becomes one of ours.

Spot files have no header; futures files have one since August 2022 or so: with one, columns are found by name, else by
place. Times are ms, and us in spot files from 2025-01-01 on. ``true`` is written ``True`` in spot files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from mdplatform.history.layout import INTERVAL, Kind

MICROSECONDS = 10**15  # as ms that is the year 33658


@dataclass(frozen=True)
class Layout:
    """``places``: our word for each column in its place, "" for one that we do not take. ``names``: what headers call
    it, where that is another word. ``types``: how it is read, a decimal where nothing is said."""

    places: tuple[str, ...]
    names: Mapping[str, tuple[str, ...]]
    types: Mapping[str, pa.DataType]

    def taken(self) -> list[str]:
        return [place for place in self.places if place]


_PRINT_TYPES = {"id": pa.int64(), "first": pa.int64(), "last": pa.int64(), "time": pa.int64(), "maker": pa.bool_()}
_PRINT_NAMES = {
    "id": ("agg_trade_id",),
    "qty": ("quantity",),
    "first": ("first_trade_id",),
    "last": ("last_trade_id",),
    "time": ("transact_time",),
    "maker": ("is_buyer_maker",),
}
LAYOUTS: dict[Kind, Layout] = {
    "trades": Layout(("id", "price", "qty", "", "time", "maker"), _PRINT_NAMES, _PRINT_TYPES),
    "aggTrades": Layout(("id", "price", "qty", "first", "last", "time", "maker"), _PRINT_NAMES, _PRINT_TYPES),
    "klines": Layout(
        ("time", "open", "high", "low", "close", "volume", "end", "quote", "count", "taker", "taker_quote"),
        {
            "time": ("open_time",),
            "end": ("close_time",),
            "quote": ("quote_volume", "quote_asset_volume"),
            "count": ("number_of_trades",),
            "taker": ("taker_buy_volume", "taker_buy_base_asset_volume"),
            "taker_quote": ("taker_buy_quote_volume", "taker_buy_quote_asset_volume"),
        },
        {"time": pa.int64(), "end": pa.int64(), "count": pa.int64()},
    ),
    "bookDepth": Layout(
        ("time", "percentage", "depth", "notional"), {"time": ("timestamp",)}, {"time": pa.timestamp("s")}
    ),
}


def our_columns(kind: Kind, rows: pa.RecordBatch, as_trades: bool = False) -> dict[str, pa.Array]:
    """The rows in the columns of the table for ``kind``, without exchange and symbol; ``as_trades``: aggregated trades
    in those of md_trades, for a venue whose live trades are such."""
    return _print(rows) if as_trades else _MAKERS[kind](rows)


def _print(rows: pa.RecordBatch) -> dict[str, pa.Array]:
    at = nanoseconds(rows["time"])
    return {
        "id": rows["id"].cast(pa.string()),
        "price": rows["price"],
        "qty": rows["qty"],
        "side": pc.if_else(rows["maker"], "sell", "buy"),  # the taker's: a buyer who is the maker was sold to
        "timestamp": _milliseconds(at),
        "venue_time": _time(at),
    }


def _aggregate(rows: pa.RecordBatch) -> dict[str, pa.Array]:
    span = {"first_id": rows["first"].cast(pa.uint64()), "last_id": rows["last"].cast(pa.uint64())}
    return {**_print(rows), "id": rows["id"].cast(pa.uint64()), **span}


def _kline(rows: pa.RecordBatch) -> dict[str, pa.Array]:
    same = ("open", "high", "low", "close", "volume")
    return {
        "interval": pa.array([INTERVAL] * len(rows)),
        "timestamp": _milliseconds(nanoseconds(rows["time"])),
        "close_time": _milliseconds(nanoseconds(rows["end"])),
        **{name: rows[name] for name in same},
        "quote_volume": rows["quote"],
        "trades": rows["count"].cast(pa.uint64()),
        "taker_buy_volume": rows["taker"],
        "taker_buy_quote_volume": rows["taker_quote"],
    }


def _depth(rows: pa.RecordBatch) -> dict[str, pa.Array]:
    at = rows["time"].cast(pa.timestamp("ms")).cast(pa.timestamp("ms", tz="UTC"))
    return {"timestamp": at, **{name: rows[name] for name in ("percentage", "depth", "notional")}}


_MAKERS = {"trades": _print, "aggTrades": _aggregate, "klines": _kline, "bookDepth": _depth}


def nanoseconds(times: pa.Array) -> pa.Array:
    """ms or us since 1970, by magnitude, in ns."""
    return pc.if_else(pc.greater_equal(times, MICROSECONDS), pc.multiply(times, 1000), pc.multiply(times, 1_000_000))


def _time(at_ns: pa.Array) -> pa.Array:
    return at_ns.cast(pa.timestamp("ns", tz="UTC"))


def _milliseconds(at_ns: pa.Array) -> pa.Array:
    return pc.floor_temporal(_time(at_ns), unit="millisecond").cast(pa.timestamp("ms", tz="UTC"))
