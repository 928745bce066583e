"""Starts the faults of the script when their time comes, and those requested while it runs."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from mdplatform.core.errors import ConfigError
from mdplatform.simulator.faults.script import Fault, parse_script

_SECOND = 1_000_000_000
_KEPT = 1_000  # past faults


class Target(Protocol):
    """What faults are applied to: the simulated world."""

    @property
    def venues(self) -> Iterable[str]: ...

    @property
    def assets(self) -> Iterable[str]: ...

    def apply(self, fault: Fault, now_ns: int) -> int:
        """Start the fault; how many things it concerns."""
        ...


class FaultScheduler:
    """Pending and past faults. ConfigError for a script that names an unknown venue or asset."""

    def __init__(self, target: Target, script: str, start_ns: int) -> None:
        self._target = target
        self._pending: list[tuple[int, int, Fault]] = []
        self._count = 0
        self.done: list[dict[str, Any]] = []
        self.schedule(script, start_ns)

    def schedule(self, script: str, now_ns: int) -> list[Fault]:
        """Queue the faults of a script; `at` counts from now."""
        faults = parse_script(script)
        for fault in faults:
            _check("venue", fault.venue, self._target.venues)
            _check("asset", fault.asset, self._target.assets)
        for fault in faults:
            self._queue(fault, now_ns + int(fault.at * _SECOND))
        return faults

    def tick(self, now_ns: int) -> None:
        while self._pending and self._pending[0][0] <= now_ns:
            due_ns, _, fault = heappop(self._pending)
            hit = self._target.apply(fault, now_ns)
            self.done.append({**msgspec.to_builtins(fault), "started_ns": now_ns, "affected": hit})
            del self.done[:-_KEPT]
            if fault.action in ("delist", "deny", "list") and fault.seconds is not None:
                self._queue(replace(fault, action="list", seconds=None), now_ns + int(fault.seconds * _SECOND))
            if fault.every:
                self._queue(fault, due_ns + int(fault.every * _SECOND))

    def pending(self) -> list[dict[str, Any]]:
        return [{**msgspec.to_builtins(fault), "due_ns": due_ns} for due_ns, _, fault in sorted(self._pending)]

    def _queue(self, fault: Fault, due_ns: int) -> None:
        self._count += 1
        heappush(self._pending, (due_ns, self._count, fault))


def _check(what: str, name: str | None, known: Iterable[str]) -> None:
    if name is not None and name not in known:
        raise ConfigError(f"fault script: no {what} {name!r}; there are {', '.join(known)}")
