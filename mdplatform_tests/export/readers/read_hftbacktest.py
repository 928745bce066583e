"""Run by the Python of hftbacktest: reads a file, takes books at some local times, and trades once.

arguments: the file, tick size, lot size, local times in ns as JSON. Prints the books, the position and its fill.
"""

import json
import sys

import numpy as np
from hftbacktest import GTC, LIMIT, BacktestAsset, HashMapMarketDepthBacktest
from hftbacktest.data.validation import validate_event_order
from hftbacktest.types import event_dtype

path, tick, lot, times = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), json.loads(sys.argv[4])
loaded = np.load(path)
data, shift = loaded["data"], int(loaded["local_shift_ns"])
assert data.dtype == event_dtype, data.dtype
validate_event_order(data)

asset = (
    BacktestAsset()
    .data(path)
    .linear_asset(1.0)
    .constant_order_latency(1_000_000, 1_000_000)
    .risk_adverse_queue_model()
    .no_partial_fill_exchange()
    .trading_value_fee_model(0.0, 0.0)
    .tick_size(tick)
    .lot_size(lot)
)
backtest = HashMapMarketDepthBacktest([asset])
backtest.elapse(0)
books = []
for at in times:
    backtest.elapse(at + shift - backtest.current_timestamp)
    depth = backtest.depth(0)
    bid, ask = depth.best_bid_tick, depth.best_ask_tick
    books.append(
        [
            *(
                round(depth.best_bid, 8),
                depth.bid_qty_at_tick(bid),
                round(depth.best_ask, 8),
                depth.ask_qty_at_tick(ask),
            ),
            sum(depth.bid_qty_at_tick(bid - step) for step in range(50)),
            sum(depth.ask_qty_at_tick(ask + step) for step in range(50)),
        ]
    )
price = backtest.depth(0).best_ask + 100 * tick
backtest.submit_buy_order(0, 1, price, lot, GTC, LIMIT, False)
backtest.elapse(3_000_000_000)
filled = {"position": backtest.position(0), "trades": int(backtest.state_values(0).num_trades)}
backtest.close()
print(json.dumps({"rows": len(data), "books": books, **filled}))
