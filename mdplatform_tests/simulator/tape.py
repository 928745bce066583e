"""A simulated recording: what a collector would have received, made as fast as it goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.faults.scheduler import FaultScheduler
from mdplatform.simulator.protocol.exchange import SECOND
from mdplatform.simulator.protocol.limits import Bucket
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.world import World
from mdplatform_tests.simulator.subscriptions import snapshot_calls, subscribe

_STEP_NS = 10_000_000
_JOIN_NS = SECOND  # the REST snapshots are taken this long after the subscription


class _NoLink:
    """A recording has no socket: cut and half-open end it."""

    def __init__(self) -> None:
        self.ended = False

    def wake(self) -> None:
        pass

    def cut(self) -> None:
        self.ended = True

    def mute(self) -> None:
        self.ended = True


def generate(
    venue: str,
    symbols: Iterable[str],
    start_ns: int,
    seconds: float,
    *,
    seed: int = 1,
    rate: float = 100.0,
    faults: str = "",
) -> Iterator[tuple[int, bytes]]:
    """(received_ns, frame) of one connection with books and trades of all symbols; `faults` applies to it.

    REST snapshots come as frames, one second in, where the venue has no snapshot on the stream. The same arguments
    give the same bytes. ConfigError for an unknown venue, asset or fault.
    """
    config = SimulatorConfig(symbols=tuple(symbols), venues=(venue,), seed=seed, rate=rate, queue=1_000_000)
    world = World(config, start_ns)
    exchange, scheduler = world.exchanges[venue], FaultScheduler(world, faults, start_ns)
    link = _NoLink()
    peer = Peer(link, 1, start_ns, config.queue, Bucket(1e9, 1e9))
    exchange.peers.add(peer)
    subscribe(exchange, peer, start_ns)
    delays = Random(f"delays/{seed}/{venue}")
    pending = list(snapshot_calls(exchange))
    now_ns, end_ns = start_ns, start_ns + int(seconds * SECOND)
    while now_ns < end_ns and not link.ended:
        now_ns += _STEP_NS
        for frame in world.step(now_ns):
            world.exchanges[frame.venue].publish(frame)
        exchange.tick(now_ns)
        scheduler.tick(now_ns)
        if pending and now_ns - start_ns >= _JOIN_NS:
            peer.outbox.extend(exchange.rest(path, query, now_ns).body for path, query in pending)
            pending = []
        received_ns = now_ns + delays.randrange(_STEP_NS // 2)
        while peer.outbox:
            received_ns += 20_000
            yield received_ns, peer.outbox.popleft()
