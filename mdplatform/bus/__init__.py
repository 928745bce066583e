"""Publishing and reading topics: the interface of a bus. ``kafka`` is the real one, ``memory`` its double."""

from collections.abc import Mapping
from typing import Protocol

import msgspec


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message of a topic as it is stored."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes
    value: bytes


class BusStats(msgspec.Struct, frozen=True):
    """Counters since the bus was opened; the percentiles cover what was acknowledged since the previous snapshot."""

    accepted: int  # messages taken by ``publish``; each ends up in one of the next two
    acknowledged: int
    failed: int
    failures: Mapping[str, int]  # failed, by reason
    queue: int  # accepted and neither acknowledged nor failed
    paused_ms: int  # time without room, including a pause that still lasts
    latency_p50_ms: float | None  # received_ns to acknowledgement; None where nothing was acknowledged
    latency_p99_ms: float | None


class Bus(Protocol):
    """Takes messages, never drops one silently, and signals when to stop publishing. Not thread-safe."""

    @property
    def queue(self) -> int:
        """Messages not yet acknowledged."""

    @property
    def has_room(self) -> bool:
        """False from the moment the queue reaches its bound until it has drained to four fifths of it."""

    def publish(self, topic: str, key: bytes, value: bytes, received_ns: int) -> None:
        """Hand over one message; its timestamp is ``received_ns``.

        Taken even without room: the bound is the publisher's to respect, by awaiting ``room`` before it reads more.
        Raises BusError when the bus is broken for good, or when it ignored ``has_room`` until nothing more fits.
        """

    def poll(self) -> None:
        """Take in acknowledgements. Raises BusError when the bus is broken for good."""

    async def serve(self) -> None:
        """Poll for as long as it runs: a task of the publisher. Ends only by cancellation or BusError."""

    async def room(self) -> None:
        """Return once there is room; at once when there is. Raises BusError when the bus is broken for good."""

    def flush(self, seconds: float) -> int:
        """Wait until all is acknowledged or the time is over; the number of messages still waiting."""

    def close(self, seconds: float) -> int:
        """Flush, give up what is left (counted as failed) and close; the number of messages given up."""

    def stats(self) -> BusStats:
        """The counters now; begins a new window for the percentiles."""
