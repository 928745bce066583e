"""Run by the Python of nautilus_trader: its client of tardis-machine replays from our server.

arguments: address, exchange, the venue's symbol, from, to (ISO 8601).
"""

import asyncio
import json
import sys

from nautilus_trader.core import nautilus_pyo3 as pyo3
from nautilus_trader.model.data import TradeTick, capsule_to_data

url, exchange, symbol, start, end = sys.argv[1:]
options = {
    **{"exchange": exchange, "symbols": [symbol], "from": start[:10], "to": end[:10]},
    **{"dataTypes": ["trade", "book_change"], "withDisconnectMessages": True},
}
found = {"trades": 0, "deltas": 0}


def take(capsule):
    data = capsule_to_data(capsule)
    found["trades" if isinstance(data, TradeTick) else "deltas"] += 1


async def main():
    client = pyo3.TardisMachineClient(base_url=url, normalize_symbols=True)
    instrument = pyo3.TardisInstrumentMiniInfo(
        instrument_id=pyo3.InstrumentId.from_str(f"{symbol}.BINANCE"),
        raw_symbol=symbol,
        exchange=exchange,
        price_precision=1,
        size_precision=3,
    )
    request = pyo3.ReplayNormalizedRequestOptions.from_json(json.dumps(options).encode())
    await client.replay([instrument], [request], take)


asyncio.run(main())
print(json.dumps(found))
