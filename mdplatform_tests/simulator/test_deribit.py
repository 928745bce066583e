"""Deribit's protocol, through a real client."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.protocol.exchange import Peer
from mdplatform.simulator.protocol.limits import Bucket
from mdplatform.simulator.venues.deribit.exchange import CONNECTIONS, DeribitExchange
from mdplatform.simulator.venues.deribit.feed import shortest
from mdplatform.simulator.world import World
from mdplatform_tests.simulator.deribit_rig import LOGIN, SECOND, call, running_simulator, subscribe
from mdplatform_tests.simulator.rig import Rebuilt, closed, fetch, frames, get, socket, until


async def test_a_book_rebuilt_from_snapshot_and_changes_is_the_true_book() -> None:
    channel = "book.BTC-PERPETUAL.100ms"
    async with running_simulator() as sim, socket(sim.ws_url("deribit"), subscribe(channel)) as client:
        snapshot, *changes = [frame["params"]["data"] for frame in (await frames(client, 17))[1:]]
        assert (snapshot["type"], "prev_change_id" in snapshot) == ("snapshot", False)
        book, held = Rebuilt("0.5", "10"), {"bids": set[float](), "asks": set[float]()}
        for data in (snapshot, *changes):
            for side in ("bids", "asks"):
                for action, price, amount in data[side]:
                    assert (action == "new") == (price not in held[side])
                    assert (action == "delete") == (amount == 0)
                    (held[side].discard if action == "delete" else held[side].add)(price)
                book.apply(side[0], [(str(price), str(amount)) for _, price, amount in data[side]])
            if data["type"] == "change":
                truth = await get(f"{sim.url}/_sim/truth?symbol=BTC-PERPETUAL&update_id={data['change_id']}")
                assert book.checksum == truth["checksum"]
    assert all(later["prev_change_id"] == earlier["change_id"] for earlier, later in pairwise((snapshot, *changes)))


async def test_who_subscribes_later_breaks_nobodys_chain() -> None:
    channel = "book.BTC-PERPETUAL.agg2"
    async with running_simulator() as sim, socket(sim.ws_url("deribit"), subscribe(channel)) as first:
        _, snapshot = await frames(first, 2)
        async with socket(sim.ws_url("deribit"), subscribe(channel)) as second:
            _, other = await frames(second, 2)
        data, later_snapshot = [snapshot["params"]["data"]], other["params"]["data"]
        while data[-1]["change_id"] < later_snapshot["change_id"]:
            data += [frame["params"]["data"] for frame in await frames(first, 1)]
    assert all(later["prev_change_id"] == earlier["change_id"] for earlier, later in pairwise(data))
    assert later_snapshot["change_id"] == data[-1]["change_id"]


async def test_grouped_books_are_the_true_top() -> None:
    channel = "book.ETH-PERPETUAL.none.10.100ms"
    async with running_simulator() as sim, socket(sim.ws_url("deribit"), subscribe(channel)) as client:
        _, _, *later = await frames(client, 5)
        for frame in later:
            data = frame["params"]["data"]
            truth = await get(f"{sim.url}/_sim/truth?symbol=ETH-PERPETUAL&update_id={data['change_id']}")
            assert data["bids"] == [[float(text) for text in level] for level in truth["bids"][:10]]


async def test_trade_seq_counts_up_by_one() -> None:
    channel = "trades.BTC-PERPETUAL.100ms"
    async with running_simulator(rate=400.0) as sim, socket(sim.ws_url("deribit"), subscribe(channel)) as client:
        batches = [frame["params"]["data"] for frame in (await frames(client, 6))[1:]]
    numbers = [row["trade_seq"] for batch in batches for row in batch]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_unknown_channels_are_passed_over_in_silence() -> None:
    asked = subscribe("trades.NOPE.100ms", "quote.BTC-PERPETUAL", "book.BTC-PERPETUAL.5s", "nonsense")
    async with running_simulator() as sim, socket(sim.ws_url("deribit"), asked) as client:
        (answer,) = await frames(client, 1)
    assert answer["result"] == ["quote.BTC-PERPETUAL"]


async def test_a_raw_channel_without_login_has_the_whole_call_refused() -> None:
    asked = subscribe("quote.BTC-PERPETUAL", "book.BTC-PERPETUAL.raw")
    async with running_simulator() as sim:
        async with socket(sim.ws_url("deribit"), asked) as client:
            (answer,) = await frames(client, 1)
            assert answer["error"] == {"code": 13778, "message": "raw_subscriptions_not_available_for_unauthorized"}
        async with socket(sim.ws_url("deribit"), call("auth", **LOGIN), asked) as client:
            _, answer = await frames(client, 2)
            assert answer["result"] == ["quote.BTC-PERPETUAL", "book.BTC-PERPETUAL.raw"]


async def test_a_login_is_refreshed_once_with_each_token() -> None:
    async with running_simulator() as sim, socket(sim.ws_url("deribit"), call("auth", **LOGIN)) as client:
        (login,) = await frames(client, 1)
        refresh = call("auth", grant_type="refresh_token", refresh_token=login["result"]["refresh_token"])
        for _ in range(2):
            await client.send(json.dumps(refresh))
        renewed, refused = await frames(client, 2)
    assert (login["result"]["expires_in"], renewed["result"]["expires_in"]) == (900, 900)
    assert refused["error"]["code"] == 13004


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (call("auth", **LOGIN | {"client_secret": "guessed"}), 13004),
        (call("auth", grant_type="refresh_token", refresh_token="guessed"), 13004),
        (call("set_heartbeat", interval=5), -32602),
        (call("subscribe", channels=[]), -32602),
        (call("get_order_book", instrument_name="NOPE"), -32602),
        (call("dance"), -32601),
    ],
)
async def test_a_call_that_cannot_be_is_refused(asked: dict[str, Any], code: int) -> None:
    async with running_simulator() as sim, socket(sim.ws_url("deribit"), asked) as client:
        (answer,) = await frames(client, 1)
    assert (answer["id"], answer["error"]["code"]) == (7, code)


async def test_the_eleventh_subscription_at_once_ends_the_session() -> None:
    asked = [subscribe("quote.BTC-PERPETUAL") for _ in range(12)]
    async with running_simulator() as sim, socket(sim.ws_url("deribit"), *asked) as client:
        refusal = await until(client, lambda frame: "error" in frame)
        assert refusal["error"] == {"code": 10028, "message": "too_many_requests"}
        assert (await closed(client)).rcvd.code == 1008


class Silence:
    """A link that nobody is at the other end of."""

    def wake(self) -> None: ...
    def cut(self) -> None: ...
    def mute(self) -> None: ...


def exchange_and_peer() -> tuple[DeribitExchange, Peer]:
    exchange = World(SimulatorConfig(symbols=("BTC",), venues=("deribit",)), SECOND * 10**9).exchanges["deribit"]
    assert isinstance(exchange, DeribitExchange)
    peer = Peer(Silence(), 1, 0, 100, Bucket(1.0, 1.0))
    exchange.receive(peer, b'{"id":1,"method":"public/set_heartbeat","params":{"interval":10}}', 0)
    return exchange, peer


def test_a_test_request_that_is_not_answered_ends_the_connection() -> None:
    exchange, peer = exchange_and_peer()
    exchange.beat(peer, 9 * SECOND)
    assert len(peer.outbox) == 1
    exchange.beat(peer, 10 * SECOND)
    assert b"test_request" in peer.outbox[-1]
    exchange.beat(peer, 20 * SECOND)
    assert peer.closing == (1001, "heartbeat timeout")


def test_a_test_request_that_is_answered_keeps_the_connection() -> None:
    exchange, peer = exchange_and_peer()
    for seconds in range(10, 60, 10):
        exchange.beat(peer, seconds * SECOND)
        exchange.receive(peer, b'{"id":2,"method":"public/test","params":{}}', seconds * SECOND)
    assert peer.closing is None


def test_an_address_has_32_connections() -> None:
    exchange, peer = exchange_and_peer()
    assert exchange.admit(SECOND) == 101
    exchange.peers = {Peer(Silence(), number, 0, 1, peer.messages) for number in range(CONNECTIONS)}
    assert exchange.admit(SECOND) == 429


async def test_calls_are_answered_alike_on_the_socket_and_over_http() -> None:
    params = {"currency": "any", "kind": "future"}
    async with running_simulator() as sim, socket(sim.ws_url("deribit"), call("get_instruments", **params)) as client:
        (answer,) = await frames(client, 1)
        rows = (await get(sim.rest_url("deribit") + "/public/get_instruments?currency=any&kind=future"))["result"]
        book = await get(sim.rest_url("deribit") + "/public/get_order_book?instrument_name=BTC-PERPETUAL&depth=20")
        status, refusal, _ = await fetch(sim.rest_url("deribit") + "/public/get_order_book?instrument_name=NOPE")
    assert rows == answer["result"]
    names = {row["instrument_name"]: row["instrument_type"] for row in rows}
    assert len(names) == 8
    assert names["BTC-PERPETUAL"] == "reversed"
    assert names["ETH_USDC-PERPETUAL"] == "linear"
    assert len(book["result"]["bids"]) == 20
    assert (status, refusal["error"]["code"]) == (400, -32602)


@pytest.mark.parametrize(
    ("text", "written"),
    [("2200.0", "2.2e3"), ("1000.0", "1.0e3"), ("100.0", "100.0"), ("123400.0", "1.234e5"), ("5.0", "5.0")],
)
def test_an_amount_is_written_in_the_shorter_form(text: str, written: str) -> None:
    assert shortest(text) == written
    assert float(written) == float(text)
