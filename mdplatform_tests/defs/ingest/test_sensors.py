"""The sensor against a real instance: what it asks for, gives up and ends."""

import os
import time
from dataclasses import fields
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from mdplatform.collector import pauses
from mdplatform.collector.pauses import Pause
from mdplatform.core.settings import Settings
from mdplatform.core.shards import Shard
from mdplatform.defs.ingest import sensors
from mdplatform.defs.ingest.jobs import SHARD_TAG, ingest
from mdplatform.defs.ingest.pauses import PauseConfig, ResumeConfig, pause_venue, resume_venue
from mdplatform.defs.ingest.sensors import ingest_supervisor, request, supervise
from mdplatform.defs.resources import Platform

BTC, ETH = Shard("binance", ("BTC-USDT",)), Shard("binance", ("ETH-USDT",))


@pytest.fixture
def wanting_btc(tmp_path: Path) -> Platform:
    return Platform(overrides={"MDPLATFORM_INGEST": str(BTC), "MDPLATFORM_DATA_DIR": str(tmp_path)})


def begin(instance: dg.DagsterInstance, shard: Shard, status: DagsterRunStatus = DagsterRunStatus.STARTED) -> str:
    """A run as the sensor's request would have made it."""
    asked = request(shard)
    return instance.create_run_for_job(ingest, run_config=asked.run_config, status=status, tags=dict(asked.tags)).run_id


def beat(platform: Platform, shard: Shard, at: float) -> None:
    file = platform.lock_file(shard.key)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    os.utime(file, (at, at))


def asked(result: dg.SensorResult | dg.SkipReason) -> list[str]:
    requests = result.run_requests or [] if isinstance(result, dg.SensorResult) else []
    return [r.tags[SHARD_TAG] for r in requests]


def status(instance: dg.DagsterInstance, run_id: str) -> DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def test_the_sensor_asks_for_a_run_that_collects_the_shard(instance: dg.DagsterInstance, wanting_btc: Platform) -> None:
    with dg.build_sensor_context(instance=instance, resources={"platform": wanting_btc}) as context:
        result = ingest_supervisor(context)
    assert isinstance(result, dg.SensorResult)
    (found,) = result.run_requests or []
    assert found.run_config["ops"]["collect"]["config"]["symbols"] == ["BTC-USDT"]
    assert found.run_key is None


@pytest.mark.parametrize("state", [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED])
def test_a_run_on_its_way_is_not_doubled(
    instance: dg.DagsterInstance, wanting_btc: Platform, state: DagsterRunStatus
) -> None:
    begin(instance, BTC, state)
    assert asked(supervise(instance, wanting_btc, time.time())) == []


def test_a_run_without_heartbeat_fails_and_is_replaced(instance: dg.DagsterInstance, wanting_btc: Platform) -> None:
    run_id, now = begin(instance, BTC), time.time()
    beat(wanting_btc, BTC, now + 280)
    assert asked(supervise(instance, wanting_btc, now + 299)) == []
    assert asked(supervise(instance, wanting_btc, now + 301)) == [BTC.key]
    assert status(instance, run_id) == DagsterRunStatus.FAILURE


def test_a_look_without_time_leaves_silent_runs_to_the_next_and_starts_none_beside_them(
    instance: dg.DagsterInstance, wanting_btc: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, later = begin(instance, BTC), time.time() + 1000
    with monkeypatch.context() as hurry:
        hurry.setattr(sensors, "GIVE_UP_S", -1.0)
        assert asked(supervise(instance, wanting_btc, later)) == []
    assert status(instance, run_id) == DagsterRunStatus.STARTED
    assert asked(supervise(instance, wanting_btc, later)) == [BTC.key]


def test_the_heartbeat_of_an_earlier_run_counts_for_nothing(
    instance: dg.DagsterInstance, wanting_btc: Platform
) -> None:
    beat(wanting_btc, BTC, time.time() - 60)
    begin(instance, BTC)
    assert asked(supervise(instance, wanting_btc, time.time() + 30)) == []


def test_what_is_no_longer_wanted_is_cancelled(shipped_instance: dg.DagsterInstance, wanting_btc: Platform) -> None:
    run_id = begin(shipped_instance, ETH)
    supervise(shipped_instance, wanting_btc, time.time())
    assert status(shipped_instance, run_id) == DagsterRunStatus.CANCELING


def test_a_run_started_by_hand_is_left_alone(instance: dg.DagsterInstance, wanting_btc: Platform) -> None:
    run_id = instance.create_run_for_job(
        ingest, run_config=request(ETH).run_config, status=DagsterRunStatus.STARTED
    ).run_id
    supervise(instance, wanting_btc, time.time() + 1000)
    assert status(instance, run_id) == DagsterRunStatus.STARTED


def test_a_mistake_in_the_setting_ends_nothing(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    run_id = begin(instance, BTC)
    broken = Platform(overrides={"MDPLATFORM_INGEST": "binance", "MDPLATFORM_DATA_DIR": str(tmp_path)})
    result = supervise(instance, broken, time.time() + 1000)
    assert isinstance(result, dg.SkipReason)
    assert "MDPLATFORM_INGEST must read" in str(result.skip_message)
    assert status(instance, run_id) == DagsterRunStatus.STARTED


def test_a_run_that_failed_at_once_waits_before_the_next(instance: dg.DagsterInstance, wanting_btc: Platform) -> None:
    run = instance.get_run_by_id(begin(instance, BTC))
    assert run is not None
    instance.report_run_failed(run)
    now = time.time()
    assert asked(supervise(instance, wanting_btc, now)) == []
    assert asked(supervise(instance, wanting_btc, now + 6)) == [BTC.key]


def test_a_paused_venue_is_not_started_and_the_tick_says_by_whom(
    shipped_instance: dg.DagsterInstance, kafka_settings: Settings, tmp_path: Path
) -> None:
    variables = {f.metadata["variable"]: str(getattr(kafka_settings, f.name)) for f in fields(kafka_settings)}
    platform = Platform(
        overrides=variables
        | {"MDPLATFORM_INGEST": "binance:BTC-USDT;okx:BTC-USDT", "MDPLATFORM_DATA_DIR": str(tmp_path)}
    )
    okx = Shard("okx", ("BTC-USDT",))
    run_id = begin(shipped_instance, okx)
    config = dg.RunConfig(ops={"pause": PauseConfig(venue="okx", reason="maintenance")})
    assert pause_venue.execute_in_process(run_config=config, resources={"platform": platform}).success
    assert asked(supervise(shipped_instance, platform, time.time())) == [Shard("binance", ("BTC-USDT",)).key]
    assert status(shipped_instance, run_id) == DagsterRunStatus.CANCELING
    begin(shipped_instance, Shard("binance", ("BTC-USDT",)))
    run = shipped_instance.get_run_by_id(run_id)
    assert run is not None
    shipped_instance.report_run_canceled(run)
    found = supervise(shipped_instance, platform, time.time())
    assert isinstance(found, dg.SkipReason)
    said = str(found.skip_message)
    assert "okx is paused by an operator (Dagster run " in said
    assert "maintenance; stated " in said


def test_a_resumed_venue_is_started(instance: dg.DagsterInstance, wanting_btc: Platform) -> None:
    data_dir = wanting_btc.settings().data_dir
    pauses.pause(data_dir, Pause("binance", time.time_ns(), "ann"))
    config = dg.RunConfig(ops={"resume": ResumeConfig(venue="binance")})
    assert resume_venue.execute_in_process(run_config=config, resources={"platform": wanting_btc}).success
    assert asked(supervise(instance, wanting_btc, time.time())) == [BTC.key]
