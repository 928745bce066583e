"""Whether a connection still works: what was asked and not acknowledged, and how long no frame arrived."""

from __future__ import annotations

from mdplatform.core.clock import SECOND
from mdplatform.core.session import Reconnect

ACK_NS = 10 * SECOND  # from the sending of a request


class Liveness:
    """``silence_ns``: no frame of any kind for so long means a dead socket, whatever TCP says."""

    def __init__(self, silence_ns: int) -> None:
        self._silence_ns = silence_ns
        self._heard_ns: int | None = None  # None: not connected, or given up already
        self._awaited: dict[str, int] = {}  # what was asked -> deadline

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection that was not given up."""
        return self._heard_ns is not None

    def connected(self, now_ns: int) -> None:
        self._heard_ns = now_ns
        self._awaited.clear()

    def closed(self) -> None:
        self._heard_ns = None
        self._awaited.clear()

    def heard(self, now_ns: int) -> None:
        if self._heard_ns is not None:
            self._heard_ns = now_ns

    def awaits(self, request: str, now_ns: int) -> None:
        """``request`` (any name the acknowledgement leads back to) was sent."""
        self._awaited[request] = now_ns + ACK_NS

    def acknowledged(self, request: str) -> None:
        self._awaited.pop(request, None)

    def tick(self, now_ns: int) -> list[Reconnect]:
        """At most one reconnect, and only once a connection."""
        if self._heard_ns is None:
            return []
        late = any(deadline < now_ns for deadline in self._awaited.values())
        if not late and now_ns - self._heard_ns <= self._silence_ns:
            return []
        self.closed()
        return [Reconnect("subscribe_timeout" if late else "silent")]
