"""Channels of both feeds. The kinds that spot has not (liquidations, funding) are simply not asked for there.

Cadences and proofs as documented in 2026-06, where nothing else is said.
"""

from __future__ import annotations

from mdplatform.core.errors import FrameError
from mdplatform.core.session import Channel

BOOK = Channel(
    "book",
    "book",
    "spot: CRC32 of the best 10 levels a side with every message; futures: whole, seq counts up by one a product "
    "(probed 2026-10: in 4.4 million)",
    5.0,
)
TRADE = Channel("trade", "trades", "whole: ids count up by one a symbol; a reconnect is sent the latest again")
LIQUIDATION = Channel("trade.liquidation", "liquidations", "futures only: trades of this type, as whole as trades are")
TICKER = Channel(
    "ticker",
    "funding",
    "futures only: state once a second, none of it can be proven missing; which sides open interest counts is not "
    "stated",
    cadence_s=1.0,
)
# The ticker of futures was 0.84 to 1.64 s behind the book, and left out most changes (probed 2026-10).
TOUCH = Channel(
    "book.bbo", "bbo", "futures: the book's best levels at each change, as whole as the book is; spot: ticker.bbo"
)
BBO = Channel(
    "ticker.bbo", "bbo", "spot: each change, unnumbered; futures: once a second and 0.84 to 1.64 s late, unnumbered"
)
CHANNELS = (BOOK, TRADE, LIQUIDATION, TICKER, TOUCH, BBO)

SYMBOLS_A_MESSAGE = 100


def of_spot(channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    """Those that spot has: its ticker is its touch."""
    wanted = [BBO if channel is TOUCH else channel for channel in channels]
    return tuple(channel for channel in (BOOK, TRADE, BBO) if channel in wanted)


def of_futures(channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    """Those of futures; there is one source of quotes."""
    return tuple(channel for channel in channels if channel is not BBO or TOUCH not in channels)


def obsolete() -> FrameError:
    """The refusal of a frame of WebSocket v1."""
    return FrameError("obsolete_format", "a frame of Kraken's WebSocket v1, which v2 has replaced (ws.kraken.com/v2)")
