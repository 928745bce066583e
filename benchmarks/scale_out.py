"""Claim: collectors beside each other add up as far as there are cores, and a symbol more costs no time, only memory.

    python -m benchmarks.scale_out [--runs 3]

1. One, two and four collectors, each a process with a venue of its own, to one broker: frames a second of all together
   and of their CPU time. Venues, broker and collectors share the machine's cores.
2. One session with 10 to 1,000 symbols of Binance, recorded frames sent to each in turn, without I/O: frames a second
   of CPU time, and what a symbol holds of memory once its book of 2 x 1,000 levels is joined.
"""

from __future__ import annotations

import argparse
import tempfile
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from benchmarks.recordings import RECORDINGS, entries
from benchmarks.socket_to_ack import CORES, a_venue, race, running
from benchmarks.table import Cell, Table, cpu_seconds, median, ratio
from mdplatform.bus.admin import Admin, platform_topics
from mdplatform.core.codec import encode
from mdplatform.core.session import Fetch, Session
from mdplatform.core.settings import Settings
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.embedded.broker import start_broker
from mdplatform.recordings.tape import Entry
from mdplatform.venues import venue

COLLECTORS = (1, 2, 4)
SYMBOLS = (10, 100, 1000)
JOINING, FRAMES_A_SYMBOL = 20, 100
RECORDED = RECORDINGS[0]


def together(count: int, brokers: str) -> tuple[float, float]:
    """(frames a second of ``count`` collectors together, frames a second of their CPU time)."""
    with ExitStack() as stack:
        venues = [stack.enter_context(a_venue(CORES)) for _ in range(count)]
        ends = [stack.enter_context(running("ours", brokers, CORES)) for _ in range(count)]
        with ThreadPoolExecutor(count) as pool:
            races = list(pool.map(race, ends, venues))
    frames = sum(sent for _, _, sent, _ in races)
    seconds = max(ended for _, ended, _, _ in races) - min(began for began, _, _, _ in races)
    return frames / seconds, frames / sum(cpu for *_, cpu in races)


def renamed(entry: Entry, name: str) -> tuple[bytes, int]:
    frame = entry.frame.replace(b"BTCUSDT", name.encode()).replace(b"btcusdt", name.lower().encode())
    return frame, entry.received_ns


def session_of_many(names: list[str]) -> Session:
    rows = (Instrument(exchange="binance", venue_symbol=name, base=name, quote="USDT") for name in names)
    return venue("binance").reader(Instruments("binance", rows))


def many(count: int) -> tuple[float, float]:
    """(frames a second, KiB a symbol) of one session with so many symbols."""
    played = entries(RECORDED)
    snapshot = next(entry for entry in played if b'"lastUpdateId"' in entry.frame[:40])
    names = [f"S{number}USDT" for number in range(count)]
    each = [entry for entry in played if entry is not snapshot][: JOINING + FRAMES_A_SYMBOL]
    tracemalloc.start()
    session = session_of_many(names)
    for name in names:
        join(session, name, each[:JOINING], snapshot)
    held = tracemalloc.get_traced_memory()[0] / 1024 / count
    tracemalloc.stop()
    frames = [renamed(entry, name) for entry in each[JOINING:] for name in names]

    def work() -> None:
        for frame, received_ns in frames:
            for output in session.receive(frame, received_ns):
                encode(output)  # type: ignore[arg-type]

    return len(frames) / cpu_seconds(work), held


def join(session: Session, name: str, first: list[Entry], snapshot: Entry) -> None:
    """The symbol's first frames, and the snapshot as soon as it is asked for."""
    for entry in first:
        for output in session.receive(*renamed(entry, name)):
            if isinstance(output, Fetch):
                session.answer(output.request, 200, snapshot.frame, entry.received_ns)


def measure(runs: int = 3) -> Table:
    rows: list[list[Cell]] = []
    with tempfile.TemporaryDirectory() as directory, start_broker(Path(directory)) as broker:
        Admin(settings := Settings(kafka_brokers=broker.brokers)).ensure(platform_topics(settings, ["binance"]))
        found = {count: [together(count, broker.brokers) for _ in range(runs)] for count in COLLECTORS}
    wall = {count: median([by_wall for by_wall, _ in pairs]) for count, pairs in found.items()}
    for count, pairs in found.items():
        cpu = median([by_cpu for _, by_cpu in pairs])
        rows.append([ratio(wall[count], wall[1]), wall[count], cpu, None, f"{count} collectors, socket to broker"])
    first: float | None = None
    for count in SYMBOLS:
        measured = [many(count) for _ in range(runs)]
        rate = median([frames for frames, _ in measured])
        first = first or rate
        rows.append([ratio(rate, first), None, rate, measured[0][1], f"{count} symbols in a session, no I/O"])
    claim = "more collectors, more symbols"
    notes = [
        f"times: of the first of its kind. {len(CORES)} cores: more collectors than cores cannot be faster, and venues",
        "and broker need theirs. Memory: of Python's objects, books joined from snapshots of 2 x 1,000 levels.",
    ]
    columns = ["times", "frames a s", "frames a CPU s", "KiB a symbol", "of"]
    return Table("scale_out", claim, columns, rows, notes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    print(measure(parser.parse_args().runs).text())
