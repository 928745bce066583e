"""Claim: planted events become signals, each once, within tens of ms of our receiving them, far above a demo's rate.

    python benchmarks/signal_latency.py [--seconds 110] [--only speed]

1. Speed: a simulated recording of two venues, twenty times on end, through the engine on a bus in memory, on one core.
2. The backlog: the same messages from an embedded broker, as fast as a group reads them.
3. The market: a simulator of four venues, collectors and the engine, each a process; at 45 s positions of BTC are
   liquidated, at 60 s ten times the usual BTC is traded, at 80 s ETH jumps. Prints each signal, and percentiles of
   the time from the venue's clock and from our receiving to the signal.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from mdplatform.bus import Message
from mdplatform.bus.admin import Admin, platform_topics
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.ledger import percentile_ms
from mdplatform.bus.memory import MemoryBus
from mdplatform.bus.reader import Reader
from mdplatform.collector import CollectorConfig, collect
from mdplatform.core.clock import MS, SystemClock
from mdplatform.core.settings import Settings
from mdplatform.core.shards import parse
from mdplatform.core.topics import Topics
from mdplatform.embedded.broker import start_broker
from mdplatform.signals.detectors.thresholds import Thresholds
from mdplatform.signals.engine import GROUP, SignalEngine
from mdplatform.signals.process import run_signals
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.server import Simulator
from mdplatform.simulator.server import run as simulate
from mdplatform.venues import venue_ids
from mdplatform_tests.signals.recorded import recorded

INGEST = (
    "binance:BTC-USDT,ETH-USDT;binance-usdm:BTC-USDT-PERP,ETH-USDT-PERP;"
    "bybit:BTC-USDT,ETH-USDT,BTC-USDT-PERP,ETH-USDT-PERP;deribit:BTC-USD-PERP"
)
SECONDS, ROUNDS = 20, 20  # of the recording
RATE = 60.0  # level changes a second and market
SCRIPT = "at=45s liquidate BTC n=5 side=sell; at=60s volume BTC x10 for 5s; at=80s jump ETH 0.8%"
Row = dict[str, Any]


def rounds(messages: list[Message], count: int) -> list[Message]:
    """The recording so many times, each later by its length: no engine can see that it repeats."""
    length_ns = SECONDS * 10**9
    return [later(message, round_ * length_ns) for round_ in range(count) for message in messages]


def later(message: Message, by_ns: int) -> Message:
    row = msgspec.json.decode(message.value)
    row |= {name: row[name] + by_ns for name in ("venue_ns", "received_ns")}
    row |= {"id": f"{row['id']}/{by_ns}"} if "id" in row else {}
    row |= {"sequence": row["sequence"] + by_ns} if "sequence" in row else {}
    return msgspec.structs.replace(message, value=msgspec.json.encode(row))


def speed(messages: list[Message]) -> None:
    """What the engine alone takes."""
    engine = SignalEngine(Thresholds(), MemoryBus(), Topics(), SystemClock())
    began = time.process_time()
    engine.take(messages)
    rate = len(messages) / (time.process_time() - began)
    print(f"engine alone: {rate:,.0f} messages/s of CPU")


def backlog(settings: Settings, messages: list[Message]) -> None:
    """How fast the running engine works off what has gathered while it was away."""
    admin = Admin(settings)
    with engine_running(settings):
        until(lambda: admin.committed(GROUP))
    with KafkaBus(settings) as bus:
        for message in messages:
            bus.publish(message.topic, message.key, message.value, time.time_ns())
            if not bus.has_room:
                bus.flush(30)
    began = time.monotonic()
    with engine_running(settings):
        until(lambda: not any(row.lag for row in admin.lag(GROUP)))
    seconds = time.monotonic() - began
    print(f"from the broker: {len(messages) / seconds:,.0f} messages/s, start and joining included")


@contextmanager
def engine_running(settings: Settings) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=run_signals, args=(settings, Thresholds(), stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def until(condition: Callable[[], object], seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain")
        time.sleep(0.2)


def market(told: Connection) -> None:
    """A process: the simulator."""
    venues = tuple(shard.venue for shard in parse(INGEST, venue_ids()))
    config = SimulatorConfig(symbols=("BTC", "ETH"), venues=venues, faults=SCRIPT, rate=RATE)
    simulate(config, lambda simulator: told.send(addresses(simulator)))


def addresses(simulator: Simulator) -> dict[str, dict[str, str]]:
    return {venue: {"ws_url": urls["ws"], "rest_url": urls["rest"]} for venue, urls in simulator.urls().items()}


def collectors(settings: Settings, urls: dict[str, dict[str, str]]) -> None:
    """A process: a collector for each venue."""

    async def main() -> None:
        stop = asyncio.Event()
        with KafkaBus(settings) as bus:
            shards = parse(INGEST, venue_ids())
            configs = [CollectorConfig(venue=s.venue, symbols=s.symbols, **urls[s.venue]) for s in shards]
            await asyncio.gather(*(collect(config, settings, bus, SystemClock(), stop) for config in configs))

    uvloop.run(main())


def live(settings: Settings, seconds: float) -> None:
    spawning = multiprocessing.get_context("spawn")
    here, told = spawning.Pipe()
    simulator = spawning.Process(target=market, args=(told,), daemon=True)
    simulator.start()
    collecting = spawning.Process(target=collectors, args=(settings, here.recv()), daemon=True)
    collecting.start()
    began_ns = time.time_ns()
    engine = spawning.Process(target=run_signals, args=(settings, Thresholds()), daemon=True)
    engine.start()
    print(f"the market runs for {seconds:g} s ...", flush=True)
    time.sleep(seconds)
    with Reader(settings) as reader:
        rows = [msgspec.json.decode(message.value) for message in reader.tail(settings.topic_signals, 10_000)]
    for process in (engine, collecting, simulator):
        process.terminate()
        process.join()
    show([row for row in rows if row["received_ns"] > began_ns], began_ns)


def show(rows: list[Row], began_ns: int) -> None:
    for row in rows:
        where, at_s = ", ".join(row["exchanges"]), (row["received_ns"] - began_ns) / 1e9
        value = f"{row['value']:.4g} {row['unit']}"
        print(f"{at_s:7.1f} s  {row['kind']:<20}{row['symbol']:<15}{where:<40}{row['direction']:<5}{value}")
    repeated = [key for key, count in Counter(row["id"] for row in rows).items() if count > 1]
    print(f"{len(rows)} signals, {len(repeated)} of them twice")
    for name in ("latency_venue_ms", "latency_received_ms"):
        ordered = sorted(int(row[name] * MS) for row in rows)
        texts = (f"p{share * 100:g} {percentile_ms(ordered, share) or 0:.1f}" for share in (0.5, 0.9, 0.99, 1.0))
        print(f"{name}: {', '.join(texts)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=110, help="how long the market runs")
    parser.add_argument("--only", choices=("speed", "backlog", "live"), help="just this part")
    options = parser.parse_args()
    parts = {options.only} if options.only else {"speed", "backlog", "live"}
    messages = rounds(recorded({"binance-usdm": "", "bybit": ""}, SECONDS, 100.0), ROUNDS) if parts != {"live"} else []
    if "speed" in parts:
        speed(messages)
    for part in parts & {"backlog", "live"}:
        with tempfile.TemporaryDirectory() as directory, start_broker(Path(directory)) as broker:
            settings = Settings(kafka_brokers=broker.brokers)
            Admin(settings).ensure(platform_topics(settings, venue_ids()))
            backlog(settings, messages) if part == "backlog" else live(settings, options.seconds)


if __name__ == "__main__":
    main()
