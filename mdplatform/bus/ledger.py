"""A bus's accounts: which messages it took, what became of them, and whether there is room. No clock, no I/O."""

import logging
import math
from collections import Counter, deque

from mdplatform.bus import BusStats
from mdplatform.core.clock import MS

log = logging.getLogger(__name__)

# Room comes back at four fifths of the bound: reopening at the bound itself would stop and start at every message.
LOW_WATER = 0.8
LATENCY_WINDOW = 8192  # newest acknowledgements that the percentiles of one snapshot rest on


class Ledger:
    """Counts messages from acceptance to acknowledgement or failure. Times are ns and given by the caller."""

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.has_room = True
        self.accepted = 0
        self.acknowledged = 0
        self.failures: Counter[str] = Counter()
        self._failed = 0
        self._low_water = int(bound * LOW_WATER)
        self._paused_ns = 0
        self._paused_since_ns = 0
        self._received_ns: deque[int] = deque()  # of what is queued, oldest first
        self._latencies_ns: deque[int] = deque(maxlen=LATENCY_WINDOW)

    @property
    def queue(self) -> int:
        return self.accepted - self.acknowledged - self._failed

    def accept(self, received_ns: int, now_ns: int) -> None:
        self.accepted += 1
        self._received_ns.append(received_ns)
        # That is the queue, without the property's call: this runs once a message.
        if self.has_room and self.accepted - self.acknowledged - self._failed >= self.bound:
            self.has_room = False
            self._paused_since_ns = now_ns

    def settle(self, waiting: int, now_ns: int) -> None:
        """All but ``waiting`` messages have ended: those that did not fail were acknowledged.

        Which ones nobody says: latencies are of those accepted first, and so exact in their mean whatever the order.
        """
        count = self.queue - waiting
        if count <= 0:
            return
        self.acknowledged += count
        ended_ns = self._received_ns.popleft
        self._latencies_ns.extend([now_ns - ended_ns() for _ in range(count)])
        if not self.has_room:
            self._reopen(now_ns)

    def fail(self, topic: str, reason: str, now_ns: int) -> None:
        """A message that was accepted will not arrive: logged once per reason, always counted."""
        self._failed += 1
        self._received_ns.popleft()
        self.failures[reason] += 1
        if self.failures[reason] == 1:
            log.error("a message to %s was not delivered: %s (further ones are only counted)", topic, reason)
        if not self.has_room:
            self._reopen(now_ns)

    def snapshot(self, now_ns: int) -> BusStats:
        latencies = sorted(self._latencies_ns)
        self._latencies_ns.clear()
        paused_ns = self._paused_ns + (0 if self.has_room else now_ns - self._paused_since_ns)
        return BusStats(
            accepted=self.accepted,
            acknowledged=self.acknowledged,
            failed=self._failed,
            failures=dict(self.failures),
            queue=self.queue,
            paused_ms=paused_ns // MS,
            latency_p50_ms=percentile_ms(latencies, 0.50),
            latency_p99_ms=percentile_ms(latencies, 0.99),
        )

    def _reopen(self, now_ns: int) -> None:
        if self.queue <= self._low_water:
            self.has_room = True
            self._paused_ns += now_ns - self._paused_since_ns


def percentile_ms(ordered_ns: list[int], share: float) -> float | None:
    """The nearest-rank percentile of ascending ns, in ms; None of nothing."""
    if not ordered_ns:
        return None
    return ordered_ns[math.ceil(share * len(ordered_ns)) - 1] / MS
