"""Gate's instrument lists: pairs of spot, perpetual contracts by what they settle in, dated contracts."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec.structs import replace

from mdplatform.core.clock import utc_day
from mdplatform.core.decimals import check_positive
from mdplatform.core.errors import FrameError
from mdplatform.core.instrument_list import ABSENT, InstrumentList, amount, decoded, read_rows, stated, unit
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venuekit.default_instruments import composed

EXCHANGE = "gate"
_NO = msgspec.Raw(b"false")
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


def read_instruments(body: bytes) -> InstrumentList:
    """One of the lists, recognized by its fields; raises FrameError."""
    rows = decoded(_read_list, body, "not a list")
    if b'"quanto_multiplier"' in body:
        return read_rows(rows, lambda raw: _contract(_read_contract(raw)))
    return read_rows(rows, lambda raw: _pair(_read_pair(raw)))


def known_instruments() -> Instruments:
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
        tick=unit(row.precision),
        step=unit(row.amount_precision),
        status=stated(row.trade_status),
        category=SPOT,
    )


def _contract(row: ContractRow) -> Instrument | None:
    """None for a contract that is worth neither base nor quote units: its sizes cannot be stated in base units.

    Its assets are stated nowhere but in its name: base and quote on either side of the last ``_``, before which a
    dated contract's name is that of its ``underlying``.
    """
    if (row.underlying is None) != (row.expire_time is None):
        raise FrameError("wrong_shape", f"{row.name[:40]!r} states one of underlying and expiry: both or neither are")
    base, _, quote = (row.underlying or row.name).rpartition("_")
    if row.type not in ("direct", "inverse"):
        raise FrameError("wrong_shape", f"{row.name[:40]!r} is neither direct nor inverse: {row.type[:40]!r}")
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
        tick=amount(row.order_price_round),
        step=None if inverse else _step(row),
        contract_size="1" if inverse else row.quanto_multiplier,
        inverse=inverse,
        settle=base if inverse else quote,
        status=stated(row.status) or ("in_delisting" if bytes(row.in_delisting) == b"true" else None),
        expiry=None if row.expire_time is None else utc_day(row.expire_time),
        category=FUTURES,
    )


def _step(row: ContractRow) -> str | None:
    """Base units of the smallest order; None where parts of contracts are traded, whose step the list lacks."""
    smallest = amount(row.order_size_min)
    if smallest is None or bytes(row.enable_decimal) != b"false":
        return None
    return f"{Decimal(smallest) * Decimal(row.quanto_multiplier):f}"


Seconds = Annotated[int, msgspec.Meta(ge=10**9, lt=10**10)]


class PairRow(msgspec.Struct):
    id: str
    base: str
    quote: str
    precision: msgspec.Raw = ABSENT  # of a price
    amount_precision: msgspec.Raw = ABSENT
    trade_status: msgspec.Raw = ABSENT


class ContractRow(msgspec.Struct):
    name: str
    type: str  # direct, inverse
    quanto_multiplier: str
    order_price_round: msgspec.Raw = ABSENT
    order_size_min: msgspec.Raw = ABSENT
    enable_decimal: msgspec.Raw = _NO
    in_delisting: msgspec.Raw = _NO
    status: msgspec.Raw = ABSENT
    underlying: str | None = None
    expire_time: Seconds | None = None


_read_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read_pair = msgspec.json.Decoder(PairRow).decode
_read_contract = msgspec.json.Decoder(ContractRow).decode
