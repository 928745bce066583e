"""Hyperliquid's protocol, through a real client and through the real collector."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from mdplatform.collector import CollectorConfig
from mdplatform.simulator.server import Simulator
from mdplatform_tests.collector.rig import collecting
from mdplatform_tests.eventually import eventually
from mdplatform_tests.simulator.rig import frames, get, simulator, socket, until

SYMBOLS = ("BTC-USD-PERP", "ETH-USD-PERP", "BTC-USDC")


def subscribe(kind: str, coin: str = "BTC") -> dict[str, Any]:
    return {"method": "subscribe", "subscription": {"type": kind, "coin": coin}}


def url(sim: Simulator) -> str:
    return sim.ws_url("hyperliquid") + "/ws"


def collector(sim: Simulator, **options: Any) -> CollectorConfig:
    where = {"ws_url": sim.ws_url("hyperliquid"), "rest_url": sim.rest_url("hyperliquid")}
    return CollectorConfig(venue="hyperliquid", **{"symbols": SYMBOLS, **where, **options})


async def post(sim: Simulator, body: dict[str, Any]) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(sim.rest_url("hyperliquid") + "/info", json=body) as response,
    ):
        return response.status, json.loads(await response.read())


async def test_a_connection_is_greeted_and_a_ping_answered() -> None:
    async with simulator(venues=("hyperliquid",)) as sim, socket(url(sim), {"method": "ping"}) as client:
        assert await client.recv() == "Websocket connection established."
        assert await frames(client, 1) == [{"channel": "pong"}]


async def test_books_are_the_true_top_20() -> None:
    async with simulator(venues=("hyperliquid",)) as sim, socket(url(sim), subscribe("l2Book")) as client:
        await client.recv()
        _, first, *later = await frames(client, 4)
        assert first["channel"] == "l2Book"
        for frame in later:
            data = frame["data"]
            truth = await get(f"{sim.url}/_sim/truth?symbol=BTC&venue=hyperliquid&time_ns={data['time'] * 1_000_000}")
            sides = [[[level["px"], level["sz"]] for level in side] for side in data["levels"]]
            assert sides == [truth["bids"][:20], truth["asks"][:20]]


async def test_prints_are_repeated_to_who_subscribes_again() -> None:
    async with simulator(venues=("hyperliquid",), rate=10.0) as sim:
        ids: list[set[int]] = []
        for _ in range(2):
            async with socket(url(sim), subscribe("trades")) as client:
                await client.recv()
                _, batch = await frames(client, 2)
                ids.append({one["tid"] for one in batch["data"]})
    assert len(ids[0]) == 10
    assert ids[0] & ids[1]


@pytest.mark.parametrize("wanted", [{"type": "l2Book", "coin": "NOPE"}, {"type": "weather", "coin": "BTC"}])
async def test_a_subscription_that_cannot_be_is_named_in_the_error(wanted: dict[str, str]) -> None:
    message = {"method": "subscribe", "subscription": wanted}
    async with simulator(venues=("hyperliquid",)) as sim, socket(url(sim), message) as client:
        await client.recv()
        (answer,) = await frames(client, 1)
    assert answer == {"channel": "error", "data": f"Invalid subscription {json.dumps(wanted, separators=(',', ':'))}"}


async def test_only_perpetuals_have_funding() -> None:
    async with simulator(venues=("hyperliquid",)) as sim:
        _, meta = await post(sim, {"type": "spotMeta"})
        pair = meta["universe"][0]["name"]
        async with socket(url(sim), subscribe("activeAssetCtx"), subscribe("activeAssetCtx", pair)) as client:
            await client.recv()
            perpetual = await until(client, lambda frame: frame["channel"] == "activeAssetCtx")
            spot = await until(client, lambda frame: frame["channel"] == "activeSpotAssetCtx")
    assert float(perpetual["data"]["ctx"]["markPx"]) > 0
    assert spot["data"]["coin"] == pair


async def test_info_says_what_it_does_not_know() -> None:
    async with simulator(venues=("hyperliquid",)) as sim:
        assert (await post(sim, {"type": "weather"}))[0] == 422
        assert (await post(sim, {"type": "l2Book", "coin": "NOPE"}))[0] == 422
        status, book = await post(sim, {"type": "l2Book", "coin": "BTC"})
    assert (status, len(book["levels"][0])) == (200, 20)


async def test_a_collector_gets_books_trades_and_funding_of_perpetuals_and_pairs() -> None:
    async with (
        simulator(venues=("hyperliquid",), rate=400.0) as sim,
        collecting(collector(sim, channels=("l2Book", "trades", "activeAssetCtx", "bbo"))) as running,
    ):
        await running.until_valid("book", times=3)
        await running.until(lambda: {row["symbol"] for row in running.rows("trades.hyperliquid")} == set(SYMBOLS))
        await running.until(lambda: len(running.rows("funding.hyperliquid")) >= 2)
        assert {row["symbol"] for row in running.rows("funding.hyperliquid")} <= {"BTC-USD-PERP", "ETH-USD-PERP"}
        assert running.rows("md.dead_letter") == []


async def test_books_of_a_collector_are_the_true_ones() -> None:
    async with simulator(venues=("hyperliquid",)) as sim, collecting(collector(sim)) as running:
        await running.until(lambda: len([b for b in running.books("hyperliquid") if b["previous_sequence"]]) >= 9)
        for book in [book for book in running.books("hyperliquid") if book["previous_sequence"]]:
            truth = sim.world.truth(book["symbol"], "hyperliquid")
            assert truth is not None
            record = truth.at(time_ns=book["sequence"] * 1000)
            assert record is not None
            assert book["b"] == [float(price) for price, _ in record["bids"]][:20]
            assert book["av"] == [float(size) for _, size in record["asks"]][:20]


async def test_after_a_reconnect_no_print_comes_twice() -> None:
    async with simulator(venues=("hyperliquid",), rate=400.0) as sim, collecting(collector(sim)) as running:
        await running.until_valid("book", times=3)
        for peer in sim.world.exchanges["hyperliquid"].peers:
            peer.link.cut()
        await running.until_valid("book", times=6)
        ids = [(row["symbol"], row["id"]) for row in running.rows("trades.hyperliquid")]
        assert len(ids) == len(set(ids))
        await eventually(lambda: running.statuses(channel="trades", state="down"))
