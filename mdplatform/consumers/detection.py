"""All detectors over all datasets: bytes of a message in, signals out. No broker, no clock."""

from __future__ import annotations

from collections.abc import Callable

from mdplatform.codec import decode_book, decode_quote, decode_status, decode_trade
from mdplatform.consumers.detectors.dislocation import DislocationDetector
from mdplatform.consumers.detectors.imbalance import ImbalanceDetector
from mdplatform.consumers.detectors.liquidations import LiquidationDetector
from mdplatform.consumers.detectors.moves import MoveDetector
from mdplatform.consumers.detectors.orderflow import OrderFlowDetector
from mdplatform.consumers.detectors.thresholds import Thresholds
from mdplatform.consumers.detectors.volume import VolumeDetector
from mdplatform.consumers.signal import Signal
from mdplatform.consumers.touch import Touch, of_book, of_quote

PRINTS = 100_000  # ids remembered: collectors of one feed repeat each other within seconds


class Detection:
    """Reads the datasets of ``datasets``; the field names of ``Topics``."""

    def __init__(self, thresholds: Thresholds) -> None:
        at = thresholds
        self._touch: tuple[Callable[[Touch], Signal | None], ...] = (
            MoveDetector(at.move_pct, at.move_window_s, at.cooldown_s).take,
            OrderFlowDetector(at.order_flow_sd).take,
            DislocationDetector(at.dislocation_bps, at.dislocation_hold_s).take,
        )
        self._imbalance = ImbalanceDetector(at.imbalance, at.imbalance_window_s)
        self._volume = VolumeDetector(at.volume_ratio, at.volume_exchanges, at.volume_window_s)
        self._liquidations = LiquidationDetector(at.liquidations, at.liquidation_window_s)
        self._trades, self._forced = _Seen(), _Seen()
        self.datasets: dict[str, Callable[[bytes], list[Signal]]] = {
            "books": self._book,
            "quotes": self._quote,
            "trades": self._trade,
            "liquidations": self._liquidation,
            "status": self._status,
        }

    def take(self, dataset: str, value: bytes) -> list[Signal]:
        """The signals that this message completes. Raises msgspec.DecodeError when it is not of its dataset."""
        return self.datasets[dataset](value)

    def _book(self, value: bytes) -> list[Signal]:
        book = decode_book(value)
        found = self._touched(of_book(book))
        signal = self._imbalance.take(book)
        return found if signal is None else [*found, signal]

    def _quote(self, value: bytes) -> list[Signal]:
        return self._touched(of_quote(decode_quote(value)))

    def _touched(self, touch: Touch | None) -> list[Signal]:
        if touch is None:
            return []
        return [signal for take in self._touch if (signal := take(touch)) is not None]

    def _trade(self, value: bytes) -> list[Signal]:
        trade = decode_trade(value)
        if not self._trades.add((trade.exchange, trade.symbol, trade.id)):
            return []
        signal = self._volume.take(trade)
        return [] if signal is None else [signal]

    def _liquidation(self, value: bytes) -> list[Signal]:
        order = decode_trade(value)
        if not self._forced.add((order.exchange, order.symbol, order.id)):
            return []
        signal = self._liquidations.take(order)
        return [] if signal is None else [signal]

    def _status(self, value: bytes) -> list[Signal]:
        self._volume.note(decode_status(value))
        return []


class _Seen:
    """The latest prints of all exchanges together."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str, str], None] = {}

    def add(self, key: tuple[str, str, str]) -> bool:
        """Remember it; whether it was new."""
        if key in self._ids:
            return False
        self._ids[key] = None
        if len(self._ids) > PRINTS:
            del self._ids[next(iter(self._ids))]
        return True
