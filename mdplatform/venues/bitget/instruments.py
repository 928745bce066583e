"""Bitget's instrument lists, one a category: of API v3, and of v2 as recordings hold them."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import partial

import msgspec
from msgspec.structs import replace

from mdplatform.core.clock import SECOND, utc_day
from mdplatform.core.errors import FrameError
from mdplatform.core.instrument_list import ABSENT, InstrumentList, amount, decoded, read_rows, stated, unit
from mdplatform.core.symbols import AssetClass, Instrument, Instruments, Kind
from mdplatform.venuekit.default_instruments import composed
from mdplatform.venues.bitget.wire import ms_ns

EXCHANGE = "bitget"
SPOT, COIN = "spot", "coin-futures"
# Categories in the words of v3; a pair and a contract may have one venue symbol. What each settles in; None: its base.
SETTLES: dict[str, str | None] = {SPOT: None, "usdt-futures": "USDT", "usdc-futures": "USDC", COIN: None}
LISTS = tuple(f"/api/v3/market/instruments?category={category.upper()}" for category in SETTLES)
# (category, quote, what follows the base in its name). Names of coin futures end in _CM by v3, which knows no other
# (probed 2026-10: it answers 30001), and do not by v2.
PERPETUALS = (
    ("usdt-futures", "USDT", "USDT"),
    ("usdc-futures", "USDC", "PERP"),
    (COIN, "USD", "USD"),
    (COIN, "USD", "USD_CM"),
)
QUOTES = ("USDT", "USDC", "BTC", "ETH", "EUR")

OBSOLETE = FrameError("obsolete_format", "a message of API v1, which Bitget has switched off; v2 and v3 are read")


def read_instruments(body: bytes) -> InstrumentList:
    """One of the lists; raises FrameError."""
    answer = decoded(_read_list, body, "not a list of instruments")
    if answer.code != "00000":
        raise FrameError("venue_error", f"code {answer.code}: {answer.msg}")
    if answer.data is None:
        raise FrameError("wrong_shape", "not a list of instruments: no data")
    return read_rows(answer.data, lambda raw: _instrument(_read_row(raw)))


def known_instruments() -> Instruments:
    """Pairs and perpetuals that are there without asking: their sizes are in base units."""
    rows = [replace(row, category=SPOT) for row in composed(EXCHANGE, QUOTES, lambda base, quote: base + quote)]
    for category, quote, ending in PERPETUALS:
        named = partial(_ended, ending)
        perpetuals = composed(EXCHANGE, (quote,), named, Kind.PERPETUAL)
        rows += [replace(row, category=category, settle=SETTLES[category] or row.base) for row in perpetuals]
    return Instruments(EXCHANGE, rows)


def _ended(ending: str, base: str, quote: str) -> str:
    return base + ending


def _instrument(row: Row) -> Instrument:
    if _OF_V1.search(row.symbol):
        raise OBSOLETE
    category = row.category.lower() if row.category else _category(row)
    if category not in SETTLES:
        raise FrameError("wrong_shape", f"no category {row.category!r} is documented")
    if category != SPOT and row.symbolType not in _CONTRACTS:
        raise FrameError("wrong_shape", f"{row.symbol[:40]!r} is a contract of no type: {row.symbolType}")
    dated = row.symbolType == "delivery"
    kind = Kind.SPOT if category == SPOT else Kind.FUTURE if dated else Kind.PERPETUAL
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.symbol,
        base=row.baseCoin,
        quote=row.quoteCoin,
        kind=kind,
        tick=_tick(row),
        step=amount(row.quantityMultiplier) or amount(row.sizeMultiplier) or unit(row.quantityPrecision),
        settle=None if category == SPOT else SETTLES[category] or row.baseCoin,
        status=stated(row.status) or stated(row.symbolStatus),
        expiry=_day(row.deliveryTime) if dated else None,
        category=category,
        asset_class=_CLASSES.get(stated(row.isRwa) or row.symbolType or ""),
    )


def _category(row: Row) -> str:
    """Of a row of v2, which does not state it: contracts have a type, and each quote a category of its own."""
    if row.symbolType not in _CONTRACTS:
        return SPOT
    return {"USDT": "usdt-futures", "USDC": "usdc-futures"}.get(row.quoteCoin, COIN)


def _tick(row: Row) -> str | None:
    place, end = unit(row.pricePrecision) or unit(row.pricePlace), amount(row.priceEndStep)
    by_place = place if place is None or end is None else f"{Decimal(place) * Decimal(end):f}"
    return amount(row.priceMultiplier) or by_place


def _day(time_ms: msgspec.Raw) -> str:
    return utc_day(ms_ns(_read_text(time_ms)) / SECOND)


# Of contracts isRwa, which does not say what else it is; of spot symbolType.
_CLASSES: dict[str, AssetClass] = {"YES": "other", "NO": "crypto", "crypto": "crypto", "stock": "stock"}
_CONTRACTS = ("perpetual", "delivery")
_OF_V1 = re.compile(r"_S?(SPBL|UMCBL|DMCBL|CMCBL)\b")


class Row(msgspec.Struct):
    """v3 names ``category``, ``priceMultiplier``, ``quantityMultiplier``; v2 ``pricePlace``, ``sizeMultiplier``, ..."""

    symbol: str
    baseCoin: str
    quoteCoin: str
    category: str | None = None
    symbolType: str | None = None  # perpetual, delivery; v3 has kinds of asset here for spot
    isRwa: msgspec.Raw = ABSENT  # "YES" of what is no coin: shares, metals (seen in 2026)
    status: msgspec.Raw = ABSENT
    symbolStatus: msgspec.Raw = ABSENT
    priceMultiplier: msgspec.Raw = ABSENT
    pricePrecision: msgspec.Raw = ABSENT
    pricePlace: msgspec.Raw = ABSENT
    priceEndStep: msgspec.Raw = ABSENT
    quantityMultiplier: msgspec.Raw = ABSENT
    quantityPrecision: msgspec.Raw = ABSENT
    sizeMultiplier: msgspec.Raw = ABSENT
    deliveryTime: msgspec.Raw = ABSENT  # ms as text


class Answer(msgspec.Struct):
    code: str
    data: list[msgspec.Raw] | None = None
    msg: str = ""


_read_row = msgspec.json.Decoder(Row).decode
_read_text = msgspec.json.Decoder(str).decode
_read_list = msgspec.json.Decoder(Answer).decode
