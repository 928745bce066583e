"""What Dagster's webserver says to Prometheus, from both kinds of storage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from mdplatform.defs.hours.last_build import READ_AT, SPREAD_HOURLY
from mdplatform.defs.metrics import HOURS, dagster_families
from mdplatform.defs.partitions import key_of
from mdplatform.metrics.measures import exposition
from mdplatform_tests.metrics.scraping import Labels, values

NOW = datetime(2026, 11, 30, 14, 20, tzinfo=UTC)
CHECK = dg.AssetCheckKey(SPREAD_HOURLY, "book_is_not_crossed")


@pytest.fixture(params=["instance", "shipped_instance"])
def known(request: pytest.FixtureRequest) -> dg.DagsterInstance:
    found: dg.DagsterInstance = request.getfixturevalue(request.param)
    return found


def shown(instance: dg.DagsterInstance, now: datetime = NOW) -> dict[str, dict[Labels, float]]:
    found = values(exposition(dagster_families(instance, [CHECK], [SPREAD_HOURLY], now)).decode())
    return {name.removeprefix("mdplatform_"): of for name, of in found.items()}


def built(instance: dg.DagsterInstance, hour: datetime, at: datetime, passed: bool = True) -> None:
    """A run in which the hour was read at that time, and checked."""
    metadata = {READ_AT: dg.MetadataValue.timestamp(at.timestamp())}

    @dg.op
    def build() -> Iterator[Any]:
        yield dg.AssetMaterialization(SPREAD_HOURLY, partition=key_of(hour), metadata=metadata)
        yield dg.AssetCheckEvaluation(CHECK.asset_key, CHECK.name, passed, partition=key_of(hour))
        yield dg.Output(None)

    @dg.job(name="hourly_build")
    def job() -> None:
        build()

    job.execute_in_process(instance=instance)


def test_before_anything_was_built_no_hour_is_behind(known: dg.DagsterInstance) -> None:
    assert "unbuilt_partitions" not in shown(known)


def test_an_hour_counts_as_built_once_it_was_built_after_its_end(known: dg.DagsterInstance) -> None:
    at_12, at_13 = (NOW.replace(hour=hour, minute=0) for hour in (12, 13))
    built(known, at_12, at_13 + timedelta(minutes=5))
    assert shown(known)["unbuilt_partitions"] == {(): 1}
    built(known, at_13, at_13 + timedelta(minutes=30))  # by hand, while it ran
    assert shown(known)["unbuilt_partitions"] == {(): 1}
    built(known, at_13, NOW)
    assert shown(known)["unbuilt_partitions"] == {(): 0}
    assert shown(known, NOW + timedelta(days=30))["unbuilt_partitions"] == {(): HOURS}


def test_hours_before_the_first_one_that_was_built_are_not_missed(known: dg.DagsterInstance) -> None:
    built(known, NOW.replace(minute=0), NOW)  # the running one, by hand
    assert shown(known)["unbuilt_partitions"] == {(): 0}
    assert shown(known, NOW + timedelta(hours=2))["unbuilt_partitions"] == {(): 2}


def test_a_check_fails_for_hours_until_these_pass(known: dg.DagsterInstance) -> None:
    of_check: Labels = (("asset", "spread_hourly"), ("check", "book_is_not_crossed"))
    hours = [NOW.replace(minute=0) - timedelta(hours=back) for back in (1, 2, 100)]
    for hour in hours:
        built(known, hour, NOW, passed=False)
    assert shown(known)["check_failing_partitions"] == {of_check: 2}  # the third is long ago
    built(known, hours[0], NOW)
    assert shown(known)["check_failing_partitions"] == {of_check: 1}


def test_runs_are_counted_by_job_and_state(known: dg.DagsterInstance) -> None:
    @dg.op
    def broken() -> None:
        raise ValueError

    @dg.job
    def breaks() -> None:
        broken()

    built(known, NOW - timedelta(hours=1), NOW)
    breaks.execute_in_process(instance=known, raise_on_error=False)
    known.create_run_for_job(breaks)
    now = datetime.now(UTC)
    found = shown(known, now)
    assert found["runs"] == {(("job", "breaks"), ("status", "not_started")): 1}
    assert found["runs_recently_ended"] == {
        (("job", "breaks"), ("status", "failure")): 1,
        (("job", "hourly_build"), ("status", "success")): 1,
    }
    (succeeded,) = found["job_last_success_timestamp_seconds"].items()
    assert succeeded[0] == (("job", "hourly_build"),)
    assert now.timestamp() - succeeded[1] < 60
