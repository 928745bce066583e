"""Channels of both feeds. The kinds that spot has not (liquidations, funding) are simply not asked for there."""

from __future__ import annotations

from mdplatform.errors import FrameError
from mdplatform.session import Channel

BOOK = Channel(
    "book",
    "book",
    "spot: CRC32 of the best 10 levels a side with every message; futures: whole, seq counts up by one a product",
    5.0,
)
TRADE = Channel("trade", "trades", "whole: ids count up by one a symbol; a reconnect is sent the latest again")
LIQUIDATION = Channel("trade.liquidation", "liquidations", "futures only: trades of this type, as whole as trades are")
TICKER = Channel("ticker", "funding", "futures only: state once a second, none of it can be proven missing")
BBO = Channel("ticker.bbo", "bbo", "spot: each change, unnumbered; futures: once a second, unnumbered")
CHANNELS = (BOOK, TRADE, LIQUIDATION, TICKER, BBO)
OF_SPOT = (BOOK, TRADE, BBO)

SYMBOLS_A_MESSAGE = 100


def obsolete() -> FrameError:
    """The refusal of a frame of WebSocket v1."""
    return FrameError("obsolete_format", "a frame of Kraken's WebSocket v1, which v2 has replaced (ws.kraken.com/v2)")
