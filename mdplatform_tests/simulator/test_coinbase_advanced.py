"""Coinbase Advanced Trade's protocol, through a real client."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from mdplatform_tests.simulator.rig import Rebuilt, frames, get, simulator, socket, until
from mdplatform_tests.simulator.test_coinbase import nanoseconds

_SIDES = {"bid": "b", "offer": "a"}


def subscribe(channel: str, *products: str) -> dict[str, Any]:
    return {"type": "subscribe", "channel": channel} | ({"product_ids": list(products)} if products else {})


async def test_a_book_rebuilt_from_snapshot_and_updates_is_the_true_book() -> None:
    request = subscribe("level2", "ETH-USD")
    async with simulator() as sim, socket(sim.ws_url("coinbase-advanced"), request) as client:
        book = Rebuilt("0.01", "0.00000001")
        seen = (await frames(client, 15))[1:]
        assert [frame["events"][0]["type"] for frame in seen] == ["snapshot"] + ["update"] * 13
        for frame in seen:
            (event,) = frame["events"]
            for update in event["updates"]:
                book.apply(_SIDES[update["side"]], [(update["price_level"], update["new_quantity"])])
            if event["type"] == "update":
                truth = await get(f"{sim.url}/_sim/truth?symbol=ETH-USD&time_ns={nanoseconds(frame['timestamp'])}")
                assert book.checksum == truth["checksum"]


async def test_sequence_numbers_count_all_frames_of_the_connection() -> None:
    requests = [
        subscribe("heartbeats"),
        subscribe("level2", "BTC-USD", "ETH-USD"),
        subscribe("market_trades", "BTC-USD"),
    ]
    async with simulator() as sim, socket(sim.ws_url("coinbase-advanced"), *requests) as client:
        seen = await frames(client, 40)
    assert [frame["sequence_num"] for frame in seen] == list(range(40))


async def test_the_acknowledgement_lists_the_subscriptions() -> None:
    requests = [subscribe("heartbeats"), subscribe("market_trades", "BTC-USD")]
    async with simulator() as sim, socket(sim.ws_url("coinbase-advanced"), *requests) as client:
        await until(client, lambda frame: frame["channel"] == "subscriptions")
        answer = await until(client, lambda frame: frame["channel"] == "subscriptions")
    assert answer["events"] == [{"subscriptions": {"heartbeats": ["heartbeats"], "market_trades": ["BTC-USD"]}}]


async def test_trades_come_newest_first_and_without_a_hole() -> None:
    request = subscribe("market_trades", "BTC-USD")
    async with simulator(rate=400.0) as sim, socket(sim.ws_url("coinbase-advanced"), request) as client:
        batches = [frame["events"][0] for frame in (await frames(client, 8))[1:]]
    assert [batch["type"] for batch in batches] == ["snapshot"] + ["update"] * 6
    ids = [[int(trade["trade_id"]) for trade in batch["trades"]] for batch in batches]
    assert all(later == earlier - 1 for batch in ids for earlier, later in pairwise(batch))
    assert all(later[-1] == earlier[0] + 1 for earlier, later in pairwise(ids[1:]))


async def test_an_alias_delivers_the_product_it_stands_for() -> None:
    request = subscribe("level2", "BTC-USDC")
    async with simulator() as sim, socket(sim.ws_url("coinbase-advanced"), request) as client:
        frame = await until(client, lambda frame: frame["channel"] == "l2_data")
    assert frame["events"][0]["product_id"] == "BTC-USD"


async def test_heartbeats_count() -> None:
    async with simulator() as sim, socket(sim.ws_url("coinbase-advanced"), subscribe("heartbeats")) as client:
        beats = (await frames(client, 3))[1:]
    first, second = (beat["events"][0]["heartbeat_counter"] for beat in beats)
    assert second == first + 1


@pytest.mark.parametrize(
    "message",
    [
        {"type": "subscribe", "channels": ["level2"], "product_ids": ["BTC-USD"]},
        {"type": "subscribe", "channel": "level2"},
        {"type": "subscribe", "channel": "level2", "product_ids": ["XX-YY"]},
        {"type": "dance", "channel": "level2"},
    ],
)
async def test_a_bad_subscription_gets_an_error_frame(message: dict[str, Any]) -> None:
    async with simulator() as sim, socket(sim.ws_url("coinbase-advanced"), message) as client:
        (answer,) = await frames(client, 1)
    assert answer["type"] == "error"


@pytest.mark.parametrize("prefix", ["", "/api/v3/brokerage"])
async def test_products_are_listed_with_their_aliases(prefix: str) -> None:
    async with simulator() as sim:
        listed = await get(sim.rest_url("coinbase-advanced") + f"{prefix}/market/products")
    rows = {row["product_id"]: row for row in listed["products"]}
    assert rows["BTC-USD"]["alias_to"] == ["BTC-USDC"]
    assert rows["BTC-USDC"]["alias"] == "BTC-USD"


async def test_both_coinbase_protocols_show_one_market() -> None:
    async with simulator() as sim:
        advanced = await get(sim.rest_url("coinbase-advanced") + "/market/products/BTC-USD/ticker?limit=50")
        exchange = await get(sim.rest_url("coinbase") + "/products/BTC-USD/trades?limit=100")
    prices = {row["trade_id"]: row["price"] for row in exchange}
    shared = [row for row in advanced["trades"] if int(row["trade_id"]) in prices]
    assert len(shared) > 40
    assert all(prices[int(row["trade_id"])] == row["price"] for row in shared)
