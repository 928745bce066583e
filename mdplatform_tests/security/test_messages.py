"""Whoever may write to a topic stops nobody who reads it: what breaks the bounds is counted and passed over."""

from __future__ import annotations

import dataclasses
import re
import time
from typing import Any

import msgspec
import pytest

from mdplatform.bus.admin import Admin
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.reader import Reader
from mdplatform.core.clock import SECOND
from mdplatform.core.codec import encode
from mdplatform.core.settings import Settings
from mdplatform.signals.detectors.thresholds import Thresholds
from mdplatform.signals.process import run_signals
from mdplatform_tests.dashboard.wire import eventually, healthz, serving, updates
from mdplatform_tests.security.hostile import ENGINE, EXCHANGE, NOW_NS, PAGE, SYMBOL, Line, event, flood
from mdplatform_tests.signals.running import running

FLOOD, FLOOD_ON_BROKER = 5_000, 3_000
DIGITS = "9" * 400


def changed(dataset: str, **fields: str) -> bytes:
    """A sound message of a dataset with these fields as they are written here."""
    value = encode(event(dataset))[1].decode()
    for name, text in fields.items():
        value, count = re.subn(rf'"{name}":(\[[^]]*\]|[^,}}]*)', lambda _, new=f'"{name}":{text}': new, value)
        assert count == 1
    return value.encode()


@pytest.mark.parametrize(
    ("dataset", "fields"),
    [
        ("quotes", {"bid_price": "1e1000000"}),
        ("quotes", {"bid_price": "1e-1000000"}),
        ("quotes", {"bid_price": "0", "ask_price": "0"}),
        ("quotes", {"received_ns": DIGITS}),
        ("books", {"received_ns": DIGITS}),
        ("books", {"b": "[0]", "a": "[0]"}),
        ("books", {"b": "[1e308]", "a": "[1e308]"}),
        ("books", {"b": "[-1]", "a": "[1]"}),
        ("books", {"b": "[1]", "bv": "[1,2]", "received_ns": DIGITS}),
        ("trades", {"price": "1e1000000"}),
        ("trades", {"qty": "-1"}),
        ("trades", {"venue_ns": "9223372036854775807", "ts": "9223372036854"}),
        ("liquidations", {"received_ns": "9223372036854775807", "ts": "9223372036854"}),
        ("funding", {"mark_price": "1e-1000000"}),
        ("status", {"started_ns": DIGITS}),
        ("status", {"started_ns": "9223372036854775807"}),
        ("stats", {"ts": DIGITS}),
        ("stats", {"frames": DIGITS}),
    ],
)
def test_a_message_beyond_the_bounds_is_passed_over_by_all_who_read_it(dataset: str, fields: dict[str, str]) -> None:
    line = Line()
    line.take(dataset, changed(dataset, **fields))
    line.show()
    assert line.board.passed_over.total == 1
    assert line.engine.passed_over.total == (dataset in ENGINE)
    assert line.table.passed_over.total == (dataset == "books")


@pytest.fixture(scope="module")
def flooded() -> Line:
    line = Line()
    for dataset, value in flood(FLOOD):
        line.take(dataset, value)
    line.show()
    return line


def test_every_hostile_message_is_taken_or_counted(flooded: Line) -> None:
    assert flooded.sent.keys() == set(PAGE)
    assert {name: read == accounted for name, (read, accounted) in flooded.account().items()} == {
        "signals": True,
        "page": True,
        "topofbook": True,
    }


def test_after_the_flood_the_line_goes_on_as_before(flooded: Line) -> None:
    later = NOW_NS + 400 * SECOND
    flooded.clock.advance(400 * SECOND)
    flooded.show()
    before = flooded.signals
    for place, price in enumerate(("60000.1", "60000.2", "61000.3")):
        for dataset in ("books", "quotes", "trades"):
            flooded.take(dataset, encode(event(dataset, price, later + place * SECOND, 100 + place))[1])
    flooded.show()
    assert flooded.signals > before
    rows, _ = flooded.board.changes({}, later // 1_000_000)
    (row,) = (row for row in rows if (row["exchange"], row["symbol"]) == (EXCHANGE, SYMBOL))
    assert row["bid"] == "61000.3"
    (top,) = (top for top in flooded.table.rows() if (top.exchange, top.symbol) == (EXCHANGE, SYMBOL))
    assert top.bid == 61000.3


def shown(url: str) -> tuple[dict[str, Any], dict[tuple[str, str], str]]:
    """The first update that a browser gets, and the best bid of each feed in it."""
    stream = updates(url, f"?feed={EXCHANGE}/{SYMBOL}")
    first = next(stream)
    stream.close()
    return first, {(row["exchange"], row["symbol"]): row.get("bid") for row in first["rows"]}


def test_running_consumers_read_past_a_flood(kafka_settings: Settings) -> None:
    settings = dataclasses.replace(kafka_settings, clickhouse_url="http://127.0.0.1:1")
    group = settings.topic_signals
    topics = {d: getattr(settings, f"topic_{d}").replace("{exchange}", EXCHANGE) for d in PAGE}
    admin = Admin(settings)
    admin.ensure(topics.values())
    now_ns = time.time_ns()
    sound = [
        (dataset, encode(event(dataset, price, now_ns + place * SECOND, 100 + place))[1])
        for place, price in enumerate(("60000.1", "61000.3"))
        for dataset in ENGINE
    ]
    with (
        running(lambda stop: run_signals(settings, Thresholds(), stop, group)) as run,
        serving(settings) as url,
        KafkaBus(settings) as bus,
    ):
        wanted = len([t for d, t in topics.items() if d in ENGINE]) * settings.kafka_partitions
        while len(admin.committed(group)) < wanted or healthz(url)["broker"] != "reachable":
            run.check()
        for dataset, value in (*flood(FLOOD_ON_BROKER, seed=2), *sound):
            bus.publish(topics[dataset], SYMBOL.encode(), value, now_ns)
        assert bus.flush(30) == 0
        while any(row.lag for row in admin.lag(group)):
            run.check()
        # How many it has counted is no claim here: a partition that it takes up again begins a little before its end.
        assert eventually(lambda: shown(url)[1].get((EXCHANGE, SYMBOL)) == "61000.3"), healthz(url)
        first, _ = shown(url)
    counted = sum(count for reasons in first["health"]["passed_over"].values() for count in reasons.values())
    assert counted == first["health"]["refused"] > 0
    with Reader(settings) as reader:
        found = [msgspec.json.decode(message.value) for message in reader.tail(group, 1_000)]
    assert any(signal["kind"] == "price_move" and signal["symbol"] == SYMBOL for signal in found)
