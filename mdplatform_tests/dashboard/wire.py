"""Messages as collectors publish them, and a page to read them from."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any
from urllib.request import Request, urlopen

from confluent_kafka import Producer

from mdplatform.core.settings import Settings
from mdplatform.dashboard.server import Dashboard

BOOK = (
    '{"exchange":"binance","symbol":"BTC-USDT","b":[60000.10,60000.00],"bv":[1.50000000,2],"a":[60000.30,60001],'
    '"av":[0.5,0.00000001],"timestamp":1700000000000,"sequence":50000000001,"previous_sequence":null,'
    '"venue_ns":1700000000000000000,"received_ns":1700000000001000000}'
)
TRADE = (
    '{"exchange":"binance","symbol":"BTC-USDT","id":"7","price":60000.20,"qty":0.10,"side":"buy","ts":1700000000000,'
    '"venue_ns":1700000000000000000,"received_ns":1700000000001000000,"provenance":"live"}'
)
LIQUIDATION = (
    '{"exchange":"binance","symbol":"BTC-USDT","id":"7","price":60000.00,"qty":0.50,"side":"sell","ts":1700000000000,'
    '"venue_ns":1700000000000000000,"received_ns":1700000000001000000}'
)
QUOTE = (
    '{"exchange":"binance","symbol":"BTC-USDT","bid_price":60000.15,"bid_size":1,"ask_price":60000.25,"ask_size":2,'
    '"sequence":5,"ts":1700000000000,"venue_ns":1700000000000000000,"received_ns":1700000000001000000}'
)
FUNDING = (
    '{"exchange":"binance","symbol":"BTC-USDT","rate":0.0001,"mark_price":60010.5,"index_price":60010.0,'
    '"next_funding_ts":1700006400000,"ts":1700000000000,"received_ns":1700000000001000000}'
)
OPEN_INTEREST = (
    '{"exchange":"binance","symbol":"BTC-USDT","open_interest":1234.5,"open_interest_value":null,'
    '"raw_open_interest":null,"ts":1700000000000,"venue_ns":1700000000000000000,"received_ns":1700000000001000000}'
)
SIGNAL = (
    '{"id":"binance:BTC-USDT:imbalance:7","kind":"imbalance","exchange":"binance","exchanges":["binance"],'
    '"symbol":"BTC-USDT","scope":"market","direction":"bid","value":0.91,"threshold":0.8,"unit":"share","window_s":5.0,'
    '"evidence":{},"sequence":7,"venue_ns":1700000000000000000,"received_ns":1700000000001000000,"ts":1700000000000,'
    '"found_ns":1700000000002000000,"latency_venue_ms":2.0,"latency_received_ms":1.0}'
)
STATUS = (
    '{"exchange":"binance","symbol":"BTC-USDT","channel":"book","state":"valid","cause":"snapshot",'
    '"started_ns":1700000000000000000,"ended_ns":null,"first_sequence":null,"last_sequence":null,"missed":null}'
)
STATS = '{"exchange":"binance","conn":"binance-1","ts":1700000000000,"frames":12,"queue":3,"published":12}'


def book(sequence: int, previous: int | None, *, bid: str = "60000.10", received_ms: int = 1700000000001) -> str:
    """A book message; two levels a side, best bid 1.5, best ask 60000.30 with 0.5."""
    chain = f'"sequence":{sequence},"previous_sequence":{"null" if previous is None else previous}'
    return (
        BOOK.replace('"sequence":50000000001,"previous_sequence":null', chain)
        .replace("60000.10", bid)
        .replace("1700000000001000000", str(received_ms * 1_000_000))
    )


def publish(brokers: str, *messages: tuple[str, str]) -> None:
    """(topic, value) each; returns when the broker has them."""
    producer = Producer({"bootstrap.servers": brokers})
    for topic, value in messages:
        producer.produce(topic, value.encode(), key="BTC-USDT")
    assert producer.flush(20) == 0


@contextlib.contextmanager
def serving(settings: Settings, port: int = 0) -> Iterator[str]:
    """The address of a page that serves while the block runs."""
    dashboard = Dashboard(settings, port=port)
    thread = threading.Thread(target=dashboard.serve)
    thread.start()
    try:
        yield dashboard.url
    finally:
        dashboard.stop()
        thread.join()


def healthz(url: str) -> dict[str, Any]:
    with urlopen(f"{url}/healthz", timeout=10) as answer:
        facts: dict[str, Any] = json.load(answer)
        return facts


def updates(url: str, query: str = "", seconds: float = 30) -> Generator[dict[str, Any], None, None]:
    """The page's stream, message by message, until the deadline."""
    deadline = time.monotonic() + seconds
    with urlopen(Request(f"{url}/events{query}"), timeout=seconds) as stream:
        for line in stream:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])
            if time.monotonic() > deadline:
                return


def eventually(claim: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
