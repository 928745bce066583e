"""Volume spikes: several exchanges trade many times their usual volume of one symbol at the same time.

    ratio = V(last w seconds) / (w * mean V a second of the minute before)

The mean is over the seconds whose trades are known, those filled in by REST included (``ring``). Relative volume, as
intraday screens show it; each exchange is compared with its own past, so that their sizes do not matter and an exchange
that is read later than the others does no harm.
"""

from __future__ import annotations

from typing import NamedTuple

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import MessageError
from mdplatform.core.events import FeedStatus
from mdplatform.core.messages import TradeMessage
from mdplatform.signals.detectors.volume_window import Outages, VolumeWindow
from mdplatform.signals.message import Signal

MOST_COLLECTORS = 32  # of one feed


class Spike(NamedTuple):
    """One exchange's own: volumes in base units, ``usual`` that of as many seconds."""

    venue_ns: int
    ratio: float
    volume: float
    usual: float


class VolumeDetector:
    """Spikes of at least ``ratio`` on at least ``exchanges`` exchanges within ``window_s`` of venue time, by symbol.

    A spike lasts until the volume of its symbol has been usual everywhere for a window; until then it is not found
    again.
    """

    def __init__(self, ratio: float, exchanges: int, window_s: float) -> None:
        self.ratio = ratio
        self.exchanges = exchanges
        self.window_s = window_s
        self._window_ns = int(window_s * SECOND)
        self._rings: dict[tuple[str, str], VolumeWindow] = {}
        self._spikes: dict[str, dict[str, Spike]] = {}  # by symbol and exchange: the latest of those now
        self._reported: set[str] = set()

    def note(self, status: FeedStatus) -> None:
        """A status of any feed: the seconds in which trades were not proven are no part of what is usual."""
        if status.channel != "trades":
            return
        known = self._ring(status.exchange, status.symbol).outages
        if status.collector not in known and len(known) >= MOST_COLLECTORS:
            raise MessageError("no_room", f"{len(known)} collectors of this feed are known")
        outages = known.setdefault(status.collector, Outages())
        first = status.started_ns // SECOND
        if status.state == "valid":
            outages.end(first)
        elif status.missed == 0:
            outages.forget(status.started_ns)
        else:
            outages.note(status.started_ns, first, None if status.ended_ns is None else status.ended_ns // SECOND)

    def take(self, trade: TradeMessage) -> Signal | None:
        """The spike that this trade completes, if any. What was filled in later by REST says nothing about now."""
        ring, second = self._ring(trade.exchange, trade.symbol), trade.venue_ns // SECOND
        if trade.provenance != "live":
            ring.fill(second, trade.qty)
            return None
        if not ring.add(second, trade.qty):
            return None
        ratio = ring.ratio
        spikes = self._spikes.get(trade.symbol)
        if ratio >= self.ratio:
            spikes = self._spikes.setdefault(trade.symbol, {})
            spikes[trade.exchange] = Spike(trade.venue_ns, ratio, ring.recent, ring.usual)
        if not spikes:
            return None
        oldest_ns = trade.venue_ns - self._window_ns
        now = self._spikes[trade.symbol] = {name: spike for name, spike in spikes.items() if spike.venue_ns > oldest_ns}
        if not now:
            self._reported.discard(trade.symbol)
        if len(now) < self.exchanges or trade.symbol in self._reported:
            return None
        self._reported.add(trade.symbol)
        return self._signal(trade, now)

    def _ring(self, exchange: str, symbol: str) -> VolumeWindow:
        ring = self._rings.get((exchange, symbol))
        if ring is None:
            ring = self._rings[exchange, symbol] = VolumeWindow(max(1, round(self.window_s)))
        return ring

    def forget(self, exchange: str, symbol: str, is_last: bool) -> None:
        """See ``markets.Forgetful``."""
        self._rings.pop((exchange, symbol), None)
        self._spikes.get(symbol, {}).pop(exchange, None)
        if is_last:
            self._spikes.pop(symbol, None)
            self._reported.discard(symbol)

    def _signal(self, trade: TradeMessage, spikes: dict[str, Spike]) -> Signal:
        volume, usual = sum(s.volume for s in spikes.values()), sum(s.usual for s in spikes.values())
        return Signal(
            kind="volume_spike",
            exchange=max(spikes, key=lambda name: spikes[name].ratio),
            exchanges=tuple(sorted(spikes)),
            symbol=trade.symbol,
            scope="symbol",
            direction="",
            value=round(volume / usual, 4),
            threshold=self.ratio,
            unit="x",
            window_s=self.window_s,
            evidence={
                "volume": volume,
                "usual": usual,
                "ratios": {name: round(spikes[name].ratio, 4) for name in sorted(spikes)},
            },
            sequence=None,
            venue_ns=trade.venue_ns,
            received_ns=trade.received_ns,
        )
