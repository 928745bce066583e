"""KuCoin's protocol, through a real client and through the real collector."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import aiohttp
import pytest

from mdplatform.collector import CollectorConfig
from mdplatform.simulator.server import Simulator
from mdplatform.venues.kucoin import Kucoin
from mdplatform_tests.collector.rig import broken_links, collecting, order, shard
from mdplatform_tests.simulator import rig
from mdplatform_tests.simulator.rig import closed, fetch, frames, simulator, socket, true_books, until

VENUES = ("kucoin",)


async def ticket(sim: Simulator) -> str:
    """An address with a fresh token."""
    url = f"{sim.rest_url('kucoin')}/api/v1/bullet-public"
    async with aiohttp.ClientSession() as session, session.post(url) as response:
        data = (await response.json())["data"]
    return f"{data['instanceServers'][0]['endpoint']}?token={data['token']}&connectId=me"


def subscribe(topic: str, number: str = "1") -> dict[str, Any]:
    return {"id": number, "type": "subscribe", "topic": topic, "privateChannel": False, "response": True}


async def test_a_ticket_opens_one_connection() -> None:
    async with simulator(venues=VENUES) as sim:
        address = await ticket(sim)
        async with socket(address) as client:
            assert await frames(client, 1) == [{"id": "me", "type": "welcome"}]
        async with socket(address) as client:
            end = await closed(client)
            assert end.rcvd is not None
            assert end.rcvd.code == 4001


async def test_a_ticket_is_posted_for() -> None:
    async with simulator(venues=VENUES) as sim:
        status, body, _ = await fetch(f"{sim.rest_url('kucoin')}/api/v1/bullet-public")
    assert (status, body["code"]) == (405, "405")


async def test_pings_and_requests_are_answered_by_id() -> None:
    topic = "/market/match:BTC-USDT,NONE-USDT"
    requests = {"id": "7", "type": "ping"}, subscribe(topic, "8")
    async with simulator(venues=VENUES) as sim, socket(await ticket(sim), *requests) as client:
        pong = await until(client, lambda frame: frame["type"] == "pong")
        error = await until(client, lambda frame: frame["type"] == "error")
    assert pong["id"] == "7"
    assert (error["id"], error["code"], error["data"]) == ("8", 404, f"topic {topic} is not found")


async def test_sequences_of_a_contract_count_up_by_one() -> None:
    request = subscribe("/contractMarket/level2:XBTUSDTM")
    async with simulator(venues=VENUES, rate=300.0) as sim, socket(await ticket(sim), request) as client:
        await until(client, lambda frame: frame["type"] == "ack")
        numbers = [frame["data"]["sequence"] for frame in await frames(client, 30)]
    assert numbers == list(range(numbers[0], numbers[0] + 30))


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        ("/api/v1/market/orderbook/level2_100?symbol=NONE", 400, "400100"),
        ("/api/v1/level2/snapshot", 400, "400100"),
        ("/api/v9/nothing", 404, "404"),
    ],
)
async def test_bad_rest_calls_get_the_venues_code(call: str, status: int, code: str) -> None:
    async with simulator(venues=VENUES) as sim:
        answered, body, _ = await fetch(sim.rest_url("kucoin") + call)
    assert (answered, body["code"]) == (status, code)


UTA = {"channel": "obu", "tradeType": "SPOT", "depth": "increment@10ms", "rpiFilter": 0}


async def test_a_socket_without_a_ticket_pushes_books_in_binary_frames() -> None:
    async with simulator() as sim, socket(sim.ws_url("kucoin")) as client:
        welcome = await client.recv()
        assert isinstance(welcome, bytes)
        assert json.loads(welcome)["message"] == "welcome"
        await client.send(json.dumps({**UTA, "id": "1", "action": "subscribe", "symbol": "BTC-USDT"}))
        reply, whole, *deltas = await frames(client, 12)
        assert reply == {"id": "1", "result": True}
        assert (whole["T"], whole["t"], len(whole["d"]["b"])) == ("obu.SPOT", "snapshot", 500)
        last = whole["d"]["C"]
        for delta in deltas:
            assert delta["d"]["O"] == last + 1
            last = delta["d"]["C"]


async def test_a_symbol_that_does_not_exist_is_acknowledged_by_the_push_socket() -> None:
    asked = {**UTA, "id": "1", "action": "subscribe", "symbol": "NONE-USDT"}
    async with simulator() as sim, socket(sim.ws_url("kucoin"), asked) as client:
        assert (await until(client, lambda frame: "result" in frame)) == {"id": "1", "result": True}
        await client.send(json.dumps({**asked, "id": "2", "channel": "none"}))
        assert (await until(client, lambda frame: "result" in frame))["result"] is False


# --- the collector

SYMBOLS = ("BTC-USDT", "ETH-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")
collected = partial(rig.collected, venue="kucoin", symbols=SYMBOLS)


async def test_a_price_that_runs_away_from_its_snapshot_leaves_the_book_true() -> None:
    async with collected("level2", symbols=("BTC-USDT",), rate=400.0) as (sim, collector):
        await collector.until_valid()
        for percent in (0.2, -0.4, 0.6):  # each to where it has not been, and there before it is sent on
            before = sim.world.exchanges["kucoin"].answers["rest 200"]
            order(sim, f"jump BTC {percent}%")
            await collector.until(lambda before=before: sim.world.exchanges["kucoin"].answers["rest 200"] > before)
            count = len(collector.books("kucoin"))
            await collector.until(lambda count=count: len(collector.books("kucoin")) > count + 20)
        assert await true_books(sim, collector, "kucoin") > 30
        assert not broken_links(collector.books("kucoin"))
        assert not collector.statuses(state="gap")


async def test_a_cut_connection_comes_back_with_a_new_ticket() -> None:
    async with collected("level2", "trades") as (sim, collector):
        await collector.until_valid(times=4)
        order(sim, "cut venue=kucoin")
        await collector.until_valid(times=8)
        assert {row["cause"] for row in collector.statuses(state="down")} <= {"cut", "cut_filled"}
        assert not collector.rows("md.dead_letter")


async def test_a_venue_without_tickets_is_down_until_it_gives_some() -> None:
    async with collected("level2") as (sim, collector):
        await collector.until_valid(times=4)
        exchange = sim.world.exchanges["kucoin"]
        given, exchange.post = exchange.post, lambda *call: exchange.respond("/nowhere", {}, 0)  # type: ignore[method-assign]
        order(sim, "cut venue=kucoin")
        await collector.until(lambda: exchange.answers["rest 404"] > 1)
        exchange.post = given  # type: ignore[method-assign]
        await collector.until_valid(times=8)


async def test_a_symbol_that_the_venue_refuses_does_the_others_no_harm() -> None:
    async with collected("trades", symbols=("BTC-USDT", "ETH-USDT")) as (sim, collector):
        await collector.until(lambda: collector.rows("trades.kucoin", symbol="BTC-USDT"))
        # It is delisted: gone when it is requested again.
        floors = sim.world.exchanges["kucoin"].markets
        floors.instruments = {key: one for key, one in floors.instruments.items() if key != "spot/ETH-USDT"}
        order(sim, "cut venue=kucoin")
        await collector.until(lambda: len(collector.rows("md.dead_letter", reason="venue_error")) > 1)
        before = len(collector.rows("trades.kucoin", symbol="BTC-USDT"))
        await collector.until(lambda: len(collector.rows("trades.kucoin", symbol="BTC-USDT")) > before)
        assert not [row for row in collector.rows("md.dead_letter") if row["reason"] != "venue_error"]


async def test_open_interest_of_contracts_is_asked_for_by_rest() -> None:
    symbols = ("BTC-USDT-PERP", "BTC-USD-PERP")
    async with simulator(venues=VENUES) as sim:
        config = shard(sim, "kucoin", symbols=symbols, channels=("instrument", "openInterest.rest"))
        async with collecting(config) as collector:
            await collector.until(
                lambda: {row["symbol"] for row in collector.rows("open_interest.kucoin")} == {*symbols}, 60
            )
            rows = {row["symbol"]: row for row in collector.rows("open_interest.kucoin")}
            assert not collector.rows("md.dead_letter")
    linear, inverse = (rows[symbol] for symbol in symbols)
    assert linear["open_interest"] == pytest.approx(linear["raw_open_interest"] * 0.001)
    assert inverse["open_interest_value"] == inverse["raw_open_interest"]
    assert 0.5 < inverse["open_interest"] / linear["open_interest"] < 2


async def test_where_the_push_socket_cannot_be_opened_books_come_by_the_classic_one() -> None:
    async with simulator(venues=VENUES, levels=600) as sim:
        elsewhere = Kucoin()
        elsewhere.uta_ws_url = "ws://127.0.0.1:1"  # nobody listens there
        elsewhere.ws_url = sim.ws_url("kucoin")
        config = CollectorConfig(
            venue="kucoin",
            rest_url=sim.rest_url("kucoin"),
            symbols=("BTC-USDT", "ETH-USDT"),
            channels=("book", "trades"),
        )
        async with collecting(config, venue=elsewhere) as collector:
            await collector.until(
                lambda: (
                    {row["symbol"] for row in collector.statuses(channel="book", state="valid")}
                    == {"BTC-USDT", "ETH-USDT"}
                ),
                60,
            )
            await collector.until(lambda: len(collector.books("kucoin")) > 20)
        assert not broken_links(collector.books("kucoin"))
        assert "unreachable" in {row["cause"] for row in collector.statuses(channel="book", state="down")}
