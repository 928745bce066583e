"""The simulator as a whole: addresses, control paths, ledger."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
import websockets

from mdplatform.core.errors import ConfigError
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.protocol.rest import Answer
from mdplatform.simulator.server import serve
from mdplatform_tests.simulator.rig import fetch, frames, get, simulator, socket


async def test_binance_paths_also_work_without_a_prefix() -> None:
    async with simulator() as sim, socket(f"ws://127.0.0.1:{sim.port}/ws/btcusdt@depth@100ms") as client:
        assert (await frames(client, 1))[0]["s"] == "BTCUSDT"
        assert (await get(sim.url + "/api/v3/exchangeInfo"))["symbols"]


async def test_the_status_states_the_addresses() -> None:
    async with simulator() as sim:
        assert (await get(f"{sim.url}/_sim/status"))["urls"] == sim.urls()


async def test_the_ledger_holds_every_published_update(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    stream = "/ws/btcusdt@depth@100ms/btcusdt@trade"
    async with simulator(truth_file=path) as sim, socket(sim.ws_url("binance") + stream) as client:
        seen = await frames(client, 40)
    records = [json.loads(line) for line in path.read_bytes().splitlines()]
    binance = [record for record in records if record["symbol"] == "BTCUSDT"]
    assert {frame["u"] for frame in seen if frame["e"] == "depthUpdate"} <= {row["update_id"] for row in binance}
    told = {trade[0]: trade[1:3] for record in binance for trade in record["trades"]}
    published = binance[-1]["last_trade_id"]  # a trade of the last moment belongs to a record never written
    trades = [frame for frame in seen if frame["e"] == "trade" and frame["t"] <= published]
    assert trades
    assert all(told[frame["t"]] == [frame["p"], frame["q"]] for frame in trades)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/_sim/truth?symbol=NOPE", 404),
        ("/_sim/truth?symbol=BTCUSDT&update_id=1", 404),
        ("/_sim/truth?symbol=BTCUSDT&update_id=x", 400),
        ("/_sim/fault?fault=explode", 400),
        ("/_sim/fault?fault=cut&venue=mtgox", 400),
        ("/_sim/nothing", 404),
    ],
)
async def test_a_bad_control_call_is_refused_in_one_line(path: str, status: int) -> None:
    async with simulator() as sim:
        answered, body, _ = await fetch(sim.url + path)
    assert answered == status
    assert "\n" not in body["error"]


async def test_a_path_that_is_no_socket_is_refused() -> None:
    async with simulator() as sim:
        with pytest.raises(websockets.InvalidStatus) as refusal:
            async with socket(sim.ws_url("binance") + "/nowhere"):
                pass
    assert refusal.value.response.status_code == 404


async def test_a_taken_port_is_reported() -> None:
    async with simulator() as sim:
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{sim.port}"):
            await serve(SimulatorConfig(symbols=("BTC",), port=sim.port))


async def test_a_truth_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="truth file"):
        await serve(SimulatorConfig(symbols=("BTC",), truth_file=tmp_path / "no" / "such"))


async def test_a_post_reaches_its_venue_whole() -> None:
    seen: list[bytes] = []

    def post(path: str, query: Mapping[str, str], body: bytes, now_ns: int) -> Answer:
        seen.append(body)
        return Answer(200, b'{"path":"%s"}' % path.encode())

    body = b'{"type":"l2Book"}' * 10_000
    async with simulator(venues=("binance",)) as sim, aiohttp.ClientSession() as session:
        sim.world.exchanges["binance"].post = post
        async with session.post(sim.rest_url("binance") + "/info", data=body) as response:
            assert await response.json(content_type=None) == {"path": "/info"}
    assert seen == [body]


async def test_only_the_venues_asked_for_are_there() -> None:
    async with simulator(venues=("coinbase-advanced",)) as sim:
        assert list(sim.urls()) == ["coinbase-advanced"]
        assert (await fetch(sim.url + "/api/v3/time"))[0] == 404


async def test_an_unknown_venue_is_refused() -> None:
    with pytest.raises(ConfigError, match="no venue 'mtgox'"):
        await serve(SimulatorConfig(symbols=("BTC",), venues=("mtgox",)))


async def test_a_market_runs_only_once_it_is_asked_for() -> None:
    async with simulator() as sim:
        before = (await get(f"{sim.url}/_sim/status"))["markets"]
        async with socket(sim.ws_url("binance") + "/ws/ethusdt@trade"):
            during = (await get(f"{sim.url}/_sim/status"))["markets"]
    assert [pit["open"] for pit in before.values()] == [0] * len(before)
    assert during["binance"] == {"listed": 2, "open": 1, "awake": 1}


@pytest.mark.parametrize(
    ("script", "affected"),
    [
        ("jump BTC 0.8%", 1),
        ("jump BTC 0.8% venue=binance", 1),
        ("volume BTC x10 for 5s", 2),
        ("volume x10 for 5s", 3),
        ("liquidate BTC n=5", 1),
        ("liquidate BTC venue=binance", 0),
    ],
)
async def test_market_events_concern_the_open_markets_they_name(script: str, affected: int) -> None:
    async with simulator(venues=("binance", "binance-usdm")) as sim:
        for venue, symbol in (("binance", "BTCUSDT"), ("binance", "ETHUSDT"), ("binance-usdm", "BTCUSDT")):
            await get(f"{sim.url}/_sim/truth?symbol={symbol}&venue={venue}")
        await get(f"{sim.url}/_sim/fault?script={quote(script)}")
        async with asyncio.timeout(5):
            while not (done := (await get(f"{sim.url}/_sim/faults"))["done"]):
                pass
    assert done[0]["affected"] == affected


async def test_an_asset_that_nobody_lists_is_refused() -> None:
    async with simulator() as sim:
        status, body, _ = await fetch(f"{sim.url}/_sim/fault?script={quote('jump PEPE 1%')}")
    assert status == 400
    assert "no asset 'PEPE'" in body["error"]
