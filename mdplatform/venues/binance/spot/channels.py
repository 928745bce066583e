"""The channels of spot: what each carries and proves, as documented in July 2026."""

from __future__ import annotations

from mdplatform.core.session import Channel

DIFF = Channel("depth@100ms", "book", "whole from a REST snapshot on: each diff's U is the last u + 1", 5.0)
PARTIAL = Channel("depth20@100ms", "book", "each message is a whole top 20; one that is lost does not show", 5.0)
TRADE = Channel("trade", "trades", "whole: trade ids count up by one a symbol")
BBO = Channel(
    "bookTicker", "bbo", "each message is a whole top 1, numbered as the book; one that is lost does not show"
)
