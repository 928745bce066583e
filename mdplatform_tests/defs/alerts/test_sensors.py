"""Alerts over a real webhook: one post a cause, again only after it was over, one summary of many."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import dagster as dg
import pytest

from mdplatform.alerts.policy import Alert, content, settle
from mdplatform.defs.alerts.sensors import alert_sensor, summary
from mdplatform.defs.resources import Platform

ASSET = dg.AssetKey("spread_hourly")
Look = Callable[[], None]


@dataclass
class Webhook:
    """A server on loopback that keeps what is posted, and answers ``status``."""

    url: str
    posts: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200


@pytest.fixture(params=["memory", "disk"])
def instance(request: pytest.FixtureRequest) -> dg.DagsterInstance:
    """Both kinds of storage: all events in one place, and a file for the events of each run."""
    name = "shipped_instance" if request.param == "disk" else "ephemeral_instance"
    found: dg.DagsterInstance = request.getfixturevalue(name)
    return found


@pytest.fixture
def ephemeral_instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    hook = Webhook("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if hook.status == 200:
                hook.posts.append(json.loads(body))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.url = f"http://127.0.0.1:{server.server_port}/secret"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield hook
        server.shutdown()
        thread.join()


@pytest.fixture
def look(webhook: Webhook, instance: dg.DagsterInstance) -> Look:
    """One look of the sensor, which goes on from the one before; the first is already done."""
    sensor = alert_sensor([ASSET], [dg.AssetCheckKey(ASSET, "book_is_not_crossed")])
    platform = Platform(overrides={"MDPLATFORM_ALERT_WEBHOOK": webhook.url})
    cursor: list[str | None] = [None]

    def once() -> None:
        with dg.build_sensor_context(instance=instance, resources={"platform": platform}, cursor=cursor[0]) as context:
            result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        cursor[0] = result.cursor

    once()
    return once


def evaluated(instance: dg.DagsterInstance, passed: bool, *partitions: str) -> None:
    """A run in which the check gives this for each partition."""
    metadata: dict[str, Any] = {} if passed else {"bad_rows": 3, "next_step": "mend it"}

    @dg.op
    def check() -> Iterator[Any]:
        for partition in partitions or ("2026-11-21-08:00",):
            yield dg.AssetCheckEvaluation(ASSET, "book_is_not_crossed", passed, metadata, partition=partition)
        yield dg.Output(None)

    @dg.job
    def checks() -> None:
        check()

    checks.execute_in_process(instance=instance)


def test_a_failed_check_is_posted_once_with_its_rows_and_next_step(
    webhook: Webhook, look: Look, instance: dg.DagsterInstance
) -> None:
    evaluated(instance, passed=False)
    look()
    look()
    (post,) = webhook.posts
    assert post["text"] == ("ERROR: book_is_not_crossed failed for spread_hourly 2026-11-21-08:00, 3 rows\nmend it")


def test_a_cause_that_lasts_is_not_posted_again(webhook: Webhook, look: Look, instance: dg.DagsterInstance) -> None:
    for _ in range(3):
        evaluated(instance, passed=False)
        look()
    assert len(webhook.posts) == 1


def test_a_cause_that_was_over_is_posted_again(webhook: Webhook, look: Look, instance: dg.DagsterInstance) -> None:
    for passed in (False, True, False):
        evaluated(instance, passed)
        look()
    assert len(webhook.posts) == 2


def test_many_causes_are_one_summary(webhook: Webhook, look: Look, instance: dg.DagsterInstance) -> None:
    evaluated(instance, False, *(f"2026-11-21-{hour:02}:00" for hour in range(12)))
    look()
    (post,) = webhook.posts
    assert (post["count"], len(post["causes"])) == (12, 10)
    assert post["text"].endswith("- and 2 more")


def test_a_webhook_that_refuses_is_asked_again(webhook: Webhook, look: Look, instance: dg.DagsterInstance) -> None:
    webhook.status = 503
    evaluated(instance, passed=False)
    look()
    webhook.status = 200
    look()
    look()
    assert len(webhook.posts) == 1


def test_a_failed_run_is_posted_until_one_of_its_job_succeeds(
    webhook: Webhook, look: Look, instance: dg.DagsterInstance
) -> None:
    broken = [True]

    @dg.op
    def work() -> None:
        if broken[0]:
            raise dg.Failure("no")

    @dg.job
    def nightly() -> None:
        work()

    for broken[0] in (True, True, False, True):
        nightly.execute_in_process(instance=instance, raise_on_error=False)
        look()
    assert [post["causes"][0]["cause"] for post in webhook.posts] == ["run/nightly/"] * 2


def state_change(state: str) -> Any:
    """What Dagster's daemon reports when an asset becomes stale or fresh; it exports no constructor of it."""
    states = {
        name: {"__enum__": f"FreshnessState.{value}"}
        for name, value in {"new_state": state, "previous_state": "UNKNOWN"}.items()
    }
    at = datetime.now(UTC).timestamp()
    key = json.loads(dg.serialize_value(ASSET))
    return dg.deserialize_value(
        json.dumps({"__class__": "FreshnessStateChange", "key": key, **states, "state_change_timestamp": at})
    )


def test_a_stale_asset_is_posted_until_it_is_fresh(webhook: Webhook, look: Look, instance: dg.DagsterInstance) -> None:
    for state in ("FAIL", "PASS", "FAIL"):
        instance.report_runless_asset_event(state_change(state))
        look()
        look()
    assert [post["causes"][0]["cause"] for post in webhook.posts] == ["stale/spread_hourly"] * 2


def test_a_tick_names_what_is_new_and_what_is_over() -> None:
    outcome = settle([Alert("a", "x"), Alert("b", "y")], [Alert("a", None), Alert("c", "broken")])
    assert summary(outcome) == "new: c; over: a; 2 open"


def test_a_cause_that_came_and_went_between_two_looks_is_not_posted() -> None:
    outcome = settle([], [Alert("a", "broken"), Alert("a", None)])
    assert (outcome.new, outcome.open) == ((), ())


def test_a_single_cause_is_posted_with_its_next_step() -> None:
    assert content([Alert("a", "broken", "mend it")])["text"] == "broken\nmend it"
