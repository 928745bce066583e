"""The last state of one feed: an exchange's symbol."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Any

from mdplatform.dashboard.messages import BookMessage, StatusMessage, TradeMessage

TRADES_KEPT = 30
MIDS_KEPT = 300  # one a second: five minutes
MID_EVERY_MS = 1000
# An open interval is sent again about every 5 s; three missed ones and nobody vouches for the feed any more.
SILENT_AFTER_MS = 15_000


class Feed:
    """Book, trades and intervals as last heard. Times named ``stamp_ms`` are the broker's, in ms."""

    def __init__(self, exchange: str, symbol: str) -> None:
        self.exchange, self.symbol = exchange, symbol
        self.version = 0  # grows with whatever is shown
        self.stamp_ms = 0
        self.book: BookMessage | None = None
        self.trades: deque[TradeMessage] = deque(maxlen=TRADES_KEPT)
        self.mids: deque[tuple[int, float]] = deque(maxlen=MIDS_KEPT)
        self._status: dict[str, tuple[StatusMessage, int]] = {}  # by channel, with the stamp of the last word

    def take_book(self, message: BookMessage, stamp_ms: int) -> None:
        """May raise as ``BookMessage.bids`` does."""
        if not self.mids or stamp_ms - self.mids[-1][0] >= MID_EVERY_MS:
            mid = _mid(message)  # raises before a malformed book replaces a good one
            if mid is not None:
                self.mids.append((stamp_ms, float(mid)))
        self.book = message
        self._touch(stamp_ms)

    def take_trade(self, message: TradeMessage, stamp_ms: int) -> None:
        # A restarted or second collector repeats prints; the venue's id tells.
        if all(message.id != kept.id for kept in self.trades):
            self.trades.append(message)
            self._touch(stamp_ms)

    def take_status(self, message: StatusMessage, stamp_ms: int) -> None:
        kept = self._status.get(message.channel)
        if kept is None or message.started_ns >= kept[0].started_ns:
            self._status[message.channel] = (message, stamp_ms)
            self._touch(stamp_ms)

    def state(self, channel: str, now_ms: int) -> tuple[str, str]:
        """(state, cause) of a channel: the collector's word, ``unknown`` without one, ``silent`` when it is old."""
        if channel not in self._status:
            return "unknown", "the collector has not said anything of this feed"
        status, stamp_ms = self._status[channel]
        if status.state != "down" and now_ms - stamp_ms > SILENT_AFTER_MS:
            return "silent", f"no word from its collector for more than {SILENT_AFTER_MS // 1000} s; was {status.state}"
        return status.state, status.cause

    def row(self, now_ms: int) -> dict[str, Any]:
        """The feed's line in the table; raises as ``BookMessage.bids`` does."""
        state, cause = self.state("book", now_ms)
        return {"exchange": self.exchange, "symbol": self.symbol, "state": state, "cause": cause, **_top(self.book)}

    def detail(self, now_ms: int) -> dict[str, Any]:
        """Ladder, mids and trades; raises as ``BookMessage.bids`` does."""
        return {
            "exchange": self.exchange,
            "symbol": self.symbol,
            "bids": _texts(self.book.bids()) if self.book else [],
            "asks": _texts(self.book.asks()) if self.book else [],
            "mids": list(self.mids),
            "trades": [_print(trade) for trade in reversed(self.trades)],
            "channels": {channel: self.state(channel, now_ms) for channel in sorted(self._status)},
        }

    def _touch(self, stamp_ms: int) -> None:
        self.version += 1
        self.stamp_ms = max(self.stamp_ms, stamp_ms)


def plain(number: Decimal) -> str:
    """All digits and no exponent, as venues write numbers."""
    return format(number, "f")


def _texts(levels: list[tuple[Decimal, Decimal]]) -> list[tuple[str, str]]:
    return [(plain(price), plain(size)) for price, size in levels]


def _mid(book: BookMessage) -> Decimal | None:
    bids, asks = book.bids(), book.asks()
    return (bids[0][0] + asks[0][0]) / 2 if bids and asks else None


def _top(book: BookMessage | None) -> dict[str, Any]:
    """Best bid and ask and what follows from them; what is missing is left out."""
    if book is None:
        return {}
    top: dict[str, Any] = {"sequence": str(book.sequence), "received_ms": book.received_ns // 1_000_000}
    bids, asks = book.bids(), book.asks()
    if bids:
        top |= {"bid": plain(bids[0][0]), "bid_size": plain(bids[0][1])}
    if asks:
        top |= {"ask": plain(asks[0][0]), "ask_size": plain(asks[0][1])}
    if bids and asks:
        (bid, bid_size), (ask, ask_size) = bids[0], asks[0]
        mid, spread, sizes = (bid + ask) / 2, ask - bid, bid_size + ask_size
        top |= {"mid": plain(mid), "spread": plain(spread)}
        top["spread_bps"] = _bps(spread / mid * 10_000) if mid else None
        top["imbalance"] = f"{(bid_size - ask_size) / sizes:+.2f}" if sizes else None
    return top


def _bps(number: Decimal) -> str:
    # A tick on an expensive asset is thousandths of a basis point; on a cheap one tens.
    return f"{number:.4f}" if abs(number) < 1 else f"{number:.2f}"


def _print(trade: TradeMessage) -> dict[str, Any]:
    return {
        "id": trade.id,
        "price": plain(trade.price),
        "qty": plain(trade.qty),
        "side": trade.side,
        "ts": trade.ts,
        "provenance": trade.provenance,
    }
