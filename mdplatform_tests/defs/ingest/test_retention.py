"""Old ingest runs are forgotten, and nothing else is."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import DagsterRunStatus

from mdplatform.core.shards import Shard
from mdplatform.definitions import defs
from mdplatform.defs.ingest.jobs import ingest, run_config
from mdplatform.defs.ingest.retention import KEPT, forget


def test_ended_ingest_runs_are_forgotten_when_they_are_old(instance: dg.DagsterInstance) -> None:
    config = run_config(Shard("binance", ("BTC-USDT",))).to_config_dict()
    ended = instance.create_run_for_job(ingest, run_config=config, status=DagsterRunStatus.SUCCESS).run_id
    living = instance.create_run_for_job(ingest, run_config=config, status=DagsterRunStatus.STARTED).run_id
    hour = instance.create_run_for_job(defs.resolve_job_def("hourly_build"), status=DagsterRunStatus.SUCCESS).run_id
    now = datetime.now(UTC)
    assert forget(instance, now).startswith("deleted 0 ")
    assert forget(instance, now + KEPT + timedelta(minutes=1)).startswith("deleted 1 ")
    assert [instance.has_run(run) for run in (ended, living, hour)] == [False, True, True]
