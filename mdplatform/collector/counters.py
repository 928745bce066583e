"""What one line counts, and the FeedStats made of it."""

from __future__ import annotations

from collections import Counter, deque
from statistics import median

from mdplatform.bus import BusStats
from mdplatform.collector.sampler import FrameSampler
from mdplatform.core.clock import MS
from mdplatform.core.events import FeedStats

SAMPLES = 512  # newest venue lags that the median of a second rests on


class Counters:
    """Of one line over all its connections, cumulative."""

    def __init__(self, exchange: str, line: str) -> None:
        self.exchange, self.line = exchange, line
        self.frames = 0
        self.bytes = 0
        self.events = 0
        self.reconnects = 0
        self.renewals = 0
        self.gaps = 0
        self.dead_letters = 0
        self.errors = 0  # exceptions of our own code, survived
        self.paused_ns = 0
        self.lags_ns: deque[int] = deque(maxlen=SAMPLES)
        self.limits_met = 0  # by refused connections
        self.rest_limits_met = 0  # by REST answers, of the process
        self.ignored: Counter[str] = Counter()  # of sessions that are no more
        self.sampler = FrameSampler(exchange)

    def stats(
        self, symbols: int, bus: BusStats, now_ns: int, cadence_ms: dict[str, float], ignored: Counter[str]
    ) -> FeedStats:
        """The state now; begins a new second for the venue lag. ``ignored``: by the session that lives.

        A bus serves all lines of a process: ``published``, ``failed``, ``queue`` and the latency are the process's.
        """
        lag_ns = median(self.lags_ns) if self.lags_ns else None
        self.lags_ns.clear()
        return FeedStats(
            exchange=self.exchange,
            conn=self.line,
            ts_ns=now_ns,
            symbols=symbols,
            frames=self.frames,
            bytes=self.bytes,
            events=self.events,
            reconnects=self.reconnects,
            renewals=self.renewals,
            gaps=self.gaps,
            dead_letters=self.dead_letters,
            published=bus.acknowledged,
            failed=bus.failed,
            queue=bus.queue,
            paused_ms=self.paused_ns // MS,
            latency_p50_ms=bus.latency_p50_ms,
            latency_p99_ms=bus.latency_p99_ms,
            venue_lag_ms=None if lag_ns is None else lag_ns / MS,
            ignored=dict(self.ignored + ignored),
            limits_met=self.limits_met + self.rest_limits_met,
            unfamiliar=dict(self.sampler.counts),
            cadence_ms=cadence_ms,
        )
