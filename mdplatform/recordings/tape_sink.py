"""A bus that ends on a tape: of all that a collector publishes it keeps the raw frames."""

from __future__ import annotations

import asyncio

from mdplatform.bus import BusStats
from mdplatform.core.codec import decode_raw
from mdplatform.core.errors import BusError
from mdplatform.recordings.tape import TapeWriter

FLUSH_EVERY_S = 1.0  # what a killed recording loses at most


class TapeBus:
    """See ``Bus``. Messages of ``topic``, raw frames, are written and thereby acknowledged; others are only counted."""

    def __init__(self, tape: TapeWriter, topic: str) -> None:
        self.queue = 0
        self.has_room = True
        self._tape = tape
        self._topic = topic
        self._taken = 0

    def publish(self, topic: str, key: bytes, value: bytes, received_ns: int) -> None:
        """See ``Bus.publish``. Raises BusError when the tape cannot be written."""
        self._taken += 1
        if topic == self._topic:
            raw = decode_raw(value)
            try:
                self._tape.write(raw.received_ns, raw.frame, raw.request, raw.path)
            except OSError as error:
                raise self._broken(error) from error

    def poll(self) -> None:
        """Nothing is ever under way."""

    async def serve(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            self.flush(0)

    async def room(self) -> None:
        """At once: a tape takes what it is given."""

    def flush(self, seconds: float) -> int:
        try:
            self._tape.flush()
        except OSError as error:
            raise self._broken(error) from error
        return 0

    def close(self, seconds: float) -> int:
        return self.flush(seconds)

    def stats(self) -> BusStats:
        return BusStats(self._taken, self._taken, 0, {}, 0, 0, None, None)

    def _broken(self, error: OSError) -> BusError:
        return BusError(f"cannot write tape {self._tape.path}: {error.strerror or error}")
