"""Starts the faults of the script when their time comes, and those asked for while it runs."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any, get_args

import msgspec
from msgspec.structs import replace

from mdplatform.core.errors import ConfigError
from mdplatform.simulator.exchange import SECOND, Exchange, Peer
from mdplatform.simulator.faults import Fault, Happening, Listing, parse_script
from mdplatform.simulator.happenings import happen
from mdplatform.simulator.impair import Impairment
from mdplatform.simulator.world import World

LOWER = 1_000_000  # at the least numbers that begin again are so much lower


class FaultDesk:
    """Pending and past faults. ConfigError for a script that names an unknown venue or asset."""

    def __init__(self, world: World, script: str, start_ns: int) -> None:
        self._world = world
        self._exchanges = world.exchanges
        self._pending: list[tuple[int, int, Fault]] = []
        self._count = 0
        self.done: list[dict[str, Any]] = []
        self.order(script, start_ns)

    def order(self, script: str, now_ns: int) -> list[Fault]:
        """Queue the faults of a script; `at` counts from now."""
        faults = parse_script(script)
        for fault in faults:
            if fault.venue is not None and fault.venue not in self._exchanges:
                raise ConfigError(f"fault script: no venue {fault.venue!r}; there are {', '.join(self._exchanges)}")
            if fault.asset is not None and fault.asset not in self._world.drifts:
                raise ConfigError(f"fault script: no asset {fault.asset!r}; there are {', '.join(self._world.drifts)}")
        for fault in faults:
            self._queue(fault, now_ns + int(fault.at * SECOND))
        return faults

    def tick(self, now_ns: int) -> None:
        while self._pending and self._pending[0][0] <= now_ns:
            due_ns, _, fault = heappop(self._pending)
            if fault.action in get_args(Happening):
                hit = happen(self._world, fault, now_ns)
            else:
                hit = sum(self._start(exchange, fault, now_ns) for exchange in self._exchanges.values())
            self.done.append({**msgspec.to_builtins(fault), "started_ns": now_ns, "affected": hit})
            del self.done[:-1000]
            if fault.every:
                self._queue(fault, due_ns + int(fault.every * SECOND))

    def pending(self) -> list[dict[str, Any]]:
        return [{**msgspec.to_builtins(fault), "due_ns": due_ns} for due_ns, _, fault in sorted(self._pending)]

    def _queue(self, fault: Fault, due_ns: int) -> None:
        self._count += 1
        heappush(self._pending, (due_ns, self._count, fault))

    def _list(self, exchange: Exchange, fault: Fault, now_ns: int) -> int:
        """What concerns the lists of a venue; how many of its instruments that is."""
        if fault.symbol is None:
            exchange.list_faults.append(Impairment(fault, exchange.venue, now_ns))
            return 1
        floors = exchange.floors
        do = {"delist": floors.delist, "deny": floors.deny, "list": floors.restore}[fault.action]
        if fault.seconds is not None:
            self._queue(replace(fault, action="list", seconds=None), now_ns + int(fault.seconds * SECOND))
        return sum(do(key) for key in floors.named(fault.symbol))

    def _start(self, exchange: Exchange, fault: Fault, now_ns: int) -> int:
        """Set the fault to work on one venue; how many things it concerns there."""
        if not fault.matches(exchange.venue):
            return 0
        match fault.action:
            case "skip":
                hit = exchange.skip(fault)
            case "reset":
                hit = exchange.skip(replace(fault, n=-max(fault.n, LOWER)))
            case "slow":
                hit = _slow_down(exchange, fault, now_ns)
            case "429" | "refuse" | "maintenance" | "deaf" | "silence":
                hit = _hamper(exchange, fault, now_ns)
            case action if action in get_args(Listing):
                hit = self._list(exchange, fault, now_ns)
            case _:
                peers = [peer for peer in exchange.peers if _concerns(peer, fault)]
                for peer in peers:
                    _strike(peer, exchange.venue, fault, now_ns)
                hit = len(peers)
        return hit


def _hamper(exchange: Exchange, fault: Fault, now_ns: int) -> int:
    """What concerns a whole venue for a while."""
    until_ns = now_ns + int((fault.seconds or 0) * SECOND)
    match fault.action:
        case "429":
            exchange.rest_faults.append(Impairment(fault, exchange.venue, now_ns))
        case "silence":
            exchange.frame_faults.append(Impairment(fault, exchange.venue, now_ns))
        case "deaf":
            exchange.deaf_until_ns = until_ns
        case _:
            exchange.refused_until_ns, exchange.retry_after_s = until_ns, fault.retry
            for peer in exchange.peers if fault.action == "maintenance" else ():
                exchange.farewell(peer, now_ns)
                peer.close(1012, "maintenance")
    return 1


def _slow_down(exchange: Exchange, fault: Fault, now_ns: int) -> int:
    floors = [one for one in exchange.floors.open if fault.matches(exchange.venue, one.market.instrument.symbol)]
    for floor in floors:
        floor.slow_down(fault.n * SECOND, now_ns + int((fault.seconds or 0) * SECOND))
    return len(floors)


def _concerns(peer: Peer, fault: Fault) -> bool:
    """Whether the peer listens to the fault's symbol at all."""
    wanted = (fault.symbol or "").lower()
    return not wanted or any(wanted in topic.lower() for topic in peer.topics)


def _strike(peer: Peer, venue: str, fault: Fault, now_ns: int) -> None:
    if fault.action == "cut":
        peer.link.cut()
    elif fault.action == "half-open":
        peer.link.mute()
    else:
        peer.impairments.append(Impairment(fault, venue, now_ns))
