"""What is recorded now, from the topics, as messages of the protocol."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from mdplatform.bus.reader import Follower
from mdplatform.bus.subscription import topic_names
from mdplatform.core.bounds import Levels, Name, Sequence, Time
from mdplatform.core.errors import WarehouseError
from mdplatform.core.messages import REFUSALS, PassedOver, decode_book, decode_quote, decode_status, decode_trade
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.export import ticker
from mdplatform.export.source import Ladder, Source
from mdplatform.read.cells import CHANNELS, JOINING
from mdplatform.read.changes import Asked as Book
from mdplatform.read.changes import Chain, Change, from_clickhouse
from mdplatform.read.request import HOUR
from mdplatform.serve.messages import Market, Message
from mdplatform.serve.options import Feeds, feeds_of, parsed

LOOK_EVERY_S = 2.0
WAIT_S, BATCH = 0.05, 500
# Read again of each partition: what comes while the book is fetched from ClickHouse.
TAIL_MESSAGES = 200
REMEMBERED_IDS = 20_000  # of trades: collectors of one feed repeat each other within seconds


class _ChangeMessage(msgspec.Struct, frozen=True, gc=False):
    exchange: Name
    symbol: Name
    kind: Name
    b: Levels
    bv: Levels
    a: Levels
    av: Levels
    sequence: Sequence
    previous_sequence: Sequence | None
    venue_ns: Time
    received_ns: Time


class _FundingMessage(msgspec.Struct, frozen=True, gc=False):
    exchange: Name
    symbol: Name
    rate: float | None
    mark_price: float | None
    index_price: float | None
    venue_ns: Time
    received_ns: Time
    next_funding_ts: Time | None = None
    predicted_rate: float | None = None
    last_price: float | None = None


class _InterestMessage(msgspec.Struct, frozen=True, gc=False):
    exchange: Name
    symbol: Name
    open_interest: float
    venue_ns: Time
    received_ns: Time


_DECODERS: dict[str, Callable[[bytes], Any]] = {
    "increments": msgspec.json.Decoder(_ChangeMessage).decode,
    "books": decode_book,
    "trades": decode_trade,
    "liquidations": decode_trade,
    "quotes": decode_quote,
    "funding": msgspec.json.Decoder(_FundingMessage).decode,
    "open_interest": msgspec.json.Decoder(_InterestMessage).decode,
    "status": decode_status,
}


class Live:
    """The messages of some feeds; ``batch`` gives those that have come. Close it. Raises ConfigError, BusError."""

    def __init__(self, text: str, settings: Settings) -> None:
        self._settings = settings
        self._books: dict[tuple[str, str], _LiveBook] = {}
        self._feeds = [feeds_of(asked, settings, self._lately) for asked in parsed(text)]
        # Of a venue and symbol several requests may want something.
        self._markets: dict[tuple[str, str], list[Market]] = {}
        for feeds in self._feeds:
            for symbol, name in feeds.names.items():
                self._markets.setdefault((feeds.venue, symbol), []).append(Market(feeds, name))
        self._passed_over = PassedOver()
        self._ids: dict[str, None] = {}
        self._states: dict[tuple[str, str, str], dict[str, tuple[str, int]]] = {}
        self._encode = msgspec.json.Encoder().encode
        topics = Topics.from_settings(settings)
        datasets = {name: topic_names(topics[name]) for name in self._needed()}
        self._follower = Follower(settings, datasets, TAIL_MESSAGES, "mdplatform-serve")
        self._look_at = 0.0
        self._since_ns = time.time_ns()

    def batch(self) -> list[bytes]:
        """Encoded messages; none where nothing comes within a moment."""
        if time.monotonic() >= self._look_at:
            self._follower.look()
            self._look_at = time.monotonic() + LOOK_EVERY_S
            if not self._books:
                return [self._encode(message) for message in self._begin()]
        return [
            self._encode(message)
            for dataset, taken in self._follower.take(WAIT_S, BATCH)
            for message in self._of(dataset, taken.value)
        ]

    def close(self) -> None:
        self._follower.close()

    def _lately(self, dataset: str, venue: str) -> list[str]:
        """The symbols that had any row within the last hour: those of a client that names none."""
        now = datetime.now(UTC)
        names = {dataset, "books"} if dataset == "increments" else {dataset}
        return [symbol for name in names for symbol in Source(self._settings).symbols(name, venue, now - HOUR, now)]

    def _needed(self) -> set[str]:
        needed = {dataset for feeds in self._feeds for dataset in feeds.datasets}
        return needed | {"status"} | ({"books"} if "increments" in needed else set())

    def _begin(self) -> Iterator[Message]:
        """The books as they are known to ClickHouse; where it does not answer, published ones are given instead."""
        for (venue, symbol), markets in self._markets.items():
            book = _LiveBook()
            if any("increments" in market.feeds.datasets for market in markets):
                book = _LiveBook(*_known(self._settings, venue, symbol))
                for change in book.ladder.snapshot(self._since_ns):
                    yield from (message for market in markets for message in market.change(change))
            self._books[venue, symbol] = book

    def _of(self, dataset: str, value: bytes) -> Iterator[Message]:
        try:
            message = _DECODERS[dataset](value)
        except REFUSALS as error:
            self._passed_over.note(dataset, error)
            return
        key = (message.exchange, message.symbol)
        for market in self._markets.get(key, ()) if self._is_new(dataset, message) else ():
            if dataset == "status":
                if self._is_disconnect(market.feeds, message):
                    yield market.disconnect(message.started_ns)
            elif dataset in market.feeds.datasets and dataset != "increments":
                yield from getattr(market, _TAKEN_AS[dataset])(_row(message))
            elif dataset in ("increments", "books") and "increments" in market.feeds.datasets:
                for change in self._books[key].take(dataset, message):
                    yield from (each for other in self._markets[key] for each in other.change(change))
                return

    def _is_new(self, dataset: str, message: Any) -> bool:
        """Changes are known by their sequence; of all else nothing from before the connection, nothing twice."""
        if dataset in ("increments", "status"):
            return True
        if message.received_ns < self._since_ns:
            return False
        if dataset not in ("trades", "liquidations"):
            return True
        key = f"{dataset} {message.exchange} {message.symbol} {message.id} {message.ts}"
        if key in self._ids:
            return False
        self._ids[key] = None
        if len(self._ids) > REMEMBERED_IDS:
            del self._ids[next(iter(self._ids))]
        return True

    def _is_disconnect(self, feeds: Feeds, status: Any) -> bool:
        """Whether an interval begins in which no collector proves the feed."""
        if status.channel not in {channel for dataset in feeds.datasets for channel in CHANNELS.get(dataset, ())}:
            return False
        states = self._states.setdefault((status.exchange, status.symbol, status.channel), {})
        before = states.get(status.collector)
        states[status.collector] = (status.state, status.started_ns)
        if status.state == "valid" or status.cause in JOINING or status.started_ns < self._since_ns:
            return False
        if before == states[status.collector]:
            return False
        return not any(state == "valid" for state, _ in states.values())


_TAKEN_AS = {
    **{"trades": "trade", "liquidations": "liquidation", "quotes": "quote"},
    **dict.fromkeys(ticker.DATASETS, "ticker"),
}


class _LiveBook:
    """Where the changes of a book are kept they are given, else its published levels, each book a snapshot."""

    def __init__(self, chain: Chain | None = None, ladder: Ladder | None = None) -> None:
        self._chain = chain
        self.ladder = ladder or Ladder()

    def take(self, dataset: str, message: Any) -> Iterator[Change]:
        if dataset == "increments" and self._chain is not None:
            yield from self._chain.take(_change(message.kind, message))
        elif dataset == "books" and self._chain is None:
            yield _change("snapshot", message)


def _known(settings: Settings, venue: str, symbol: str) -> tuple[Chain | None, Ladder]:
    chain, ladder = Chain(), Ladder()
    now = datetime.now(UTC)
    try:
        for change in from_clickhouse(settings, Book(venue, symbol, now, now + timedelta(seconds=1))):
            for applied in chain.take(change):
                ladder.apply(applied)
    except WarehouseError:
        return None, ladder
    return (chain if ladder.last is not None else None), ladder


def _change(kind: str, message: Any) -> Change:
    sides = (message.b, message.bv, message.a, message.av)
    sequences = (None, message.sequence, message.previous_sequence)
    return Change(kind, *sides, *sequences, message.venue_ns, message.received_ns)


def _row(message: Any) -> Message:
    """As rows of a dataset are."""
    row: Message = {name: getattr(message, name) for name in message.__struct_fields__}
    due = row.get("next_funding_ts")
    row["next_funding_time"] = None if due is None else datetime.fromtimestamp(due / 1000, UTC)
    return row | {"venue_time": message.venue_ns, "received_time": message.received_ns}
