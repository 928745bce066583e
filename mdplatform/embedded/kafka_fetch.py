"""The two facts of a Kafka Fetch (v4 to v11) that the relay needs: how long to wait, and whether there is data.

Protocol: kafka.apache.org/protocol, messages Fetch Request and Fetch Response.
"""

from __future__ import annotations

import struct

_HEADER = 8  # api key, version, correlation id
# What came with which version.
_LOG_START, _SESSION, _READ_REPLICA = 5, 7, 11


def max_wait_s(request: bytes) -> float:
    """How long the client is willing to wait, in seconds."""
    (name,) = struct.unpack_from(">h", request, _HEADER)
    body = _HEADER + 2 + max(name, 0)
    _, wait_ms = struct.unpack_from(">ii", request, body)
    return float(wait_ms) / 1000


def is_empty(answer: bytes, version: int) -> bool:
    """Whether no partition has records or an error; False for what cannot be read."""
    try:
        return _is_empty(answer, version)
    except struct.error:
        return False


def _is_empty(answer: bytes, version: int) -> bool:
    at = 4 + 4  # correlation id, throttle time
    if version >= _SESSION:
        if struct.unpack_from(">h", answer, at)[0]:
            return False
        at += 6
    (topics,) = struct.unpack_from(">i", answer, at)
    at += 4
    for _ in range(topics):
        (name,) = struct.unpack_from(">h", answer, at)
        (partitions,) = struct.unpack_from(">i", answer, at + 2 + name)
        at += 2 + name + 4
        for _ in range(partitions):
            at, idle = _partition(answer, at, version)
            if not idle:
                return False
    return True


def _partition(answer: bytes, at: int, version: int) -> tuple[int, bool]:
    """Where the partition's entry ends, and whether it has neither records nor an error."""
    _, error = struct.unpack_from(">ih", answer, at)
    at += 6 + 8 + 8 + (8 if version >= _LOG_START else 0)  # high watermark, last stable and log start offset
    (aborted,) = struct.unpack_from(">i", answer, at)
    at += 4 + 16 * max(aborted, 0) + (4 if version >= _READ_REPLICA else 0)
    (records,) = struct.unpack_from(">i", answer, at)
    return at + 4 + max(records, 0), not error and records <= 0
