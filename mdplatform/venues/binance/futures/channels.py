"""The channels of futures: what each carries and proves, as documented in 2026 where nothing else is said."""

from __future__ import annotations

from mdplatform.core.session import Channel

DIFF = Channel(
    "depth@100ms",
    "book",
    "whole from a REST snapshot on: each diff's pu is the last u; what is missing is counted in ids of all symbols",
    5.0,
)
FAST = Channel(
    "depth@0ms",
    "book",
    "as depth@100ms, each change as it is made: not documented, probed in autumn 2026 (571 markets, no break)",
    5.0,
)
PARTIAL = Channel(
    "depth20@100ms",
    "book",
    "each message is a whole top 20; one that is lost does not show. Beside depth@0ms: its snapshots, without REST",
    5.0,
)
AGG_TRADE = Channel("aggTrade", "trades", "whole but for fills of the insurance fund: ids count up by one a symbol")
TRADE = Channel("trade", "trades", "whole: trade ids count up by one a symbol; not documented, may fall silent")
FORCE_ORDER = Channel("forceOrder", "liquidations", "none: at most the latest one of each second is sent, unnumbered")
MARK_PRICE = Channel("markPrice@1s", "funding", "sent once a second; one that is lost does not show", 15.0)
BBO = Channel(
    "bookTicker", "bbo", "each message is a whole top 1, numbered as the book; one that is lost does not show"
)
OPEN_INTEREST = Channel(
    "openInterest.rest",
    "open_interest",
    "by REST once a minute, a weight of 1 a symbol; of COIN-M beside markPrice@1s; one side of each contract (by the "
    "venue's word, reported 2025-07)",
    180.0,
    60.0,
)
CHANNELS = (DIFF, FAST, PARTIAL, AGG_TRADE, TRADE, FORCE_ORDER, MARK_PRICE, BBO, OPEN_INTEREST)

DEFAULT = (DIFF, AGG_TRADE, FORCE_ORDER, MARK_PRICE)


def _is_joined(channels: tuple[Channel, ...]) -> bool:
    """Whether partial books are taken as the snapshots of each change, and no other book."""
    return {channel for channel in channels if channel.kind == "book"} == {FAST, PARTIAL}
