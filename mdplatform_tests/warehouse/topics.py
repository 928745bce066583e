"""Topics and messages for the streams under test."""

import json
import threading
import time
from collections.abc import Iterable

from clickhouse_connect.driver.client import Client
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from mdplatform.core.settings import Settings
from mdplatform.warehouse.render import all_topics_read
from mdplatform_tests.warehouse.rows import after


def create_topics(settings: Settings) -> None:
    admin = AdminClient({"bootstrap.servers": settings.kafka_brokers})
    for future in admin.create_topics([NewTopic(topic, 2, 1) for topic in all_topics_read(settings)]).values():
        future.result(10)


def publish(settings: Settings, topic: str, values: Iterable[dict[str, object] | str], key: str = "BTC-USDT") -> None:
    # An idempotent producer waits half a second for its number before it sends anything.
    producer = Producer({"bootstrap.servers": settings.kafka_brokers})
    for value in values:
        producer.produce(topic, value if isinstance(value, str) else json.dumps(value), key=key)
    assert producer.flush(20) == 0


def shows(client: Client, sql: str, expected: list[tuple[object, ...]], seconds: float = 30) -> None:
    """Asserts that ``sql`` comes to give ``expected``."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while (found := [tuple(row) for row in client.query(sql).result_rows]) != expected and time.monotonic() < deadline:
        pause.wait(0.05)
    assert found == expected


def book(number: int, **fields: object) -> dict[str, object]:
    """A book message as DESIGN section 3 has it, a millisecond after the one before."""
    at = after(number / 1000)
    return {
        "exchange": "binance",
        "symbol": "BTC-USDT",
        "b": [99.5, 99.0],
        "bv": [1, 2],
        "a": [100.5, 101.0],
        "av": [3, 4],
        "timestamp": at // 1_000_000,
        "sequence": number,
        "received_ns": at + 5_000_000,
        **fields,
    }
