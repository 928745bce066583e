"""What we require of any broker's consumer groups: they share, they resume, and the dead do not block the living."""

import time
import uuid

import pytest

from mdplatform.bus.admin import Admin
from mdplatform.bus.config import consumer_config, passing_config
from mdplatform.bus.subscription import Subscription
from mdplatform.core.errors import BusError
from mdplatform.core.settings import Settings
from mdplatform_tests.contract.kafka.conftest import Fill, take


@pytest.fixture
def group() -> str:
    return f"group-{uuid.uuid4().hex[:8]}"


def member(settings: Settings, group: str, topic: str, instance: str | None = None) -> Subscription:
    return Subscription(consumer_config(settings, group, instance, start="earliest"), [topic])


def shares(*members: Subscription) -> list[int]:
    """How many partitions each holds; polls them so that they take part in rebalancing."""
    for subscription in members:
        subscription.take(0.05)
    return [len(subscription.assignment()) for subscription in members]


def wait_for_shares(expected: list[int], *members: Subscription) -> None:
    deadline = time.monotonic() + 60
    while (held := shares(*members)) != expected:
        assert time.monotonic() < deadline, f"members hold {held} partitions, not {expected}"


def test_a_group_goes_on_behind_what_it_has_committed(
    kafka_settings: Settings, group: str, topic: str, fill: Fill
) -> None:
    fill(100)
    with member(kafka_settings, group, topic) as first:
        done = take(first, 40)
        first.commit()
    with member(kafka_settings, group, topic) as second:
        rest = take(second, 60)
    assert sorted(int(m.value) for m in done + rest) == list(range(100))


def test_what_was_not_committed_comes_again(kafka_settings: Settings, group: str, topic: str, fill: Fill) -> None:
    fill(50)
    for _ in range(2):
        with member(kafka_settings, group, topic) as subscription:
            assert len(take(subscription, 50)) == 50


def test_committing_with_nothing_taken_is_no_error(kafka_settings: Settings, group: str, topic: str) -> None:
    with member(kafka_settings, group, topic) as subscription:
        subscription.take(0.1)
        subscription.commit()


def test_two_members_share_the_partitions_and_one_inherits_the_other_s(
    kafka_settings: Settings, group: str, topic: str
) -> None:
    plain = passing_config(kafka_settings, group)
    with Subscription(plain, [topic]) as first:
        wait_for_shares([4], first)
        with Subscription(plain, [topic]) as second:
            wait_for_shares([2, 2], first, second)
        wait_for_shares([4], first)


def test_a_member_that_came_back_by_its_name_has_its_partitions_at_once(
    kafka_settings: Settings, group: str, topic: str
) -> None:
    died = member(kafka_settings, group, topic, "the-one")
    wait_for_shares([4], died)
    started = time.monotonic()
    with member(kafka_settings, group, topic, "the-one") as successor:
        wait_for_shares([4], successor)
        assert time.monotonic() - started < 60
    with pytest.raises(BusError, match="fenced"):
        take(died, 1)
    died.close()


def test_lag_is_what_lies_between_committed_and_end(
    kafka_settings: Settings, group: str, topic: str, fill: Fill
) -> None:
    fill(100)
    with member(kafka_settings, group, topic) as subscription:
        take(subscription, 40)
        subscription.commit()
        assert sum(row.lag for row in Admin(kafka_settings).lag(group)) == 60


def test_a_group_that_begins_at_the_end_misses_nothing_from_its_first_assignment_on(
    kafka_settings: Settings, group: str, topic: str, fill: Fill
) -> None:
    fill(100)
    config = passing_config(kafka_settings, group)
    with Subscription(config, [topic]) as first:
        wait_for_shares([4], first)
    assert sum(row.lag for row in Admin(kafka_settings).lag(group)) == 0
    fill(30)
    with Subscription(config, [topic]) as second:
        assert sorted(int(m.value) for m in take(second, 30)) == list(range(30))
