"""Tables of the Kafka engine work inside the node, over a clean stop and over a crash."""

import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from mdplatform.embedded.broker import start_broker
from mdplatform.embedded.clickhouse import ClickHouseNode, start
from mdplatform_tests.contract.clickhouse.asking import ask

TABLES = [
    """CREATE TABLE stored (n UInt64, part UInt64, at UInt64) ENGINE = MergeTree ORDER BY n
    SETTINGS fsync_after_insert = 1""",
    """CREATE TABLE queue (n UInt64) ENGINE = Kafka
    SETTINGS kafka_broker_list = '{brokers}', kafka_topic_list = 'numbers', kafka_group_name = 'stored',
    kafka_format = 'JSONEachRow', kafka_flush_interval_ms = 100, kafka_handle_error_mode = 'stream'""",
    """CREATE MATERIALIZED VIEW flow TO stored AS
    SELECT n, _partition AS part, _offset AS at FROM queue WHERE _error = ''""",
]


def create(node: ClickHouseNode, brokers: str) -> None:
    admin = AdminClient({"bootstrap.servers": brokers})  # its futures die with it
    admin.create_topics([NewTopic("numbers", 2, 1)])["numbers"].result(30)
    for statement in TABLES:
        reply = ask(node.url, statement.format(brokers=brokers))
        assert reply.status == 200, reply.body


def produce(brokers: str, numbers: range) -> None:
    producer = Producer({"bootstrap.servers": brokers})
    for n in numbers:
        producer.produce("numbers", b'{"n": %d}' % n)
    assert producer.flush(30) == 0


def eventually(claim: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def stored(node: ClickHouseNode, rows: int) -> Callable[[], bool]:
    return lambda: ask(node.url, "SELECT uniqExact(n) FROM stored").body == b"%d\n" % rows


def test_messages_become_rows(tmp_path: Path) -> None:
    with start_broker(tmp_path / "broker") as broker, start(tmp_path / "node") as node:
        create(node, broker.brokers)
        produce(broker.brokers, range(1000))
        assert eventually(stored(node, 1000))
        assert node.stop() == 0


def test_a_stopped_node_goes_on_where_it_was(tmp_path: Path) -> None:
    with start_broker(tmp_path / "broker") as broker:
        with start(tmp_path / "node") as node:
            create(node, broker.brokers)
            produce(broker.brokers, range(1000))
            assert eventually(stored(node, 1000))
        produce(broker.brokers, range(1000, 1500))
        with start(tmp_path / "node") as node:
            assert eventually(stored(node, 1500))
            assert ask(node.url, "SELECT count() FROM stored").body == b"1500\n"


def test_a_killed_node_goes_on_and_loses_nothing(tmp_path: Path) -> None:
    with start_broker(tmp_path / "broker") as broker:
        with start(tmp_path / "node") as node:
            create(node, broker.brokers)
            produce(broker.brokers, range(1000))
            assert eventually(stored(node, 1000))
            node.kill()
        produce(broker.brokers, range(1000, 1500))
        with start(tmp_path / "node") as node:
            assert eventually(stored(node, 1500))


def test_the_kafka_options_reach_the_consumer(tmp_path: Path) -> None:
    lag = """SELECT JSONExtractString(rdkafka_stat, 'client_id') FROM system.kafka_consumers
    WHERE rdkafka_stat != '' FORMAT TSVRaw"""
    options = {"client_id": "named-by-the-test", "statistics_interval_ms": "100"}
    with start_broker(tmp_path / "broker") as broker, start(tmp_path / "node", kafka=options) as node:
        create(node, broker.brokers)
        assert eventually(lambda: b"named-by-the-test" in ask(node.url, lag).body)
