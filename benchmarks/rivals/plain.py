"""The plain stack: ujson, a pydantic model a message, a sorted dictionary of floats a side.

As most projects write it, with its better habits: one model per kind of message made once, a SortedDict instead of
sorting the book at each message, the top 20 read from its end, ``ujson.dumps`` of the model's fields. Sequence numbers
are compared; intervals, checksums and duplicates are not looked after, which ours does in the same time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import islice
from typing import Any

import ujson
from pydantic import BaseModel, ConfigDict, Field
from sortedcontainers import SortedDict

DEPTH = 20
Rows = list[tuple[float, float]]


class Depth(BaseModel):
    symbol: str = Field(alias="s")
    time: int = Field(alias="E")
    first: int = Field(alias="U")
    last: int = Field(alias="u")
    bids: Rows = Field(alias="b")
    asks: Rows = Field(alias="a")


class AggregateOrTrade(BaseModel):
    symbol: str = Field(alias="s")
    id: int = Field(alias="t")
    price: float = Field(alias="p")
    quantity: float = Field(alias="q")
    time: int = Field(alias="T")
    is_maker: bool = Field(alias="m")


class Ticker(BaseModel):
    symbol: str = Field(alias="s")
    update: int = Field(alias="u")
    bid: float = Field(alias="b")
    bid_size: float = Field(alias="B")
    ask: float = Field(alias="a")
    ask_size: float = Field(alias="A")


class Levels(BaseModel):
    """Bybit."""

    symbol: str = Field(alias="s")
    bids: Rows = Field(alias="b")
    asks: Rows = Field(alias="a")
    last: int = Field(alias="u")


class Change(BaseModel):
    """Coinbase."""

    product_id: str
    changes: list[tuple[str, float, float]]
    time: str


class OkxBook(BaseModel):
    bids: list[tuple[float, float, str, str]]
    asks: list[tuple[float, float, str, str]]
    ts: int


class BookMessage(BaseModel):
    model_config = ConfigDict(frozen=True)

    exchange: str
    symbol: str
    b: list[float]
    bv: list[float]
    a: list[float]
    av: list[float]
    timestamp: int
    sequence: int
    received_ns: int


class TradeMessage(BaseModel):
    model_config = ConfigDict(frozen=True)

    exchange: str
    symbol: str
    id: str
    price: float
    qty: float
    side: str
    ts: int
    received_ns: int


class QuoteMessage(BaseModel):
    model_config = ConfigDict(frozen=True)

    exchange: str
    symbol: str
    bid_price: float
    bid_size: float
    ask_price: float
    ask_size: float
    sequence: int
    received_ns: int


class Book:
    """Both sides of one symbol, best price last for bids and first for asks."""

    def __init__(self) -> None:
        self.bids: SortedDict = SortedDict()
        self.asks: SortedDict = SortedDict()

    def apply(self, bids: Any, asks: Any) -> None:
        for side, rows in ((self.bids, bids), (self.asks, asks)):
            for row in rows:
                if row[1] == 0:
                    side.pop(row[0], None)
                else:
                    side[row[0]] = row[1]

    def message(self, exchange: str, symbol: str, time: int, sequence: int, received_ns: int) -> bytes:
        bids, asks = self.bids, self.asks
        b, a = list(islice(reversed(bids), DEPTH)), list(islice(asks, DEPTH))
        message = BookMessage(
            exchange=exchange, symbol=symbol, b=b, bv=[bids[price] for price in b], a=a,
            av=[asks[price] for price in a], timestamp=time, sequence=sequence, received_ns=received_ns,
        )  # fmt: skip
        return _dumped(message)


def _dumped(message: BaseModel) -> bytes:
    return ujson.dumps(message.model_dump()).encode()


Handler = Callable[[bytes, int], bytes | None]


class Plain:
    """A venue's frames to messages; ``take`` gives the message or None."""

    def __init__(self, exchange: str) -> None:
        self.exchange = exchange
        self.books: defaultdict[str, Book] = defaultdict(Book)
        self.last: dict[str, int] = {}
        self.take: Handler = getattr(self, "_" + exchange.partition("-")[0])

    def _binance(self, frame: bytes, received_ns: int) -> bytes | None:
        message = ujson.loads(frame)
        data, stream = message.get("data"), message.get("stream", "")
        if data is None:
            self.books["BTCUSDT"].apply([(float(p), float(q)) for p, q in message["bids"]], [])
            self.books["BTCUSDT"].apply([], [(float(p), float(q)) for p, q in message["asks"]])
            return None
        if "@depth" in stream:
            depth = Depth(**data)
            self.last[depth.symbol] = depth.last
            book = self.books[depth.symbol]
            book.apply(depth.bids, depth.asks)
            return book.message(self.exchange, depth.symbol, depth.time, depth.last, received_ns)
        if "@trade" in stream:
            trade = AggregateOrTrade(**data)
            side = "sell" if trade.is_maker else "buy"
            return _trade(
                self.exchange, trade.symbol, str(trade.id), trade.price, trade.quantity, side, trade.time, received_ns
            )
        ticker = Ticker(**data)
        quote = QuoteMessage(
            exchange=self.exchange, symbol=ticker.symbol, bid_price=ticker.bid, bid_size=ticker.bid_size,
            ask_price=ticker.ask, ask_size=ticker.ask_size, sequence=ticker.update, received_ns=received_ns,
        )  # fmt: skip
        return _dumped(quote)

    def _bybit(self, frame: bytes, received_ns: int) -> bytes | None:
        message = ujson.loads(frame)
        data = Levels(**message["data"])
        book = self.books[data.symbol]
        book.apply(data.bids, data.asks)
        return book.message(self.exchange, data.symbol, message["ts"], data.last, received_ns)

    def _okx(self, frame: bytes, received_ns: int) -> bytes | None:
        message = ujson.loads(frame)
        arg = message.get("arg", {})
        if arg.get("channel") != "books" or "data" not in message:
            return None
        data, book = OkxBook(**message["data"][0]), self.books[arg["instId"]]
        book.apply(data.bids, data.asks)
        return book.message(self.exchange, arg["instId"], data.ts, data.ts, received_ns)

    def _coinbase(self, frame: bytes, received_ns: int) -> bytes | None:
        message = ujson.loads(frame)
        if not isinstance(message, dict) or message.get("type") not in ("snapshot", "l2update"):
            return None
        book = self.books[message["product_id"]]
        if message["type"] == "snapshot":
            book.apply(*([(float(p), float(q)) for p, q in message[side]] for side in ("bids", "asks")))
            return None
        change = Change(**message)
        for side, price, size in change.changes:
            book.apply(*(([(price, size)], []) if side == "buy" else ([], [(price, size)])))
        return book.message(self.exchange, change.product_id, received_ns // 10**6, 0, received_ns)


def _trade(
    exchange: str, symbol: str, trade_id: str, price: float, qty: float, side: str, ts: int, received_ns: int
) -> bytes:
    message = TradeMessage(
        exchange=exchange, symbol=symbol, id=trade_id, price=price, qty=qty, side=side, ts=ts, received_ns=received_ns
    )
    return _dumped(message)


# What the plain stack was written for.
READS = frozenset(
    (market, kind)
    for market, kinds in {
        "binance spot": ("book", "trade", "quote"),
        "binance usdm": ("book", "trade", "quote"),
        "bybit": ("book",),
        "okx": ("book",),
        "coinbase": ("book",),
    }.items()
    for kind in kinds
)
