"""Channels by the name of their topics, of spot and of futures. There are no liquidations.

``obu`` is of the UTA push socket, all others of the classic one. Cadences as documented in 2025-11.
"""

from __future__ import annotations

from mdplatform.core.session import Channel

OBU = Channel(
    "obu",
    "book",
    "best 500 levels, whole from the snapshot it begins with: each delta's O is the last C + 1 (probed 2026-10: no gap "
    "in 8,650)",
    5.0,
)
BOOK = Channel(
    "level2",
    "book",
    "whole from a REST snapshot on: each sequence is the last one + 1; of spot without a key only its best 100 levels",
    5.0,
)
DEPTH = Channel("level2Depth50", "book", "each message is a whole top 50; one that is lost does not show", 5.0, 0.1)
TRADES = Channel("match", "trades", "ids show what repeats, not what is lost; the latest are requested after a break")
INSTRUMENT = Channel("instrument", "funding", "futures only: state from time to time, none can be proven missing")
BBO = Channel("level1", "bbo", "each change; of futures numbered with holes: none can be proven missing")
OPEN_INTEREST = Channel(
    "openInterest.rest",
    "open_interest",
    "futures only, on no socket: by REST once a minute, a weight of 3 a symbol, without a time of the venue's; whether "
    "one side of each contract or both is not stated",
    180.0,
    60.0,
)
CHANNELS = (OBU, BOOK, DEPTH, TRADES, INSTRUMENT, BBO, OPEN_INTEREST)

# channel -> topic, without its symbols; of open interest the path of its call
SPOT_TOPICS = {
    BOOK: "/market/level2",
    DEPTH: "/spotMarket/level2Depth50",
    TRADES: "/market/match",
    BBO: "/spotMarket/level1",
}
FUTURES_TOPICS = {
    BOOK: "/contractMarket/level2",
    DEPTH: "/contractMarket/level2Depth50",
    TRADES: "/contractMarket/execution",
    INSTRUMENT: "/contract/instrument",
    BBO: "/contractMarket/tickerV2",
    OPEN_INTEREST: "/api/v1/contracts",
}
# Documented topics that give no event here; a recording may hold them.
UNUSED = frozenset(
    (
        "/market/ticker",
        "/market/candles",
        "/market/snapshot",
        "/spotMarket/level2Depth5",
        "/indicator/index",
        "/indicator/markPrice",
        "/contractMarket/ticker",
        "/contractMarket/snapshot",
        "/contractMarket/limitCandle",
        "/contractMarket/level2Depth5",
        "/contract/announcement",
    )
)
