"""The simulated Deribit under test."""

from __future__ import annotations

from typing import Any

from mdplatform.collector import CollectorConfig
from mdplatform.simulator.server import Simulator
from mdplatform.simulator.venues.deribit.exchange import CLIENT_ID, CLIENT_SECRET
from mdplatform_tests.simulator.rig import simulator

SYMBOLS = ("BTC-USD-PERP", "ETH-USD-PERP", "BTC-USDC-PERP")
LOGIN = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
SECOND = 1_000_000_000


def call(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 7, "method": f"public/{method}", "params": params}


def subscribe(*channels: str) -> dict[str, Any]:
    return call("subscribe", channels=list(channels))


def is_data(frame: dict[str, Any]) -> bool:
    return frame.get("method") == "subscription"


def collector(sim: Simulator, **options: Any) -> CollectorConfig:
    where = {"ws_url": sim.ws_url("deribit"), "rest_url": sim.rest_url("deribit")}
    return CollectorConfig(venue="deribit", **{"symbols": SYMBOLS, **where, **options})


def running_simulator(**options: Any) -> Any:
    return simulator(**{"venues": ("deribit",), "levels": 300, "rate": 200.0} | options)
