"""The futures' instrument list, ``exchangeInfo``."""

from __future__ import annotations

import msgspec

from mdplatform.core.clock import SECOND, utc_day
from mdplatform.core.errors import FrameError
from mdplatform.core.instrument_list import ABSENT, InstrumentList, kind_of, read_rows, required, stated
from mdplatform.core.symbols import Instrument, Kind
from mdplatform.venues.binance.wire import exchange_info, filters_of, venue_ns


class Contract(msgspec.Struct):
    symbol: str
    contractType: str  # PERPETUAL, TRADIFI_PERPETUAL, CURRENT_QUARTER, ...; with " DELIVERING" at their end
    baseAsset: str
    quoteAsset: str
    marginAsset: str
    deliveryDate: msgspec.Raw = ABSENT  # ms; of a perpetual it means nothing
    status: msgspec.Raw = ABSENT  # USD-M
    contractStatus: msgspec.Raw = ABSENT  # COIN-M
    contractSize: int | None = None  # COIN-M: quote units
    filters: msgspec.Raw = ABSENT


def read_instruments(exchange: str, body: bytes) -> InstrumentList:
    """The answer of exchangeInfo; raises FrameError."""
    return read_rows(exchange_info(body), lambda raw: _instrument(exchange, _read_contract(raw)))


def _instrument(exchange: str, row: Contract) -> Instrument | None:
    if not row.contractType and stated(row.status) == "PENDING_TRADING":
        return None  # it will be of some type once it trades
    perpetual = "PERPETUAL" in kind_of(row.contractType, "type of contract")
    if required(row.marginAsset, "margin") == row.baseAsset and row.contractSize is None:
        raise FrameError("wrong_shape", f"{row.symbol[:40]!r} is paid in its base and states no size of a contract")
    tick, step = filters_of(row.filters)
    return Instrument(
        exchange=exchange,
        venue_symbol=row.symbol,
        base=row.baseAsset,
        quote=row.quoteAsset,
        kind=Kind.PERPETUAL if perpetual else Kind.FUTURE,
        tick=tick,
        step=step if row.contractSize is None else None,  # in contracts, of no fixed size in base
        contract_size=None if row.contractSize is None else str(row.contractSize),
        inverse=row.contractSize is not None,
        settle=row.marginAsset,
        status=stated(row.status) or stated(row.contractStatus),
        expiry=None if perpetual else _day(row.deliveryDate),
    )


def _day(time: msgspec.Raw) -> str:
    return utc_day(venue_ns(_read_time(time)) // SECOND)


_read_contract = msgspec.json.Decoder(Contract).decode
_read_time = msgspec.json.Decoder(int).decode
