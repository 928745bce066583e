"""What the Advanced Trade feed sends, as it names it: wire types and their decoders."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from mdplatform.venuekit.rows import RowDecoder
from mdplatform.venues.coinbase.wire import MakerSide, readable


class Envelope(msgspec.Struct):
    channel: str | None = None
    sequence_num: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    type: str | None = None
    message: str | None = None


class LevelUpdate(msgspec.Struct, gc=False):
    side: Literal["bid", "offer"]
    price_level: str
    new_quantity: str


class BookEvent(msgspec.Struct):
    type: Literal["snapshot", "update"]
    product_id: str
    updates: list[LevelUpdate]
    odd: list[msgspec.Raw] = []  # ours: levels that are none


class Books(msgspec.Struct):
    timestamp: str
    events: list[BookEvent]


class AnyBookEvent(msgspec.Struct):
    """A snapshot whatever its levels are."""

    type: Literal["snapshot", "update"]
    product_id: str
    updates: list[msgspec.Raw]


class AnyBooks(msgspec.Struct):
    timestamp: str
    events: list[AnyBookEvent]


class TradeRow(msgspec.Struct, gc=False):
    trade_id: Annotated[str, msgspec.Meta(pattern="^[0-9]{1,18}$")]
    product_id: str
    price: str
    size: str
    side: MakerSide
    time: str


class TradeEvent(msgspec.Struct):
    type: Literal["snapshot", "update"]
    trades: list[TradeRow]


class Trades(msgspec.Struct):
    events: list[TradeEvent]


class SubscribedEvent(msgspec.Struct):
    subscriptions: dict[str, list[str] | None]


class Subscribed(msgspec.Struct):
    events: list[SubscribedEvent]


def _trade_id(trade: TradeRow) -> int:
    return int(trade.trade_id)


def read_books(frame: bytes) -> Books:
    """Raises one of ``REFUSALS``; a level of a snapshot that is none costs that level only."""
    try:
        message: Books = _read_books(frame)
    except msgspec.ValidationError:
        loose = _read_any_books(frame)
        if any(event.type == "update" for event in loose.events):
            raise
        events = [(event, *readable(event.updates, _level)) for event in loose.events]
        message = Books(loose.timestamp, [BookEvent("snapshot", e.product_id, rows, odd) for e, rows, odd in events])
    return message


_read_envelope = msgspec.json.Decoder(Envelope).decode
_read_books = msgspec.json.Decoder(Books).decode
_read_any_books = msgspec.json.Decoder(AnyBooks).decode
_level = msgspec.json.Decoder(LevelUpdate)
_read_trades = RowDecoder(Trades, TradeRow, "events", "trades").decode
_read_subscriptions = msgspec.json.Decoder(Subscribed).decode
