"""Events as messages: one JSON object each, keyed by symbol.

Prices and sizes are written as the venue's own decimal text, unquoted: the venue's parser has checked that it is a
JSON number (``decimals``), so no float is made on the way.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter
from typing import Any

import msgspec

from mdplatform.core.bounds import Time
from mdplatform.core.errors import UNREADABLE
from mdplatform.core.event_kinds import KIND_OF, EventKind
from mdplatform.core.events import (
    Book,
    BookChange,
    DeadLetter,
    Event,
    FeedStats,
    FeedStatus,
    Liquidation,
    Listing,
    Quote,
    RawFrame,
    Trade,
)

# The largest frame that a venue sends is a book snapshot of some MB: as a dead letter or raw frame it must still fit.
# What our producers and topics take; a larger frame is cut.
LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024
ENVELOPE_BYTES = 4096  # the key, and what Kafka adds to a message
KEPT_OF_CUT_BYTES = 256 * 1024

Encoder = Callable[[Any], tuple[bytes, bytes]]  # event -> key and value of its message

_json = msgspec.json.Encoder()


def encode(event: Event) -> tuple[bytes, bytes]:
    """(key, value) of the message. What concerns no symbol is keyed by connection or exchange."""
    return _encoders[type(event)](event)


def encoder_of(kind: type[Event]) -> Encoder:
    """What encodes events of this type, for who has many of them."""
    return _encoders[kind]


class _Shared:
    """What the messages of a symbol have in common: how they begin, their key, and the sides of its latest book.

    Of two books after each other a side is mostly the same, and then the same lists: it is written once.
    """

    __slots__ = ("asks", "bids", "head", "key")

    def __init__(self, exchange: str, symbol: str) -> None:
        self.head = _json.encode({"exchange": exchange, "symbol": symbol}).decode().removesuffix("}")
        self.key = symbol.encode()
        self.bids: tuple[Sequence[str], Sequence[str], str] = [], [], ""  # prices, sizes, what was written of them
        self.asks: tuple[Sequence[str], Sequence[str], str] = [], [], ""


_shared = lru_cache(maxsize=65536)(_Shared)


@lru_cache(maxsize=65536)
def _key(symbol: str) -> bytes:
    return symbol.encode()


def _book(e: Book) -> tuple[bytes, bytes]:
    shared = _shared(e.exchange, e.symbol)
    prices, sizes, bids = shared.bids
    if prices is not e.bid_prices or sizes is not e.bid_sizes:
        bids = f',"b":[{",".join(e.bid_prices)}],"bv":[{",".join(e.bid_sizes)}]'
        shared.bids = e.bid_prices, e.bid_sizes, bids
    prices, sizes, asks = shared.asks
    if prices is not e.ask_prices or sizes is not e.ask_sizes:
        asks = f',"a":[{",".join(e.ask_prices)}],"av":[{",".join(e.ask_sizes)}]'
        shared.asks = e.ask_prices, e.ask_sizes, asks
    previous = "null" if e.previous_sequence is None else e.previous_sequence
    text = (
        f"{shared.head}{bids}{asks}"
        f',"timestamp":{e.venue_ns // 1_000_000},"sequence":{e.sequence},"previous_sequence":{previous}'
        f',"venue_ns":{e.venue_ns},"received_ns":{e.received_ns}'
        f',"bid_depth_10bps":{e.bid_depth_10bps or "null"},"ask_depth_10bps":{e.ask_depth_10bps or "null"}'
        f"{_raw_sizes(e)}}}"
    )
    return shared.key, text.encode()


def _raw_sizes(e: Book) -> str:
    if e.raw_bid_sizes is None or e.raw_ask_sizes is None:
        return ""
    return f',"raw_bv":[{",".join(e.raw_bid_sizes)}],"raw_av":[{",".join(e.raw_ask_sizes)}]'


def _book_change(e: BookChange) -> tuple[bytes, bytes]:
    shared = _shared(e.exchange, e.symbol)
    first, previous = ("null" if id is None else id for id in (e.first_sequence, e.previous_sequence))
    text = (
        f'{shared.head},"kind":"{e.kind}"'
        f',"b":[{",".join(e.bid_prices)}],"bv":[{",".join(e.bid_sizes)}]'
        f',"a":[{",".join(e.ask_prices)}],"av":[{",".join(e.ask_sizes)}]'
        f',"timestamp":{e.venue_ns // 1_000_000},"first_sequence":{first},"sequence":{e.sequence}'
        f',"previous_sequence":{previous},"venue_ns":{e.venue_ns},"received_ns":{e.received_ns}}}'
    )
    return shared.key, text.encode()


def _quote(e: Quote) -> tuple[bytes, bytes]:
    shared = _shared(e.exchange, e.symbol)
    raw = ""
    if e.raw_bid_size is not None or e.raw_ask_size is not None:
        raw = f',"raw_bid_size":{e.raw_bid_size or "null"},"raw_ask_size":{e.raw_ask_size or "null"}'
    text = (
        f"{shared.head}"
        f',"bid_price":{e.bid_price or "null"},"bid_size":{e.bid_size or "null"}'
        f',"ask_price":{e.ask_price or "null"},"ask_size":{e.ask_size or "null"},"sequence":{e.sequence}'
        f',"ts":{e.venue_ns // 1_000_000},"venue_ns":{e.venue_ns},"received_ns":{e.received_ns}{raw}}}'
    )
    return shared.key, text.encode()


def _quoted(text: str) -> str:
    """``text`` as JSON. Letters and digits are written as they are: most ids are nothing else."""
    return f'"{text}"' if text.isalnum() else _json.encode(text).decode()


def _trade(e: Trade) -> tuple[bytes, bytes]:
    shared = _shared(e.exchange, e.symbol)
    raw = "" if e.raw_size is None else f',"raw_size":{e.raw_size}'
    matches = "" if e.count is None else f',"first_id":{_json.encode(e.first_id).decode()},"count":{e.count}'
    text = (
        f'{shared.head},"id":{_quoted(e.id)},"price":{e.price},"qty":{e.size},"side":"{e.side}"'
        f',"ts":{e.venue_ns // 1_000_000},"venue_ns":{e.venue_ns},"received_ns":{e.received_ns}{raw}'
        f',"provenance":"{e.provenance}"{matches}}}'
    )
    return shared.key, text.encode()


def _liquidation(e: Liquidation) -> tuple[bytes, bytes]:
    shared = _shared(e.exchange, e.symbol)
    raw = "" if e.raw_size is None else f',"raw_size":{e.raw_size}'
    text = (
        f'{shared.head},"id":{_quoted(e.id)},"price":{e.price},"qty":{e.size},"side":"{e.side}"'
        f',"ts":{e.venue_ns // 1_000_000},"venue_ns":{e.venue_ns},"received_ns":{e.received_ns}{raw}}}'
    )
    return shared.key, text.encode()


def _fields(event: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


def _listing(e: Listing) -> tuple[bytes, bytes]:
    """The instrument's decimals stay text: a list is read by people and programs, never summed."""
    fields = {"symbol": e.symbol, **_fields(e.instrument), "ts": e.received_ns // 1_000_000}
    return _key(e.symbol), _json.encode({**fields, "received_ns": e.received_ns})


def _status(e: FeedStatus) -> tuple[bytes, bytes]:
    return _key(e.symbol), _json.encode(_fields(e))


def _stats(e: FeedStats) -> tuple[bytes, bytes]:
    fields = _fields(e)
    fields["ts"] = fields.pop("ts_ns") // 1_000_000
    return _key(e.exchange), _json.encode(fields)


def _verbatim(fields: dict[str, Any]) -> bytes:
    """``fields`` as JSON, the frame as text; what is not UTF-8 as base64, and then ``encoding`` says so.

    Of a frame with which the message would be larger than a broker takes only the head is kept, beside its length in
    bytes (``frame_bytes``) and the SHA-256 of all of it (``frame_sha256``).
    """
    frame: bytes = fields["frame"]
    value = _json.encode(_readable(fields, frame))
    if len(value) <= LARGEST_MESSAGE_BYTES - ENVELOPE_BYTES:
        return value
    return _cut(fields, frame)


def shortened(value: bytes) -> bytes | None:
    """A message of a frame with no more than the head of it, for a broker that takes less than ours; None where the
    message holds no frame, or the head alone already."""
    try:
        fields = msgspec.json.decode(value, type=dict[str, Any])
        frame = fields["frame"]
        whole = base64.b64decode(frame) if fields.get("encoding") == "base64" else frame.encode()
    except (*UNREADABLE, KeyError, AttributeError, ValueError):
        return None
    return None if "frame_bytes" in fields or len(whole) <= KEPT_OF_CUT_BYTES else _cut(fields, whole)


def _cut(fields: dict[str, Any], frame: bytes) -> bytes:
    cut = {"frame_bytes": len(frame), "frame_sha256": sha256(frame).hexdigest()}
    return _json.encode(_readable(fields | cut, _head_of(frame)))


def _readable(fields: dict[str, Any], frame: bytes) -> dict[str, Any]:
    try:
        return fields | {"frame": frame.decode()}
    except UnicodeDecodeError:
        return fields | {"frame": base64.b64encode(frame).decode(), "encoding": "base64"}


def _head_of(frame: bytes) -> bytes:
    """As much as is kept of a frame that is cut, without a part of a character at its end."""
    head = frame[:KEPT_OF_CUT_BYTES]
    text = head.decode(errors="ignore").encode()
    return text if len(head) - len(text) < 4 and head.startswith(text) else head


def _dead_letter(e: DeadLetter) -> tuple[bytes, bytes]:
    return _key(e.exchange), _verbatim(_fields(e))


def _raw(e: RawFrame) -> tuple[bytes, bytes]:
    fields = {name: value for name, value in _fields(e).items() if value is not None}
    return _key(e.conn), _verbatim(fields)


def _general(kind: EventKind) -> Encoder:
    """For a kind without an encoder of its own: every field by its name, times beside ``ts`` in ms as everywhere."""
    columns = [column for column in kind.columns if column.field not in _ALWAYS]
    values = attrgetter("exchange", "symbol", *(column.field for column in columns), "venue_ns", "received_ns")
    texts = [_TEXTS[column.kind] for column in columns]
    fields = "".join(f',"{column.name}{"_ts" if column.kind == "time" else ""}":%s' for column in columns)

    def encoded(e: Any) -> tuple[bytes, bytes]:
        exchange, symbol, *own, venue_ns, received_ns = values(e)
        written = fields % tuple([text(value) for text, value in zip(texts, own, strict=True)])
        times = f',"ts":{venue_ns // 1_000_000},"venue_ns":{venue_ns},"received_ns":{received_ns}}}'
        shared = _shared(exchange, symbol)
        return shared.key, f"{shared.head}{written}{times}".encode()

    return encoded


_ALWAYS = ("exchange", "symbol", "venue_ns", "received_ns")
_TEXTS: dict[str, Callable[[Any], str]] = {
    "number": lambda number: number or "null",
    "numbers": lambda numbers: "null" if numbers is None else f"[{','.join(numbers)}]",
    "time": lambda at_ns: "null" if at_ns is None else str(at_ns // 1_000_000),
    "integer": lambda number: "null" if number is None else str(number),
    "text": lambda text: _json.encode(text).decode(),
}

# Of most of a feed's messages, and of those that are no flat numbers; ``_general`` takes twice as long.
_OWN: dict[type, Encoder] = {
    Book: _book,
    BookChange: _book_change,
    Quote: _quote,
    Trade: _trade,
    Liquidation: _liquidation,
    Listing: _listing,
    FeedStatus: _status,
    FeedStats: _stats,
    DeadLetter: _dead_letter,
    RawFrame: _raw,
}
_encoders = {type: _OWN.get(type) or _general(kind) for type, kind in KIND_OF.items()}


class _Raw(msgspec.Struct, gc=False):
    """A message of raw frames; ``encoding`` says how the frame is written, None: as its own text."""

    exchange: str
    conn: str
    seq: int
    received_ns: Time
    frame: str
    encoding: str | None = None
    request: str | None = None
    path: str | None = None


_read_raw = msgspec.json.Decoder(_Raw).decode


def decode_raw(value: bytes) -> RawFrame:
    """The frame that a message of raw frames was made of; raises one of ``UNREADABLE``."""
    raw = _read_raw(value)
    frame = raw.frame.encode() if raw.encoding is None else msgspec.convert(raw.frame, bytes)  # base64
    return RawFrame(raw.exchange, raw.conn, raw.seq, raw.received_ns, frame, raw.request, raw.path)
