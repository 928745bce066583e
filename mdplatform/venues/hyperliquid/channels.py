"""The channels: what each carries and proves."""

from __future__ import annotations

from mdplatform.core.session import (
    Channel,
)

_DEEP = "each message is a whole top 20, every 5.4 s (probed 2026-09; documented 0.5 s); one that is lost does not show"
BOOK = Channel("l2Book", "book", _DEEP, 20.0, 5.4)
DEPTH = Channel("l2Book.depth", "depth", f"l2Book beside l2Book.fast: {_DEEP}", 20.0, 5.4)
FAST = Channel(
    "l2Book.fast",
    "book",
    "each message is a whole top 5, every 0.54 s (probed 2026-09; documented); one that is lost does not show",
    5.0,
    0.54,
)
TRADES = Channel(
    "trades", "trades", "one a match, as by REST; ids are hashes: no loss shows; the latest are requested after a break"
)
CONTEXT = Channel(
    "activeAssetCtx",
    "funding",
    "none: messages carry neither number nor time; open interest of both sides (reported 2025-07)",
)
BBO = Channel(
    "bbo",
    "bbo",
    "none: a message for each block in which it changed, every 0.07 s (probed 2026-09), carries no number",
    10.0,
    0.07,
)
