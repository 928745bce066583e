"""The channels of Exchange: what each carries and proves."""

from __future__ import annotations

from mdplatform.core.session import Channel

LEVEL2 = Channel(
    "level2_batch",
    "book",
    "none: updates carry no number, so that one which is lost does not show; silence and a crossed book do",
    5.0,
)
MATCHES = Channel("matches", "trades", "whole: trade ids count up by one a product, also against the heartbeat")
HEARTBEAT = Channel("heartbeat", "trades", "states the last trade id of a product once a second")
TICKER = Channel("ticker", "bbo", "none: sent on trades only; accepted, not used")
CHANNELS = (LEVEL2, MATCHES, HEARTBEAT, TICKER)
