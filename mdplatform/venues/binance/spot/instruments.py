"""Spot's instrument list, ``exchangeInfo``, and the pairs that are known without it."""

from __future__ import annotations

import msgspec

from mdplatform.core.instrument_list import ABSENT, InstrumentList, read_rows, stated
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venuekit.default_instruments import composed
from mdplatform.venues.binance.wire import exchange_info, filters_of

EXCHANGE = "binance"
QUOTES = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "USD")


def known_instruments() -> Instruments:
    return composed(EXCHANGE, QUOTES, lambda base, quote: base + quote)


class Symbol(msgspec.Struct):
    symbol: str
    baseAsset: str
    quoteAsset: str
    status: msgspec.Raw = ABSENT
    filters: msgspec.Raw = ABSENT


def read_instruments(body: bytes) -> InstrumentList:
    """The answer of exchangeInfo; raises FrameError."""
    return read_rows(exchange_info(body), lambda raw: _instrument(_read_symbol(raw)))


def _instrument(row: Symbol) -> Instrument:
    tick, step = filters_of(row.filters)
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.symbol,
        base=row.baseAsset,
        quote=row.quoteAsset,
        tick=tick,
        step=step,
        status=stated(row.status),
    )


_read_symbol = msgspec.json.Decoder(Symbol).decode
