"""What the Exchange feed sends, as it names it: wire types and their decoders."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from mdplatform.core.decimals import Levels
from mdplatform.core.errors import FrameError
from mdplatform.venuekit.rows import RowDecoder
from mdplatform.venues.coinbase.wire import MakerSide, readable

_Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class L2Update(msgspec.Struct, tag_field="type", tag="l2update", gc=False):
    product_id: str
    changes: list[tuple[Literal["buy", "sell"], str, str]]
    time: str | None = None


class Snapshot(msgspec.Struct, tag_field="type", tag="snapshot", gc=False):
    product_id: str
    bids: Levels
    asks: Levels
    time: str | None = None
    odd: list[msgspec.Raw] = []  # ours: levels that are no pair of texts


class AnySnapshot(msgspec.Struct):
    """A snapshot whatever its levels are."""

    product_id: str
    bids: list[msgspec.Raw]
    asks: list[msgspec.Raw]
    time: str | None = None


class Match(msgspec.Struct, tag_field="type", tag="match", gc=False):
    product_id: str
    trade_id: _Id
    price: str
    size: str
    side: MakerSide
    time: str | None = None


class TradeRow(msgspec.Struct, gc=False):
    """One of the trades listed by REST."""

    trade_id: _Id
    price: str
    size: str
    side: MakerSide
    time: str


class LastMatch(Match, tag_field="type", tag="last_match", gc=False):
    """The latest trade before the subscription."""


class Heartbeat(msgspec.Struct, tag_field="type", tag="heartbeat", gc=False):
    product_id: str
    last_trade_id: _Id


class Listed(msgspec.Struct):
    name: str
    product_ids: list[str] = []


class Listing(msgspec.Struct, tag_field="type", tag="subscriptions"):
    """What an acknowledgement says: all that is subscribed."""

    channels: list[Listed]


class Error(msgspec.Struct, tag_field="type", tag="error"):
    message: str
    reason: str | None = None


class Unused(msgspec.Struct):
    """Any message, by its type only."""

    type: str


# Documented messages of channels that are not used; a recording may hold them.
_UNUSED = frozenset(("ticker", "status", "received", "open", "done", "change", "activate", "auction", "rfq_match"))
_read_typed = msgspec.json.Decoder(L2Update | Match | LastMatch | Heartbeat | Snapshot | Listing | Error).decode
read_rows = RowDecoder(list[TradeRow], TradeRow).decode
_read_type = msgspec.json.Decoder(Unused).decode
_read_any_snapshot = msgspec.json.Decoder(AnySnapshot).decode
_level = msgspec.json.Decoder(tuple[str, str])
Message = L2Update | Match | LastMatch | Heartbeat | Snapshot | Listing | Error | Unused


def read_message(frame: bytes) -> Message:
    """Raises one of ``REFUSALS``."""
    try:
        typed: Message = _read_typed(frame)
        return typed
    except msgspec.ValidationError:
        other = _read_type(frame)
        if other.type == "snapshot":
            return _snapshot(_read_any_snapshot(frame))
        if other.type in _UNUSED:
            return other
        if other.type not in _TYPES:
            raise FrameError("unknown_message", f"no message of the type {other.type[:40]!r} is documented") from None
        raise


def _snapshot(message: AnySnapshot) -> Snapshot:
    """A snapshot in which some levels are no levels."""
    (bids, odd_bids), (asks, odd_asks) = (readable(rows, _level) for rows in (message.bids, message.asks))
    return Snapshot(message.product_id, bids, asks, message.time, odd_bids + odd_asks)


_TYPES = frozenset(("l2update", "match", "last_match", "heartbeat", "snapshot", "subscriptions", "error"))
