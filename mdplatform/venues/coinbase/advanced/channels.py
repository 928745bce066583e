"""The channels of Advanced Trade: what each carries and proves."""

from __future__ import annotations

from mdplatform.core.session import Channel

LEVEL2 = Channel("l2_data", "book", "whole from its snapshot on: sequence_num counts the connection's messages", 5.0)
TRADES = Channel("market_trades", "trades", "whole: trade ids count up by one a product, and by sequence_num")
HEARTBEATS = Channel("heartbeats", "trades", "one a second keeps quiet channels open and their sequence_num proven")
CHANNELS = (LEVEL2, TRADES, HEARTBEATS)
