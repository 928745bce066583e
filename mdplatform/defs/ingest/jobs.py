"""One run a shard: it lives as long as its collector, reports its counters, and takes it along when it ends."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from pydantic import Field

from mdplatform.collector import report
from mdplatform.core.process import ChildProcess, log_tail, spawn
from mdplatform.core.shards import FIRST, Shard
from mdplatform.defs.failures import fail
from mdplatform.defs.ingest.reporter import CollectorReporter
from mdplatform.defs.resources import Platform

SHARD_TAG = "ingest/shard"
FEED_TAG = "ingest/feed"  # venue, symbols and channels, for people
POLL_S = 0.25
RUN_CHECK_S = 5.0
DRAIN_S = 20.0  # a collector drains within 15 s
# Bounds the event log of a run, and lets new code in. The next run begins within seconds, its gap is a row.
LIFE_S = 24 * 3600.0


class ShardConfig(dg.Config):
    """What to collect."""

    venue: str
    symbols: list[str]
    channels: list[str] = Field(default=[])
    collector: str = FIRST
    life_seconds: float = LIFE_S

    def shard(self) -> Shard:
        return Shard(self.venue, tuple(self.symbols), tuple(self.channels), self.collector)


def run_config(shard: Shard) -> dg.RunConfig:
    """How the sensor asks for a run of ``shard``."""
    config = ShardConfig(
        venue=shard.venue, symbols=list(shard.symbols), channels=list(shard.channels), collector=shard.collector
    )
    return dg.RunConfig(ops={"collect": config})


@dg.op
def collect(context: dg.OpExecutionContext, config: ShardConfig, platform: Platform) -> None:
    """A venue's frames to Kafka, until the run is cancelled or its life is over; what was received is sent."""
    try:
        with collector(platform, config.shard()) as child:
            watch(context, child, config, platform)
    except dg.DagsterExecutionInterruptedError:
        fail("the run was asked to end; what was received is sent")  # cancelled, or its process is ended


@contextmanager
def collector(platform: Platform, shard: Shard) -> Iterator[ChildProcess]:
    """The collector's process. Leaving drains it; it ends with this process, however that ends."""
    data_dir, file = platform.data_dir(), report_file(platform, shard)
    for stale in report.files_of(file):
        stale.unlink(missing_ok=True)
    child = spawn(
        collect_command(shard, file),
        name=f"collector of {shard}",
        log=data_dir / "logs" / f"collect-{shard.key}.log",
        env=platform.environ(),
    )
    try:
        yield child
    finally:
        with _undisturbed():
            child.stop(DRAIN_S)


def collect_command(shard: Shard, file: Path) -> list[str]:
    """``--take-over`` ends a living collector of the shard first: the supervisor starts one only if it knows of none,
    so such a collector is an orphan."""
    chosen = {"--venue": shard.venue, "--symbols": ",".join(shard.symbols), "--channels": ",".join(shard.channels)}
    options = {**chosen, "--collector": shard.collector, "--report": str(file)}
    named = [part for option, value in options.items() for part in (option, value)]
    return [sys.executable, "-m", "mdplatform", "collect", *named, "--take-over", "--wait-for-listing"]


def report_file(platform: Platform, shard: Shard) -> Path:
    """Where the shard's collector writes its counters."""
    return report.report_file(platform.data_dir(), shard.key)


def watch(context: dg.OpExecutionContext, child: ChildProcess, config: ShardConfig, platform: Platform) -> None:
    """Until the run's life is over. Raises Failure when the collector ends by itself, or the run is no longer alive."""
    shard = config.shard()
    context.log.info(f"collecting {shard} in process {child.pid}; its log is {child.log}")
    reporter = CollectorReporter(shard, report_file(platform, shard), child.pid, time.time())
    start = checked = time.monotonic()
    while (now := time.monotonic()) - start < config.life_seconds:
        if not child.alive:
            fail(f"the collector of {shard} ended with code {child.returncode}:\n{log_tail(child.log)}")
        if now - checked >= RUN_CHECK_S:
            checked = now
            _refuse_to_outlive(context)
        for line in reporter.news(time.time()):
            context.log.warning(line)
        if (observation := reporter.look(time.time())) is not None:
            context.log_event(observation)
        time.sleep(POLL_S)
    context.log.info(f"ending after {config.life_seconds:g} s; the sensor starts the next run")


def _refuse_to_outlive(context: dg.OpExecutionContext) -> None:
    """A run that Dagster has given up may have a successor by now."""
    run = context.instance.get_run_by_id(context.run_id)
    if run is None or run.is_finished:
        fail("Dagster has given this run up; ending its collector")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second signal while draining (Ctrl-C reaches the whole group) would leave the collector behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dg.job(
    executor_def=dg.in_process_executor,
    description="Collects one shard (symbols of one venue) for as long as the run lives. The sensor keeps one running "
    "for each shard of MDPLATFORM_INGEST.",
)
def ingest() -> None:
    collect()
