"""The signal engine publishes the moves it finds and goes on behind what it has committed."""

import time

import msgspec
import pytest

from mdplatform.bus import Message
from mdplatform.bus.admin import Admin
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.memory import MemoryBus
from mdplatform.bus.reader import Reader
from mdplatform.consumers import signals
from mdplatform.consumers.moves import MoveDetector
from mdplatform.consumers.signals import SignalEngine, run_signals
from mdplatform.errors import ConfigError
from mdplatform.settings import Settings
from mdplatform.topics import Topics
from mdplatform_tests.consumers.books import START_MS, message
from mdplatform_tests.consumers.running import running

BEFORE = message("999.5", "1000.5", 0, sequence=1)
AFTER = message("1004.5", "1005.5", 1, sequence=2)


def engine() -> tuple[SignalEngine, MemoryBus]:
    bus = MemoryBus()
    return SignalEngine(MoveDetector(0.5, 60), bus, Topics()), bus


def stored(*values: bytes) -> list[Message]:
    return [Message("md.orderbook.normalized", 0, n, START_MS, b"BTC-USDT", value) for n, value in enumerate(values)]


def test_a_move_becomes_a_signal_message() -> None:
    signal_engine, bus = engine()
    signal_engine.take(stored(BEFORE, AFTER))
    bus.flush(0)
    (signal,) = bus.topics["md.signals"]
    assert signal.key == b"BTC-USDT"
    assert msgspec.json.decode(signal.value) == {
        "id": "binance:BTC-USDT:price_move:2",
        "exchange": "binance",
        "symbol": "BTC-USDT",
        "kind": "price_move",
        "direction": "up",
        "change_pct": 0.5,
        "from_price": 1000.0,
        "to_price": 1005.0,
        "window_s": 60,
        "ts": START_MS + 1000,
        "sequence": 2,
        "received_ns": (START_MS + 1000) * 1_000_000,
    }


def test_a_message_that_is_no_book_goes_to_the_dead_letters_with_its_place() -> None:
    signal_engine, bus = engine()
    signal_engine.take(stored(BEFORE, b"not a book", AFTER))
    bus.flush(0)
    (letter,) = (msgspec.json.decode(m.value) for m in bus.topics["md.dead_letter"])
    assert (letter["reason"], letter["frame"]) == ("not_a_book", "not a book")
    assert letter["error"].startswith("md.orderbook.normalized/0@1: ")
    assert len(bus.topics["md.signals"]) == 1


@pytest.mark.parametrize(("threshold_pct", "window_s"), [(0, 60), (0.5, 0), (-1, 60)])
def test_a_threshold_or_window_of_nothing_is_refused(threshold_pct: float, window_s: float) -> None:
    with pytest.raises(ConfigError, match="must be above 0"):
        run_signals(Settings(), threshold_pct, window_s)


def test_the_command_publishes_and_commits(kafka_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    group = kafka_settings.topic_signals
    monkeypatch.setattr(signals, "GROUP", group)
    admin, topic = Admin(kafka_settings), kafka_settings.topic_books
    admin.ensure([topic])
    with running(lambda stop: run_signals(kafka_settings, 0.5, 60, stop)) as run, KafkaBus(kafka_settings) as bus:
        while len(admin.committed(group)) < kafka_settings.kafka_partitions:
            run.check()
        for value in (BEFORE, AFTER):
            bus.publish(topic, b"BTC-USDT", value, time.time_ns())
        bus.flush(10)
        while any(row.lag for row in admin.lag(group)):
            run.check()
    with Reader(kafka_settings) as reader:
        found = [msgspec.json.decode(m.value)["id"] for m in reader.tail(group, 10)]
    assert found == ["binance:BTC-USDT:price_move:2"]
