"""Imbalance extremes: nearly all that is shown near the touch is on one side, and stays so for seconds.

    I = (B - A) / (B + A), with B and A the sizes of the best ten levels; averaged over w seconds: the average moves by
    1 - exp(-dt / w) of its distance to the I that held for those dt

Over a break in the chain of books it begins again: what held meanwhile is not known.

Queue imbalance as a predictor of the next move: Gould, Bonart, "Queue Imbalance as a One-Tick-Ahead Price Predictor in
a Limit Order Book", Market Microstructure and Liquidity 2 (2016); here over ten levels, as one flickers.
"""

from __future__ import annotations

import math

from mdplatform.core.bounds import MOST
from mdplatform.core.clock import SECOND
from mdplatform.core.measures import imbalance
from mdplatform.core.messages import BookMessage
from mdplatform.signals.detectors.deduplicator import Hysteresis
from mdplatform.signals.message import Signal

LEVELS = 10
WARM_WINDOWS = 2  # before the average means anything


class ImbalanceDetector:
    """Averages of at least ``threshold`` on either side over ``window_s`` of venue time, by exchange and symbol."""

    def __init__(self, threshold: float, window_s: float) -> None:
        self.threshold = threshold
        self.window_s = window_s
        self._window_ns = window_s * SECOND
        self._averages: dict[tuple[str, str], _Average] = {}

    def take(self, book: BookMessage) -> Signal | None:
        """The extreme that begins with this book, if any."""
        bids, asks = sum(book.bv[:LEVELS]), sum(book.av[:LEVELS])
        now = imbalance(bids, asks)
        if now is None or not (0 < bids <= MOST and 0 < asks <= MOST):
            return None  # a side that is empty is a thin book, not pressure
        key = (book.exchange, book.symbol)
        average = self._averages.get(key)
        is_broken = book.previous_sequence is None and average is not None and average.follows
        if average is None or is_broken or abs(book.venue_ns - average.last_ns) > 10 * self._window_ns:
            self._averages[key] = _Average(book.venue_ns, now)
            return None
        average.follows = book.previous_sequence is not None
        average.move(book.venue_ns, now, self._window_ns)
        is_warm = book.venue_ns - average.first_ns >= WARM_WINDOWS * self._window_ns
        if is_warm and average.hysteresis.begins(abs(average.value), self.threshold):
            return self._signal(book, average.value, bids, asks)
        return None

    def forget(self, exchange: str, symbol: str, is_last: bool) -> None:
        """See ``markets.Forgetful``."""
        self._averages.pop((exchange, symbol), None)

    def _signal(self, book: BookMessage, value: float, bids: float, asks: float) -> Signal:
        return Signal(
            kind="imbalance",
            exchange=book.exchange,
            exchanges=(book.exchange,),
            symbol=book.symbol,
            scope="market",
            direction="bid" if value > 0 else "ask",
            value=round(value, 6),
            threshold=self.threshold,
            unit="share",
            window_s=self.window_s,
            evidence={"bid_size": bids, "ask_size": asks, "levels": LEVELS, "bid": book.b[0], "ask": book.a[0]},
            sequence=book.sequence,
            venue_ns=book.venue_ns,
            received_ns=book.received_ns,
        )


class _Average:
    """Exponential in time: what is a window old weighs 1/e."""

    def __init__(self, now_ns: int, value: float) -> None:
        self.first_ns = self.last_ns = now_ns
        self.value = self.held = value
        self.follows = False  # the last book followed the one before it: a feed that numbers its books
        self.hysteresis = Hysteresis()

    def move(self, now_ns: int, value: float, window_ns: float) -> None:
        if now_ns > self.last_ns:
            self.value += (1 - math.exp((self.last_ns - now_ns) / window_ns)) * (self.held - self.value)
            self.last_ns, self.held = now_ns, value
