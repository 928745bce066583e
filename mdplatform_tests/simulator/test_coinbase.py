"""Coinbase Exchange's protocol, through a real client."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from mdplatform_tests.simulator.rig import Rebuilt, closed, fetch, fetch_at_once, frames, get, simulator, socket, until


def subscribe(*channels: Any, products: tuple[str, ...] = ("BTC-USD",)) -> dict[str, Any]:
    return {"type": "subscribe", "product_ids": list(products), "channels": list(channels)}


def nanoseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000) * 1_000


async def test_a_book_rebuilt_from_snapshot_and_updates_is_the_true_book() -> None:
    async with simulator() as sim, socket(sim.ws_url("coinbase"), subscribe("level2_batch")) as client:
        snapshot = await until(client, lambda frame: frame["type"] == "snapshot")
        book = Rebuilt("0.01", "0.00000001")
        book.apply("b", snapshot["bids"])
        book.apply("a", snapshot["asks"])
        assert len(book.sides["a"]) > 1_000
        for update in await frames(client, 15):
            assert update["type"] == "l2update"
            for side, price, size in update["changes"]:
                book.apply({"buy": "b", "sell": "a"}[side], [(price, size)])
            truth = await get(f"{sim.url}/_sim/truth?symbol=BTC-USD&time_ns={nanoseconds(update['time'])}")
            assert book.checksum == truth["checksum"]
            assert list(book.best) == [Decimal(truth["bids"][0][0]), Decimal(truth["asks"][0][0])]


async def test_the_acknowledgement_names_the_batched_book_its_own_way() -> None:
    async with simulator() as sim, socket(sim.ws_url("coinbase"), subscribe("level2_batch", "heartbeat")) as client:
        (answer,) = await frames(client, 1)
    assert answer["type"] == "subscriptions"
    assert [channel["name"] for channel in answer["channels"]] == ["level2_50", "heartbeat"]


async def test_unsubscribing_leaves_the_rest() -> None:
    async with simulator() as sim, socket(sim.ws_url("coinbase"), subscribe("matches", "heartbeat")) as client:
        await client.send('{"type":"unsubscribe","product_ids":["BTC-USD"],"channels":["matches"]}')
        await until(client, lambda frame: frame["type"] == "subscriptions")
        left = await until(client, lambda frame: frame["type"] == "subscriptions")
    assert left["channels"] == [{"name": "heartbeat", "product_ids": ["BTC-USD"], "account_ids": None}]


async def test_matches_continue_the_last_match_without_a_hole() -> None:
    async with simulator(rate=400.0) as sim, socket(sim.ws_url("coinbase"), subscribe("matches")) as client:
        matches = (await frames(client, 30))[1:]
    assert [match["type"] for match in matches] == ["last_match"] + ["match"] * 28
    assert all(later["trade_id"] == earlier["trade_id"] + 1 for earlier, later in pairwise(matches))


async def test_a_match_states_the_makers_side() -> None:
    async with simulator(rate=400.0) as sim, socket(sim.ws_url("coinbase"), subscribe("matches")) as client:
        match = await until(client, lambda frame: frame["type"] == "match")
        ledger = await until_recorded(sim.url, match)
    taker = {"sell": "buy", "buy": "sell"}[match["side"]]
    assert ledger[:4] == [match["trade_id"], match["price"], match["size"], taker]


async def until_recorded(url: str, match: dict[str, Any]) -> list[Any]:
    """The trade in the truth, once its batch is out."""
    when = nanoseconds(match["time"])
    while True:
        record = await get(f"{url}/_sim/truth?symbol=BTC-USD&time_ns={when + 50_000_000}")
        for trade in record["trades"]:
            if trade[0] == match["trade_id"]:
                return trade


async def test_heartbeats_state_the_last_trade() -> None:
    async with simulator() as sim, socket(sim.ws_url("coinbase"), subscribe("heartbeat")) as client:
        beat = await until(client, lambda frame: frame["type"] == "heartbeat")
        truth = await get(f"{sim.url}/_sim/truth?symbol=BTC-USD&time_ns={nanoseconds(beat['time'])}")
    assert (beat["last_trade_id"], beat["sequence"]) == (truth["last_trade_id"], truth["update_id"])


async def test_a_silent_client_is_closed() -> None:
    async with simulator(subscribe_s=0.2) as sim, socket(sim.ws_url("coinbase")) as client:
        assert (await closed(client)).rcvd.code == 1008


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (subscribe("level2"), "level2 requires authentication"),
        (subscribe("nonsense"), "nonsense is not a valid channel"),
        (subscribe("matches", products=("XX-YY",)), "XX-YY is not a valid product"),
        ({"type": "subscribe"}, "channels must be a list with at least one channel"),
        ({"type": "dance"}, "dance is not a valid type"),
    ],
)
async def test_a_bad_subscription_gets_an_error_frame(message: dict[str, Any], reason: str) -> None:
    async with simulator() as sim, socket(sim.ws_url("coinbase"), message) as client:
        (answer,) = await frames(client, 1)
    assert answer == {"type": "error", "message": "Failed to subscribe", "reason": reason}


async def test_products_are_listed_with_their_increments() -> None:
    async with simulator() as sim:
        rows = await get(sim.rest_url("coinbase") + "/products")
    row = next(row for row in rows if row["id"] == "BTC-USD")
    assert (row["base_currency"], row["quote_currency"], row["status"]) == ("BTC", "USD", "online")
    assert (row["quote_increment"], row["base_increment"]) == ("0.01", "0.00000001")


async def test_the_rest_book_is_whole() -> None:
    async with simulator() as sim:
        book = await get(sim.rest_url("coinbase") + "/products/BTC-USD/book?level=2")
    assert len(book["bids"]) > 1_000
    assert Decimal(book["bids"][0][0]) < Decimal(book["asks"][0][0])


async def test_rest_trades_page_backwards_by_cursor() -> None:
    async with simulator() as sim:
        url = sim.rest_url("coinbase") + "/products/BTC-USD/trades?limit=10"
        _, first, headers = await fetch(url)
        _, second, _ = await fetch(f"{url}&after={headers['CB-AFTER']}")
    ids = [row["trade_id"] for row in first + second]
    assert ids == list(range(ids[0], ids[0] - 20, -1))


async def test_too_many_requests_get_429() -> None:
    async with simulator() as sim:
        answers = await fetch_at_once(sim.rest_url("coinbase") + "/products", 40)
    assert {status for status, _, _ in answers} == {200, 429}
