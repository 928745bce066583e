"""Twelve lines with nothing of ours in them read the trades; a book is plain arrays."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mdplatform.bus.admin import Admin
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.reader import Reader
from mdplatform.core.codec import encode
from mdplatform.core.events import Book, Event, Trade
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics

CONSUMER = """\
import json, os
from confluent_kafka import Consumer

settings = {"bootstrap.servers": os.environ["KAFKA_BROKERS"], "group.id": "readme", "auto.offset.reset": "earliest"}
consumer = Consumer(settings)
consumer.subscribe(["trades.binance"])
while True:
    message = consumer.poll(1.0)
    if message is None or message.error():
        continue
    trade = json.loads(message.value())
    print(trade["symbol"], trade["price"], trade["qty"], trade["ts"], trade["side"], flush=True)
"""


def trade(price: str, size: str, side: str, at_ms: int) -> Trade:
    return Trade("binance", "BTC-USDT", str(at_ms), price, size, side, at_ms * 1_000_000, time.time_ns())


def publish(settings: Settings, *events: Event) -> str:
    """The topic that the events went to."""
    topic = Topics.from_settings(settings).of(events[0])
    Admin(settings).ensure([topic])
    with KafkaBus(settings) as bus:
        for event in events:
            bus.publish(topic, *encode(event), event.received_ns)
    return topic


@contextmanager
def lines_of(script: str, brokers: str) -> Iterator[Iterator[str]]:
    """The output of a Python script while it runs."""
    command, env = [sys.executable, "-c", script], {**os.environ, "KAFKA_BROKERS": brokers}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield (line.rstrip("\n") for line in process.stdout)
        finally:
            process.kill()


def test_twelve_lines_read_symbol_price_qty_ts_and_side(kafka_settings: Settings) -> None:
    assert len(CONSUMER.splitlines()) == 12
    topic = publish(kafka_settings, trade("61000.10", "0.005", "buy", 1), trade("60999.99", "12.5", "sell", 2))
    script = CONSUMER.replace("trades.binance", topic).replace('"readme"', f'"{topic}"')
    with lines_of(script, kafka_settings.kafka_brokers) as lines:
        assert [next(lines), next(lines)] == ["BTC-USDT 61000.1 0.005 1 buy", "BTC-USDT 60999.99 12.5 2 sell"]


def test_a_book_is_four_arrays_of_numbers_best_first(kafka_settings: Settings) -> None:
    book = Book(
        "binance", "BTC-USDT", ["10.5", "10.4"], ["1", "2.0"], ["10.6"], ["0.3"], 7_000_000, 42, None, 8_000_000
    )
    topic = publish(kafka_settings, book)
    with Reader(kafka_settings) as reader:
        (stored,) = (json.loads(m.value) for m in reader.tail(topic, 1))
    assert (stored["b"], stored["bv"], stored["a"], stored["av"]) == ([10.5, 10.4], [1, 2.0], [10.6], [0.3])
