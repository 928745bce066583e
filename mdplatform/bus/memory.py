"""The bus in memory: the double of ``kafka`` for tests and replays. A "broker" that can be made to stop answering."""

import asyncio
import time
from collections.abc import Collection

from mdplatform.bus import BusStats, Message
from mdplatform.bus.ledger import Ledger
from mdplatform.core.clock import MS


class MemoryBus:
    """See ``Bus``. One partition a topic; ``answering = False`` leaves messages unacknowledged until it is True.

    ``keeps``: only the messages of these topics are kept, which bounds the memory of a long run; None: all are.
    """

    def __init__(self, bound: int = 50_000, keeps: Collection[str] | None = None) -> None:
        self.answering = True
        self._keeps = keeps
        self.topics: dict[str, list[Message]] = {}
        self._ledger = Ledger(bound)
        self._waiting: list[Message] = []

    @property
    def queue(self) -> int:
        return self._ledger.queue

    @property
    def has_room(self) -> bool:
        return self._ledger.has_room

    def publish(self, topic: str, key: bytes, value: bytes, received_ns: int) -> None:
        self._waiting.append(Message(topic, 0, -1, received_ns // MS, key, value))
        self._ledger.accept(received_ns, time.time_ns())

    def poll(self) -> None:
        if not self.answering:
            return
        for message in self._waiting:
            if self._keeps is None or message.topic in self._keeps:
                log = self.topics.setdefault(message.topic, [])
                log.append(Message(message.topic, 0, len(log), message.timestamp_ms, message.key, message.value))
        self._waiting.clear()
        self._ledger.settle(0, time.time_ns())

    async def serve(self) -> None:
        while True:
            self.poll()
            await asyncio.sleep(0.001)

    async def room(self) -> None:
        while not self.has_room:
            self.poll()
            await asyncio.sleep(0.001)

    def flush(self, seconds: float) -> int:
        """Never waits: in memory nothing can change meanwhile."""
        self.poll()
        return self.queue

    def close(self, seconds: float) -> int:
        left = self.flush(seconds)
        for message in self._waiting:
            self._ledger.fail(message.topic, "PURGED", time.time_ns())
        self._waiting.clear()
        return left

    def stats(self) -> BusStats:
        return self._ledger.snapshot(time.time_ns())
