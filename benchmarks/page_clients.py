"""Claim: fifty browsers cost the live page little more than one each, and a bounded number of bytes.

    python -m benchmarks.page_clients [--seconds 20] [--clients 1 10 50]

Starts an embedded broker, publishes a hundred feeds' books five times a second and trades between them, and serves the
page as a process of its own. So many browsers (HTTP clients of the stream of events, four panels and a comparison each)
read it for a while; then the same with a tenth of them reading nothing. States the page's CPU in ms a second, that of
each further browser, and KB a second that a browser is sent. CPU and not elapsed time: other work hardly shows.
"""

from __future__ import annotations

import argparse
import os
import selectors
import socket
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.table import Cell, Table, process_cpu_seconds
from mdplatform.bus.kafka import KafkaBus
from mdplatform.core.codec import encode
from mdplatform.core.events import Book, Trade
from mdplatform.core.process import spawn
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.embedded import ports
from mdplatform.embedded.broker import start_broker

FEEDS, BOOKS_A_SECOND, LEVELS = 100, 5, 20
SETTLE_S = 3.0
NOBODY = "http://127.0.0.1:1"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 10, 50])
    given = parser.parse_args(arguments)
    print(measure(given.clients, given.seconds).text())


def measure(clients: Sequence[int], seconds: float) -> Table:
    """A row for each number of browsers, beside none."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        settings = Settings(kafka_brokers=stack.enter_context(start_broker(Path(directory))).brokers)
        stack.enter_context(market(settings))
        port = ports.choose()
        environ = {**os.environ, "KAFKA_BROKERS": settings.kafka_brokers, "CLICKHOUSE_URL": NOBODY}
        command = [sys.executable, "-m", "mdplatform", "dashboard", "--port", str(port)]
        page = stack.enter_context(spawn(command, name="page", log=Path(directory) / "page.log", env=environ))
        url = f"http://127.0.0.1:{port}"
        page.wait_until_ready(lambda: b'"feeds":100' in urllib.request.urlopen(f"{url}/healthz", timeout=5).read())
        alone, _ = watched(page.pid, port, 0, 0, seconds)
        rows: list[list[Cell]] = [[0, 0, alone, None, None]]
        for count in clients:
            for slow in (0, count // 10) if count >= 10 else (0,):
                cpu_ms, bytes_s = watched(page.pid, port, count, slow, seconds)
                rows.append([count, slow, cpu_ms, (cpu_ms - alone) / count, bytes_s / 1000 / (count - slow)])
    columns = ["browsers", "that read nothing", "CPU, ms a second", "ms a second each", "KB a second each"]
    claim = f"{FEEDS} feeds, {FEEDS * BOOKS_A_SECOND} books and as many trades a second"
    return Table("page_clients", claim, columns, rows)


@contextmanager
def market(settings: Settings) -> Iterator[None]:
    """Publishes while the block runs."""
    ending = threading.Event()
    thread = threading.Thread(target=_publish, args=(settings, ending))
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def watched(pid: int, port: int, clients: int, slow: int, seconds: float) -> tuple[float, float]:
    """CPU of the process in ms a second, and bytes a second of all that read, while so many browsers look."""
    query = "&".join(f"feed=binance/S{number}-USDT" for number in range(4))
    request = f"GET /events?{query}&base=S1 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with ExitStack() as stack, selectors.DefaultSelector() as readable:
        for number in range(clients):
            browser = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            browser.sendall(request)
            if number >= slow:
                readable.register(browser, selectors.EVENT_READ)
        _read(readable, SETTLE_S)
        began, before = time.monotonic(), process_cpu_seconds(pid)
        read = _read(readable, seconds)
        took = time.monotonic() - began
        return (process_cpu_seconds(pid) - before) / took * 1000, read / took


def _read(readable: selectors.BaseSelector, seconds: float) -> int:
    read, until = 0, time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if not readable.get_map():
            time.sleep(left)
        for key, _ in readable.select(min(left, 0.5)):
            assert isinstance(key.fileobj, socket.socket)
            read += len(key.fileobj.recv(1 << 20))
    return read


def _publish(settings: Settings, ending: threading.Event) -> None:
    sequence, topics = 0, Topics.from_settings(settings)
    with KafkaBus(settings) as bus:
        while not ending.wait(1 / BOOKS_A_SECOND):
            sequence += 1
            for number in range(FEEDS):
                for event in _events(f"S{number}-USDT", sequence):
                    bus.publish(topics.of(event), *encode(event), time.time_ns())
            bus.poll()


def _events(symbol: str, sequence: int) -> tuple[Book, Trade]:
    at, price = time.time_ns(), 60_000 + sequence % 10
    bids, asks = ([f"{price + sign * level / 10}" for level in range(1, LEVELS + 1)] for sign in (-1, 1))
    sizes = ["1.5"] * LEVELS
    book = Book("binance", symbol, bids, sizes, asks, sizes, at, sequence, sequence - 1, at)
    return book, Trade("binance", symbol, str(sequence), str(price), "0.1", "buy", at, at)


if __name__ == "__main__":
    main()
