"""Events for hftbacktest (https://hftbacktest.readthedocs.io/en/latest/data.html): .npz with the key ``data``.

Depth and trades of a symbol and day are one array, times in ns: ``exch_ts`` the venue's, ``local_ts`` ours. A book
starts, and is whole again after a break, with a clear and a snapshot. A backtest may not see an event before it
happened: where the venue's clock is ahead of ours, all local times of the file are moved by ``local_shift_ns``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mdplatform.export.files import Written, whole, written
from mdplatform.export.source import Ladder, Piece, Source
from mdplatform.read.changes import Change

DATASETS = ("increments",)  # trades come along
EVENT = np.dtype(
    [
        *(("ev", "u8"), ("exch_ts", "i8"), ("local_ts", "i8"), ("px", "f8"), ("qty", "f8")),
        *(("order_id", "u8"), ("ival", "i8"), ("fval", "f8")),
    ],
    align=True,
)
DEPTH, TRADE, CLEAR, SNAPSHOT = 1, 2, 3, 4
AT_EXCHANGE, AT_LOCAL, BUY, SELL = 1 << 31, 1 << 30, 1 << 29, 1 << 28
Events = NDArray[np.void]


def write(source: Source, piece: Piece, folder: Path) -> list[Written]:
    """One file, none where no changes of the book are kept."""
    depth = _array(_depth(source.changes(piece)))
    if not len(depth):
        return []
    # Of equal times trades come first: the size that a trade took is already gone from the depth that follows it.
    events = np.concatenate([_trades(source, piece), depth])
    events = events[np.argsort(events["local_ts"], kind="stable")]
    shift = max(0, -int((events["local_ts"] - events["exch_ts"]).min()))
    events["local_ts"] += shift
    data = in_both_orders(events)
    name = f"{piece.venue}_{piece.symbol}_{piece.day}.npz"
    with whole(folder, name) as path, path.open("wb") as file:
        np.savez_compressed(file, data=data, local_shift_ns=np.int64(shift))
    return [written(folder, name, len(data))]


def in_both_orders(events: Events) -> Events:
    """Events sorted by local time, so that they are also sorted by exchange time for who looks at the exchange.

    A row that stands in both orders is one event for both. Rows between two such are given twice: first for the
    exchange in its order, then as they were received.
    """
    times = events["exch_ts"]
    before = np.maximum.accumulate(times)
    after = np.minimum.accumulate(times[::-1])[::-1]
    in_order = (times >= before) & (times <= after)
    # Rows between two that are in order have one number.
    block = np.cumsum(in_order) * 2 + ~in_order
    twice = np.flatnonzero(~in_order)
    seen_first = twice[np.lexsort((twice, times[twice], block[twice]))]
    both = AT_EXCHANGE | AT_LOCAL
    flags = np.where(in_order, both, AT_LOCAL).astype("u8")
    rows = np.concatenate([np.arange(len(events)), seen_first])
    flags = np.concatenate([flags, np.full(len(seen_first), AT_EXCHANGE, "u8")])
    is_local_only = flags == AT_LOCAL
    place = np.concatenate([np.arange(len(events)), np.arange(len(seen_first))])
    order = np.lexsort((place, is_local_only, block[rows]))
    out: Events = events[rows[order]]
    out["ev"] |= flags[order]
    return out


def _array(rows: Iterator[tuple[int, int, int, float, float]]) -> Events:
    columns = np.fromiter(
        rows, np.dtype([("ev", "u8"), ("exch_ts", "i8"), ("local_ts", "i8"), ("px", "f8"), ("qty", "f8")])
    )
    events = np.zeros(len(columns), EVENT)
    for name in columns.dtype.names or ():
        events[name] = columns[name]
    return events


def _depth(changes: Iterator[Change]) -> Iterator[tuple[int, int, int, float, float]]:
    book = Ladder()
    for change in changes:
        times = (change.venue_ns, change.received_ns)
        kind = DEPTH
        if change.kind == "snapshot":
            kind = SNAPSHOT
            yield from _clears(book, change)
        for side, prices, sizes in ((BUY, change.b, change.bv), (SELL, change.a, change.av)):
            for price, size in zip(prices, sizes, strict=True):
                yield kind | side, *times, price, size
        book.apply(change)


def _clears(book: Ladder, snapshot: Change) -> Iterator[tuple[int, int, int, float, float]]:
    """Of each side as far as the old book or the new one reaches: nothing of the old one may stay."""
    times = (snapshot.venue_ns, snapshot.received_ns)
    if bids := [*book.bids, *snapshot.b]:
        yield CLEAR | BUY, *times, min(bids), 0.0
    if asks := [*book.asks, *snapshot.a]:
        yield CLEAR | SELL, *times, max(asks), 0.0


def _trades(source: Source, piece: Piece) -> Events:
    rows = source.rows(piece, "trades")
    events = np.zeros(rows.num_rows, EVENT)
    is_buy = np.asarray(rows["side"].to_pylist(), "U4") == "buy"
    events["ev"] = TRADE | np.where(is_buy, BUY, SELL)
    events["exch_ts"] = rows["venue_time"].cast("int64").to_numpy()
    events["local_ts"] = rows["received_time"].cast("int64").to_numpy()
    events["px"], events["qty"] = rows["price"].to_numpy(), rows["qty"].to_numpy()
    return events
