"""Claim: one look of the supervisor stays far below its ten seconds with hundreds of shards, and a run is light.

    python benchmarks/supervisor_ticks.py [--shards 10 100 500]

For each number of shards, on a new Dagster instance with our settings (SQLite on disk): the seconds of a look that
finds no run and asks for all of them, of one that finds all of them alive (the medians of three), and of one that
finds all of them silent: it gives up and replaces as many as it has time for, and leaves the rest to the next look.
Then the resident memory of a process that has loaded what a run's has (Dagster and our definitions), of one that is a
collector before its first frame, and what a collector must not load: pandas, pyarrow, dagster.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster import DagsterRunStatus

from mdplatform.core.shards import Shard
from mdplatform.defs.ingest.jobs import ingest
from mdplatform.defs.ingest.sensors import request, supervise
from mdplatform.defs.resources import Platform
from mdplatform.embedded.services import INSTANCE_CONFIG

ROUNDS = 3
MEMORY = """
import sys
import {module}
from mdplatform.core.process import resident_bytes
heavy = [name for name in ("dagster", "pandas", "pyarrow") if name in sys.modules]
print(f"{{(resident_bytes() or 0) / 1e6:6.0f}} MB  {module}; of dagster, pandas, pyarrow it loads: {{heavy}}")
"""


@dataclass(frozen=True)
class Look:
    """Its seconds, and how many runs it asked for."""

    seconds: float
    asked: int


@contextmanager
def instance() -> Iterator[tuple[dg.DagsterInstance, Path]]:
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "dagster"
        home.mkdir()
        shutil.copy(INSTANCE_CONFIG, home / "dagster.yaml")
        os.environ["DAGSTER_HOME"] = str(home)
        with dg.DagsterInstance.get() as found:
            yield found, Path(place)


def look(found: dg.DagsterInstance, platform: Platform, now: float) -> Look:
    started = time.perf_counter()
    result = supervise(found, platform, now)
    seconds = time.perf_counter() - started
    return Look(seconds, len(result.run_requests or []) if isinstance(result, dg.SensorResult) else 0)


def several(found: dg.DagsterInstance, platform: Platform, asked: int) -> float:
    """The median of ROUNDS looks, each of which must ask for so many runs."""
    looks = [look(found, platform, time.time()) for _ in range(ROUNDS)]
    if {each.asked for each in looks} != {asked}:
        raise SystemExit(f"{looks} asked for other than {asked} runs")
    return statistics.median(each.seconds for each in looks)


def measured(count: int) -> None:
    """Print the line of so many shards."""
    shards = [Shard("binance", (f"S{number}-USDT",)) for number in range(count)]
    wanted = ";".join(map(str, shards))
    with instance() as (found, place):
        platform = Platform(overrides={"MDPLATFORM_INGEST": wanted, "MDPLATFORM_DATA_DIR": str(place / "data")})
        nothing = several(found, platform, count)
        for shard in shards:
            asked = request(shard)
            found.create_run_for_job(
                ingest, run_config=asked.run_config, tags=dict(asked.tags), status=DagsterRunStatus.STARTED
            )
        for file in platform.lock_files(shard.key for shard in shards).values():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        alive = several(found, platform, 0)
        silent = look(found, platform, time.time() + 1000)
    print(f"{count:>6}{nothing:>10.2f} s{alive:>10.2f} s{silent.seconds:>10.2f} s, {silent.asked} replaced", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, nargs="+", default=[10, 100, 500])
    options = parser.parse_args()
    print("shards   none runs   all alive   all silent", flush=True)
    for count in options.shards:
        measured(count)
    for module in ("mdplatform.definitions", "mdplatform.cli.feeds"):
        print(
            subprocess.run(
                [sys.executable, "-c", MEMORY.format(module=module)], capture_output=True, text=True, check=True
            ).stdout,
            end="",
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
