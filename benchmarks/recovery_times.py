"""Claim: whatever is killed, data flows again by itself, nothing that the broker kept is lost, and no orphan stays.

    python benchmarks/recovery_times.py [--ingest "binance:BTC-USDT;..."] [--only broker daemon ...] [--patience 75]

Starts the demo (`mdplatform up --demo`) on a temporary directory and kills, one after the other and with SIGKILL: a
collector, its run worker, Dagster's code server, its daemon, ClickHouse, the broker. Of each is printed how long until
every venue's newest row that a reader sees was received less than FRESH_S ago, and stays so; the longest time in
which a venue was not heard (by the rows' receive times; of the broker's kill it includes what the embedded broker had
not saved, see its docstring); when all processes are there again, and how many have lost their parent.
In the end each message of books and trades that the broker holds is looked for in the readers' tables: none may be
lost, none doubled; the hour's checks say whether a gap is unstated. The stack is ended: no process may stay.
Exits with 1 where one of these does not hold. Takes up to eight minutes on two cores.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from clickhouse_connect.driver.client import Client

from mdplatform.bus.admin import Admin
from mdplatform.bus.reader import Reader
from mdplatform.core import stack_state
from mdplatform.core.errors import MdplatformError
from mdplatform.core.process import ChildProcess, spawn
from mdplatform.core.settings import Settings, load
from mdplatform.defs.hours.checks import judge
from mdplatform.defs.hours.claims import CLAIMS
from mdplatform.warehouse.client import connect

INGEST = "binance:BTC-USDT,ETH-USDT;coinbase:BTC-USD;deribit:BTC-USD-PERP"
FRESH_S = 3.0  # how old the newest row of a venue may be: tables take up messages within a second
CALM_S = 12.0  # fresh for so long, and with all processes there, means recovered
LOOK_S = 0.5
READ_S = 60.0  # for the tables to have what the broker holds
# A process of each kind, by what its command line says, in the order in which they are killed; the run worker is a
# collector's parent.
KINDS = {
    "collector": "mdplatform collect",
    "run worker": "",
    "code server": "dagster api grpc",
    "daemon": "dagster._daemon",
    "ClickHouse": "mdplatform.embedded.clickhouse",
    "broker": "noida-db start",
}
RECONCILED = ("sequence_has_no_gap", "trade_ids_have_no_gap", "rows_are_unique", "offsets_have_no_holes")
NEWEST = "SELECT exchange, max(received_at) FROM md_orderbook_depth WHERE timestamp > now() - 300 GROUP BY exchange"
LONGEST_SILENCE = """
    SELECT max(arrayMax(arrayDifference(arraySort(times)))) / 1000
    FROM (SELECT groupArray(toUnixTimestamp64Milli(received_at)) AS times FROM md_orderbook_depth
        WHERE received_at >= {since:DateTime64(3, 'UTC')} GROUP BY exchange)"""
ROWS = {
    "books": "SELECT exchange, symbol, toString(sequence), count() FROM md_orderbook_depth GROUP BY 1, 2, 3",
    "trades": "SELECT exchange, symbol, id, count() FROM md_trades GROUP BY 1, 2, 3",
}
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    command: str


class Told(msgspec.Struct):
    """What identifies a message of a book or a trade."""

    exchange: str
    symbol: str
    sequence: int | None = None
    id: str | None = None


@dataclass
class Rig:
    """The running demo."""

    directory: Path
    up: ChildProcess
    settings: Settings
    collectors: int = field(init=False)

    def __post_init__(self) -> None:
        self.collectors = len(self.settings.ingest.split(";"))

    def processes(self) -> list[Process]:
        """All living ones that bear the stack's directory in their command line or environment."""
        mark, found = str(self.directory).encode(), []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                command, environ = (place / "cmdline").read_bytes(), (place / "environ").read_bytes()
                stat = (place / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            is_ours = int(place.name) != os.getpid() and (mark in command or mark in environ)
            if is_ours and stat[0] != "Z":
                text = command.replace(b"\0", b" ").decode(errors="replace")
                found.append(Process(int(place.name), int(stat[1]), text))
        return found

    def is_whole(self) -> bool:
        """Whether there is a process of each kind, and a collector for each shard, no more."""
        everyone = self.processes()
        return len(of_kind("collector", everyone)) == self.collectors and all(of_kind(kind, everyone) for kind in KINDS)

    def ages(self) -> dict[str, float]:
        """By venue, how many seconds ago its newest visible row was received; {} while nobody answers."""
        try:
            with connect(self.settings) as client:
                now = datetime.now(UTC)
                rows = client.query(NEWEST, tz_mode="aware").result_rows
                return {exchange: (now - received).total_seconds() for exchange, received in rows}
        except (MdplatformError, OSError):
            return {}

    def is_fresh(self) -> bool:
        ages = self.ages()
        return len(ages) == self.collectors and max(ages.values()) < FRESH_S


def of_kind(kind: str, everyone: Sequence[Process]) -> list[Process]:
    if kind != "run worker":
        return [process for process in everyone if KINDS[kind] in process.command]
    parents = {process.parent for process in everyone if KINDS["collector"] in process.command}
    return [process for process in everyone if process.pid in parents]


@contextmanager
def demo(ingest: str) -> Iterator[Rig]:
    """The demo, ended with the block; its processes are looked for after that by whoever wants to know."""
    with tempfile.TemporaryDirectory(prefix="recovery-", ignore_cleanup_errors=True) as place:
        directory = Path(place) / "data"
        # Nothing may be forgotten before it is reconciled.
        given = {"MDPLATFORM_INGEST": ingest, "MDPLATFORM_KAFKA_RETENTION_BYTES": str(2**30)}
        given["MDPLATFORM_KAFKA_RETENTION_MS"] = str(3600 * 1000)
        command = [sys.executable, "-m", "mdplatform", "up", "--demo", "--data-dir", str(directory), "--json"]
        with spawn(command, name="demo", log=Path(place) / "up.log", env=given) as up:
            up.wait_until_ready(lambda: (found := stack_state.read(directory)) is not None and found.ready, 300)
            at = stack_state.read(directory)
            assert at is not None
            settings = load(
                {**given, "KAFKA_BROKERS": at.kafka or "", "CLICKHOUSE_URL": at.clickhouse or "", "LOG_LEVEL": "ERROR"}
            )
            rig = Rig(directory, up, settings)
            yield rig
            up.stop(90)
            left = [process for process in rig.processes() if process.pid != up.pid]
            print(f"ended: {len(left)} processes stay{''.join(f'; {p.pid} {p.command[:80]}' for p in left)}")
            if left:
                raise SystemExit(1)


def until(holds: Callable[[], bool], patience: float) -> float | None:
    """Seconds until it held, and went on to hold for CALM_S; None where patience ended before."""
    begun = time.monotonic()
    since: float | None = None
    while (now := time.monotonic()) - begun < patience + (CALM_S if since else 0):
        if not holds():
            since = None
        elif since is None:
            since = now
        elif now - since >= CALM_S:
            return since - begun
        time.sleep(LOOK_S)
    return None


def kill(rig: Rig, kind: str, patience: float) -> bool:
    """Kill the newest process of the kind and print what followed; False where data did not come back."""
    victim = max(of_kind(kind, rig.processes()), key=lambda process: process.pid)
    at = datetime.now(UTC)
    begun, whole_after = time.monotonic(), -1.0
    os.kill(victim.pid, signal.SIGKILL)

    def holds() -> bool:
        nonlocal whole_after
        if not rig.is_whole():
            whole_after = -1.0
            return False
        if whole_after < 0:
            whole_after = time.monotonic() - begun
        return rig.is_fresh()

    fresh_after = until(holds, patience)
    silence = -1.0
    if fresh_after is not None:
        with connect(rig.settings) as client:
            ((silence,),) = client.query(LONGEST_SILENCE, {"since": at - timedelta(seconds=5)}).result_rows
    orphans = [process for process in rig.processes() if process.parent == 1]
    fresh = f"{fresh_after:>9.1f} s" if fresh_after is not None else f"not in {patience:.0f} s"
    print(f"{kind:<14}{fresh:>11}{silence:>11.1f} s{whole_after:>11.1f} s{len(orphans):>10}", flush=True)
    return fresh_after is not None and not orphans


def messages(settings: Settings, dataset: str) -> Counter[Key]:
    """What the broker holds now of books or trades, by exchange, symbol and number."""
    template = settings.topic_books if dataset == "books" else settings.topic_trades
    prefix = template.partition("{")[0]
    decode = msgspec.json.Decoder(Told).decode
    found: Counter[Key] = Counter()
    admin = Admin(settings)
    marks = admin.watermarks([topic for topic in admin.topics() if topic.startswith(prefix)])
    with Reader(settings) as reader:
        for (topic, partition), (first, end) in marks.items():
            for message in reader.read_range(topic, partition, first, end):
                told = decode(message.value)
                number = str(told.sequence) if dataset == "books" else told.id or ""
                found[told.exchange, told.symbol, number] += 1
    return found


def reconciled(settings: Settings, client: Client, dataset: str) -> bool:
    """Print what of the topics is in the table; False where a message is not, or a row is there twice."""
    held = messages(settings, dataset)
    deadline = time.monotonic() + READ_S
    while True:
        rows: dict[Key, int] = {(row[0], row[1], row[2]): row[3] for row in client.query(ROWS[dataset]).result_rows}
        lost = held.keys() - rows.keys()
        if not lost or time.monotonic() > deadline:
            break
        time.sleep(LOOK_S)
    doubled = [key for key, count in rows.items() if count > 1]
    print(
        f"{dataset:<8}{sum(held.values()):>10,} messages held, of {len(held):,} updates; {len(rows):,} rows, "
        f"{len(rows.keys() - held.keys()):,} of them forgotten by the broker: {len(lost)} lost, {len(doubled)} doubled"
    )
    for key in [*sorted(lost), *doubled][:5]:
        print(f"         {key}")
    return not lost and not doubled


def judged(client: Client, begun: datetime) -> None:
    """Print what the checks say of the hours of this run."""
    first = begun.replace(minute=0, second=0, microsecond=0)
    for hour in sorted({first, datetime.now(UTC).replace(minute=0, second=0, microsecond=0)}):
        for claim in (claim for claim in CLAIMS if claim.name in RECONCILED):
            finding = judge(client, claim, hour)
            print(f"{claim.name} {hour:%H:%M}: {'holds' if finding.passed else 'does not hold'}")
            if not finding.passed:
                print(finding.metadata["first_rows"].value)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ingest", default=INGEST)
    parser.add_argument("--only", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--patience", type=float, default=75.0, help="seconds to wait for each recovery")
    options = parser.parse_args()
    logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)  # it reports each refused connection itself
    begun = datetime.now(UTC)
    with demo(options.ingest) as rig:
        first = until(lambda: rig.is_whole() and rig.is_fresh(), 180)
        if first is None:
            print(f"the demo brought no fresh data: {rig.ages()}", file=sys.stderr)
            return 1
        print(f"the demo's data is fresh {first:.1f} s after Dagster was ready; {len(rig.processes())} processes")
        print(f"{'killed':<14}{'fresh after':>11}{'not heard':>13}{'all back':>13}{'orphans':>10}", flush=True)
        good = [kill(rig, kind, options.patience) for kind in options.only]
        with connect(rig.settings) as client:
            good += [reconciled(rig.settings, client, dataset) for dataset in ROWS]
            judged(client, begun)
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
