"""The channels: what each carries and proves, and which instruments have it.

"Documented" is the venue's own page of 2026-07, "probed" what others measured on the live venue in 2026-09.
"""

from __future__ import annotations

from mdplatform.core.session import Channel
from mdplatform.core.symbols import Instrument, Kind
from mdplatform.venues.cryptocom.instruments import index_of

LEVELS = 50  # of a book: what falls behind them is deleted, what comes among them named (probed)
BOOK = Channel(
    f"book.{LEVELS}",
    "book",
    "whole: each update's pu is the u before (probed 2026-09: in 90,000 of 400 instruments), every 0.01 s while it "
    "changes, else every 5 s; how many are missing in a gap is not stated",
    12.0,
    5.0,
    is_steady=True,
)
TRADES = Channel(
    "trade",
    "trades",
    "one a match, as by REST; ids show what repeats, not what is lost; the latest are requested after a break",
)
_STATE = "each message is the whole state; one that is lost does not show"
FUNDING = Channel("funding", "funding", f"once a minute (probed 2026-09): {_STATE}", cadence_s=60.0, is_steady=True)
MARK = Channel(
    "mark", "funding", f"once a second (probed 2026-09; documented 0.05 s): {_STATE}", cadence_s=1.0, is_steady=True
)
INDEX = Channel("index", "funding", f"once a second (probed 2026-09): {_STATE}", cadence_s=1.0, is_steady=True)
TICKER = Channel("ticker", "bbo", f"as it changes, 1.7 times a second (probed 2026-09): {_STATE}")
CHANNELS = (BOOK, TRADES, FUNDING, MARK, INDEX, TICKER)
# Which kinds of instrument have a channel; every kind where it is not named.
_KINDS = {FUNDING: (Kind.PERPETUAL,), MARK: (Kind.PERPETUAL, Kind.FUTURE), INDEX: (Kind.PERPETUAL, Kind.FUTURE)}

# Documented and of no use here; a recording may hold them.
UNUSED = frozenset(("candlestick", "settlement", "estimatedfunding"))


def offered(channels: tuple[Channel, ...], instrument: Instrument) -> tuple[Channel, ...]:
    """Those of the channels that the instrument has."""
    return tuple(channel for channel in channels if instrument.kind in _KINDS.get(channel, tuple(Kind)))


def topic_of(channel: Channel, instrument: Instrument) -> str:
    """The channel as the venue writes it: "book.BTCUSD-PERP.50"."""
    if channel is INDEX:
        return f"{channel.name}.{index_of(instrument)}"
    word, _, levels = channel.name.partition(".")
    return ".".join(filter(None, (word, instrument.venue_symbol, levels)))
