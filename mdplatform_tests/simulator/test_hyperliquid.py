"""Hyperliquid's protocol, through a real client and through the real collector."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
import websockets

from mdplatform.collector import CollectorConfig
from mdplatform.simulator.server import Simulator
from mdplatform.venues import hyperliquid
from mdplatform_tests.collector.rig import Running, collecting
from mdplatform_tests.eventually import eventually
from mdplatform_tests.simulator.rig import closed, frames, get, simulator, socket, until

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


async def test_books_are_the_true_top_20_every_five_seconds() -> None:
    async with simulator(venues=("hyperliquid",)) as sim, socket(url(sim), subscribe("l2Book")) as client:
        await client.recv()
        _, first, second = await frames(client, 3)
        assert first["channel"] == "l2Book"
        assert second["data"]["time"] % 5400 == 0
        data = second["data"]
        truth = await get(f"{sim.url}/_sim/truth?symbol=BTC&venue=hyperliquid&time_ns={data['time'] * 1_000_000}")
        sides = [[[level["px"], level["sz"]] for level in side] for side in data["levels"]]
        assert sides == [truth["bids"][:20], truth["asks"][:20]]


async def test_trades_are_repeated_to_who_subscribes_again() -> None:
    async with simulator(venues=("hyperliquid",), rate=10.0) as sim:
        ids: list[set[int]] = []
        for _ in range(2):
            async with socket(url(sim), subscribe("trades")) as client:
                await client.recv()
                _, batch = await frames(client, 2)
                ids.append({one["tid"] for one in batch["data"]})
    assert len(ids[0]) == 10
    assert ids[0] & ids[1]


@pytest.mark.parametrize(
    "wanted",
    [
        {"type": "l2Book", "coin": "NOPE"},
        {"type": "l2Book", "coin": "btc"},
        {"type": "l2Book", "coin": "BTC", "nSigFigs": 6},
        {"type": "weather", "coin": "BTC"},
    ],
)
async def test_a_subscription_that_cannot_be_ends_the_connection_without_a_word(wanted: dict[str, Any]) -> None:
    message = {"method": "subscribe", "subscription": wanted}
    async with simulator(venues=("hyperliquid",)) as sim, socket(url(sim)) as client:
        await client.recv()
        await client.send(json.dumps(message))
        end = await closed(client)
    assert end.rcvd is None  # what a client calls 1006


async def test_fast_books_are_the_true_top_5_ten_times_as_often() -> None:
    message = subscribe("l2Book")
    message["subscription"]["fast"] = True
    async with simulator(venues=("hyperliquid",)) as sim, socket(url(sim), message) as client:
        await client.recv()
        _, first, *later = await frames(client, 4)
        assert first["data"]["fast"]
        times = [frame["data"]["time"] for frame in later]
        assert {after - before for before, after in pairwise(times)} == {500}
        truth = await get(f"{sim.url}/_sim/truth?symbol=BTC&venue=hyperliquid&time_ns={times[-1] * 1_000_000}")
        sides = [[[level["px"], level["sz"]] for level in side] for side in later[-1]["data"]["levels"]]
        assert sides == [truth["bids"][:5], truth["asks"][:5]]


async def test_an_eleventh_connection_is_refused() -> None:
    async with simulator(venues=("hyperliquid",)) as sim, AsyncExitStack() as clients:
        for _ in range(10):
            await clients.enter_async_context(socket(url(sim)))
        with pytest.raises(websockets.InvalidStatus, match="429"):
            await clients.enter_async_context(socket(url(sim)))


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
        collecting(collector(sim)) as running,
    ):
        await running.until_valid("book", times=3)
        await running.until(lambda: {row["symbol"] for row in running.rows("trades.hyperliquid")} == set(SYMBOLS))
        await running.until(lambda: len(running.rows("funding.hyperliquid")) >= 2)
        assert {row["symbol"] for row in running.rows("funding.hyperliquid")} <= {"BTC-USD-PERP", "ETH-USD-PERP"}
        assert all(row["open_interest"] > 0 for row in running.rows("open_interest.hyperliquid"))
        assert running.rows("md.dead_letter") == []


def by_block(running: Running) -> list[Any]:
    """Books but those that a subscription begins with, which are of no block."""
    begun: set[tuple[str, int]] = set()
    out = []
    for book in running.books("hyperliquid"):
        channel = book["symbol"], len(book["b"])
        out += [book] if channel in begun else []
        begun.add(channel)
    return out


async def test_books_of_a_collector_are_the_true_ones() -> None:
    async with simulator(venues=("hyperliquid",)) as sim, collecting(collector(sim)) as running:
        await running.until(lambda: {len(book["b"]) for book in by_block(running)} == {5, 20})
        for book in by_block(running):
            truth = sim.world.truth(book["symbol"], "hyperliquid")
            assert truth is not None
            record = truth.at(time_ns=book["venue_ns"])
            assert record is not None
            assert len(book["b"]) in (5, 20)
            assert book["b"] == [float(price) for price, _ in record["bids"]][: len(book["b"])]
            assert book["av"] == [float(size) for _, size in record["asks"]][: len(book["av"])]


async def test_after_a_reconnect_each_trade_comes_once() -> None:
    async with simulator(venues=("hyperliquid",), rate=400.0) as sim, collecting(collector(sim)) as running:
        await running.until_valid("book", times=3)
        for peer in sim.world.exchanges["hyperliquid"].peers:
            peer.link.cut()
        await running.until_valid("book", times=6)
        ids = [(row["symbol"], row["id"]) for row in running.rows("trades.hyperliquid")]
        assert len(ids) == len(set(ids))
        await eventually(lambda: running.statuses(channel="trades", state="down"))


async def test_a_coin_that_the_venue_does_not_know_does_the_others_no_harm() -> None:
    async with simulator(venues=("hyperliquid",), symbols=("BTC", "ETH", "SOL", "XRP")) as sim:
        wanted = tuple(f"{base}-USD-PERP" for base in ("BTC", "ETH", "SOL", "XRP"))
        async with collecting(collector(sim, symbols=wanted)) as running:
            await running.until_valid("book", times=4)
            floors = sim.world.exchanges["hyperliquid"].markets
            floors.instruments = {name: one for name, one in floors.instruments.items() if name != "ETH"}
            for peer in sim.world.exchanges["hyperliquid"].peers:
                peer.link.cut()
            await running.until(lambda: running.statuses(symbol="ETH-USD-PERP", cause="refused"))
            refused_ns = running.statuses(symbol="ETH-USD-PERP", cause="refused")[0]["started_ns"]
            await running.until(
                lambda: (
                    {
                        row["symbol"]
                        for row in running.statuses(channel="book", state="valid", ended_ns=None)
                        if row["started_ns"] >= refused_ns
                    }
                    == set(wanted) - {"ETH-USD-PERP"}
                )
            )
            await running.ended()
    kinds = {row["channel"] for row in running.statuses(symbol="ETH-USD-PERP", state="down", cause="refused")}
    assert kinds == {"book", "depth", "trades", "funding", "bbo"}


async def test_every_connection_takes_the_channels_that_all_symbols_together_leave_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hyperliquid, "SUBSCRIPTIONS", 6)
    monkeypatch.setattr(hyperliquid, "SUBSCRIPTIONS_A_CONNECTION", 3)
    wanted = ("BTC-USD-PERP", "ETH-USD-PERP")
    async with simulator(venues=("hyperliquid",)) as sim, collecting(collector(sim, symbols=wanted)) as running:
        await running.until_valid("book", times=2)
        await running.ended()
    assert {row["channel"] for row in running.statuses()} == {"book", "trades", "funding"}
