"""The columns of Binance's CSV files, and how each becomes one of ours.

Spot files have no header; futures files have one since August 2022 or so: with one, columns are found by name, else by
place. Times are ms, and us in spot files from 2025-01-01 on. ``true`` is written ``True`` in spot files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from mdplatform.core.symbols import Instrument
from mdplatform.history.files import Kind
from mdplatform.history.sizes import base, counts_contracts, sized, worth

INTERVAL = "1m"  # of klines
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
    "metrics": Layout(
        ("time", "", "contracts", "value", "top_accounts", "top_positions", "accounts", "taker"),
        {
            "time": ("create_time",),
            "contracts": ("sum_open_interest",),
            "value": ("sum_open_interest_value",),
            "top_accounts": ("count_toptrader_long_short_ratio",),
            "top_positions": ("sum_toptrader_long_short_ratio",),
            "accounts": ("count_long_short_ratio",),
            "taker": ("sum_taker_long_short_vol_ratio",),
        },
        {"time": pa.timestamp("s")},
    ),
    "fundingRate": Layout(
        ("time", "hours", "rate"),
        {"time": ("calc_time",), "hours": ("funding_interval_hours",), "rate": ("last_funding_rate",)},
        {"time": pa.int64(), "hours": pa.int64()},
    ),
    "bookTicker": Layout(
        ("id", "bid", "bid_size", "ask", "ask_size", "", "time"),
        {
            "id": ("update_id",),
            "bid": ("best_bid_price",),
            "bid_size": ("best_bid_qty",),
            "ask": ("best_ask_price",),
            "ask_size": ("best_ask_qty",),
            "time": ("event_time",),
        },
        {"id": pa.int64(), "time": pa.int64()},
    ),
}


def our_columns(
    kind: Kind, rows: pa.RecordBatch, instrument: Instrument, as_trades: bool = False
) -> dict[str, pa.Array]:
    """The rows in the columns of the table for ``kind``, without exchange and symbol; ``as_trades``: aggregated trades
    in those of md_trades, for a venue whose live trades are such."""
    if as_trades:
        return sized(instrument, _print(rows))
    if kind == "aggTrades":
        columns = _aggregate(rows)
        return {**columns, "qty": base(instrument, columns["qty"], columns["price"])}
    if kind == "klines":
        return _kline(rows, instrument)
    if kind == "metrics":
        return _metrics(rows, instrument)
    if kind == "bookTicker":
        return _quotes(rows, instrument)
    return _MAKERS[kind](rows)


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


def _kline(rows: pa.RecordBatch, instrument: Instrument) -> dict[str, pa.Array]:
    """COIN-M counts contracts, and states the base units where others state the quote units."""
    volumes = {name: rows[name] for name in ("volume", "quote", "taker", "taker_quote")}
    if counts_contracts(instrument):
        swapped = {"volume": "quote", "taker": "taker_quote"}
        for ours, stated in swapped.items():
            volumes[ours], volumes[stated] = rows[stated], pc.multiply(rows[ours], worth(instrument))
    return {
        "interval": pa.array([INTERVAL] * len(rows)),
        "timestamp": _milliseconds(nanoseconds(rows["time"])),
        "close_time": _milliseconds(nanoseconds(rows["end"])),
        **{name: rows[name] for name in ("open", "high", "low", "close")},
        "volume": volumes["volume"],
        "quote_volume": volumes["quote"],
        "trades": rows["count"].cast(pa.uint64()),
        "taker_buy_volume": volumes["taker"],
        "taker_buy_quote_volume": volumes["taker_quote"],
    }


def _metrics(rows: pa.RecordBatch, instrument: Instrument) -> dict[str, pa.Array]:
    """Of COIN-M the sum is of contracts, and its value in base units."""
    size, value, sent = rows["contracts"], rows["value"], pa.nulls(len(rows), pa.float64())
    if counts_contracts(instrument):
        size, value, sent = rows["value"], pc.multiply(rows["contracts"], worth(instrument)), rows["contracts"]
    return {
        "timestamp": _seconds(rows["time"]),
        "open_interest": size,
        "open_interest_value": value,
        "raw_open_interest": sent,
        "top_trader_account_ratio": rows["top_accounts"],
        "top_trader_position_ratio": rows["top_positions"],
        "account_ratio": rows["accounts"],
        "taker_volume_ratio": rows["taker"],
    }


def _funding(rows: pa.RecordBatch) -> dict[str, pa.Array]:
    hours = rows["hours"].cast(pa.uint8())
    return {"timestamp": _milliseconds(nanoseconds(rows["time"])), "rate": rows["rate"], "interval_hours": hours}


def _quotes(rows: pa.RecordBatch, instrument: Instrument) -> dict[str, pa.Array]:
    """At the time of the event, as live ones. A side without a price is empty."""
    columns: dict[str, pa.Array] = {}
    for side in ("bid", "ask"):
        price, size = rows[side], rows[f"{side}_size"]
        is_there = pc.greater(price, 0)
        columns[f"{side}_price"] = pc.if_else(is_there, price, None)
        columns[f"{side}_size"] = pc.if_else(is_there, base(instrument, size, price), None)
        if counts_contracts(instrument):
            columns[f"raw_{side}_size"] = pc.if_else(is_there, size, None)
    at = nanoseconds(rows["time"])
    return {
        **columns,
        "sequence": rows["id"].cast(pa.uint64()),
        "timestamp": _milliseconds(at),
        "venue_time": _time(at),
    }


def _depth(rows: pa.RecordBatch) -> dict[str, pa.Array]:
    return {"timestamp": _seconds(rows["time"]), **{name: rows[name] for name in ("percentage", "depth", "notional")}}


_MAKERS = {"trades": _print, "bookDepth": _depth, "fundingRate": _funding}


def _seconds(times: pa.Array) -> pa.Array:
    """Text without a zone, in UTC."""
    return times.cast(pa.timestamp("ms")).cast(pa.timestamp("ms", tz="UTC"))


def nanoseconds(times: pa.Array) -> pa.Array:
    """ms or us since 1970, by magnitude, in ns."""
    return pc.if_else(pc.greater_equal(times, MICROSECONDS), pc.multiply(times, 1000), pc.multiply(times, 1_000_000))


def _time(at_ns: pa.Array) -> pa.Array:
    return at_ns.cast(pa.timestamp("ns", tz="UTC"))


def _milliseconds(at_ns: pa.Array) -> pa.Array:
    return pc.floor_temporal(_time(at_ns), unit="millisecond").cast(pa.timestamp("ms", tz="UTC"))
