"""Instrument lists: ``/api/v2/symbols`` of spot and ``/api/v1/contracts/active`` of futures."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from mdplatform.decimals import check_positive, plain
from mdplatform.errors import UNREADABLE, FrameError
from mdplatform.symbols import Instrument, Instruments, Kind
from mdplatform.venues.known import composed

EXCHANGE = "kucoin"
QUOTES = ("USDT", "USDC", "BTC", "ETH", "KCS", "TUSD", "EUR", "USD1")
_ALIASES = {"XBT": "BTC"}  # futures keep the old name
_ABSENT = msgspec.Raw(b"null")


class SymbolRow(msgspec.Struct):
    symbol: str  # stays when the asset is renamed
    baseCurrency: str
    quoteCurrency: str
    priceIncrement: str
    baseIncrement: str
    enableTrading: bool


class ContractRow(msgspec.Struct):
    symbol: str
    baseCurrency: str
    quoteCurrency: str
    settleCurrency: str
    multiplier: msgspec.Raw  # base units a contract; -1 where inverse: a contract is 1 of quote
    isInverse: bool
    tickSize: msgspec.Raw
    lotSize: msgspec.Raw
    status: str
    expireDate: int | None = None  # ms


class Rows(msgspec.Struct):
    code: str
    data: msgspec.Raw = _ABSENT
    msg: str | None = None


def read(body: bytes) -> list[Instrument]:
    """Either list, told apart by its first row. Raises FrameError."""
    try:
        answer = _read_answer(body)
        if answer.code != "200000":
            raise FrameError("venue_error", f"code {answer.code}: {answer.msg}")
        if b'"settleCurrency"' in bytes(answer.data):
            return [_contract(row) for row in _read_contracts(answer.data)]
        return [_symbol(row) for row in _read_symbols(answer.data)]
    except UNREADABLE as error:
        raise FrameError("wrong_shape", f"not a list of instruments: {error}") from None


def known() -> Instruments:
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
        tick=row.priceIncrement,
        step=row.baseIncrement,
        status="trading" if row.enableTrading else "not trading",
    )


def _contract(row: ContractRow) -> Instrument:
    size = plain(row.multiplier).removeprefix("-")
    lot = plain(row.lotSize)
    check_positive(size, lot)
    base, settle = _ALIASES.get(row.baseCurrency, row.baseCurrency), row.settleCurrency
    expiry = None if row.expireDate is None else f"{datetime.fromtimestamp(row.expireDate / 1000, UTC):%Y%m%d}"
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.symbol,
        base=base,
        quote=row.quoteCurrency,
        kind=Kind.PERPETUAL if expiry is None else Kind.FUTURE,
        tick=plain(row.tickSize),
        step=None if row.isInverse else f"{Decimal(lot) * Decimal(size):f}",
        contract_size=size,
        inverse=row.isInverse,
        settle=_ALIASES.get(settle, settle),
        status=row.status,
        expiry=expiry,
    )


_read_answer = msgspec.json.Decoder(Rows).decode
_read_symbols = msgspec.json.Decoder(list[SymbolRow]).decode
_read_contracts = msgspec.json.Decoder(list[ContractRow]).decode
