"""One client of a simulated exchange: its subscriptions, its outbox, and the faults of its connection."""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

from mdplatform.simulator.engine.feed import Frame
from mdplatform.simulator.faults.impairment import Impairment
from mdplatform.simulator.protocol.limits import Bucket


class Link(Protocol):
    """The socket side of a peer."""

    def wake(self) -> None:
        """There is something in the outbox, or the peer is to be closed."""

    def cut(self) -> None:
        """Reset the connection without a close frame."""

    def mute(self) -> None:
        """Leave the connection open, and neither read nor write again."""


class Peer:
    """A connection. Its outbox is bounded by ``limit`` frames: a reader that falls further behind is cut off."""

    def __init__(self, link: Link, number: int, now_ns: int, limit: int, messages: Bucket) -> None:
        self.link = link
        self.number = number
        self.opened_ns = self.received_ns = now_ns  # received: the client's last message
        self.messages = messages
        self.topics: dict[str, None] = {}
        self.notes: dict[str, Any] = {}  # what the venue remembers of this connection
        self.outbox: deque[bytes] = deque()
        self.impairments: list[Impairment] = []
        self.everywhere: list[Impairment] = []  # those of all connections of the venue
        self.closing: tuple[int, str] | None = None
        self.sequence = 0  # of the frames of this connection, where the venue numbers them
        self.combined = False
        self.binary = False  # frames leave as binary ones, whatever they hold
        self.microseconds = False
        self.warned = False
        self.sent = 0
        self._limit = limit
        self._last = (0, now_ns)  # frames sent, and when that number was new

    def offer(self, frame: Frame, data: bytes | None = None) -> None:
        """Send a published frame (as ``data``, where the connection adds an envelope), changed by the active faults."""
        frames = [frame.body if data is None else data]
        for impairment in (*self.everywhere, *self.impairments):
            frames = [out for piece in frames for out in impairment.apply(frame.symbol, frame.channel, piece)]
        for out in frames:
            self.send(out)

    def reply(self, data: bytes) -> None:
        """Send an answer; only a stall of the whole connection holds it back."""
        for impairment in self.impairments:
            if impairment.fault.action == "stall" and not impairment.apply("", "reply", data):
                return
        self.send(data)

    def send(self, data: bytes) -> None:
        if len(self.outbox) >= self._limit:
            self.link.cut()
            return
        self.outbox.append(data)
        self.sent += 1
        self.link.wake()

    def close(self, code: int, reason: str) -> None:
        """Close once the outbox is empty."""
        self.closing = self.closing or (code, reason)
        self.link.wake()

    def silent_ns(self, now_ns: int) -> int:
        """For how long nothing has been sent, as far as it was called at each step of time."""
        if self._last[0] != self.sent:
            self._last = (self.sent, now_ns)
        return now_ns - self._last[1]

    def settle(self, now_ns: int) -> None:
        """End the faults that are over; a stall releases what it held."""
        for impairment in [one for one in self.impairments if one.over(now_ns)]:
            self.impairments.remove(impairment)
            for frame in impairment.release():
                self.send(frame)
