"""Gate's instrument lists: pairs of spot, perpetual contracts by what they settle in, dated contracts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec.structs import replace

from mdplatform.decimals import check_numbers, check_positive
from mdplatform.errors import UNREADABLE, FrameError
from mdplatform.symbols import Instrument, Instruments, Kind
from mdplatform.venues.known import composed

EXCHANGE = "gate"
SPOT, FUTURES = "spot", "futures"  # categories: a pair and a contract may have one venue symbol
LISTS = (
    "/api/v4/spot/currency_pairs",
    "/api/v4/futures/usdt/contracts",
    "/api/v4/futures/btc/contracts",
    "/api/v4/futures/usd1/contracts",
    "/api/v4/delivery/usdt/contracts",
)

QUOTES = ("USDT", "USDC", "BTC", "ETH")
# Bases of USDT perpetuals by what one contract holds of them; a list, where there is one, comes before this.
CONTRACTS = {
    "0.0001": "BTC YFI",
    "0.001": "BNB ICP MKR",
    "0.01": "AAVE BCH COMP DASH ETH FIL GMX QNT QUICK XMR ZEC",
    "0.1": "APT AR AXS BAL BAND CRV DYDX EGLD ENS ETC INJ KSM LTC MANA MASK ORDI RUNE SNX TON TRB ZEN",
    "1": "1INCH APE ARB ATOM AVAX DIA DOT ENJ EOS FET FRONT IMX KNC LDO LINK LIT LRC NEAR NKN OMG OP PHB RDNT SAND "
    "SFP SOL STX SUI SUSHI UMA UNI WOO XTZ ZRX",
    "10": "ADA ALGO BAT BLZ DOGE GALA GRT HBAR SKL XLM XRP ZIL",
    "100": "AKRO CHZ TRX VET",
    "10000": "FLOKI SHIB",
    "1000000": "BONK",
    "10000000": "PEPE",
}


def parse(body: bytes) -> list[Instrument]:
    """One of the lists, told by its fields; raises FrameError."""
    try:
        return [_pair(row) for row in _read_pairs(body)]
    except msgspec.ValidationError:
        pass  # then it is one of contracts
    except UNREADABLE as error:
        raise FrameError("wrong_shape", f"not JSON: {error}") from None
    try:
        rows = _read_contracts(body)
    except UNREADABLE as error:
        raise FrameError("wrong_shape", f"a list neither of pairs nor of contracts: {error}") from None
    return [instrument for row in rows if (instrument := _contract(row)) is not None]


def known() -> Instruments:
    """Pairs and USDT perpetuals that are there without asking."""
    spot = composed(EXCHANGE, QUOTES, lambda base, quote: f"{base}_{quote}")
    rows = [replace(row, category=SPOT) for row in spot]
    for size, bases in CONTRACTS.items():
        rows += [_perpetual(base, size) for base in bases.split()]
    return Instruments(EXCHANGE, rows)


def socket_path(instrument: Instrument) -> str:
    """Where its channels are, below the WebSocket address."""
    if instrument.category == SPOT:
        return "/ws/v4/"
    settle = str(instrument.settle).lower()
    return f"/v4/ws/delivery/{settle}" if instrument.kind is Kind.FUTURE else f"/v4/ws/{settle}"


def snapshot_path(instrument: Instrument, levels: int) -> str:
    """The REST call for its book, with the update id that it stands at."""
    if instrument.category == SPOT:
        query = f"/spot/order_book?currency_pair={instrument.venue_symbol}"
    else:
        section = "delivery" if instrument.kind is Kind.FUTURE else "futures"
        query = f"/{section}/{str(instrument.settle).lower()}/order_book?contract={instrument.venue_symbol}"
    return f"/api/v4{query}&limit={levels}&with_id=true"


def _perpetual(base: str, contract_size: str) -> Instrument:
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=f"{base}_USDT",
        base=base,
        quote="USDT",
        kind=Kind.PERPETUAL,
        contract_size=contract_size,
        settle="USDT",
        category=FUTURES,
    )


def _pair(row: PairRow) -> Instrument:
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.id,
        base=row.base,
        quote=row.quote,
        tick=_digits(row.precision),
        step=_digits(row.amount_precision),
        status=row.trade_status,
        category=SPOT,
    )


def _contract(row: ContractRow) -> Instrument | None:
    """None for a contract that is worth neither base nor quote units: its sizes cannot be told in base units.

    Its assets are stated nowhere but in its name: base and quote on either side of the last ``_``, before which a
    dated contract's name is that of its ``underlying``.
    """
    base, _, quote = (row.underlying or row.name).rpartition("_")
    inverse = row.type == "inverse"
    if not base or (quote == "USD" and not inverse):
        return None
    if not inverse:
        check_positive(row.quanto_multiplier)
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.name,
        base=base,
        quote=quote,
        kind=Kind.PERPETUAL if row.expire_time is None else Kind.FUTURE,
        tick=row.order_price_round,
        step=None if inverse else _step(row),
        contract_size="1" if inverse else row.quanto_multiplier,
        inverse=inverse,
        settle=base if inverse else quote,
        status=row.status or ("in_delisting" if row.in_delisting else None),
        expiry=None if row.expire_time is None else f"{datetime.fromtimestamp(row.expire_time, UTC):%Y%m%d}",
        category=FUTURES,
    )


def _step(row: ContractRow) -> str | None:
    """Base units of the smallest order; None where parts of contracts are traded, whose step the list lacks."""
    if row.order_size_min is None or row.enable_decimal:
        return None
    check_numbers(str(row.order_size_min))
    return f"{Decimal(str(row.order_size_min)) * Decimal(row.quanto_multiplier):f}"


def _digits(count: int) -> str:
    """The unit of so many decimals: 2 is 0.01."""
    return f"{Decimal(1).scaleb(-count):f}"


Digits = Annotated[int, msgspec.Meta(ge=0, le=18)]
Seconds = Annotated[int, msgspec.Meta(ge=10**9, lt=10**10)]


class PairRow(msgspec.Struct):
    id: str
    base: str
    quote: str
    precision: Digits  # of a price
    amount_precision: Digits
    trade_status: str | None = None


class ContractRow(msgspec.Struct):
    name: str
    type: str  # direct, inverse
    quanto_multiplier: str
    order_price_round: str | None = None
    order_size_min: int | str | None = None
    enable_decimal: bool = False
    in_delisting: bool = False
    status: str | None = None
    underlying: str | None = None
    expire_time: Seconds | None = None


_read_pairs = msgspec.json.Decoder(list[PairRow]).decode
_read_contracts = msgspec.json.Decoder(list[ContractRow]).decode
