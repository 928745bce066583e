"""Run by the Python of hftbacktest: the sizes of a book at given prices, and its best prices, at some local times.

arguments: the file, tick size; [[local time in ns, [bid prices, ask prices]], ...] as JSON on standard input. A side of
an answer is given as [price, size] of each price; what is better than the first price comes before it.
"""

import json
import sys

import numpy as np
from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest

path, tick, asked = sys.argv[1], float(sys.argv[2]), json.load(sys.stdin)
shift = int(np.load(path)["local_shift_ns"])
asset = (
    BacktestAsset()
    .data(path)
    .linear_asset(1.0)
    .constant_order_latency(0, 0)
    .risk_adverse_queue_model()
    .no_partial_fill_exchange()
    .trading_value_fee_model(0.0, 0.0)
    .tick_size(tick)
    .lot_size(1e-9)
)
backtest = HashMapMarketDepthBacktest([asset])
backtest.elapse(0)
books = []
for at, (bids, asks) in asked:
    if (ahead := at + shift - backtest.current_timestamp) > 0:
        backtest.elapse(ahead)
    depth = backtest.depth(0)
    sides = []
    for prices, size_at, best, sign in (
        (bids, depth.bid_qty_at_tick, depth.best_bid_tick, -1),
        (asks, depth.ask_qty_at_tick, depth.best_ask_tick, 1),
    ):
        ticks = [round(price / tick) for price in prices]
        side = [[price, size_at(step)] for price, step in zip(prices, ticks, strict=True)]
        if ticks and best != ticks[0]:
            side.insert(0, [best * tick, size_at(best)])
        # A level between those that are asked for would be one too many.
        between = (
            set(range(ticks[0], ticks[-1], sign)) - set(ticks) if ticks and abs(ticks[-1] - ticks[0]) < 5_000 else ()
        )
        side += [[step * tick, size_at(step)] for step in sorted(between) if size_at(step) > 0]
        sides.append(side)
    books.append(sides)
backtest.close()
print(json.dumps(books))
