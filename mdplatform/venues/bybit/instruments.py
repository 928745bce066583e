"""The venue's instrument lists, one a category, and what is known without them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from mdplatform.core.clock import utc_day
from mdplatform.core.errors import UNREADABLE, FrameError
from mdplatform.core.instrument_list import ABSENT, InstrumentList, amount, decoded, kind_of, read_rows, stated
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venuekit.default_instruments import composed
from mdplatform.venues.bybit.wire import EXCHANGE, result_of, time_ms

# First the category that is assumed where a recording does not state it: most recordings are of linear contracts.
CATEGORIES: tuple[Category, ...] = ("linear", "spot", "inverse", "option")
OPTIONED = ("BTC", "ETH", "SOL")  # bases of options: their list states one at a time
QUOTES = ("USDT", "USDC", "EUR", "BTC", "ETH")


def known_instruments() -> Instruments:
    return Instruments(EXCHANGE, _known())


def _known() -> Iterator[Instrument]:
    """Perpetuals and spot pairs; dated contracts are known only from a list."""
    replace = msgspec.structs.replace
    for row in composed(EXCHANGE, ("USDT",), lambda base, quote: base + quote, Kind.PERPETUAL):
        yield replace(row, category="linear")
    for row in composed(EXCHANGE, ("USDC",), lambda base, quote: f"{base}PERP", Kind.PERPETUAL):
        yield replace(row, category="linear")
    for row in composed(EXCHANGE, QUOTES, lambda base, quote: base + quote):
        yield replace(row, category="spot")
    for row in composed(EXCHANGE, ("USD",), lambda base, quote: base + quote, Kind.PERPETUAL):
        yield replace(row, category="inverse", contract_size="1", inverse=True)


Category = Literal["linear", "spot", "inverse", "option"]


class Filters(msgspec.Struct, frozen=True):
    """Of price or of lot size, as far as they are stated."""

    tickSize: msgspec.Raw = ABSENT
    qtyStep: msgspec.Raw = ABSENT
    basePrecision: msgspec.Raw = ABSENT  # spot


class InstrumentRow(msgspec.Struct):
    symbol: str
    baseCoin: str
    quoteCoin: str
    status: msgspec.Raw = ABSENT
    contractType: str | None = None  # spot has none
    optionsType: str | None = None
    settleCoin: msgspec.Raw = ABSENT
    deliveryTime: msgspec.Raw = ABSENT  # ms as text; "0" where nothing is ever delivered
    priceFilter: msgspec.Raw = ABSENT
    lotSizeFilter: msgspec.Raw = ABSENT


class InstrumentPage(msgspec.Struct):
    rows: list[msgspec.Raw] = msgspec.field(name="list")
    category: str | None = None
    nextPageCursor: str | None = None

    @property
    def base(self) -> str:
        """Of the instruments of a page of options, as far as its first row states it."""
        try:
            return _read_row(self.rows[0]).baseCoin if self.rows else ""
        except UNREADABLE:
            return ""


def read_page(body: bytes) -> InstrumentPage:
    """An answer of instruments-info; raises FrameError."""
    return decoded(lambda answer: _read_instruments(result_of(answer)), body, "not an instruments-info answer")


def read_instruments(body: bytes) -> InstrumentList:
    """Kinds of contract that the venue invents later are left out. Raises FrameError."""
    page = read_page(body)
    if page.rows and b'"baseCoin"' not in body:
        raise FrameError("wrong_shape", "not an instruments-info answer: no row has a base")
    of_contracts = page.category in ("linear", "inverse")

    def read(raw: msgspec.Raw) -> Instrument | None:
        row = _read_row(raw)
        if of_contracts:
            kind_of(row.contractType, "type of contract")
        if row.optionsType is not None:
            return _option(row)
        return _contract(row) if row.contractType else _spot(row)

    return read_rows(page.rows, read)


# contractType -> category and kind
CONTRACTS: dict[str, tuple[Category, Kind]] = {
    "LinearPerpetual": ("linear", Kind.PERPETUAL),
    "LinearFutures": ("linear", Kind.FUTURE),
    "InversePerpetual": ("inverse", Kind.PERPETUAL),
    "InverseFutures": ("inverse", Kind.FUTURE),
}


def _contract(row: InstrumentRow) -> Instrument | None:
    named = row.contractType or ""
    category, kind = CONTRACTS.get(named, (None, Kind.PERPETUAL))
    if category is None and not named.isalpha():
        raise FrameError("wrong_shape", f"{row.symbol[:40]!r} is of no kind of contract: {named[:40]!r}")
    if category is None:
        return None
    inverse = category == "inverse"
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.symbol,
        base=row.baseCoin,
        quote=row.quoteCoin,
        kind=kind,
        tick=amount(_filters(row.priceFilter).tickSize),
        # An inverse contract is one unit of quote: its step is of no fixed size in base units.
        step=None if inverse else amount(_filters(row.lotSizeFilter).qtyStep),
        contract_size="1" if inverse else None,
        inverse=inverse,
        settle=stated(row.settleCoin),
        status=stated(row.status),
        expiry=_date(row) if kind is Kind.FUTURE else None,
        category=category,
    )


def _spot(row: InstrumentRow) -> Instrument:
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.symbol,
        base=row.baseCoin,
        quote=row.quoteCoin,
        tick=amount(_filters(row.priceFilter).tickSize),
        step=amount(_filters(row.lotSizeFilter).basePrecision),
        status=stated(row.status),
        category="spot",
    )


_RIGHTS: dict[str, Literal["C", "P"]] = {"Call": "C", "Put": "P"}


def _option(row: InstrumentRow) -> Instrument:
    """BTC-25DEC26-100000-C-USDT: nothing but its name states the strike. Those without a suffix are settled in USDC."""
    right = _RIGHTS.get(row.optionsType or "")
    parts = row.symbol.split("-")
    if right is None or len(parts) not in (4, 5) or parts[3] != right:
        raise FrameError("wrong_shape", f"{row.symbol[:40]!r} is no option: {str(row.optionsType)[:40]!r}")
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.symbol,
        base=row.baseCoin,
        quote=row.quoteCoin,
        kind=Kind.OPTION,
        tick=amount(_filters(row.priceFilter).tickSize),
        step=amount(_filters(row.lotSizeFilter).qtyStep),
        settle=stated(row.settleCoin),
        status=stated(row.status),
        expiry=_date(row),
        strike=parts[2],
        right=right,
        category="option",
    )


def _filters(raw: msgspec.Raw) -> Filters:
    try:
        return _read_filters(raw)
    except UNREADABLE:
        return Filters()


def _date(row: InstrumentRow) -> str:
    return utc_day(time_ms(stated(row.deliveryTime) or "") / 1000)


_read_row = msgspec.json.Decoder(InstrumentRow).decode
_read_filters = msgspec.json.Decoder(Filters).decode
_read_instruments = msgspec.json.Decoder(InstrumentPage).decode
