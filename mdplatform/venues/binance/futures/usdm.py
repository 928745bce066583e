"""Binance USD-M futures: https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info

A file of its own, as COIN-M: the two venues differ in these facts alone. Sizes are in base units. Two sockets since
April 2026 (documented): what a path does not carry is acknowledged there and never sent (reported by clients). Open
interest is on no socket (probed in autumn 2026): REST and public files have it.
"""

from __future__ import annotations

from mdplatform.core.session import Venue
from mdplatform.core.symbols import Instruments, Kind
from mdplatform.venuekit.default_instruments import composed
from mdplatform.venues.binance.futures import BinanceFutures
from mdplatform.venues.binance.futures.channels import (
    AGG_TRADE,
    BBO,
    DIFF,
    FAST,
    FORCE_ORDER,
    MARK_PRICE,
    OPEN_INTEREST,
    PARTIAL,
    TRADE,
)

PUBLIC = (DIFF, FAST, PARTIAL, TRADE, BBO)
MARKET = (AGG_TRADE, FORCE_ORDER, MARK_PRICE, OPEN_INTEREST)
QUOTES = ("USDT", "USDC", "BUSD")


class BinanceUsdm(BinanceFutures):
    """Facts of the venue."""

    id = "binance-usdm"
    ws_url = "wss://fstream.binance.com"
    rest_url = "https://fapi.binance.com"
    api = "/fapi/v1"
    paths = (("/public/stream", PUBLIC), ("/market/stream", MARKET))

    def known_instruments(self) -> Instruments:
        return composed(self.id, QUOTES, lambda base, quote: base + quote, Kind.PERPETUAL)


VENUE: Venue = BinanceUsdm()
