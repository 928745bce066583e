"""ClickHouse goes away in the midst of it, or falls behind, or has its consumers rebalanced."""

import os
import signal
import time

import pytest
from confluent_kafka import Consumer

from mdplatform.bus.config import passing_config
from mdplatform_tests.chaos.conftest import Enter
from mdplatform_tests.chaos.line import Line, until

pytestmark = pytest.mark.chaos
KILLS = 4
BOOKS_GROUP = "SELECT extract(create_table_query, 'kafka_group_name = \\'([^\\']+)') FROM system.tables "
BOOKS_GROUP += "WHERE name = 'md_orderbook_stream_kafka'"


def test_clickhouse_that_is_killed_in_mid_insert_has_every_message_once(line: Line, enter: Enter) -> None:
    for _ in range(KILLS):
        line.market.order("volume BTC x10 for 3s")
        time.sleep(1.0)  # into the middle of the inserts
        line.node.kill()
        line.restart_node()
    recovered_s = line.until_newer()
    account = line.settled()
    enter(f"ClickHouse killed in mid-insert, {KILLS} times", account, recovered_s)
    assert account.is_whole


def test_a_consumer_that_falls_behind_catches_up(line: Line, slow_s: float, enter: Enter) -> None:
    os.kill(line.node.pid, signal.SIGSTOP)
    time.sleep(slow_s)
    os.kill(line.node.pid, signal.SIGCONT)
    recovered_s = line.until_newer()
    account = line.settled()
    enter(f"consumer stands still for {slow_s:g} s", account, recovered_s)
    assert account.is_whole


def test_a_group_that_is_rebalanced_twice_misses_nothing(line: Line, enter: Enter) -> None:
    [(group,)] = line.ask(BOOKS_GROUP)
    for _ in range(2):
        other = Consumer(passing_config(line.settings, str(group), start="earliest"))
        other.subscribe([line.settings.topic_books])
        until(lambda other=other: [other.poll(0.2), other.assignment()][1])
        other.close()
    recovered_s = line.until_newer()
    account = line.settled()
    enter("consumer group rebalanced, twice", account, recovered_s)
    assert account.is_whole
