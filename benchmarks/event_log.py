"""Claim: a day of a running line adds fewer than 2,000 events and 10 MB to Dagster's event log.

    python -m benchmarks.event_log [--home .mdplatform/dagster] [--minutes 60]

Reads the SQLite files of a running stack's Dagster and counts what its last minutes added, by job and by kind of
event. A day is made of it so: a build of an hour comes 24 times, however often it came meanwhile; an ingest run begins
once, and observes with the growing pauses of its reporter; all else goes on at the same rate. Observations, checks and
other events that no run wrote are counted as ``(no run)``.
"""

from __future__ import annotations

import argparse
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.table import Table
from mdplatform.defs.ingest.jobs import LIFE_S
from mdplatform.defs.ingest.reporter import pause

BUILD, INGEST = "hourly_build", "ingest"
OBSERVATION = "ASSET_OBSERVATION"
NO_RUN = "(no run)"
AIM = (2_000, 10_000_000)  # events and bytes a day
DAY_S = 86_400.0


class Event(msgspec.Struct, frozen=True):
    """One row of the event log; ``size`` in bytes, as stored."""

    job: str
    run: str
    kind: str
    size: int


def events(home: Path, since: float) -> Iterator[Event]:
    """What was added after ``since`` (s since the epoch). A run's events are in a file of its own; the index repeats
    those of assets and holds alone what no run wrote."""
    with closing(_opened(home / "history" / "runs.db")) as runs:
        jobs = dict(runs.execute("SELECT run_id, pipeline_name FROM runs"))
    after = f"{datetime.fromtimestamp(since, UTC):%Y-%m-%d %H:%M:%S}"
    for path in sorted((home / "history" / "runs").glob("*.db")):
        own = "" if path.stem == "index" else path.stem
        with closing(_opened(path)) as file:
            found = file.execute(
                "SELECT coalesce(dagster_event_type, 'log line'), length(event) FROM event_logs"
                " WHERE run_id = ? AND timestamp > ?",
                (own, after),
            )
            for kind, size in found:
                yield Event(jobs.get(own, NO_RUN), own, kind, size)


def table(found: list[Event], seconds: float) -> Table:
    """By job and kind, the most frequent first; the last rows are what a day makes of it."""
    counts, sizes = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for event in found:
        counts[event.job, event.kind] += 1
        sizes[event.job, event.kind] += event.size
    rows: list[list[str | float | int | None]] = [
        [job, kind, count, sizes[job, kind] / 1e3] for (job, kind), count in counts.most_common()
    ]
    rows.append(["all", "", len(found), sum(event.size for event in found) / 1e3])
    a_day, a_day_bytes = (sum(amounts) for amounts in zip(*day(found, seconds), strict=True))
    rows.append(["a day", "24 builds, each run from its begin", a_day, a_day_bytes / 1e3])
    rows.append(["of the aim", "", a_day / AIM[0], a_day_bytes / AIM[1]])
    claim = f"what {seconds / 60:.0f} minutes added to Dagster's event log"
    return Table("event_log", claim, ["job", "event", "events", "kB"], rows)


def day(found: list[Event], seconds: float) -> Iterator[tuple[float, float]]:
    """The parts of a day, as events and bytes, by what ``seconds`` brought."""
    builds = max(1, len({event.run for event in found if event.job == BUILD}))
    shards = max(1, len({event.run for event in found if event.job == INGEST and event.kind == OBSERVATION}))
    seen = max(1, sum(event.job == INGEST and event.kind == OBSERVATION for event in found))
    for event in found:
        if event.job == BUILD:
            times = 24 / builds
        elif event.job == INGEST:
            times = shards * observations() / seen if event.kind == OBSERVATION else DAY_S / LIFE_S
        else:
            times = DAY_S / seconds
        yield times, times * event.size


def observations() -> int:
    """How often a run observes in its life."""
    count, age = 0, pause(0.0)
    while age < LIFE_S:
        count, age = count + 1, age + pause(age)
    return count


def _opened(path: Path) -> sqlite3.Connection:
    """Read only: the stack writes to it."""
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=Path(".mdplatform/dagster"))
    parser.add_argument("--minutes", type=float, default=60.0)
    arguments = parser.parse_args()
    seconds = arguments.minutes * 60
    print(table(list(events(arguments.home, time.time() - seconds)), seconds).text())


if __name__ == "__main__":
    main()
