"""A Parquet catalog of nautilus_trader (https://nautilustrader.io/docs/latest/concepts/data).

It holds deltas, trades, quotes and their instruments, named ``<symbol>.<VENUE>``, sorted by ``ts_init``, our receive
time. Prices and sizes are integers of 16 decimals in 16 bytes, as in builds of high precision; sizes in base units.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mdplatform.core.errors import ConfigError
from mdplatform.export.files import Written, whole, written
from mdplatform.export.source import Piece, Source, days
from mdplatform.read.changes import Change

DATASETS = ("increments", "trades", "quotes")
PLACES = 16
FIXED = pa.binary(16)
UPDATE, DELETE, CLEAR, ADD = 2, 3, 4, 1
NO_SIDE, BUY, SELL = 0, 1, 2
LAST, IN_SNAPSHOT = 128, 32
Floats = NDArray[np.float64]


def write(source: Source, piece: Piece, folder: Path) -> list[Written]:
    """The rows of a day and the instrument; nothing where there are no rows."""
    table = _TABLES[piece.dataset](source, piece)
    if not table.num_rows:
        return []
    kind = {"increments": "order_book_delta", "trades": "trade_tick", "quotes": "quote_tick"}[piece.dataset]
    first, last = (_stamp(table["ts_init"][place].as_py()) for place in (0, -1))
    name = f"data/{kind}/{instrument_id(piece)}/{first}_{last}.parquet"
    with whole(folder, name) as path:
        pq.write_table(table, path, compression="zstd", row_group_size=50_000)
    _write_instrument(piece, _places(source, piece), folder)
    return [written(folder, name, table.num_rows)]


def instrument_id(piece: Piece) -> str:
    return f"{piece.symbol}.{piece.venue.upper()}"


Columns = dict[str, tuple[pa.DataType, object]]
_TEXT = pa.string()
_WORD = pa.dictionary(pa.int16(), pa.string())
_AFTER: Columns = {
    **{
        name: (_WORD, None)
        for name in ("max_quantity", "min_quantity", "max_notional", "min_notional", "max_price", "min_price")
    },
    **{name: (_TEXT, "0") for name in ("margin_init", "margin_maint", "maker_fee", "taker_fee")},
    **{"info": (pa.binary(), b"null"), "ts_event": (pa.uint64(), 0), "ts_init": (pa.uint64(), 0)},
}


def _write_instrument(piece: Piece, places: Places, folder: Path) -> None:
    """One file for each: what a day adds to the catalog is of the same instrument."""
    kind, columns = _instrument(piece, places)
    schema = pa.schema([pa.field(name, type_) for name, (type_, _) in columns.items()], {"class": kind})
    row = {name: pa.array([value], type_) for name, (type_, value) in columns.items()}
    below = re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()
    stamp = _stamp(0)
    with whole(folder, f"data/{below}/{instrument_id(piece)}/{stamp}_{stamp}.parquet") as path:
        pq.write_table(pa.table(row, schema), path)


def _instrument(piece: Piece, places: Places) -> tuple[str, Columns]:
    """Its class and columns. Sizes are base units, so every contract is a linear one; steps are the decimals seen."""
    base, quote, *rest = piece.symbol.split("-")
    name: Columns = {
        "id": (pa.dictionary(pa.int64(), _TEXT), instrument_id(piece)),
        "raw_symbol": (_TEXT, piece.symbol),
    }
    pair: Columns = {"base_currency": (_WORD, base), "quote_currency": (_WORD, quote)}
    contract: Columns = {"settlement_currency": (_WORD, quote), "is_inverse": (pa.bool_(), False)}
    units: Columns = {
        **{"price_precision": (pa.uint8(), places.price), "size_precision": (pa.uint8(), places.size)},
        **{"price_increment": (_WORD, _unit(places.price)), "size_increment": (_WORD, _unit(places.size))},
        "multiplier": (_WORD, "1"),
    }
    if not rest:
        return "CurrencyPair", {**name, **pair, **units, "lot_size": (_WORD, None), **_AFTER}
    if rest == ["PERP"]:
        return "CryptoPerpetual", {**name, **pair, **contract, **units, **_AFTER}
    if len(rest) > 1:
        raise ConfigError(
            f"{piece.symbol}: a catalog is written of spot, perpetual and dated instruments, not of options"
        )
    due = int(datetime.strptime(rest[0], "%Y%m%d").replace(tzinfo=UTC).timestamp()) * 10**9
    dated: Columns = {"underlying": (_WORD, base), "quote_currency": (_WORD, quote), **contract}
    dated |= {"activation_ns": (pa.uint64(), 0), "expiration_ns": (pa.uint64(), due)}
    return "CryptoFuture", {**name, **dated, **units, **_AFTER}


def _unit(places: int) -> str:
    return f"{Decimal(1).scaleb(-places):f}"


def _stamp(ns: int) -> str:
    at = datetime.fromtimestamp(ns // 10**9, UTC)
    return f"{at:%Y-%m-%dT%H-%M-%S}-{ns % 10**9:09d}Z"


def _deltas(source: Source, piece: Piece) -> pa.Table:
    """A snapshot is a clear and its levels; the last row of each message says that it is the last."""
    columns = list(zip(*_rows(source.changes(piece)), strict=True)) or [()] * 8
    action, side, price, size, flags, sequence, event, init = (np.asarray(column) for column in columns)
    places = _places(source, piece)
    numbers = {"price": _fixed(price, places.price), "size": _fixed(size, places.size)}
    return _table(
        piece,
        places,
        [
            *(("action", pa.uint8(), action), ("side", pa.uint8(), side)),
            *((name, FIXED, column) for name, column in numbers.items()),
            *(("order_id", pa.uint64(), np.zeros(len(action))), ("flags", pa.uint8(), flags)),
            *(("sequence", pa.uint64(), sequence), ("ts_event", pa.uint64(), event), ("ts_init", pa.uint64(), init)),
        ],
    )


def _rows(changes: Iterator[Change]) -> Iterator[tuple[int, int, float, float, int, int, int, int]]:
    for change in changes:
        stated = (change.sequence, change.venue_ns, change.received_ns)
        levels = [
            (side, price, size)
            for side, prices, sizes in ((BUY, change.b, change.bv), (SELL, change.a, change.av))
            for price, size in zip(prices, sizes, strict=True)
        ]
        is_snapshot = change.kind == "snapshot"
        flags = IN_SNAPSHOT if is_snapshot else 0
        if is_snapshot:
            yield CLEAR, NO_SIDE, 0.0, 0.0, flags | (0 if levels else LAST), *stated
        for number, (side, price, size) in enumerate(levels, 1):
            action = ADD if is_snapshot else UPDATE if size else DELETE
            yield action, side, price, size, flags | (LAST if number == len(levels) else 0), *stated


def _trades(source: Source, piece: Piece) -> pa.Table:
    rows = source.rows(piece)
    price, size = rows["price"].to_numpy(), rows["qty"].to_numpy()
    places = _places(source, piece)
    sides = np.where(np.asarray(rows["side"].to_pylist(), "U4") == "buy", BUY, SELL)
    return _table(
        piece,
        places,
        [
            *(("price", FIXED, _fixed(price, places.price)), ("size", FIXED, _fixed(size, places.size))),
            *(("aggressor_side", pa.uint8(), sides), ("trade_id", pa.string(), rows["id"])),
            *_times(rows),
        ],
    )


def _quotes(source: Source, piece: Piece) -> pa.Table:
    """Those with both sides: the catalog has no quote with one."""
    rows = source.rows(piece)
    rows = rows.filter(pc.and_(rows["bid_price"].is_valid(), rows["ask_price"].is_valid()))
    column = {name: rows[f"{name}"].to_numpy() for name in ("bid_price", "ask_price", "bid_size", "ask_size")}
    places = _places(source, piece)
    fixed = [
        (name, FIXED, _fixed(values, places.price if name.endswith("price") else places.size))
        for name, values in column.items()
    ]
    return _table(piece, places, [*fixed, *_times(rows)])


_TABLES: dict[str, Callable[[Source, Piece], pa.Table]] = {
    "increments": _deltas,
    "trades": _trades,
    "quotes": _quotes,
}


@dataclass(frozen=True)
class Places:
    """Decimals that are needed."""

    price: int
    size: int


@cache
def _places(source: Source, piece: Piece) -> Places:
    """What all rows of the symbol in the whole export need: a backtest takes one precision for an instrument."""
    prices, sizes = 0, 0
    for start, end in days(piece.whole_start, piece.whole_end):
        for dataset, columns in _NUMBERS.items():
            rows = source.rows(replace(piece, start=start, end=end), dataset)
            of = {column: _flat(rows[column]) for pair in columns for column in pair}
            prices = max([prices, *(decimals(of[price]) for price, _ in columns)])
            sizes = max([sizes, *(decimals(of[size]) for _, size in columns)])
    return Places(prices, sizes)


# Of each dataset the columns (price, size).
_NUMBERS = {
    "increments": (("b", "bv"), ("a", "av")),
    "trades": (("price", "qty"),),
    "quotes": (("bid_price", "bid_size"), ("ask_price", "ask_size")),
}


def _flat(column: pa.ChunkedArray) -> Floats:
    if pa.types.is_list(column.type):
        column = pc.list_flatten(column)
    found: Floats = column.drop_null().to_numpy()
    return found


def decimals(values: Floats) -> int:
    """The fewest decimals that state all of these numbers; no more than 18 digits have room."""
    values = np.unique(values)
    largest = float(values[-1]) if len(values) else 0.0
    most = min(PLACES, 18 - len(str(int(largest))))
    for places in range(most):
        off = np.abs(np.round(values, places) - values)
        # A float of 15 digits is off by less than this from the decimal that it stands for.
        if bool((off <= np.abs(values) * 1e-15).all()):
            return places
    return most


def _fixed(values: Floats, places: int) -> pa.Array:
    """Integers of 16 decimals in 16 bytes, little-endian, as Arrow keeps decimals too."""
    whole = pa.array(np.rint(np.asarray(values, "f8") * 10.0**places).astype("i8")).cast(pa.decimal128(19, 0))
    unit = pa.scalar(Decimal(10 ** (PLACES - places)), pa.decimal128(17, 0))
    product = pc.multiply(whole, unit)
    return pa.Array.from_buffers(FIXED, len(product), [None, product.buffers()[1]])


def _times(rows: pa.Table) -> list[tuple[str, pa.DataType, pa.ChunkedArray]]:
    names = {"ts_event": "venue_time", "ts_init": "received_time"}
    return [(name, pa.uint64(), rows[column].cast(pa.int64()).cast(pa.uint64())) for name, column in names.items()]


def _table(piece: Piece, places: Places, columns: list[tuple[str, pa.DataType, object]]) -> pa.Table:
    metadata = {"instrument_id": instrument_id(piece)}
    metadata |= {"price_precision": str(places.price), "size_precision": str(places.size)}
    schema = pa.schema([pa.field(name, kind, nullable=False) for name, kind, _ in columns], metadata)
    arrays = [
        column
        if isinstance(column, pa.Array | pa.ChunkedArray)
        else pa.array(np.asarray(column).astype(f"u{kind.bit_width // 8}"))
        for _, kind, column in columns
    ]
    return pa.table(dict(zip(schema.names, arrays, strict=True)), schema)
