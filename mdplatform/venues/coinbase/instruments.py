"""The product lists of either feed's REST interface."""

from __future__ import annotations

import msgspec

from mdplatform.core.instrument_list import ABSENT, InstrumentList, amount, decoded, kind_of, read_rows, stated
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venuekit.default_instruments import composed
from mdplatform.venues.coinbase.wire import EXCHANGE

_NO_LIST = "not a list of products"
QUOTES = ("USD", "USDC", "USDT", "EUR", "GBP", "BTC", "ETH")


def known_instruments() -> Instruments:
    return composed(EXCHANGE, QUOTES, lambda base, quote: f"{base}-{quote}")


def read_instruments(body: bytes) -> InstrumentList:
    """The list of either feed's REST interface."""
    if body.lstrip()[:1] == b"[":
        return read_rows(decoded(_read_rows, body, _NO_LIST), _instrument)
    return read_rows(decoded(_read_advanced_rows, body, _NO_LIST).products, _advanced_instrument)


class ProductRow(msgspec.Struct):
    id: str
    base_currency: str
    quote_currency: str
    status: msgspec.Raw = ABSENT
    quote_increment: msgspec.Raw = ABSENT
    base_increment: msgspec.Raw = ABSENT


class AdvancedProductRow(msgspec.Struct):
    product_id: str
    product_type: str
    base_currency_id: str
    quote_currency_id: str
    status: msgspec.Raw = ABSENT
    price_increment: msgspec.Raw = ABSENT
    base_increment: msgspec.Raw = ABSENT
    alias: str | None = None


class AdvancedProducts(msgspec.Struct):
    products: list[msgspec.Raw]


def _instrument(raw: msgspec.Raw) -> Instrument:
    row = _read_row(raw)
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.id,
        base=row.base_currency,
        quote=row.quote_currency,
        tick=amount(row.quote_increment),
        step=amount(row.base_increment),
        status=stated(row.status),
    )


def _advanced_instrument(raw: msgspec.Raw) -> Instrument | None:
    row = _read_advanced_row(raw)
    if kind_of(row.product_type, "type") != "SPOT":
        return None
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.product_id,
        base=row.base_currency_id,
        quote=row.quote_currency_id,
        tick=amount(row.price_increment),
        step=amount(row.base_increment),
        status=stated(row.status),
        alias_of=row.alias or None,
    )


_read_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read_row = msgspec.json.Decoder(ProductRow).decode
_read_advanced_row = msgspec.json.Decoder(AdvancedProductRow).decode
_read_advanced_rows = msgspec.json.Decoder(AdvancedProducts).decode
