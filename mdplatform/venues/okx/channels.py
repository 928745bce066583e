"""The channels: what each carries and proves, and which instruments have it."""

from __future__ import annotations

from mdplatform.session import Channel
from mdplatform.symbols import Instrument, Kind
from mdplatform.venues.okx.lists import INST_TYPES, index_of
from mdplatform.venues.okx.wire import Arg

BOOKS = Channel(
    "books",
    "book",
    "whole: each update's prevSeqId is the seqId before; how many are missing in a gap is not told",
    5.0,
)
BOOKS5 = Channel("books5", "book", "each message is a whole top 5; one that is lost does not show", 5.0)
TRADES = Channel(
    "trades", "trades", "whole as far as trade ids count up by one a symbol; what is missing is asked for by REST"
)
TRADES_ALL = Channel("trades-all", "trades", "as trades, each match by itself; on the business socket")
LIQUIDATIONS = Channel(
    "liquidation-orders", "liquidations", "none: at most about one a second and contract is sent; repeats are dropped"
)
FUNDING = Channel("funding-rate", "funding", "each message is the whole state; one that is lost does not show")
MARK = Channel("mark-price", "funding", "each message is the whole state; one that is lost does not show")
INDEX = Channel("index-tickers", "funding", "each message is the whole state; one that is lost does not show")
BBO = Channel("bbo-tbt", "bbo", "each message is the whole state; seqId tells the order, not what is missing")

CHANNELS = (BOOKS, BOOKS5, TRADES, TRADES_ALL, LIQUIDATIONS, FUNDING, MARK, INDEX, BBO)
BUSINESS = (TRADES_ALL,)  # served on a socket of their own
DEFAULT = (BOOKS, TRADES, LIQUIDATIONS, FUNDING, MARK, INDEX)

_CONTRACTS = (Kind.PERPETUAL, Kind.FUTURE, Kind.OPTION)
# Which kinds of instrument have a channel; every kind where it is not named.
_KINDS = {LIQUIDATIONS: _CONTRACTS, FUNDING: (Kind.PERPETUAL,), MARK: _CONTRACTS, INDEX: _CONTRACTS}

# Documented channels that give no event here; a recording may hold them. Candles carry their length in the name.
_NAMES = """
adl-warning block-tickers books-l2-tbt books50-l2-tbt economic-calendar estimated-price instruments open-interest
opt-summary option-trades price-limit public-block-trades public-struc-block-trades sprd-bbo-tbt sprd-books-l2-tbt
sprd-books5 sprd-public-trades sprd-tickers status tickers
"""
_UNUSED = frozenset(_NAMES.split())
_UNUSED_STEMS = ("candle", "index-candle", "mark-price-candle", "sprd-candle")


def applies(channel: Channel, instrument: Instrument) -> bool:
    """Whether the instrument has the channel."""
    return instrument.kind in _KINDS.get(channel, tuple(Kind))


def argument(channel: Channel, instrument: Instrument) -> Arg:
    """What to subscribe to: liquidations come for a whole kind of instruments, prices of an index for all on it."""
    if channel is LIQUIDATIONS:
        return Arg(channel.name, instType=INST_TYPES[instrument.kind])
    return Arg(channel.name, index_of(instrument) if channel is INDEX else instrument.venue_symbol)


def named(channel: str, name: str) -> Arg:
    """A subscription as refusals name it."""
    return Arg(channel, instType=name) if channel == LIQUIDATIONS.name else Arg(channel, name)


def unused(name: str) -> str | None:
    """The name under which a documented channel of no use here is counted; None for any other."""
    stem = next((stem for stem in _UNUSED_STEMS if name.startswith(stem)), name)
    return stem if stem in _UNUSED or stem in _UNUSED_STEMS else None
