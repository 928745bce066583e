"""Instrument lists: ``/api/v2/symbols`` of spot and ``/api/v1/contracts/active`` of futures."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from mdplatform.core.clock import utc_day
from mdplatform.core.decimals import check_positive, plain
from mdplatform.core.errors import FrameError
from mdplatform.core.instrument_list import ABSENT, InstrumentList, amount, decoded, read_rows, stated
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venuekit.default_instruments import composed

EXCHANGE = "kucoin"
QUOTES = ("USDT", "USDC", "BTC", "ETH", "KCS", "TUSD", "EUR", "USD1")
_NO_LIST = "not a list of instruments"
_ALIASES = {"XBT": "BTC"}  # futures keep the old name


class SymbolRow(msgspec.Struct):
    symbol: str  # stays when the asset is renamed
    baseCurrency: str
    quoteCurrency: str
    priceIncrement: msgspec.Raw = ABSENT
    baseIncrement: msgspec.Raw = ABSENT
    enableTrading: msgspec.Raw = ABSENT


class ContractRow(msgspec.Struct):
    symbol: str
    baseCurrency: str
    quoteCurrency: str
    settleCurrency: str
    multiplier: msgspec.Raw  # base units a contract; -1 where inverse: a contract is 1 of quote
    isInverse: bool
    tickSize: msgspec.Raw = ABSENT
    lotSize: msgspec.Raw = ABSENT
    status: msgspec.Raw = ABSENT
    type: str | None = None  # FFWCSX: perpetual, FFICSX: dated
    expireDate: int | None = None  # ms


class Rows(msgspec.Struct):
    code: str
    data: msgspec.Raw = ABSENT
    msg: str | None = None


def read_instruments(body: bytes) -> InstrumentList:
    """Either list, distinguished by what its rows state. Raises FrameError."""
    answer = decoded(_read_answer, body, _NO_LIST)
    if answer.code != "200000":
        raise FrameError("venue_error", f"code {answer.code}: {answer.msg}")
    rows = decoded(_rows_of, answer.data, _NO_LIST)
    if b'"settleCurrency"' in bytes(answer.data):
        return read_rows(rows, lambda raw: _contract(_read_contract(raw)))
    return read_rows(rows, lambda raw: _symbol(_read_symbol(raw)))


def known_instruments() -> Instruments:
    """Spot pairs and the two contracts of BTC, whose sizes are documented."""
    instruments = composed(EXCHANGE, QUOTES, lambda base, quote: f"{base}-{quote}")
    for symbol, quote, inverse in (("XBTUSDTM", "USDT", False), ("XBTUSDM", "USD", True)):
        instruments.add(
            Instrument(
                exchange=EXCHANGE,
                venue_symbol=symbol,
                base="BTC",
                quote=quote,
                kind=Kind.PERPETUAL,
                contract_size="1" if inverse else "0.001",
                inverse=inverse,
                settle="BTC" if inverse else quote,
            )
        )
    return instruments


def _symbol(row: SymbolRow) -> Instrument:
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.symbol,
        base=row.baseCurrency,
        quote=row.quoteCurrency,
        tick=amount(row.priceIncrement),
        step=amount(row.baseIncrement),
        status={b"true": "trading", b"false": "not trading"}.get(bytes(row.enableTrading)),
    )


def _contract(row: ContractRow) -> Instrument:
    size = plain(row.multiplier).removeprefix("-")
    lot = amount(row.lotSize)
    check_positive(size)
    if row.type == "FFICSX" and row.expireDate is None:
        raise FrameError("wrong_shape", f"{row.symbol[:40]!r} is dated and states no date")
    base, settle = _ALIASES.get(row.baseCurrency, row.baseCurrency), row.settleCurrency
    expiry = None if row.expireDate is None else utc_day(row.expireDate / 1000)
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.symbol,
        base=base,
        quote=row.quoteCurrency,
        kind=Kind.PERPETUAL if expiry is None else Kind.FUTURE,
        tick=amount(row.tickSize),
        step=None if row.isInverse or lot is None else f"{Decimal(lot) * Decimal(size):f}",
        contract_size=size,
        inverse=row.isInverse,
        settle=_ALIASES.get(settle, settle),
        status=stated(row.status),
        expiry=expiry,
    )


_read_answer = msgspec.json.Decoder(Rows).decode
_rows_of = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read_symbol = msgspec.json.Decoder(SymbolRow).decode
_read_contract = msgspec.json.Decoder(ContractRow).decode
