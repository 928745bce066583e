"""Crypto.com's instrument list: one answer with pairs, perpetuals and dated contracts.

A perpetual BTCUSD-PERP is quoted and settled in USD: BTC-USD-PERP. Sizes are in base units; ``contract_size`` was 1 on
each of 396 perpetuals (probed 2026-09).
"""

from __future__ import annotations

import msgspec

from mdplatform.core.clock import SECOND, utc_day
from mdplatform.core.errors import UNREADABLE
from mdplatform.core.instrument_list import ABSENT, InstrumentList, amount, decoded, kind_of, read_rows
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venuekit.default_instruments import composed
from mdplatform.venues.cryptocom.wire import EXCHANGE, Time, ms_ns, read_list, rows_of

LIST = "/exchange/v1/public/get-instruments"
QUOTES = ("USD", "USDT", "USDC", "EUR", "BTC", "CRO")
# Words of ``inst_type``; others (WARRANT, and what the venue invents later) are left out.
KINDS = {"CCY_PAIR": Kind.SPOT, "PERPETUAL_SWAP": Kind.PERPETUAL, "FUTURE": Kind.FUTURE}


def parse(body: bytes) -> InstrumentList:
    """The list; raises FrameError where it is none."""
    rows = rows_of(decoded(read_list, body, "not a list of instruments"))
    return read_rows(rows, lambda raw: _instrument(_read_row(raw)))


def known() -> Instruments:
    """Pairs and perpetuals that are there without asking."""
    pairs = composed(EXCHANGE, QUOTES, lambda base, quote: f"{base}_{quote}")
    swaps = composed(EXCHANGE, ("USD",), lambda base, quote: f"{base}{quote}-PERP", Kind.PERPETUAL)
    return Instruments(EXCHANGE, [*pairs, *swaps])


def index_of(instrument: Instrument) -> str:
    """The name of the index that a contract follows: it was this on each of 396 perpetuals (probed 2026-09)."""
    return f"{instrument.base}{instrument.quote}-INDEX"


def _instrument(row: Row) -> Instrument | None:
    kind = KINDS.get(kind_of(row.inst_type, "type of instrument"))
    if kind is None:
        return None
    size = None if kind is Kind.SPOT else amount(row.contract_size)
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.symbol,
        base=row.base_ccy,
        quote=row.quote_ccy,
        kind=kind,
        tick=amount(row.price_tick_size),
        step=amount(row.qty_tick_size),
        contract_size=None if size is None or float(size) == 1 else size,
        settle=None if kind is Kind.SPOT else row.quote_ccy,
        status=_STATUS.get(bytes(row.tradable)),
        expiry=_day(row.expiry_timestamp_ms) if kind is Kind.FUTURE else None,
    )


def _day(time: msgspec.Raw) -> str | None:
    """The day of expiry; None where a row states none."""
    try:
        return utc_day(ms_ns(_read_time(time)) / SECOND)
    except UNREADABLE:
        return None


_STATUS = {b"true": "tradable", b"false": "not tradable"}  # the venue states no other


class Row(msgspec.Struct):
    symbol: str
    inst_type: str
    base_ccy: str
    quote_ccy: str
    price_tick_size: msgspec.Raw = ABSENT
    qty_tick_size: msgspec.Raw = ABSENT
    contract_size: msgspec.Raw = ABSENT
    tradable: msgspec.Raw = ABSENT
    expiry_timestamp_ms: msgspec.Raw = ABSENT


_read_row = msgspec.json.Decoder(Row).decode
_read_time = msgspec.json.Decoder(Time).decode
