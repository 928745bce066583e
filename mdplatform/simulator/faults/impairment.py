"""Faults of a connection, applied to its outgoing frames one at a time."""

from __future__ import annotations

import re
from collections.abc import Callable

from mdplatform.simulator.faults.dirty_data import with_bad_row
from mdplatform.simulator.faults.script import Fault, Garbage

_JUNK: dict[Garbage, Callable[[bytes], bytes]] = {
    "text": lambda _: b"<html><body>502 Bad Gateway</body></html>",
    "truncated": lambda frame: frame[: max(1, len(frame) // 2)],
    "binary": lambda _: b"\x00\xff\xfe\x80garbage\x9c",
    "fields": lambda _: b'{"e":"depthUpdate","type":"l2update","channel":"l2_data","events":7,"b":null,"changes":{}}',
}

_CHECKSUM = re.compile(rb'("(?:checksum|cs)":"?-?)(\d+)')


class Impairment:
    """One fault at work on one connection."""

    def __init__(self, fault: Fault, venue: str, now_ns: int) -> None:
        self.fault = fault
        self.venue = venue
        self.hits = 0
        self._until_ns = None if fault.seconds is None else now_ns + int(fault.seconds * 1e9)
        self._held: list[bytes] = []

    def over(self, now_ns: int) -> bool:
        if self._until_ns is not None:
            return now_ns >= self._until_ns
        return self.hits >= self.fault.count

    def release(self) -> list[bytes]:
        """What a stall held back."""
        held, self._held = self._held, []
        return held

    def apply(self, symbol: str, channel: str, frame: bytes) -> list[bytes]:
        """The frames that leave instead of this one."""
        spent = self._until_ns is None and self.hits >= self.fault.count
        if spent or not self.fault.matches(self.venue, symbol, channel):
            return [frame]
        frames = self._instead(frame)
        self.hits += frames != [frame]
        return frames

    def _instead(self, frame: bytes) -> list[bytes]:
        frames = [frame]
        match self.fault.action:
            case "drop" | "silence":
                frames = []
            case "duplicate":
                frames = [frame, frame]
            case "stall":
                self._held.append(frame)
                frames = []
            case "garbage":
                junk = _JUNK[self.fault.kind](frame)
                # a truncated frame is itself lost; other garbage comes in between
                frames = [junk] if self.fault.kind == "truncated" else [junk, frame]
            case "checksum":
                frames = [_miscounted(frame)]
            case "bad-row":
                frames = [with_bad_row(frame)]
        return frames


def _miscounted(frame: bytes) -> bytes:
    """The frame with another checksum of its book."""
    return _CHECKSUM.sub(lambda found: found[1] + b"%d" % ((int(found[2]) + 1) % 2**31), frame)
