"""A simulated venue in a process of its own."""

from __future__ import annotations

import multiprocessing
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.server import run

VENUE = "binance"


class Market:
    """Addresses of the venue, and a way to have things happen to it."""

    def __init__(self, url: str, ws_url: str, rest_url: str) -> None:
        self.url, self.ws_url, self.rest_url = url, ws_url, rest_url

    @property
    def port(self) -> int:
        return urllib.parse.urlsplit(self.url).port or 0

    def order(self, script: str) -> None:
        """A fault or an event, as the simulator's script has them."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}/_sim/fault?{urllib.parse.urlencode({'script': script})}", timeout=10):
            pass


def simulate(told: Connection, rate: float) -> None:
    config = SimulatorConfig(symbols=("BTC", "ETH", "SOL"), venues=(VENUE,), rate=rate, levels=200, weight_limit=10**6)
    run(config, lambda simulator: told.send((simulator.url, simulator.ws_url(VENUE), simulator.rest_url(VENUE))))


@contextmanager
def open_market(rate: float = 300.0) -> Iterator[Market]:
    """``rate``: changes of each of the three books a second; a symbol then gives ten diffs and some 45 trades."""
    spawning = multiprocessing.get_context("spawn")
    here, told = spawning.Pipe()
    process = spawning.Process(target=simulate, args=(told, rate), daemon=True)
    process.start()
    told.close()  # or nobody would notice that the process has died before it sent anything
    try:
        yield Market(*here.recv())
    finally:
        process.terminate()
        process.join()
