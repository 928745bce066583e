"""Claim: from a recorded frame to the bytes of its topic, one core takes several times what the usual ways take.

    python -m benchmarks.frame_to_bytes [--runs 5]

No socket, no broker. Ours: sequence checked, book kept, intervals proven, message written. Beside it the plain stack
(ujson, pydantic, SortedDict), cryptofeed 2.4.1 (to what its Kafka backend sends), tardis-dev under Node (to the JSON of
its messages), nautilus_trader's data clients (to the JSON of its message bus) and the floor: orjson decoding the frame
and nothing else. Each on the same frames, one after the other, several times; CPU time, medians. What was played before
is collected before a way is made ready again, not just before its frames: 71 of them would be timed with empty caches.
"""

from __future__ import annotations

import argparse
import gc
from collections import defaultdict
from collections.abc import Callable
from functools import partial

import orjson

from benchmarks.recordings import RECORDINGS, Stream, session_of, streams
from benchmarks.rivals import feedhandler, nautilus, plain, tardis_dev
from benchmarks.table import Cell, Table, median, ratio, warm_cpu_seconds
from mdplatform.core.codec import encode
from mdplatform.core.session import Fetch, Reconnect, Send

COMMANDS = frozenset((Send, Fetch, Reconnect))  # to the driver, all else are events
ENOUGH_FRAMES = 1500  # a short recording is played again, from its beginning, until so many frames were timed


def ours(stream: Stream) -> float:
    session = session_of(stream.recording.venue)
    for entry in stream.before:
        session.receive(entry.frame, entry.received_ns)
    receive, frames = session.receive, [(entry.frame, entry.received_ns) for entry in stream.frames]

    def work() -> None:
        for frame, received_ns in frames:
            for output in receive(frame, received_ns):
                if type(output) not in COMMANDS:
                    encode(output)

    return warm_cpu_seconds(work)


def plainly(stream: Stream) -> float | None:
    if (stream.recording.market, stream.kind) not in plain.READS:
        return None
    stack = plain.Plain(stream.recording.venue)
    take, frames = stack.take, [(entry.frame, entry.received_ns) for entry in stream.frames]
    for entry in stream.before:
        take(entry.frame, entry.received_ns)

    def work() -> None:
        for frame, received_ns in frames:
            take(frame, received_ns)

    return warm_cpu_seconds(work)


def floor(stream: Stream) -> float:
    frames = [entry.frame for entry in stream.frames]

    def work() -> None:
        for frame in frames:
            orjson.loads(frame)

    return warm_cpu_seconds(work)


def here(measured: Callable[[Stream], float | None]) -> Callable[[Stream, int], float | None]:
    """CPU seconds for the stream's frames, of each repeat, of what is measured in this process."""

    def repeated(stream: Stream, repeats: int) -> float | None:
        taken = []
        for _ in range(repeats):
            gc.collect()
            taken.append(measured(stream))
        return None if None in taken else sum(filter(None, taken)) / repeats

    return repeated


MEASURES = {
    "ours": here(ours),
    "plain": here(plainly),
    "cryptofeed": here(partial(feedhandler.seconds, to_bytes=True)),
    "callback": here(partial(feedhandler.seconds, to_bytes=False)),
    "tardis-dev": tardis_dev.seconds,
    "nautilus": partial(nautilus.seconds, to_bytes=True),
    "nautilus objects": partial(nautilus.seconds, to_bytes=False),
    "floor": here(floor),
}
WAYS = tuple(MEASURES)


def rates(stream: Stream, runs: int) -> dict[str, float | None]:
    """Frames a second of each way; the ways take turns, so that what else the machine does meets them all."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    silent: set[str] = set()  # ways that do not read this stream
    repeats = -(-ENOUGH_FRAMES // len(stream.frames))
    for _ in range(runs):
        for way in [way for way in WAYS if way not in silent]:
            taken = MEASURES[way](stream, repeats)
            if taken is None:
                silent.add(way)
            else:
                found[way].append(len(stream.frames) / taken)
    return {way: median(found[way]) for way in WAYS}


def measure(runs: int = 5) -> Table:
    rows: list[list[Cell]] = []
    for recording in RECORDINGS:
        for stream in streams(recording):
            rate = rates(stream, runs)
            times = [ratio(rate["ours"], rate[way]) for way in WAYS[1:]]
            name = f"{recording.market} {stream.kind}"
            size = sum(len(entry.frame) for entry in stream.frames) / len(stream.frames)
            rows.append([*times, *rate.values(), name, len(stream.frames), size])
    columns = [f"x {way}" for way in WAYS[1:]] + list(WAYS)
    claim = "frames a second and core, from a recorded frame to the bytes of its topic, without I/O"
    notes = [
        "plain: ujson + pydantic + SortedDict, for the markets it was written for. cryptofeed: 2.4.1, to the bytes",
        "of its Kafka backend; callback: to a callback that does nothing. tardis-dev: 13.35.3, its mappers under Node",
        "when compiled, to JSON; a book only when one of its 20 levels changed, ours at each frame; no sequence",
        "checked, numbers are floats. Of Deribit's 46 frames 10 begin a book: one takes as much as four others.",
        "nautilus: 1.221.0, its clients for Binance and Bybit, from what their socket calls through its data engine,",
        "deltas applied to its book, to the JSON of its bus: of a book each change as an object, not 20 levels; no",
        "sequence checked. nautilus objects: without JSON. floor: orjson.loads of the frame alone. -: it does not",
        "read that recording. CPU time of one process with all its threads, medians; last: a frame's mean size.",
    ]
    return Table("frame_to_bytes", claim, [*columns, "frames of", "frames", "bytes"], rows, notes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    print(measure(parser.parse_args().runs).text())
