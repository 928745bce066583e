"""All detectors over all datasets: bytes of a message in, signals out. No broker, no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from mdplatform.core.errors import MessageError
from mdplatform.core.market_room import MOST_MARKETS, MarketRoom
from mdplatform.core.messages import (
    AHEAD_NS,
    TradeMessage,
    check_time,
    decode_book,
    decode_quote,
    decode_status,
    decode_trade,
)
from mdplatform.signals.detectors.dislocation import DislocationDetector
from mdplatform.signals.detectors.imbalance import ImbalanceDetector
from mdplatform.signals.detectors.liquidations import LiquidationDetector
from mdplatform.signals.detectors.moves import MoveDetector
from mdplatform.signals.detectors.orderflow import OrderFlowDetector
from mdplatform.signals.detectors.thresholds import Thresholds
from mdplatform.signals.detectors.volume import VolumeDetector
from mdplatform.signals.message import Signal
from mdplatform.signals.touch import Touch, of_book, of_quote
from mdplatform.venues import venue_ids

REMEMBERED_IDS = 100_000  # collectors of one feed repeat each other within seconds


class Forgetful(Protocol):
    """A detector, which keeps state by market or symbol."""

    def forget(self, exchange: str, symbol: str, is_last: bool) -> None:
        """Drop what is known of a market; ``is_last``: of its symbol too, which is on no other exchange."""


class Markets:
    """Lets the venues' markets in, see ``MarketRoom``; ``detectors`` forget the one that gave its place."""

    def __init__(self, detectors: Iterable[Forgetful], most: int = MOST_MARKETS) -> None:
        self._detectors = [*detectors]
        self._exchanges = frozenset(venue_ids())
        self._room = MarketRoom(most)

    def __len__(self) -> int:
        return len(self._room)

    def admit(self, exchange: str, symbol: str, now_ns: int) -> None:
        """Raises MessageError for an unknown exchange, and for one market more than there is room for."""
        if exchange not in self._exchanges:
            raise MessageError("unknown_exchange", f"{exchange[:64]!r} is no venue of ours")
        gone = self._room.admit((exchange, symbol), now_ns)
        if gone is not None:
            for detector in self._detectors:
                detector.forget(*gone, not self._room.has(gone[1]))


class Detection:
    """Reads the datasets of ``datasets``; the field names of ``Topics``."""

    def __init__(self, thresholds: Thresholds) -> None:
        at = thresholds
        of_touches = (
            MoveDetector(at.move_pct, at.move_window_s, at.cooldown_s),
            OrderFlowDetector(at.order_flow_sd),
            DislocationDetector(at.dislocation_bps, at.dislocation_hold_s),
        )
        self._touch: tuple[Callable[[Touch], Signal | None], ...] = tuple(one.take for one in of_touches)
        self._imbalance = ImbalanceDetector(at.imbalance, at.imbalance_window_s)
        self._volume = VolumeDetector(at.volume_ratio, at.volume_exchanges, at.volume_window_s)
        self._liquidations = LiquidationDetector(at.liquidations, at.liquidation_window_s)
        self._trades, self._forced = _Seen(), _Seen()
        self._markets = Markets((*of_touches, self._imbalance, self._volume, self._liquidations))
        self._now_ns = 0
        self._latest_ns = 0
        self.datasets: dict[str, Callable[[bytes], list[Signal]]] = {
            "books": self._book,
            "quotes": self._quote,
            "trades": self._trade,
            "liquidations": self._liquidation,
            "status": self._status,
        }

    def take(self, dataset: str, value: bytes, now_ns: int) -> list[Signal]:
        """The signals that this message completes. Raises one of ``REFUSALS`` when it is not of its dataset or cannot
        be; the detectors are then as they were."""
        self._now_ns, self._latest_ns = now_ns, now_ns + AHEAD_NS
        return self.datasets[dataset](value)

    def _book(self, value: bytes) -> list[Signal]:
        book = decode_book(value)
        if book.venue_ns > self._latest_ns or book.received_ns > self._latest_ns:
            check_time(self._latest_ns, book.venue_ns, book.received_ns)
        touch = of_book(book)
        self._markets.admit(book.exchange, book.symbol, self._now_ns)
        found = self._touched(touch)
        signal = self._imbalance.take(book)
        return found if signal is None else [*found, signal]

    def _quote(self, value: bytes) -> list[Signal]:
        quote = decode_quote(value)
        if quote.venue_ns > self._latest_ns or quote.received_ns > self._latest_ns:
            check_time(self._latest_ns, quote.venue_ns, quote.received_ns)
        self._markets.admit(quote.exchange, quote.symbol, self._now_ns)
        return self._touched(of_quote(quote))

    def _touched(self, touch: Touch | None) -> list[Signal]:
        if touch is None:
            return []
        return [signal for take in self._touch if (signal := take(touch)) is not None]

    def _trade(self, value: bytes) -> list[Signal]:
        trade = self._decoded(value)
        if not self._trades.add((trade.exchange, trade.symbol, trade.id)):
            return []
        signal = self._volume.take(trade)
        return [] if signal is None else [signal]

    def _liquidation(self, value: bytes) -> list[Signal]:
        order = self._decoded(value)
        if not self._forced.add((order.exchange, order.symbol, order.id)):
            return []
        signal = self._liquidations.take(order)
        return [] if signal is None else [signal]

    def _status(self, value: bytes) -> list[Signal]:
        status = decode_status(value)
        check_time(self._latest_ns, status.started_ns, status.ended_ns or 0)
        self._markets.admit(status.exchange, status.symbol, self._now_ns)
        self._volume.note(status)
        return []

    def _decoded(self, value: bytes) -> TradeMessage:
        found = decode_trade(value)
        if found.venue_ns > self._latest_ns or found.received_ns > self._latest_ns:
            check_time(self._latest_ns, found.venue_ns, found.received_ns)
        self._markets.admit(found.exchange, found.symbol, self._now_ns)
        return found


class _Seen:
    """The ids of the latest trades or liquidations, of all exchanges together."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str, str], None] = {}

    def add(self, key: tuple[str, str, str]) -> bool:
        """Remember it; whether it was new."""
        if key in self._ids:
            return False
        self._ids[key] = None
        if len(self._ids) > REMEMBERED_IDS:
            del self._ids[next(iter(self._ids))]
        return True
