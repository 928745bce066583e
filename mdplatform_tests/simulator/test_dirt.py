"""The simulator is dirty as its script says: lists, symbols, numbering, rows, silence, maintenance."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import websockets

from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.server import serve
from mdplatform_tests.simulator.rig import closed, fetch, frames, get, simulator, socket, until
from mdplatform_tests.simulator.test_faults import DEPTH, order
from mdplatform_tests.simulator.venue_time import VenueClock, at, run_in_venue_time

ASK_EVERY_S = 0.02  # a question costs weight, of which a minute has so much
BOOK = {"method": "subscribe", "params": {"channel": "book", "symbol": ["BTC/USD"], "depth": 10}}


async def listed(sim: Any, venue: str = "binance") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await get(sim.rest_url(venue) + "/api/v3/exchangeInfo"))["symbols"]
    return rows


async def test_reset_begins_update_ids_again_lower() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + DEPTH) as client:
        (first,) = await frames(client, 1)
        await order(sim, "reset venue=binance symbol=BTCUSDT channel=depth")
        begun = await until(client, lambda frame: frame["u"] < first["U"])
    assert first["U"] - begun["u"] > 100_000
    assert begun["E"] > first["E"]


async def test_reset_begins_trade_ids_again_lower() -> None:
    async with simulator(rate=2000.0) as sim, socket(sim.ws_url("binance") + "/ws/btcusdt@trade") as client:
        (first,) = await frames(client, 1)
        await order(sim, "reset venue=binance symbol=BTCUSDT channel=trade")
        begun = await until(client, lambda frame: frame["t"] < first["t"])
    assert begun["T"] >= first["T"]


async def test_checksum_is_wrong_once_and_right_again() -> None:
    async with simulator(venues=("kraken",)) as sim, socket(sim.ws_url("kraken") + "/v2", BOOK) as client:
        await until(client, lambda frame: frame.get("channel") == "book")
        await order(sim, "checksum venue=kraken channel=book")
        assert sim.faults.done[0]["affected"] == 1
        update = await until(client, lambda frame: frame.get("type") == "update")
        assert isinstance(update["data"][0]["checksum"], int)


async def test_a_bad_row_comes_beside_the_good_ones() -> None:
    subscribe = {"op": "subscribe", "args": ["publicTrade.BTCUSDT"]}
    async with (
        simulator(venues=("bybit",), rate=2000.0) as sim,
        socket(sim.ws_url("bybit") + "/v5/public/linear", subscribe) as client,
    ):
        await until(client, lambda frame: "data" in frame)
        await order(sim, "bad-row venue=bybit channel=publicTrade")
        dirty = await until(client, lambda frame: "data" in frame and not isinstance(frame["data"][0]["p"], str))
    assert all(isinstance(row["p"], str) for row in dirty["data"][1:])
    assert len(dirty["data"]) > 1


async def test_a_silent_channel_stays_silent_on_the_next_connection() -> None:
    async with simulator() as sim:
        await order(sim, "silence venue=binance symbol=BTCUSDT channel=depth for=60")
        streams = "/stream?streams=btcusdt@depth@100ms/ethusdt@depth@100ms"
        async with socket(sim.ws_url("binance") + streams) as client:
            assert {frame["stream"] for frame in await frames(client, 5)} == {"ethusdt@depth@100ms"}


async def test_a_deaf_venue_answers_nothing_and_sends_on() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + DEPTH) as client:
        await order(sim, "deaf venue=binance for=60")
        await client.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": 7}))
        assert not [frame for frame in await frames(client, 5) if "id" in frame]


async def test_maintenance_closes_and_says_when_to_come_back() -> None:
    async with simulator() as sim:
        async with socket(sim.ws_url("binance") + DEPTH) as client:
            await order(sim, "maintenance venue=binance for=60 retry=40")
            end = await closed(client)
        assert end.rcvd is not None
        assert end.rcvd.code == 1012
        with pytest.raises(websockets.InvalidStatus) as refusal:
            async with socket(sim.ws_url("binance") + DEPTH):
                pass
    assert refusal.value.response.headers["Retry-After"] == "40"


@pytest.mark.parametrize(("odd", "value"), [("null", None), ("empty", ""), ("zero", "0")])
async def test_a_list_has_one_odd_row_more(odd: str, value: object) -> None:
    async with simulator() as sim:
        before = await listed(sim)
        await order(sim, f"odd-row venue=binance for=60 odd={odd}")
        after = await listed(sim)
    (row,) = [row for row in after if row not in before]
    assert len(after) == len(before) + 1
    assert row["symbol"] == "ODD0USDT"
    assert row["status"] == value


async def test_an_odd_row_may_lack_its_fields() -> None:
    async with simulator() as sim:
        await order(sim, "odd-row venue=binance for=60 odd=absent")
        (row,) = [row for row in await listed(sim) if row["symbol"].startswith("ODD")]
    assert "status" not in row


async def test_an_odd_row_that_names_a_symbol_lets_time_go_on() -> None:
    async with simulator() as sim:
        await order(sim, "odd-row venue=binance symbol=BTCUSDT for=60")
        assert len(await listed(sim)) == 3


async def test_a_list_shrinks() -> None:
    async with simulator(symbols=("BTC", "ETH", "SOL")) as sim:
        await order(sim, "shrink venue=binance for=60")
        assert [row["symbol"] for row in await listed(sim)] == ["BTCUSDT"]


async def test_a_symbol_vanishes_and_comes_back() -> None:
    async with simulator() as sim:
        await order(sim, "delist venue=binance symbol=BTCUSDT")
        gone = [row["symbol"] for row in await listed(sim)]
        status, _, _ = await fetch(sim.rest_url("binance") + "/api/v3/depth?symbol=BTCUSDT")
        await get(f"{sim.url}/_sim/fault?script=list venue=binance symbol=BTCUSDT")
        async with asyncio.timeout(5):
            while len(await listed(sim)) < 2:
                pass
    assert gone == ["ETHUSDT"]
    assert status == 400


async def test_a_denied_symbol_is_listed_and_refused() -> None:
    subscribe = {"op": "subscribe", "req_id": "1", "args": ["publicTrade.BTCUSDT"]}
    async with simulator(venues=("bybit",)) as sim:
        await order(sim, "deny venue=bybit symbol=BTCUSDT")
        answer = await get(sim.rest_url("bybit") + "/v5/market/instruments-info?category=linear")
        async with socket(sim.ws_url("bybit") + "/v5/public/linear", subscribe) as client:
            (refusal,) = await frames(client, 1)
    assert "BTCUSDT" in [row["symbol"] for row in answer["result"]["list"]]
    assert refusal["success"] is False


async def test_an_emptied_book_has_no_level_and_comes_back() -> None:
    url = "/api/v3/depth?symbol=BTCUSDT"
    async with simulator() as sim:
        await get(sim.rest_url("binance") + url)  # a market opens when it is asked for
        await order(sim, "empty venue=binance symbol=BTCUSDT for=0.5")
        async with asyncio.timeout(10):
            while (await get(sim.rest_url("binance") + url))["bids"]:  # noqa: ASYNC110
                await asyncio.sleep(ASK_EVERY_S)
            while not (await get(sim.rest_url("binance") + url))["bids"]:  # noqa: ASYNC110
                await asyncio.sleep(ASK_EVERY_S)


async def test_slow_batches_come_at_their_own_distance() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + DEPTH) as client:
        await frames(client, 2)
        await order(sim, "slow venue=binance symbol=BTCUSDT n=1 for=60")
        times = [frame["E"] for frame in await frames(client, 2)]
        while times[-1] - times[-2] == 100:  # those that were on their way
            times += [frame["E"] for frame in await frames(client, 1)]
        times += [frame["E"] for frame in await frames(client, 2)]
    assert times[-1] - times[-2] == 1000


def test_dated_contracts_vanish_at_their_hour() -> None:
    async def live() -> tuple[list[str], list[str]]:
        clock = VenueClock(at("2026-12-25 07:59"))
        config = SimulatorConfig(symbols=("BTC",), venues=("binance-usdm",), levels=50, rate=1, tick_s=1)
        async with await serve(config, clock) as simulator:
            instruments = simulator.world.exchanges["binance-usdm"].markets.instruments
            before = list(instruments)
            await asyncio.sleep(120)
            return before, list(instruments)

    before, after = run_in_venue_time(live())
    assert [name for name in before if name not in after] == ["BTCUSDT_261225"]
