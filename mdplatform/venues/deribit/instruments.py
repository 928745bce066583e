"""The venue's instrument lists, the answers to ``get_instruments``, and what is known without them."""

from __future__ import annotations

from typing import Literal

import msgspec

from mdplatform.core.clock import utc_day
from mdplatform.core.errors import UNREADABLE, FrameError
from mdplatform.core.instrument_list import InstrumentList, decoded, kind_of, read_rows, required
from mdplatform.core.instrument_list import amount as number_above_zero
from mdplatform.core.instrument_list import stated as text_of
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venuekit.default_instruments import composed
from mdplatform.venues.deribit.channels import EXCHANGE
from mdplatform.venues.deribit.wire import _NULL, Answer, Time


class InstrumentRow(msgspec.Struct):
    """Lists of 2021 have neither counter_currency nor a type: all was paid in coin then."""

    instrument_name: str
    kind: str
    base_currency: str
    quote_currency: str
    is_active: msgspec.Raw = _NULL
    expiration_timestamp: msgspec.Raw = _NULL  # of a perpetual: the year 3000
    settlement_period: str | None = None
    counter_currency: str | None = None
    settlement_currency: msgspec.Raw = _NULL
    instrument_type: str | None = None
    future_type: str | None = None
    tick_size: msgspec.Raw = _NULL
    min_trade_amount: msgspec.Raw = _NULL
    strike: msgspec.Raw = _NULL
    option_type: msgspec.Raw = _NULL
    price_index: msgspec.Raw = _NULL  # btc_usd


def known_instruments() -> Instruments:
    """Perpetuals and spot pairs; what has an expiry must be listed."""
    known = composed(EXCHANGE, ("USDC", "USDT"), lambda base, quote: f"{base}_{quote}")
    for row in composed(EXCHANGE, ("USDC", "USDT"), lambda base, quote: f"{base}_{quote}-PERPETUAL", Kind.PERPETUAL):
        known.add(row)
    for base in ("BTC", "ETH"):
        known.add(
            Instrument(
                exchange=EXCHANGE,
                venue_symbol=f"{base}-PERPETUAL",
                base=base,
                quote="USD",
                kind=Kind.PERPETUAL,
                contract_size="1",
                inverse=True,
                settle=base,
            )
        )
    return known


def read_instruments(body: bytes) -> InstrumentList:
    """An answer to ``get_instruments``, combinations left out; raises FrameError when it is none."""
    rows = decoded(_read_list, body, "not a list of instruments").result
    return read_rows(rows, lambda raw: _instrument(_read_row(raw)))


def _instrument(row: InstrumentRow) -> Instrument | None:
    if kind_of(row.kind, "kind") not in ("spot", "future", "option"):
        return None
    is_future, is_option = row.kind == "future", row.kind == "option"
    # An option that is paid in coin is quoted in coin, too: what it is struck in is the counter currency.
    coined = row.base_currency == row.quote_currency
    counter = row.counter_currency or ("USD" if coined else row.quote_currency)
    inverse = is_future and (row.instrument_type or row.future_type or "reversed") == "reversed"
    kind = Kind(row.kind)
    if is_future and required(row.settlement_period, "settlement period") == "perpetual":
        kind = Kind.PERPETUAL
    strike, right = number_above_zero(row.strike), _RIGHTS.get(bytes(row.option_type))
    if is_option and (strike is None or right is None):
        raise FrameError("wrong_shape", f"{row.instrument_name[:40]!r} is an option without strike or type")
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.instrument_name,
        base=row.base_currency,
        quote=counter,
        kind=kind,
        tick=number_above_zero(row.tick_size),
        step=number_above_zero(row.min_trade_amount) if not inverse else None,
        # Sizes are amounts, not contracts: in USD for inverse futures, in the base currency for everything else.
        contract_size="1" if inverse else None,
        inverse=inverse,
        settle=text_of(row.settlement_currency),
        status={b"true": "active", b"false": "inactive"}.get(bytes(row.is_active)),
        expiry=_day(row.expiration_timestamp) if kind in (Kind.FUTURE, Kind.OPTION) else None,
        strike=_short(strike) if is_option and strike is not None else None,
        right=right if is_option else None,
        underlying=text_of(row.price_index),
    )


def _day(time_ms: msgspec.Raw) -> str:
    """YYYYMMDD; expiries are at 08:00 UTC."""
    try:
        return utc_day(_read_time(time_ms) / 1000)
    except (ValueError, OverflowError, OSError, *UNREADABLE):
        raise FrameError("bad_time", f"no date of expiry: {bytes(time_ms)[:40]!r}") from None


_RIGHTS: dict[bytes, Literal["C", "P"]] = {b'"call"': "C", b'"put"': "P"}


def _short(text: str) -> str:
    """``100000.0`` as ``100000``."""
    return text.rstrip("0").rstrip(".") if "." in text else text


_read_list = msgspec.json.Decoder(Answer[list[msgspec.Raw]]).decode
_read_row = msgspec.json.Decoder(InstrumentRow).decode
_read_time = msgspec.json.Decoder(Time).decode
