"""What the fault script makes happen on the markets themselves: price jumps, liquidations, bursts of volume."""

from __future__ import annotations

from mdplatform.core.symbols import Kind
from mdplatform.simulator.exchange import SECOND
from mdplatform.simulator.faults import Fault
from mdplatform.simulator.floors import Floor
from mdplatform.simulator.world import World


def happen(world: World, fault: Fault, now_ns: int) -> int:
    """Let it happen from now on; how many things it concerns: assets for a jump everywhere, else open markets."""
    floors = _concerned(world, fault)
    buys = None if fault.side is None else fault.side == "buy"
    match fault.action:
        case "jump":
            return _jump(world, fault, floors, now_ns)
        case "liquidate":
            floors = [floor for floor in floors if floor.market.instrument.kind != Kind.SPOT]
            for floor in floors:
                floor.market.liquidate(fault.n, buys)
        case "empty":
            for floor in floors:
                floor.market.withdraw(now_ns, now_ns + int((fault.seconds or 0.0) * SECOND))
        case "volume":
            for floor in floors:
                floor.market.surge(fault.times or 1.0, buys, now_ns + int((fault.seconds or 0.0) * SECOND))
    return len(floors)


def _jump(world: World, fault: Fault, floors: list[Floor], now_ns: int) -> int:
    factor = 1 + (fault.percent or 0.0) / 100
    if fault.venue is None:
        world.drifts[fault.asset or ""].jump(factor, now_ns)
        return 1
    for floor in floors:
        floor.market.move(factor)
    return len(floors)


def _concerned(world: World, fault: Fault) -> list[Floor]:
    """The open markets of the asset, on the venue and of the symbol where those are named."""
    pits = world.floors.values() if fault.venue is None else [world.exchanges[fault.venue].floors]
    return [
        floor
        for floors in pits
        for floor in floors.open
        if fault.asset in (None, floor.market.instrument.base)
        and fault.symbol in (None, floor.market.instrument.symbol)
    ]
