"""The simulator as a whole: addresses, control paths, ledger."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import websockets

from mdplatform.errors import ConfigError
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.server import serve
from mdplatform_tests.simulator.rig import fetch, frames, get, simulator, socket


async def test_binance_paths_also_work_without_a_prefix() -> None:
    async with simulator() as sim, socket(f"ws://127.0.0.1:{sim.port}/ws/btcusdt@depth@100ms") as client:
        assert (await frames(client, 1))[0]["s"] == "BTCUSDT"
        assert (await get(sim.url + "/api/v3/exchangeInfo"))["symbols"]


async def test_the_status_tells_the_addresses() -> None:
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
async def test_a_bad_control_call_is_told_in_one_line(path: str, status: int) -> None:
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


async def test_a_taken_port_is_told() -> None:
    async with simulator() as sim:
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{sim.port}"):
            await serve(SimulatorConfig(symbols=("BTC",), port=sim.port))


async def test_a_truth_file_that_cannot_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="truth file"):
        await serve(SimulatorConfig(symbols=("BTC",), truth_file=tmp_path / "no" / "such"))
