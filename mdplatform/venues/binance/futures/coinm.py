"""Binance COIN-M futures: https://developers.binance.com/docs/derivatives/coin-margined-futures/general-info

A file of its own, as USD-M: the two venues differ in these facts alone. Inverse: sizes are contracts of a fixed amount
of dollars, settled in the coin (documented). One socket for all streams, unlike USD-M (reported by clients in 2026).
"""

from __future__ import annotations

from msgspec.structs import replace

from mdplatform.core.session import Venue
from mdplatform.core.symbols import Instruments, Kind
from mdplatform.venuekit.default_instruments import composed
from mdplatform.venues.binance.futures import BinanceFutures
from mdplatform.venues.binance.futures.channels import CHANNELS


class BinanceCoinm(BinanceFutures):
    """Facts of the venue."""

    id = "binance-coinm"
    ws_url = "wss://dstream.binance.com"
    rest_url = "https://dapi.binance.com"
    api = "/dapi/v1"
    paths = (("/stream", CHANNELS),)

    def known_instruments(self) -> Instruments:
        """Its perpetuals: a contract is 100 dollars of BTC, 10 of anything else."""
        rows = composed(self.id, ("USD",), lambda base, quote: f"{base}{quote}_PERP", Kind.PERPETUAL)
        return Instruments(
            self.id,
            (
                replace(row, contract_size="100" if row.base == "BTC" else "10", inverse=True, settle=row.base)
                for row in rows
            ),
        )


VENUE: Venue = BinanceCoinm()
