"""Run by the Python of nautilus_trader: reads a catalog and rebuilds the book at some receive times.

arguments: the catalog, instrument id, receive times in ns as JSON.
"""

import json
import sys

from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.enums import BookType
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.persistence.catalog import ParquetDataCatalog

path, name = sys.argv[1:3]
times = json.load(sys.stdin) if sys.argv[3] == "-" else json.loads(sys.argv[3])
catalog = ParquetDataCatalog(path)
(instrument,) = catalog.instruments(instrument_ids=[name])
deltas = catalog.order_book_deltas(instrument_ids=[name])
trades = catalog.trade_ticks(instrument_ids=[name])
quotes = catalog.quote_ticks(instrument_ids=[name])
book, place, books = OrderBook(InstrumentId.from_str(name), BookType.L2_MBP), 0, []
for at in times:
    while place < len(deltas) and deltas[place].ts_init <= at:
        book.apply_delta(deltas[place])
        place += 1
    sides = [
        [[float(str(level.price)), round(float(level.size()), 8)] for level in side[:20]]
        for side in (book.bids(), book.asks())
    ]
    books.append(sides)
precision = [instrument.price_precision, instrument.size_precision]
found = {
    "instrument": type(instrument).__name__,
    "precision": precision,
    "same_precision": all([each.price.precision, each.size.precision] == precision for each in trades),
    "deltas": len(deltas),
    "books": books,
    "trades": [
        [str(t.price), str(t.size), t.trade_id.value, int(t.aggressor_side), t.ts_event, t.ts_init] for t in trades[:50]
    ],
    "trade_count": len(trades),
    "quote_count": len(quotes),
}
print(json.dumps(found))
