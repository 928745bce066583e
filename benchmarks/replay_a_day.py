"""Claim: a simulated day that is recorded and replayed equals itself, bit for bit, at hundreds of times its pace.

    python benchmarks/replay_a_day.py [--venues binance,okx] [--seconds 86400] [--rate 1] [--directory D]

Makes a recording of each venue (BTC, books and trades and what else its symbols have, so many changes a second), and
replays it twice through the collector's code. Prints the sizes, the time that each step took, how many messages of
which topic came out, their sha256 and whether the two are the same; exits with 1 where they are not.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from mdplatform.core.topics import Topics
from mdplatform.recordings.player import Player
from mdplatform.recordings.replay_tape import play
from mdplatform.recordings.tape import TapeWriter, read_lines
from mdplatform_tests.recordings.checksum_sink import SumBus
from mdplatform_tests.simulator.tape import generate

START_NS = 1_790_000_000_000_000_000
VENUES = "binance,coinbase"  # the others send state by the second for many symbols: give them fewer --seconds


def record(venue: str, path: Path, seconds: float, rate: float) -> None:
    """Write a simulated recording."""
    began = time.perf_counter()
    with TapeWriter(path) as tape:
        for received_ns, frame in generate(venue, ["BTC"], START_NS, seconds, rate=rate):
            tape.write(received_ns, frame)
    took_s, size = time.perf_counter() - began, path.stat().st_size / 1e6
    print(f"{venue}: {tape.frames:,} frames of {seconds:,.0f} s on {size:,.1f} MB, made in {took_s:,.1f} s", flush=True)


def replayed(venue: str, path: Path, seconds: float) -> SumBus:
    """What a replay gives."""
    bus, player, began = SumBus(), Player(venue), time.perf_counter()
    asyncio.run(play(player, read_lines(path), bus, Topics(), asyncio.Event()))
    took_s = time.perf_counter() - began
    pace = f"{player.summary.frames / took_s:,.0f} frames/s, {seconds / took_s:,.0f} times its pace"
    print(f"{venue}: {bus.sha256} in {took_s:,.1f} s: {pace}", flush=True)
    return bus


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venues", default=VENUES, help="comma-separated")
    parser.add_argument("--seconds", type=float, default=86_400, help="length of the recordings in market time")
    parser.add_argument("--rate", type=float, default=1.0, help="mean changes of a book a second")
    parser.add_argument("--directory", type=Path, help="where to keep the recordings; default: nowhere")
    options = parser.parse_args()
    different = []
    with tempfile.TemporaryDirectory() as temporary:
        for venue in options.venues.split(","):
            path = (options.directory or Path(temporary)) / f"{venue}.{options.seconds:.0f}s.tape.gz"
            path.unlink(missing_ok=True)
            record(venue, path, options.seconds, options.rate)
            one, other = (replayed(venue, path, options.seconds) for _ in range(2))
            counts = ", ".join(f"{topic} {count:,}" for topic, count in sorted(one.counts.items()))
            is_same = (one.sha256, one.counts) == (other.sha256, other.counts)
            print(f"{venue}: {'equal' if is_same else 'DIFFERENT'}; {counts}", flush=True)
            different += [] if is_same else [venue]
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
