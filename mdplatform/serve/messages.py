"""Messages as the protocol has them, and what is computed of them: snapshots of books and bars of trades."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mdplatform.export.source import Ladder
from mdplatform.export.ticker import Ticker
from mdplatform.read.changes import Change, Level, time_of
from mdplatform.serve.options import Bars, Feeds, Snapshots

Message = dict[str, Any]
MS = 1_000_000
Levels = list[dict[str, float]]
# Our fields of a ticker -> the protocol's.
_TICKER = {
    **{"next_funding_time": "fundingTimestamp", "rate": "fundingRate", "predicted_rate": "predictedFundingRate"},
    **{"open_interest": "openInterest", "last_price": "lastPrice", "index_price": "indexPrice"},
    "mark_price": "markPrice",
}


@dataclass
class Market:
    """One symbol of a client's request: events in, messages out, in the client's words."""

    feeds: Feeds
    symbol: str  # the client's
    _snapshots: list[_Snapshots] = field(default_factory=list)
    _bars: list[_Bars] = field(default_factory=list)
    _ticker: Ticker = field(default_factory=Ticker)

    def __post_init__(self) -> None:
        for wanted in self.feeds.computed:
            if isinstance(wanted, Snapshots):
                self._snapshots.append(_Snapshots(wanted))
            else:
                self._bars.append(_Bars(wanted))

    def change(self, change: Change) -> Iterator[Message]:
        """Of a change of the book."""
        for snapshots in self._snapshots:
            yield from (self._stated(m, *times) for m, times in snapshots.take(change))
        if "book_change" in self.feeds.plain:
            sides = {"bids": _levels(zip(change.b, change.bv, strict=True))}
            sides |= {"asks": _levels(zip(change.a, change.av, strict=True))}
            found = {"type": "book_change", "isSnapshot": change.kind == "snapshot", **sides}
            yield self._stated(found, change.venue_ns, change.received_ns)

    def trade(self, row: Message) -> Iterator[Message]:
        """Of a trade, a row of the dataset with its times in ns."""
        for bars in self._bars:
            yield from (self._stated(m, *times) for m, times in bars.take(row))
        if "trade" in self.feeds.plain:
            yield self._execution("trade", row)

    def liquidation(self, row: Message) -> Iterator[Message]:
        yield self._execution("liquidation", row)

    def quote(self, row: Message) -> Iterator[Message]:
        sides = {"askAmount": row["ask_size"], "askPrice": row["ask_price"]}
        sides |= {"bidPrice": row["bid_price"], "bidAmount": row["bid_size"]}
        yield self._stated({"type": "book_ticker", **_present(sides)}, row["venue_time"], row["received_time"])

    def ticker(self, row: Message) -> Iterator[Message]:
        """Of funding or open interest: all that is known of both, where it changes."""
        if self._ticker.take(row):
            state = self._ticker.state
            stated = {_TICKER[name]: value for name, value in state.items()}
            stated["fundingTimestamp"] = state["next_funding_time"] and _iso(state["next_funding_time"])
            found = {"type": "derivative_ticker", **_present(stated)}
            yield self._stated(found, row["venue_time"], row["received_time"])

    def disconnect(self, received_ns: int) -> Message:
        """What was received before is not followed by what comes next."""
        stated = {"exchange": self.feeds.exchange, "symbols": [self.symbol]}
        return {"type": "disconnect", **stated, "localTimestamp": iso(received_ns)}

    def _execution(self, kind: str, row: Message) -> Message:
        stated = {"id": row["id"], "price": row["price"], "amount": row["qty"], "side": row["side"]}
        return self._stated({"type": kind, **stated}, row["venue_time"], row["received_time"])

    def _stated(self, message: Message, venue_ns: int, received_ns: int) -> Message:
        names = {"symbol": self.symbol, "exchange": self.feeds.exchange}
        return message | names | {"timestamp": iso(venue_ns), "localTimestamp": iso(received_ns)}


Computed = Iterator[tuple[Message, tuple[int, int]]]  # a message, its venue and receive time in ns


class _Snapshots:
    """At each change of the best levels, or once a venue-time interval in which they changed has passed."""

    def __init__(self, wanted: Snapshots) -> None:
        self._wanted = wanted
        self._book = Ladder()
        self._before: tuple[list[Level], list[Level]] = ([], [])
        self._has_changed = False

    def take(self, change: Change) -> Computed:
        step = self._wanted.interval_ms * MS
        last = self._book.last
        if step and self._has_changed and last is not None and change.venue_ns // step > last.venue_ns // step:
            yield self._sample(last.venue_ns, change.received_ns)
        self._book.apply(change)
        best = self._book.best(self._wanted.depth)
        self._has_changed = self._has_changed or best != self._before
        self._before = best
        if not step and self._has_changed:
            yield self._sample(change.venue_ns, change.received_ns)

    def _sample(self, venue_ns: int, received_ns: int) -> tuple[Message, tuple[int, int]]:
        self._has_changed = False
        bids, asks = self._before
        stated = {"name": self._wanted.name, "depth": self._wanted.depth, "interval": self._wanted.interval_ms}
        return {"type": "book_snapshot", **stated, "bids": _levels(bids), "asks": _levels(asks)}, (
            venue_ns,
            received_ns,
        )


class _Bars:
    """A bar is given with the trade that ends it: the first of the next interval, or the one that fills it."""

    def __init__(self, wanted: Bars) -> None:
        self._wanted = wanted
        self._trades: list[tuple[float, float, str, int]] = []  # price, size, side, venue time

    def take(self, row: Message) -> Computed:
        trade = (row["price"], row["qty"], row["side"], row["venue_time"])
        step = self._wanted.interval * MS
        if self._wanted.kind == "time" and self._trades and trade[3] // step > self._trades[0][3] // step:
            yield self._bar((self._trades[0][3] // step + 1) * step, row["received_time"])
        self._trades.append(trade)
        if self._is_full():
            yield self._bar(trade[3], row["received_time"])

    def _is_full(self) -> bool:
        if self._wanted.kind == "tick":
            return len(self._trades) >= self._wanted.interval
        return self._wanted.kind == "volume" and sum(trade[1] for trade in self._trades) >= self._wanted.interval

    def _bar(self, venue_ns: int, received_ns: int) -> tuple[Message, tuple[int, int]]:
        trades, self._trades = self._trades, []
        prices = [price for price, _, _, _ in trades]
        volumes = {name: sum(size for _, size, side, _ in trades if side == name) for name in ("buy", "sell")}
        volume = sum(volumes.values())
        bar = {
            **{"type": "trade_bar", "name": self._wanted.name, "interval": self._wanted.interval},
            **{"kind": self._wanted.kind, "open": prices[0], "high": max(prices), "low": min(prices)},
            **{"close": prices[-1], "volume": volume, "buyVolume": volumes["buy"], "sellVolume": volumes["sell"]},
            **{"trades": len(trades), "vwap": sum(price * size for price, size, _, _ in trades) / volume},
            **{"openTimestamp": iso(trades[0][3]), "closeTimestamp": iso(trades[-1][3])},
        }
        return bar, (venue_ns, received_ns)


def iso(ns: int) -> str:
    """ISO 8601 in UTC, in microseconds."""
    return _iso(time_of(ns))


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


def _levels(levels: Iterable[tuple[float, float]]) -> Levels:
    return [{"price": price, "amount": size} for price, size in levels]


def _present(stated: Message) -> Message:
    """What is not stated is absent."""
    return {name: value for name, value in stated.items() if value is not None}
