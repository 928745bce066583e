"""The lag command shows how far groups are behind and exits with 1 beyond the threshold."""

import io
import time
import uuid

import pytest
from rich.console import Console

from mdplatform.bus.admin import Admin, Lag
from mdplatform.bus.config import consumer_config
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.subscription import Subscription
from mdplatform.core.settings import Settings
from mdplatform.terminal.lag import Trend, aged, lines, run_lag


@pytest.fixture
def started() -> float:
    """Before anything is written."""
    return time.time()


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
    assert run_lag(kafka_settings, threshold, group, interval_s=0, console=Console(file=io.StringIO())) == code


def test_a_line_gives_committed_offset_end_and_lag_in_messages_and_seconds(
    kafka_settings: Settings, started: float, group: str
) -> None:
    out = io.StringIO()
    run_lag(kafka_settings, group=group, interval_s=0, console=Console(file=out))
    heading, row, total = out.getvalue().splitlines()
    assert heading.split()[-6:] == ["committed", "end", "lag", "lag", "s", "trend"]
    *counts, seconds, trend = row.split()[3:]
    assert (counts, trend) == (["10", "25", "15"], "steady")
    assert 0 < float(seconds) <= time.time() - started + 0.05  # it is rounded to a tenth
    assert total.startswith("1 group, ")


def test_a_lag_that_changes_between_two_looks_has_a_trend() -> None:
    lag = Lag("reader", "trades.okx", 0, committed=10, end=25, lag=15)
    assert [Trend(lag, per_s).word for per_s in (0.2, 7.4, -1200.0)] == ["steady", "grows 7/s", "shrinks 1,200/s"]


def test_lines_are_aligned_under_their_heading() -> None:
    rows = [Trend(Lag("a", topic, 0, None, 5, lag), 0) for topic, lag in (("trades.okx", 5), ("t", 12345))]
    heading, *others = lines(rows)
    assert {line.index("steady") for line in others} == {heading.index("trend")}
    assert [line.split()[5] for line in others] == ["5", "12345"]


def test_a_group_that_nobody_knows_is_exit_code_1(kafka_settings: Settings) -> None:
    out = io.StringIO()
    assert run_lag(kafka_settings, group="nobody", interval_s=0, console=Console(file=out)) == 1
    assert out.getvalue() == "group nobody holds no partition\n"


def test_a_group_that_has_read_everything_is_no_second_behind(kafka_settings: Settings, group: str) -> None:
    rows = aged(kafka_settings, [Trend(Lag(group, kafka_settings.topic_books, 0, 25, 25, 0), 0)])
    assert [row.seconds for row in rows] == [0.0]
