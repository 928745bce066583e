"""A server over the recordings that exports are tested with, and its clients."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from websockets.sync.client import connect

from mdplatform.core.settings import Settings
from mdplatform.export.source import Source
from mdplatform.serve.server import ReplayServer
from mdplatform_tests.export.conftest import Market, market, reader
from mdplatform_tests.warehouse.conftest import empty, warehouse

__all__ = ["empty", "market", "reader", "warehouse"]


@contextlib.contextmanager
def serving(settings: Settings, source: Source) -> Iterator[str]:
    """The address of a server that answers while the block runs."""
    server = ReplayServer(settings, source)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server.url
    finally:
        server.stop()
        thread.join()


@pytest.fixture(scope="session")
def replay_url(market: Market) -> Iterator[str]:
    with serving(market.settings, market.source("clickhouse")) as url:
        yield url


def asked(options: object) -> str:
    return f"options={quote(json.dumps(options))}"


def lines(url: str, options: object, route: str = "replay-normalized") -> list[dict[str, Any]]:
    with urlopen(f"{url}/{route}?{asked(options)}", timeout=120) as answer:
        return [json.loads(line) for line in answer]


def messages(url: str, options: object) -> list[dict[str, Any]]:
    """Over WebSocket, until the server closes."""
    address = f"{url.replace('http', 'ws', 1)}/ws-replay-normalized?{asked(options)}"
    with connect(address, open_timeout=60, max_size=None) as socket:
        return [json.loads(text) for text in socket]
