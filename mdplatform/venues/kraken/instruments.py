"""Instrument lists: ``/0/public/AssetPairs`` and the ``instrument`` channel of spot, ``/instruments`` of futures.

Spot symbols are those of WebSocket v2 (``BTC/USD``). The tick of a pair is written with as many decimals as its prices
have, and its step with as many as its sizes: checksums are made of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from mdplatform.core.decimals import check_positive, plain
from mdplatform.core.errors import UNREADABLE, FrameError
from mdplatform.core.instrument_list import ABSENT, InstrumentList, amount, decoded, kind_of, read_rows, stated
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venuekit.default_instruments import BASES, composed

EXCHANGE = "kraken"
QUOTES = ("USD", "EUR", "USDT", "USDC", "GBP", "CHF", "AUD", "CAD", "JPY", "BTC", "ETH")
_ALIASES = {"XBT": "BTC", "XDG": "DOGE"}  # names that REST and futures keep from before v2
_OLD = {new: old for old, new in _ALIASES.items()}
_INVERSE_BASES = ("BTC", "ETH", "XRP", "LTC", "BCH", "SOL")
_EXPIRY_YEARS = range(2019, 2031)


class PairRow(msgspec.Struct):
    """A row of AssetPairs. Those without ``wsname`` have no feed."""

    pair_decimals: int
    lot_decimals: int
    wsname: str | None = None
    tick_size: str | None = None
    status: msgspec.Raw = ABSENT


class PairList(msgspec.Struct):
    error: list[str]
    result: dict[str, msgspec.Raw] = {}


class ProductRow(msgspec.Struct):
    """A row of the futures list. Rows of 2021 state neither base nor quote, but an underlying."""

    symbol: str
    type: str
    tickSize: msgspec.Raw = ABSENT
    contractSize: msgspec.Raw = msgspec.Raw(b"1")  # quote units of an inverse contract
    contractValueTradePrecision: msgspec.Raw = ABSENT
    lastTradingTime: str | None = None
    base: str | None = None
    quote: str | None = None
    underlying: str | None = None
    tradeable: msgspec.Raw = ABSENT


class ProductList(msgspec.Struct):
    instruments: list[msgspec.Raw]


def read_instruments(body: bytes) -> InstrumentList:
    """Either list, distinguished by what its ``result`` is. Raises FrameError."""
    return read_products(body) if _FUTURES.match(body) else read_pairs(body)


def read_pairs(body: bytes) -> InstrumentList:
    """Raises FrameError when ``body`` is no answer of AssetPairs."""
    answer = decoded(_read_pairs, body, "not a list of pairs")
    if answer.error:
        raise FrameError("venue_error", "; ".join(answer.error))
    return read_rows(answer.result.values(), lambda raw: _pair(_read_pair(raw)))


def _pair(row: PairRow) -> Instrument | None:
    if row.wsname is None:
        return None
    return spot_instrument(row.wsname, row.tick_size, row.pair_decimals, row.lot_decimals, stated(row.status))


def spot_instrument(name: str, tick: str | None, price_places: int, size_places: int, status: str | None) -> Instrument:
    """A spot pair named ``base/quote``, with the old names or the new ones."""
    base, _, quote = name.partition("/")
    if not quote or not 0 <= price_places <= 18 or not 0 <= size_places <= 18:
        raise FrameError("wrong_shape", f"no pair: {name[:40]!r} with {price_places} and {size_places} decimals")
    base, quote = _ALIASES.get(base, base), _ALIASES.get(quote, quote)
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=f"{base}/{quote}",
        base=base,
        quote=quote,
        tick=_padded(tick, price_places),
        step=_padded(None, size_places),
        status=status,
    )


def read_products(body: bytes) -> InstrumentList:
    """Inverse contracts come first: their linear namesakes keep the symbol. Raises FrameError."""
    rows = decoded(_read_products, body, "not a list of futures").instruments
    listed = read_rows(rows, lambda raw: _product(_read_product(raw)))
    return InstrumentList(sorted(listed.instruments, key=lambda row: not row.inverse), listed.refused)


def known_instruments() -> Instruments:
    """Pairs, perpetuals and what may have expired on the last Friday of a month."""
    instruments = composed(EXCHANGE, QUOTES, lambda base, quote: f"{base}/{quote}")
    for base in _INVERSE_BASES:
        for instrument in _family(base, "I", inverse=True):
            instruments.add(instrument)
    for base in BASES:
        for instrument in _family(base, "F", inverse=False):
            instruments.add(instrument)
    return instruments


def old_name(asset: str) -> str:
    """As REST calls of spot name it."""
    return _OLD.get(asset, asset)


def _family(base: str, letter: str, *, inverse: bool) -> Iterator[Instrument]:
    """The perpetual and the dated contracts of one base against USD; ``letter``: the second of their names."""
    name = f"{_old(base)}USD"
    yield _contract(f"P{letter}_{name}", base, "USD", None, inverse=inverse)
    if base in _INVERSE_BASES:
        for day in _last_fridays():
            yield _contract(f"F{letter}_{name}_{day[2:]}", base, "USD", day, inverse=inverse)


def _last_fridays() -> Iterator[str]:
    for month in range(12 * _EXPIRY_YEARS.start, 12 * _EXPIRY_YEARS.stop):
        last = date((month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(days=1)
        yield f"{last - timedelta(days=(last.weekday() - 4) % 7):%Y%m%d}"


def _old(base: str) -> str:
    return "XBT" if base == "BTC" else base


def _product(row: ProductRow) -> Instrument | None:
    """None for an index."""
    if kind_of(row.type, "type") not in ("futures_inverse", "flexible_futures"):
        return None
    base, quote = _pair_of(row)
    inverse, places = row.type == "futures_inverse", row.contractValueTradePrecision
    if _DATED.match(row.symbol) and row.lastTradingTime is None:
        raise FrameError("wrong_shape", f"{row.symbol[:40]!r} is dated and states no date")
    return msgspec.structs.replace(
        _contract(
            row.symbol.upper(),
            base,
            quote,
            None if row.lastTradingTime is None else row.lastTradingTime[:10].replace("-", ""),
            inverse=inverse,
            size=plain(row.contractSize),
        ),
        tick=amount(row.tickSize),
        step=None if inverse else _step(places),
        status={b"true": "tradeable", b"false": "not tradeable"}.get(bytes(row.tradeable)),
    )


def _step(places: msgspec.Raw) -> str | None:
    """The unit of so many decimals, which may be below 0: -3 is 1000."""
    try:
        count = _read_int(places)
    except UNREADABLE:
        return None
    return f"{Decimal(1).scaleb(-count):f}" if -18 <= count <= 18 else None


def _pair_of(row: ProductRow) -> tuple[str, str]:
    if row.base is not None and row.quote is not None:
        return _ALIASES.get(row.base, row.base), row.quote
    pair = _UNDERLYINGS.get(row.underlying or "")
    if pair is None:
        raise FrameError("wrong_shape", f"{row.symbol[:40]!r} is listed without base and quote")
    return pair


def _contract(symbol: str, base: str, quote: str, expiry: str | None, *, inverse: bool, size: str = "1") -> Instrument:
    """Sizes of inverse contracts are in contracts of ``size`` quote units, those of linear ones in base units."""
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=symbol,
        base=base,
        quote=quote,
        kind=Kind.PERPETUAL if expiry is None else Kind.FUTURE,
        contract_size=size if inverse else None,
        inverse=inverse,
        settle=base if inverse else quote,
        expiry=expiry,
    )


def _padded(tick: str | None, places: int) -> str:
    """``tick``, or one unit of the last decimal, with ``places`` decimals. Raises FrameError."""
    if tick is None:
        return f"{Decimal(1).scaleb(-places):f}"
    text = plain(tick)
    check_positive(text)
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    return f"{whole}.{fraction}" if fraction else whole


_UNDERLYINGS = {f"rr_{_old(base).lower()}usd": (base, "USD") for base in _INVERSE_BASES}
_FUTURES = re.compile(rb'\s*\{.*?"(result"\s*:\s*"success|instruments"\s*:)', re.DOTALL)
_read_pairs = msgspec.json.Decoder(PairList).decode
_DATED = re.compile("F[IF]_", re.IGNORECASE)
_read_pair = msgspec.json.Decoder(PairRow).decode
_read_product = msgspec.json.Decoder(ProductRow).decode
_read_int = msgspec.json.Decoder(int).decode
_read_products = msgspec.json.Decoder(ProductList).decode
