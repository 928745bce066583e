"""Signals in the table: what they say in columns of their own, and each finding once."""

import json

import msgspec
from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.signals.message import Signal, encode_signal
from mdplatform_tests.warehouse.conftest import Attach
from mdplatform_tests.warehouse.rows import after
from mdplatform_tests.warehouse.topics import publish, shows

SPIKE = Signal(
    kind="volume_spike",
    exchange="okx",
    exchanges=("bybit", "okx"),
    symbol="BTC-USDT",
    scope="symbol",
    direction="",
    value=9.5,
    threshold=5.0,
    unit="x",
    window_s=5.0,
    evidence={"usual": 2},
    sequence=None,
    venue_ns=after(1),
    received_ns=after(1.01),
)
COLUMNS = (
    "exchange, symbol, signal, id, exchanges, direction, value, threshold, unit, evidence, latency_venue_ms,"
    " toUnixTimestamp64Nano(received_at), toUnixTimestamp64Nano(found_at)"
)


def stored(settings: Settings, client: Client, *values: str) -> list[tuple[object, ...]]:
    """The rows after these messages and one more, which marks the end."""
    end = msgspec.structs.replace(SPIKE, symbol="END")
    publish(settings, settings.topic_signals, [*values, encode_signal(end, after(2)).decode()])
    shows(client, "SELECT 1 FROM md_signals WHERE symbol = 'END'", [(1,)])
    rows = client.query(f"SELECT {COLUMNS} FROM md_signals WHERE symbol != 'END' ORDER BY id").result_rows
    return [tuple(row) for row in rows]


def test_a_signal_published_twice_is_one_row(streaming: Settings, attach: Attach) -> None:
    once, again = encode_signal(SPIKE, after(1.1)).decode(), encode_signal(SPIKE, after(1.5)).decode()
    (row,) = stored(streaming, attach("signals"), once, again)
    key = f"bybit+okx:BTC-USDT:volume_spike:{after(1)}"
    assert row[:10] == ("okx", "BTC-USDT", "volume_spike", key, ["bybit", "okx"], "", 9.5, 5.0, "x", '{"usual":2}')
    assert row[10:] in [(100.0, after(1.01), after(1.1)), (500.0, after(1.01), after(1.5))]


def test_signals_without_an_id_are_a_row_each(streaming: Settings, attach: Attach) -> None:
    bare = json.dumps({"exchange": "okx", "symbol": "BTC-USDT", "kind": "seen", "ts": after(1) // 10**6})
    assert len(stored(streaming, attach("signals"), bare, bare)) == 2
