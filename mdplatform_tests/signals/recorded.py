"""Simulated recordings of several venues as the messages that their collectors would have published."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from mdplatform.bus import Message
from mdplatform.core.codec import encode
from mdplatform.core.events import Book, Liquidation, Quote, Trade
from mdplatform.core.messages import decode_book
from mdplatform.core.topics import Topics
from mdplatform.recordings.player import Player
from mdplatform.recordings.tape import parse
from mdplatform_tests.signals.touches import START_NS
from mdplatform_tests.simulator.tape import generate


def recorded(scripts: Mapping[str, str], seconds: float, rate: float) -> list[Message]:
    """Books, quotes, trades and liquidations of BTC and ETH as received; a fault script for each venue."""
    events = [event for venue, script in scripts.items() for event in _events(venue, script, seconds, rate)]
    events.sort(key=lambda event: event.received_ns)
    topics, messages = Topics(), []
    for number, event in enumerate(events):
        key, value = encode(event)
        messages.append(Message(topics.of(event), 0, number, event.received_ns // 10**6, key, value))
    return messages


def _events(venue: str, script: str, seconds: float, rate: float) -> Iterator[Book | Quote | Trade | Liquidation]:
    player = Player(venue)
    frames = generate(venue, ["BTC", "ETH"], START_NS, seconds, rate=rate, faults=script)
    for entry in parse(b"%d %s\n" % frame for frame in frames):
        yield from (e for e in player.take(entry) if isinstance(e, Book | Quote | Trade | Liquidation))


def with_bids(
    messages: Iterable[Message], exchange: str, symbol: str, change: Callable[[float, list[float]], list[float]]
) -> list[Message]:
    """The same, but in one market's books the sizes bid are what ``change`` makes of (s after the start, sizes)."""
    return [_changed(m, exchange, symbol, change) if "orderbook" in m.topic else m for m in messages]


def _changed(
    message: Message, exchange: str, symbol: str, change: Callable[[float, list[float]], list[float]]
) -> Message:
    book = decode_book(message.value)
    if (book.exchange, book.symbol) != (exchange, symbol):
        return message
    row = msgspec.json.decode(message.value)
    row["bv"] = change((book.received_ns - START_NS) / 1e9, book.bv)
    return msgspec.structs.replace(message, value=msgspec.json.encode(row))
