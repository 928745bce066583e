"""The channels: what each carries and proves, and which instruments have it."""

from __future__ import annotations

from mdplatform.core.session import Channel
from mdplatform.core.symbols import Instrument, Kind
from mdplatform.venues.okx.instruments import INST_TYPES, family_of, index_of, pays_funding
from mdplatform.venues.okx.wire import Arg

# Cadences and proofs as documented in 2026-06, where nothing else is said.
_STATE = "each message is the whole state; one that is lost does not show"
BOOKS = Channel(
    "books",
    "book",
    "whole: each update's prevSeqId is the seqId before, every 0.1 s; how many are missing in a gap is not stated",
    5.0,
    0.1,
)
BOOKS5 = Channel(
    "books5", "book", "each message is a whole top 5, every 0.1 s; one that is lost does not show", 5.0, 0.1
)
_BY_ID = "whole as far as trade ids count up by one a symbol (recorded 2022, not documented)"
TRADES_ALL = Channel(
    "trades-all", "trades", f"{_BY_ID}; each match by itself, as by REST, where what is missing is requested"
)
TRADES = Channel(
    "trades", "trades", f"{_BY_ID}; matches of one order at one price are one row, by REST each is one of its own"
)
LIQUIDATIONS = Channel(
    "liquidation-orders", "liquidations", "none: at most about one a second and contract is sent; repeats are dropped"
)
FUNDING = Channel("funding-rate", "funding", f"every 30 to 90 s: {_STATE}", cadence_s=90.0, is_steady=True)
MARK = Channel(
    "mark-price", "funding", f"every 0.2 s while it changes, else 10 s: {_STATE}", cadence_s=10.0, is_steady=True
)
INDEX = Channel("index-tickers", "funding", f"every 0.1 s while it changes: {_STATE}", cadence_s=0.1)
OPEN_INTEREST = Channel(
    "open-interest", "funding", f"every 3 s: {_STATE}; one side of each contract (reported 2025-07)", cadence_s=3.0
)
SUMMARY = Channel(
    "opt-summary", "funding", f"of options, a whole family at a time: {_STATE}; its cadence is not stated"
)
TICKER = Channel("tickers", "funding", f"of options, every 0.1 s while it changes: {_STATE}")
BBO = Channel(
    "bbo-tbt", "bbo", "each message is the whole state, every 0.01 s; seqId shows the order, not losses", cadence_s=0.01
)

CHANNELS = (
    *(BOOKS, BOOKS5, TRADES, TRADES_ALL, LIQUIDATIONS, FUNDING, MARK, INDEX, OPEN_INTEREST, BBO),
    *(SUMMARY, TICKER),
)
BUSINESS = (TRADES_ALL,)  # served on a socket of their own
DEFAULT = (BOOKS, TRADES_ALL, LIQUIDATIONS, FUNDING, MARK, INDEX, OPEN_INTEREST, SUMMARY, TICKER)
OF_OPTIONS = (SUMMARY, TICKER)

_CONTRACTS = (Kind.PERPETUAL, Kind.FUTURE, Kind.OPTION)
# Which kinds of instrument have a channel; every kind where it is not named.
_KINDS = {
    **dict.fromkeys((LIQUIDATIONS, MARK, OPEN_INTEREST), _CONTRACTS),
    INDEX: (Kind.PERPETUAL, Kind.FUTURE),  # the price of what an option is on is in its summary
    **dict.fromkeys(OF_OPTIONS, (Kind.OPTION,)),
}

# Documented channels that give no event here; a recording may hold them. Candles carry their length in the name.
_NAMES = """
adl-warning block-tickers books-elp-all books-l2-tbt books50-l2-tbt economic-calendar estimated-price instruments
option-trades price-limit public-block-trades public-struc-block-trades sprd-bbo-tbt
sprd-books-l2-tbt sprd-books5 sprd-public-trades sprd-tickers status
"""
_UNUSED = frozenset(_NAMES.split())
_UNUSED_STEMS = ("candle", "index-candle", "mark-price-candle", "sprd-candle")


def applies(channel: Channel, instrument: Instrument) -> bool:
    """Whether the instrument has the channel."""
    if channel is FUNDING:
        return pays_funding(instrument)
    return instrument.kind in _KINDS.get(channel, tuple(Kind))


def argument(channel: Channel, instrument: Instrument) -> Arg:
    """What to subscribe to: liquidations come for a whole kind of instruments, summaries for a family of options,
    prices of an index for all on it."""
    if channel is LIQUIDATIONS:
        return Arg(channel.name, instType=INST_TYPES[instrument.kind])
    if channel is SUMMARY:
        return Arg(channel.name, instFamily=family_of(instrument))
    return Arg(channel.name, index_of(instrument) if channel is INDEX else instrument.venue_symbol)


def named(channel: str, name: str) -> Arg:
    """A subscription as refusals name it."""
    if channel == SUMMARY.name:
        return Arg(channel, instFamily=name)
    return Arg(channel, instType=name) if channel == LIQUIDATIONS.name else Arg(channel, name)


def unused(name: str) -> str | None:
    """The name under which a documented channel of no use here is counted; None for any other."""
    stem = next((stem for stem in _UNUSED_STEMS if name.startswith(stem)), name)
    return stem if stem in _UNUSED or stem in _UNUSED_STEMS else None
