"""What the relay reads of Kafka's frames: whose a request is, which topics a Fetch (v4 to v11) awaits and how long,
whether its answer is empty, which topics a Produce (v3 to v8) brings messages to, and which versions an ApiVersions
answer offers.

Protocol: kafka.apache.org/protocol, messages of these names; request header v1, response header v0.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

_HEADER = 8  # api key, version, correlation id
# What came with which version of Fetch.
_LOG_START, _SESSION, _LEADER_EPOCH, _READ_REPLICA = 5, 7, 9, 11
_API_VERSIONS_COMPACT = 3
_VERSIONS = struct.Struct(">hhh")  # key, lowest, highest version


def max_wait_s(request: bytes) -> float:
    """How long a Fetch is willing to wait, in seconds."""
    _, wait_ms = struct.unpack_from(">ii", request, _after_string(request, _HEADER))
    return float(wait_ms) / 1000


def client_id(request: bytes) -> bytes:
    """How the client of a request calls itself; empty where it does not."""
    return request[_HEADER + 2 : _after_string(request, _HEADER)]


def topics_fetched(request: bytes, version: int) -> frozenset[bytes]:
    """The topics of a Fetch; raises struct.error for what cannot be read."""
    # replica, longest wait, fewest and most bytes, isolation; session and its epoch
    at = _after_string(request, _HEADER) + 17 + (8 if version >= _SESSION else 0)
    a_partition = 16 + (8 if version >= _LOG_START else 0) + (4 if version >= _LEADER_EPOCH else 0)
    (count,) = struct.unpack_from(">i", request, at)
    topics, at = set(), at + 4
    for _ in range(count):
        end = _after_string(request, at)
        topics.add(request[at + 2 : end])
        (partitions,) = struct.unpack_from(">i", request, end)
        at = end + 4 + partitions * a_partition
    return frozenset(topics)


def topics_produced(request: bytes) -> frozenset[bytes]:
    """The topics of a Produce, of which ``request`` may be the first part only; what is behind it is not named."""
    topics = set()
    try:
        at = _after_string(request, _after_string(request, _HEADER)) + 6  # transaction; acknowledgements, timeout
        (count,) = struct.unpack_from(">i", request, at)
        at += 4
        for _ in range(count):
            end = _after_string(request, at)
            topics.add(request[at + 2 : end])
            (partitions,) = struct.unpack_from(">i", request, end)
            at = end + 4
            for _ in range(partitions):
                _, records = struct.unpack_from(">ii", request, at)
                at += 8 + max(records, 0)
    except struct.error:
        pass
    return frozenset(topics)


def with_newest_versions(answer: bytes, version: int, newest: Mapping[int, int]) -> bytes:
    """An ApiVersions answer (v0 to v4) that offers each key of ``newest`` up to that version."""
    lowered = bytearray(answer)
    (error,) = struct.unpack_from(">h", answer, 4)
    if version < _API_VERSIONS_COMPACT or error:  # a version that the broker does not know is answered as v0
        (count,) = struct.unpack_from(">i", answer, 6)
        at, size = 10, _VERSIONS.size
    else:
        count, at = answer[6] - 1, 7  # a varint: one byte below 128, and there are fewer keys
        size = _VERSIONS.size + 1  # and no tagged fields
    for entry in range(at, at + count * size, size):
        key, lowest, highest = _VERSIONS.unpack_from(answer, entry)
        _VERSIONS.pack_into(lowered, entry, key, lowest, min(highest, newest.get(key, highest)))
    return bytes(lowered)


def _after_string(request: bytes, at: int) -> int:
    """Where a string that begins ``at`` ends; one that is null has length -1."""
    (length,) = struct.unpack_from(">h", request, at)
    return at + 2 + max(int(length), 0)


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
