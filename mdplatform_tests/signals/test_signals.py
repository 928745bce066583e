"""The signal engine publishes what its detectors find, once, and goes on behind what it has committed."""

import time
from collections.abc import Callable

import msgspec
import pytest

from mdplatform.bus import Message
from mdplatform.bus.admin import Admin
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.memory import MemoryBus
from mdplatform.bus.reader import Reader
from mdplatform.core.clock import FrozenClock
from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.signals.detectors.thresholds import Thresholds
from mdplatform.signals.engine import SignalEngine
from mdplatform.signals.process import run_signals
from mdplatform_tests.signals.books import START_MS, message
from mdplatform_tests.signals.running import Run, running

BOOKS = "md.orderbook.normalized"
BEFORE = message("999.5", "1000.5", 0, sequence=1)
AFTER = message("1004.5", "1005.5", 1, sequence=2)
LATER = message("1004.5", "1005.5", 2, sequence=3)
BACK = message("997.5", "998.5", 3, sequence=4)
FOUND_NS = (START_MS + 1250) * 1_000_000


def new_engine() -> tuple[SignalEngine, MemoryBus]:
    bus = MemoryBus()
    return SignalEngine(Thresholds(), bus, Topics(), FrozenClock(FOUND_NS)), bus


def stored(*values: bytes, topic: str = BOOKS) -> list[Message]:
    return [Message(topic, 0, n, START_MS, b"BTC-USDT", value) for n, value in enumerate(values)]


def published(bus: MemoryBus) -> list[Message]:
    bus.flush(0)
    return bus.topics.get("md.signals", [])


def test_a_move_becomes_a_signal_message_with_its_latencies() -> None:
    engine, bus = new_engine()
    engine.take(stored(BEFORE, AFTER))
    (signal,) = published(bus)
    assert signal.key == b"BTC-USDT"
    assert msgspec.json.decode(signal.value) == {
        "id": "binance:BTC-USDT:price_move:2",
        "kind": "price_move",
        "exchange": "binance",
        "exchanges": ["binance"],
        "symbol": "BTC-USDT",
        "scope": "market",
        "direction": "up",
        "value": 0.5,
        "threshold": 0.5,
        "unit": "%",
        "window_s": 60,
        "evidence": {"from_price": 1000.0, "to_price": 1005.0, "source": "book"},
        "sequence": 2,
        "venue_ns": (START_MS + 1000) * 1_000_000,
        "received_ns": (START_MS + 1000) * 1_000_000,
        "ts": START_MS + 1000,
        "found_ns": FOUND_NS,
        "latency_venue_ms": 250.0,
        "latency_received_ms": 250.0,
    }


@pytest.mark.parametrize(
    ("topic", "reason"), [(BOOKS, "not_a_book"), ("trades.okx", "not_a_trade"), ("quotes.okx", "not_a_quote")]
)
def test_a_message_that_is_not_of_its_topic_goes_to_the_dead_letters_with_its_place(topic: str, reason: str) -> None:
    engine, bus = new_engine()
    engine.take([*stored(BEFORE), *stored(b"nonsense", topic=topic), *stored(AFTER)])
    assert len(published(bus)) == 1
    (letter,) = (msgspec.json.decode(m.value) for m in bus.topics["md.dead_letter"])
    assert (letter["reason"], letter["frame"]) == (reason, "nonsense")
    assert letter["error"].startswith(f"{topic}/0@0: ")


def test_what_is_read_again_makes_the_state_and_no_signal() -> None:
    engine, bus = new_engine()
    engine.take(stored(BEFORE, AFTER, LATER, BACK), is_new=lambda m: m.offset >= 2)
    assert [msgspec.json.decode(m.value)["id"] for m in published(bus)] == ["binance:BTC-USDT:price_move:4"]


def test_what_was_published_before_a_crash_is_not_repeated() -> None:
    first, bus = new_engine()
    first.take(stored(BEFORE, AFTER))
    second, later = new_engine()
    second.recall([*published(bus), *stored(b'{"kind":"price_move","change_pct":0.5}')])
    second.take(stored(BEFORE, AFTER))
    assert published(later) == []


@pytest.mark.parametrize("wrong", [{"move_pct": 0}, {"move_window_s": -1.0}, {"imbalance": 1.5}])
def test_a_threshold_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        run_signals(Settings(), Thresholds(**wrong))  # type: ignore[arg-type]


def session(settings: Settings, group: str, *values: bytes) -> None:
    """Run the command until it has committed these books."""
    admin = Admin(settings)

    def until(condition: Callable[[], bool], run: Run) -> None:
        while not condition():
            run.check()

    with running(lambda stop: run_signals(settings, Thresholds(), stop, group)) as run, KafkaBus(settings) as bus:
        until(lambda: len(admin.committed(group)) >= settings.kafka_partitions, run)
        for value in values:
            bus.publish(settings.topic_books, b"BTC-USDT", value, time.time_ns())
        bus.flush(10)
        until(lambda: not any(row.lag for row in admin.lag(group)), run)


def test_the_command_resumes_with_its_state_and_repeats_nothing(kafka_settings: Settings) -> None:
    group = kafka_settings.topic_signals
    Admin(kafka_settings).ensure([kafka_settings.topic_books])
    session(kafka_settings, group, BEFORE, AFTER)
    session(kafka_settings, group, LATER, BACK)
    with Reader(kafka_settings) as reader:
        found = [msgspec.json.decode(m.value)["id"] for m in reader.tail(group, 10)]
    assert found == ["binance:BTC-USDT:price_move:2", "binance:BTC-USDT:price_move:4"]
