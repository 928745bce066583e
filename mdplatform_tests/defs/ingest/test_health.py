"""A dead venue is red within two minutes, while others fill the same tables."""

import json
import time
from typing import Any

import dagster as dg
import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.collector import pauses
from mdplatform.collector.pauses import Pause
from mdplatform.core.shards import Shard
from mdplatform.defs.ingest.health import INTERVAL_S, NAME, feed_health, feed_watch
from mdplatform.defs.ingest.health_policy import PATIENCE_S, SILENT_S, START_S, FeedState, judge
from mdplatform.defs.resources import Platform
from mdplatform_tests.warehouse.rows import put_status

NOW = 1_800_000_000.0
BTC, ETH = Shard("okx", ("BTC-USDT",)), Shard("okx", ("ETH-USDT",))
B = Shard("okx", ("BTC-USDT",), collector="B")


def feed(
    state: str = "valid", since: float = 600, stated: float = 3, symbol: str = "BTC-USDT", **other: str
) -> FeedState:
    given = {"channel": "book", "collector": "A", "cause": "no_updates"} | other
    return FeedState("okx", symbol, state=state, since_s=NOW - since, stated_s=NOW - stated, **given)


@pytest.mark.parametrize(
    ("shards", "states", "grade"),
    [
        ([BTC], [feed()], "alive"),
        ([BTC], [feed("stale", since=50)], "dead"),
        ([BTC], [feed("resync", since=10)], "alive"),  # a resync takes seconds
        ([BTC], [feed(stated=60)], "dead"),  # its collector is gone
        ([BTC], [], "dead"),
        ([BTC], [feed(), feed("stale", channel="trades")], "partly"),
        ([BTC, ETH], [feed()], "dead"),  # nothing of the other symbol group
        ([BTC, B], [feed("down"), feed(collector="B")], "alive"),  # the other collector proves it
        ([Shard("okx", ("BTC-USD@front",))], [feed(symbol="BTC-USD-20261225")], "alive"),
    ],
)
def test_a_venue_is_as_alive_as_its_deadest_symbol_group(
    shards: list[Shard], states: list[FeedState], grade: str
) -> None:
    assert judge(shards, states, NOW - 600, NOW).grade == grade


def test_a_venue_that_is_to_be_collected_since_a_moment_has_time_to_begin() -> None:
    assert judge([BTC], [], NOW - START_S + 1, NOW).grade == "starting"
    assert judge([BTC], [], NOW - START_S - 1, NOW).grade == "dead"


def test_a_venue_that_stays_dead_is_the_same_news() -> None:
    first, later = (judge([BTC], [feed("down")], 0, NOW + passed) for passed in (0, 0.1))
    assert first.kind == later.kind
    assert "down (no_updates) since" in first.text


def test_the_slowest_look_is_within_two_minutes() -> None:
    assert max(PATIENCE_S, SILENT_S) + INTERVAL_S < 120


class Watch:
    """The sensor, look after look."""

    def __init__(self, instance: dg.DagsterInstance, platform: Platform) -> None:
        self.instance, self.platform = instance, platform
        self.cursor: str | None = None

    def look(self) -> list[dg.AssetCheckEvaluation]:
        resources: dict[str, Any] = {"platform": self.platform}
        with dg.build_sensor_context(instance=self.instance, resources=resources, cursor=self.cursor) as context:
            found = feed_watch(context)
        assert isinstance(found, dg.SensorResult)
        self.cursor = found.cursor
        return [event for event in found.asset_events if isinstance(event, dg.AssetCheckEvaluation)]

    def pass_time(self) -> None:
        """As if all that is known had been known for ten minutes."""
        kept = json.loads(self.cursor or "{}")
        for venue in kept.values():
            venue["wanted_since"] = venue["wanted_since"] and venue["wanted_since"] - 600
        self.cursor = json.dumps(kept)


@pytest.fixture
def watch(warehouse: Client, platform: Platform, instance: dg.DagsterInstance) -> Watch:
    overrides = platform.overrides | {"MDPLATFORM_INGEST": "okx:BTC-USDT;bybit:BTC-USDT"}
    return Watch(instance, Platform(overrides=overrides))


def stated(client: Client, exchange: str, state: str, ago: float) -> None:
    started = time.time_ns() - round(ago * 1e9)
    put_status(client, state, started, time.time_ns(), exchange=exchange)


def test_one_dead_venue_is_red_though_the_other_fills_the_same_tables(watch: Watch, warehouse: Client) -> None:
    for exchange in ("okx", "bybit"):
        stated(warehouse, exchange, "valid", 600)
    assert {event.passed for event in watch.look()} == {True}
    watch.pass_time()
    stated(warehouse, "okx", "down", 100)
    (event,) = watch.look()
    assert (event.asset_key.path, event.passed, event.severity) == (
        ["feed", "okx"],
        False,
        dg.AssetCheckSeverity.ERROR,
    )
    assert watch.look() == []  # once


def test_nothing_is_stated_of_a_venue_before_there_is_something_to_judge(watch: Watch, warehouse: Client) -> None:
    stated(warehouse, "bybit", "valid", 600)
    (first,) = watch.look()
    assert (first.asset_key.path[1], first.passed) == ("bybit", True)
    stated(warehouse, "okx", "valid", 5)
    (then,) = watch.look()
    assert (then.asset_key.path[1], then.description) == ("okx", "feeds stated: 1; none is without proof for long")


def test_a_paused_venue_says_since_when_and_by_whom(watch: Watch, warehouse: Client) -> None:
    stated(warehouse, "bybit", "valid", 600)
    data_dir = watch.platform.settings().data_dir
    pauses.pause(data_dir, Pause("okx", 1_800_000_000_000_000_000, "ann"))
    found = {event.asset_key.path[1]: event for event in watch.look()}
    assert found["okx"].description == "okx is paused by an operator (ann) since 2027-01-15 08:00:00 UTC"
    assert (found["okx"].passed, found["okx"].severity) == (False, dg.AssetCheckSeverity.WARN)


def test_the_check_can_be_executed_by_hand(watch: Watch, warehouse: Client, instance: dg.DagsterInstance) -> None:
    stated(warehouse, "bybit", "valid", 600)
    stated(warehouse, "okx", "stale", 600)
    job = dg.Definitions(
        asset_checks=[feed_health], resources={"platform": watch.platform}
    ).resolve_implicit_global_asset_job_def()
    found = job.execute_in_process(instance=instance).get_asset_check_evaluations()
    assert {each.asset_key.path[1] for each in found if not each.passed} == {"okx"}
    assert all(each.check_name == NAME for each in found)


def test_the_events_of_the_sensor_are_where_alerts_look(watch: Watch, warehouse: Client) -> None:
    from mdplatform.defs.alerts.sources import check_alerts

    watch.look()
    watch.pass_time()
    for event in watch.look():
        watch.instance.report_runless_asset_event(event)
    keys = [dg.AssetCheckKey(dg.AssetKey(["feed", "okx"]), NAME)]
    (alert,), _ = check_alerts(watch.instance, keys, 0)
    assert alert.text is not None
    assert alert.text.startswith("ERROR: feed_is_alive failed for feed/okx: BTC-USDT: no collector has stated")
