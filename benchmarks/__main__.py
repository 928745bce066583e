"""Run the benchmarks, print their tables, keep them under ``benchmarks/results``.

    python -m benchmarks [--only NAME ...] [--runs N] [--list]

Each benchmark has a process of its own. A table is kept as soon as it is measured, so that a run of a few renews just
those. ``make bench`` comes here with everything installed that is measured against.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import active_children, get_context
from pathlib import Path

import msgspec

from benchmarks.table import Table

# In the order of the tables; each is a module here with ``measure(runs) -> Table``.
NAMES = ("frame_to_bytes", "socket_to_ack", "topic_to_rows", "venue_to_select", "scale_out", "archive_export", "bars")
RESULTS = Path(__file__).parent / "results"


class Result(msgspec.Struct):
    """One table, when and on what it was measured."""

    table: Table
    measured: str
    machine: str


def machine() -> str:
    """Cores, memory and versions; nothing that names the host."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    busy = os.getloadavg()[0]
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}; load average {busy:.1f} when it began"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def run(name: str, runs: int) -> Result:
    began, on = datetime.now(UTC), machine()
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        table: Table = process.submit(importlib.import_module(f"benchmarks.{name}").measure, runs).result()
    return Result(table, f"{began:%Y-%m-%d %H:%M} UTC, {runs} runs", on)


def kept() -> dict[str, Result]:
    file = RESULTS / "latest.json"
    return msgspec.json.decode(file.read_bytes(), type=dict[str, Result]) if file.exists() else {}


def keep(results: dict[str, Result]) -> None:
    RESULTS.mkdir(exist_ok=True)
    ordered = {name: results[name] for name in NAMES if name in results}
    (RESULTS / "latest.json").write_bytes(msgspec.json.format(msgspec.json.encode(ordered)) + b"\n")
    parts = [f"{result.table.text()}\n{result.measured}; {result.machine}.\n" for result in ordered.values()]
    head = "## Benchmarks\n\nWritten by `make bench`. Ratios come first: how many times the other one is ours.\n"
    (RESULTS / "latest.md").write_text("\n".join([head, *parts]))


def end(number: int, frame: object) -> None:
    """The process that measures would outlive this one, and with it whatever it started."""
    for child in active_children():
        child.terminate()
    sys.exit(128 + number)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=NAMES, default=NAMES, help="just these")
    parser.add_argument("--runs", type=int, default=3, help="of each measurement, of which the median is reported")
    parser.add_argument("--list", action="store_true", help="name the benchmarks and end")
    options = parser.parse_args()
    if options.list:
        print("\n".join(NAMES))
        return
    signal.signal(signal.SIGTERM, end)
    results = kept()
    for name in options.only:
        print(f"{name} ...", file=sys.stderr, flush=True)
        results[name] = run(name, options.runs)
        keep(results)
        print(results[name].table.text(), flush=True)


if __name__ == "__main__":
    main()
