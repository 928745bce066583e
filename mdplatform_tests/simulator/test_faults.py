"""Every fault does what it says, seen from the client's side."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest
import websockets

from mdplatform.simulator.server import Simulator
from mdplatform_tests.simulator.rig import closed, fetch, frames, get, simulator, socket, until

DEPTH = "/ws/btcusdt@depth@100ms"


async def order(sim: Simulator, script: str) -> None:
    """Have a fault happen, and wait until it has."""
    await get(f"{sim.url}/_sim/fault?script={quote(script)}")
    async with asyncio.timeout(5):
        while not (await get(f"{sim.url}/_sim/faults"))["done"]:
            pass


async def silence(client: websockets.ClientConnection, seconds: float) -> bool:
    """Whether, after what was on its way, nothing comes for so long."""
    try:
        for _ in range(100):
            await asyncio.wait_for(client.recv(), seconds)
    except TimeoutError:
        return True
    return False


def holes(diffs: list[dict[str, Any]]) -> list[int]:
    """How many ids are missing between each two diffs."""
    return [later["U"] - earlier["u"] - 1 for earlier, later in pairwise(diffs)]


async def seen_until(
    client: websockets.ClientConnection, enough: Callable[[list[dict[str, Any]]], bool]
) -> list[dict[str, Any]]:
    """The frames until some are enough (many may be on their way before a fault shows), and five more."""
    seen = await frames(client, 1)
    while not enough(seen):
        seen += await frames(client, 1)
    return seen + await frames(client, 5)


async def test_drop_loses_frames() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + DEPTH) as client:
        first = await frames(client, 1)
        await order(sim, "drop venue=binance symbol=BTCUSDT channel=depth count=2")
        seen = await seen_until(client, lambda later: any(holes(first + later)))
        missing = [hole for hole in holes(first + seen) if hole]
    assert len(missing) == 1
    assert missing[0] > 0


async def test_drop_of_another_symbol_loses_nothing_here() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + DEPTH) as client:
        await order(sim, "drop venue=binance symbol=ETHUSDT count=100")
        assert not any(holes(await frames(client, 6)))


async def test_skip_leaves_out_update_ids() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + DEPTH) as client:
        first = await frames(client, 1)
        await order(sim, "skip venue=binance symbol=BTCUSDT n=1000000")
        seen = await seen_until(client, lambda later: any(holes(first + later)))
    assert [hole for hole in holes(first + seen) if hole] == [1_000_000]


def doubles(diffs: list[dict[str, Any]]) -> int:
    return len(diffs) - len({diff["u"] for diff in diffs})


def jumps(numbers: list[int]) -> set[int]:
    return {later - earlier for earlier, later in pairwise(numbers)}


async def test_skip_of_trades_leaves_out_trade_ids() -> None:
    async with simulator(rate=400.0) as sim, socket(sim.ws_url("binance") + "/ws/btcusdt@trade") as client:
        ids = [frame["t"] for frame in await frames(client, 1)]
        await order(sim, "skip venue=binance symbol=BTCUSDT channel=trade n=7")
        while jumps(ids) <= {1} and len(ids) < 10_000:  # many may be on their way already
            ids += [frame["t"] for frame in await frames(client, 20)]
    assert jumps(ids) == {1, 8}


async def test_skip_on_advanced_trade_leaves_out_sequence_numbers() -> None:
    request = {"type": "subscribe", "channel": "level2", "product_ids": ["BTC-USD"]}
    async with simulator() as sim, socket(sim.ws_url("coinbase-advanced"), request) as client:
        numbers = [frame["sequence_num"] for frame in await frames(client, 2)]
        await order(sim, "skip venue=coinbase-advanced n=3")
        while jumps(numbers) <= {1} and len(numbers) < 10_000:
            numbers += [frame["sequence_num"] for frame in await frames(client, 5)]
    assert jumps(numbers) == {1, 4}


async def test_duplicate_sends_frames_twice() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + DEPTH) as client:
        await frames(client, 1)
        await order(sim, "duplicate venue=binance count=3")
        seen = await seen_until(client, lambda later: doubles(later) >= 3)
    assert doubles(seen) == 3


async def test_stall_sends_frames_late_and_all_of_them() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + DEPTH) as client:
        seen, late_ms = await frames(client, 1), []
        await order(sim, "stall venue=binance for=1s")
        while not any(late > 500 for late in late_ms) or len(late_ms) < 15:
            seen += await frames(client, 1)
            late_ms.append(time.time() * 1000 - seen[-1]["E"])
    assert not any(holes(seen))


async def test_cut_ends_the_connection_without_a_close_frame() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + DEPTH) as client:
        await order(sim, "cut venue=binance")
        assert (await closed(client)).rcvd is None


async def test_cut_of_one_venue_leaves_the_other() -> None:
    request = {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": ["level2_batch"]}
    async with simulator() as sim, socket(sim.ws_url("coinbase"), request) as client:
        await order(sim, "cut venue=binance")
        assert len(await frames(client, 8)) == 8


async def test_half_open_is_silent_and_answers_no_ping_but_stays_open() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + DEPTH, ping_interval=None) as client:
        await order(sim, "half-open venue=binance")
        pong = await client.ping()
        assert await silence(client, 1.0)
        assert not pong.done()
        assert client.state is websockets.State.OPEN


@pytest.mark.parametrize("kind", ["text", "binary", "truncated"])
async def test_garbage_is_not_json(kind: str) -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + DEPTH) as client:
        await order(sim, f"garbage venue=binance count=2 kind={kind}")
        async with asyncio.timeout(5):
            bad = 0
            while bad < 2:
                try:
                    json.loads(await client.recv())
                except ValueError:
                    bad += 1


async def test_garbage_of_fields_is_json_of_the_wrong_shape() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + DEPTH) as client:
        await order(sim, "garbage venue=binance kind=fields")
        assert await until(client, lambda frame: frame["b"] is None)


async def test_429_says_when_to_come_back() -> None:
    async with simulator() as sim:
        await order(sim, "429 venue=binance count=2 retry=3")
        url = sim.rest_url("binance") + "/api/v3/depth?symbol=BTCUSDT"
        answers = [await fetch(url) for _ in range(3)]
    assert [status for status, _, _ in answers] == [429, 429, 200]
    assert answers[0][2]["Retry-After"] == "3"


async def test_refuse_turns_connections_away_for_a_time() -> None:
    async with simulator() as sim:
        await order(sim, "refuse venue=binance for=60s")
        with pytest.raises(websockets.InvalidStatus) as refusal:
            async with socket(sim.ws_url("binance") + DEPTH):
                pass
    assert refusal.value.response.status_code == 503


async def test_a_script_runs_at_its_times_again_and_again() -> None:
    async with simulator(faults="at=0.1s every=0.1s duplicate venue=binance") as sim:
        async with asyncio.timeout(5):
            while len((await get(f"{sim.url}/_sim/faults"))["done"]) < 3:
                pass


async def test_too_slow_a_reader_is_cut_off() -> None:
    async with (
        simulator(rate=1000.0, queue=20) as sim,
        socket(sim.ws_url("binance") + "/ws/btcusdt@bookTicker/btcusdt@trade/btcusdt@depth20@100ms") as client,
    ):
        client.transport.pause_reading()
        async with asyncio.timeout(30):
            while (await get(f"{sim.url}/_sim/status"))["venues"]["binance"]["connections"]:
                pass
