"""An ingest run and its collector: one ends with the other, and what was received is sent."""

import asyncio
import dataclasses
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from mdplatform.bus.admin import Admin
from mdplatform.core.settings import Settings
from mdplatform.core.shards import Shard
from mdplatform.defs.ingest.jobs import run_config
from mdplatform.defs.resources import Platform
from mdplatform_tests.collector.rig import simulated
from mdplatform_tests.eventually import eventually

BTC = Shard("binance", ("BTC-USDT",))
Process = asyncio.subprocess.Process


@asynccontextmanager
async def run_of(platform: Platform, home: Path, life: float = 600.0, shard: Shard = BTC) -> AsyncIterator[Process]:
    """``dagster job execute`` of the ingest job on the simulator, ended at the end if it still runs."""
    config = home / "run.yaml"
    config.write_text(
        f"ops: {{collect: {{config: {{venue: {shard.venue}, symbols: [{', '.join(shard.symbols)}], "
        f"life_seconds: {life}}}}}}}"
    )
    command = [sys.executable, "-m", "dagster", "job", "execute", "-m", "mdplatform.definitions", "-j", "ingest"]
    with (home / "run.log").open("ab") as log:
        run = await asyncio.create_subprocess_exec(
            *command, "-c", str(config), env=platform.environ(), stdout=log, stderr=log
        )
    try:
        yield run
    finally:
        if run.returncode is None:
            run.terminate()
            await run.wait()


@asynccontextmanager
async def ingesting(
    settings: Settings, home: Path, life: float = 600.0, shard: Shard = BTC
) -> AsyncIterator[tuple[Process, Platform]]:
    """A run whose collector has published books."""
    async with simulated() as simulator:
        variables = {f.metadata["variable"]: str(getattr(settings, f.name)) for f in dataclasses.fields(settings)}
        variables |= {
            "MDPLATFORM_DATA_DIR": str(home),
            "MDPLATFORM_WS_URLS": f"binance={simulator.ws_url('binance')}",
            "MDPLATFORM_REST_URLS": f"binance={simulator.rest_url('binance')}",
        }
        platform = Platform(overrides=variables)
        async with run_of(platform, home, life, shard) as run:
            await eventually(lambda: run.returncode is not None or published(settings), 60)
            yield run, platform


def published(settings: Settings) -> int:
    marks = Admin(settings).watermarks([settings.topic_books])
    return sum(end for _, end in marks.values())


def collector(platform: Platform) -> int:
    """Process id of the shard's last collector."""
    return int(platform.lock_file(BTC.key).read_text())


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def last_status(instance: dg.DagsterInstance) -> DagsterRunStatus:
    return instance.get_runs(limit=1)[0].status


async def test_a_terminated_run_takes_its_collector_along(
    shipped_instance: dg.DagsterInstance, kafka_settings: Settings, tmp_path: Path
) -> None:
    async with ingesting(kafka_settings, tmp_path) as (run, platform):
        pid = collector(platform)
        run.terminate()
        async with asyncio.timeout(40):
            await run.wait()
    assert not lives(pid)
    assert last_status(shipped_instance) in (DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)


async def test_a_killed_collector_fails_its_run(
    shipped_instance: dg.DagsterInstance, kafka_settings: Settings, tmp_path: Path
) -> None:
    async with ingesting(kafka_settings, tmp_path) as (run, platform):
        os.kill(collector(platform), signal.SIGKILL)
        async with asyncio.timeout(40):
            await run.wait()
    assert last_status(shipped_instance) == DagsterRunStatus.FAILURE


async def test_a_killed_run_leaves_no_collector_behind(
    shipped_instance: dg.DagsterInstance, kafka_settings: Settings, tmp_path: Path
) -> None:
    async with ingesting(kafka_settings, tmp_path) as (run, platform):
        pid = collector(platform)
        run.kill()
        await eventually(lambda: not lives(pid), 30)


async def test_a_run_whose_life_is_over_succeeds_and_one_of_its_lines_says_which_symbol_is_not_listed(
    shipped_instance: dg.DagsterInstance, kafka_settings: Settings, tmp_path: Path
) -> None:
    shard = Shard("binance", ("BTC-USDT", "GONE-USDT"))
    async with ingesting(kafka_settings, tmp_path, life=12.0, shard=shard) as (run, _):
        async with asyncio.timeout(60):
            await run.wait()
    assert (last_status(shipped_instance), published(kafka_settings) > 0) == (DagsterRunStatus.SUCCESS, True)
    (found,) = shipped_instance.get_runs(limit=1)
    lines = [entry.user_message for entry in shipped_instance.all_logs(found.run_id)]
    assert sum(line.startswith("not collected: GONE-USDT of binance (book, trades): not_listed") for line in lines) == 1


@pytest.mark.parametrize("shard", [BTC, Shard("coinbase", ("BTC-USD", "ETH-USD"), ("matches",))])
def test_a_run_is_configured_with_its_shard(shard: Shard) -> None:
    config = run_config(shard).ops["collect"]
    assert config.shard() == shard
