"""The lag command shows how far groups are behind and exits with 1 beyond the threshold."""

import io
import time
import uuid

import pytest
from rich.console import Console

from mdplatform.bus.admin import Admin
from mdplatform.bus.config import consumer_config
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.subscription import Subscription
from mdplatform.consumers.lag import run_lag
from mdplatform.settings import Settings


@pytest.fixture
def group(kafka_settings: Settings) -> str:
    """A group that has read 10 of the 25 messages of the books topic (one partition has them all)."""
    name, topic = f"reader-{uuid.uuid4().hex[:8]}", kafka_settings.topic_books
    Admin(kafka_settings).ensure([topic])
    with KafkaBus(kafka_settings) as bus:
        for _ in range(25):
            bus.publish(topic, b"BTC-USDT", b"{}", time.time_ns())
    with Subscription(consumer_config(kafka_settings, name, start="earliest"), [topic]) as subscription:
        taken, deadline = 0, time.monotonic() + 30
        while taken < 10 and time.monotonic() < deadline:
            taken += len(subscription.take(1.0, most=10 - taken))
        subscription.commit()
    return name


@pytest.mark.parametrize(("threshold", "code"), [(None, 0), (15, 0), (14, 1)])
def test_more_lag_than_the_threshold_is_exit_code_1(
    kafka_settings: Settings, group: str, threshold: int | None, code: int
) -> None:
    assert run_lag(kafka_settings, threshold, group, Console(file=io.StringIO())) == code


def test_a_line_gives_committed_offset_end_and_lag(kafka_settings: Settings, group: str) -> None:
    out = io.StringIO()
    run_lag(kafka_settings, group=group, console=Console(file=out))
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert [fields[3:] for fields in lines if fields[3] != "-"] == [["10", "25", "15"]]


def test_a_group_that_nobody_knows_is_exit_code_1(kafka_settings: Settings) -> None:
    out = io.StringIO()
    assert run_lag(kafka_settings, group="nobody", console=Console(file=out)) == 1
    assert out.getvalue() == "group nobody holds no partition\n"
