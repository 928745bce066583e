"""The venue's instrument lists, one a kind of instrument, and what is known without them."""

from __future__ import annotations

import msgspec

from mdplatform.core.clock import SECOND, utc_day
from mdplatform.core.decimals import check_positive
from mdplatform.core.errors import FrameError
from mdplatform.core.instrument_list import (
    ABSENT,
    InstrumentList,
    amount,
    decoded,
    kind_of,
    read_rows,
    required,
    stated,
)
from mdplatform.core.symbols import AssetClass, Instrument, Instruments, Kind
from mdplatform.venuekit.contract_sizes import ContractSizes
from mdplatform.venuekit.default_instruments import composed
from mdplatform.venues.okx.wire import EXCHANGE, Answer, venue_ns

# MARGIN repeats SPOT: it is not asked for. Options are listed a family at a time.
LISTED = ("SPOT", "SWAP", "FUTURES")
FAMILIES = ("BTC-USD", "ETH-USD")  # that have options
INST_TYPES = {Kind.SPOT: "SPOT", Kind.PERPETUAL: "SWAP", Kind.FUTURE: "FUTURES", Kind.OPTION: "OPTION"}
_KINDS = {name: kind for kind, name in INST_TYPES.items()}

_X_PERP = "_XPERP"  # BTC-USD_UM_XPERP-310404 is for us what it is in the list: the future BTC-USD_UM_XPERP-20310404
QUOTES = ("USDT", "USDC", "USD", "EUR", "BTC", "ETH", "OKB", "DAI", "BRL", "TRY", "AUD", "AED", "SGD")
# (underlying, ctVal, inverse) of the oldest swaps; the others take the venue's list.
_SWAPS = (("BTC-USDT", "0.01", False), ("ETH-USDT", "0.1", False), ("BTC-USD", "100", True), ("ETH-USD", "10", True))


class Row(msgspec.Struct):
    """One instrument; what does not apply to its kind is "" or absent."""

    instType: str
    instId: str
    tickSz: msgspec.Raw = ABSENT
    lotSz: msgspec.Raw = ABSENT
    state: msgspec.Raw = ABSENT
    baseCcy: str = ""  # spot only
    quoteCcy: str = ""
    instFamily: str = ""  # BTC-USD, BTC-USD_UM: one for each way to settle
    uly: str = ""  # the index; lists of 2022 have only this
    settleCcy: msgspec.Raw = ABSENT
    ctVal: str = ""
    ctMult: str = ""
    ctType: str = ""
    expTime: str = ""
    stk: str = ""
    optType: str = ""
    instCategory: str = ""  # of the base; absent before 2026


def read_instruments(body: bytes) -> InstrumentList:
    """The answer of /public/instruments, whichever kind it lists; raises FrameError."""
    answer = decoded(_read_answer, body, "not a list of instruments")
    if answer.code != "0":
        raise FrameError("venue_error", f"code {answer.code}: {answer.msg}")
    return of_rows(answer.data)


def of_rows(rows: list[msgspec.Raw]) -> InstrumentList:
    """Those of the kinds that are read; before the opening they have neither name nor pair, nor a sound book."""
    return read_rows(rows, lambda raw: _listed(_read_row(raw)))


def _listed(row: Row) -> Instrument | None:
    if kind_of(row.instType, "kind") not in _KINDS or stated(row.state) == "preopen":
        return None
    base, quote = _pair(row)
    if not (row.instId or base or quote):  # the place of one that is to come
        return None
    return _instrument(row, base, quote)


def pays_funding(instrument: Instrument) -> bool:
    """A perpetual, and an X-Perp: that is a future by the venue's list, due in years, that pays funding (2026-08)."""
    return instrument.kind is Kind.PERPETUAL or _X_PERP in instrument.quote


def index_of(instrument: Instrument) -> str:
    """The index of a contract: BTC-USD for the families BTC-USD and BTC-USD_UM."""
    return f"{instrument.base}-{instrument.quote.partition('_')[0]}"


def family_of(instrument: Instrument) -> str:
    """The instruments on one pair that are settled alike: BTC-USD, BTC-USD_UM."""
    return f"{instrument.base}-{instrument.quote}"


def known_instruments() -> Instruments:
    """Common spot pairs, and the swaps whose contract is as old as the venue's interface."""
    listed = composed(EXCHANGE, QUOTES, lambda base, quote: f"{base}-{quote}")
    for family, size, inverse in _SWAPS:
        base, _, quote = family.partition("-")
        listed.add(
            Instrument(
                exchange=EXCHANGE,
                venue_symbol=f"{family}-SWAP",
                base=base,
                quote=quote,
                kind=Kind.PERPETUAL,
                contract_size=size,
                multiplier="1",
                inverse=inverse,
                settle=base if inverse else quote,
            )
        )
    return listed


def _pair(row: Row) -> tuple[str, str]:
    """Base and quote, "" where the row states none."""
    if _KINDS[row.instType] is Kind.SPOT:
        return row.baseCcy, row.quoteCcy
    # The family, not the index: BTC-USD-260828 (settled in BTC) and BTC-USD_UM-260828 (in dollars) share theirs.
    base, _, quote = (row.instFamily or row.uly).partition("-")
    is_other = quote and _X_PERP in row.instId and _X_PERP not in quote
    return base, f"{quote}{_X_PERP}" if is_other else quote


def _instrument(row: Row, base: str, quote: str) -> Instrument:
    kind = _KINDS[row.instType]
    dated = kind in (Kind.FUTURE, Kind.OPTION)
    if kind is not Kind.SPOT:
        check_positive(required(row.ctVal, "size of a contract"))
        if kind is not Kind.OPTION and row.ctType not in ("linear", "inverse"):
            raise FrameError("wrong_shape", f"{row.instId[:40]!r} is neither linear nor inverse: {row.ctType[:40]!r}")
    instrument = Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.instId,
        base=base,
        quote=quote,
        kind=kind,
        tick=amount(row.tickSz),
        step=amount(row.lotSz),
        contract_size=row.ctVal or None,
        multiplier=row.ctMult or None,
        inverse=row.ctType == "inverse",
        settle=stated(row.settleCcy),
        status=stated(row.state),
        expiry=utc_day(venue_ns(row.expTime) // SECOND) if dated else None,
        strike=row.stk or None,
        right="C" if row.optType == "C" else "P" if row.optType == "P" else None,
        underlying=row.uly or None,
        asset_class=_CLASSES.get(row.instCategory, "other") if row.instCategory else None,
    )
    return instrument if kind is Kind.SPOT else msgspec.structs.replace(instrument, step=_step(instrument))


def _step(instrument: Instrument) -> str | None:
    """The venue's step is in contracts; in base units an inverse one has none."""
    if instrument.inverse or instrument.step is None:
        return None
    return ContractSizes(instrument).base("1", instrument.step)


# What instCategory says (as other clients read it in 2026); 6 is bonds.
_CLASSES: dict[str, AssetClass] = {"1": "crypto", "3": "stock", "4": "commodity", "5": "forex"}

_read_answer = msgspec.json.Decoder(Answer[msgspec.Raw]).decode
_read_row = msgspec.json.Decoder(Row).decode
rows_of = msgspec.json.Decoder(list[msgspec.Raw]).decode
