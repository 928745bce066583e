"""A collector that writes down what the broker acknowledged, so that nobody need take its or the broker's word.

    python -m mdplatform_tests.chaos.witness FILE VENUE SYMBOLS WS_URL REST_URL [LETTER]

It is the collector process as it ships, but for two things: its bus appends every acknowledged message to FILE, and a
wall clock that is stepped by as many seconds as the file FILE.step says.
"""

from __future__ import annotations

import logging
import os
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from confluent_kafka import KafkaError
from confluent_kafka import Message as RawMessage

from mdplatform.bus.kafka import KafkaBus
from mdplatform.collector import CollectorConfig, process
from mdplatform.core.clock import SystemClock
from mdplatform.core.errors import MdplatformError
from mdplatform.core.settings import Settings, load

SIZE = struct.Struct(">I")


class Acknowledged(msgspec.Struct, frozen=True, array_like=True):
    """A message, and where the broker said that it is."""

    topic: str
    partition: int
    offset: int
    value: bytes


class WitnessBus(KafkaBus):
    """The bus as it is, and a line in a file for each acknowledgement."""

    path = Path()
    reports_only_failures = False

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def _on_delivery(self, error: KafkaError | None, message: RawMessage) -> None:
        super()._on_delivery(error, message)
        if error is None:
            found = Acknowledged(message.topic(), message.partition(), message.offset(), message.value())
            record = msgspec.msgpack.encode(found)
            os.write(self._file, SIZE.pack(len(record)) + record)


def read(path: Path) -> Iterator[Acknowledged]:
    """What a witness has seen; what it was killed while writing is left out."""
    data = path.read_bytes() if path.exists() else b""
    at = 0
    while at + SIZE.size <= len(data):
        end = at + SIZE.size + SIZE.unpack_from(data, at)[0]
        if end > len(data):
            return
        yield msgspec.msgpack.decode(data[at + SIZE.size : end], type=Acknowledged)
        at = end


def stepped(path: Path) -> SystemClock:
    """The clock that ships, on a wall clock that goes wrong by what a file says; it is looked at ten times a second."""
    state = {"looked": 0.0, "step": 0}

    def wall_ns() -> int:
        now = time.monotonic()
        if now - state["looked"] > 0.1:
            state["looked"] = now
            state["step"] = int(float(path.read_text()) * 1e9) if path.exists() else 0
        return time.time_ns() + int(state["step"])

    return SystemClock(wall_ns)


def main(file: str, venue: str, symbols: str, ws_url: str, rest_url: str, letter: str = "A") -> int:
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr)
    WitnessBus.path = Path(file)
    process.KafkaBus = WitnessBus  # type: ignore[misc]
    process.SystemClock = lambda: stepped(Path(file).with_suffix(".step"))  # type: ignore[misc,assignment]
    where = {"ws_url": ws_url, "rest_url": rest_url}
    config = CollectorConfig(venue=venue, symbols=tuple(symbols.split(",")), collector=letter, **where)
    return process.run(config, load(os.environ))


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except MdplatformError as error:
        sys.exit(f"mdplatform: {error}")
