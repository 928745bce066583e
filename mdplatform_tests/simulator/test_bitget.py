"""Bitget's protocol, through a real client and through the real collector."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from mdplatform.simulator.server import Simulator
from mdplatform_tests.collector.rig import order
from mdplatform_tests.simulator import rig
from mdplatform_tests.simulator.rig import Rebuilt, closed, fetch, frames, get, simulator, socket, until


def subscribe(*args: str, op: str = "subscribe") -> dict[str, Any]:
    """``category:topic:symbol``, or without a symbol."""
    names = ("instType", "topic", "symbol")
    return {"op": op, "args": [dict(zip(names, arg.split(":"), strict=False)) for arg in args]}


def public(sim: Simulator) -> str:
    return sim.ws_url("bitget") + "/v3/ws/public"


def is_data(frame: Any) -> bool:
    return "data" in frame


def is_reply(frame: Any) -> bool:
    return "event" in frame


async def test_a_book_rebuilt_from_snapshot_and_updates_is_the_true_top() -> None:
    async with simulator() as sim, socket(public(sim), subscribe("usdt-futures:books:BTCUSDT")) as client:
        snapshot = await until(client, is_data)
        book, last = Rebuilt("0.1", "0.0001"), snapshot["data"][0]["seq"]
        assert (snapshot["action"], snapshot["data"][0]["pseq"]) == ("snapshot", 0)
        for push in [snapshot, *await frames(client, 15)]:
            (data,) = push["data"]
            assert push is snapshot or data["pseq"] == last
            last = data["seq"]
            for side in "ba":
                book.apply(side, data[side])
            if push is not snapshot:
                truth = await get(f"{sim.url}/_sim/truth?venue=bitget&symbol=BTC-USDT-PERP&update_id={last}")
                for side, levels, sign in (("b", truth["bids"], -1), ("a", truth["asks"], 1)):
                    held = sorted(book.sides[side].items(), key=lambda level: sign * level[0])
                    assert len(held) == int(data["maxDepth"])
                    assert held[:20] == [(Decimal(price), Decimal(size)) for price, size in levels]


async def test_every_argument_is_answered_by_itself() -> None:
    request = subscribe("spot:books1:BTCUSDT", "spot:books1:NONE", "spot:ticker:BTCUSDT", "spot:liquidation", "x:y:z")
    async with simulator() as sim, socket(public(sim), request) as client:
        answers = [await until(client, is_reply) for _ in range(5)]
        assert [(a["event"], a.get("code")) for a in answers] == [("subscribe", None), *[("error", 30001)] * 4]
        assert answers[1]["arg"] == {"instType": "spot", "topic": "books1", "symbol": "NONE"}
        await client.send("{not json")
        assert (await until(client, is_reply))["code"] == 30003


async def test_trades_begin_with_those_that_were_before_newest_first() -> None:
    async with simulator(rate=400.0) as sim, socket(public(sim), subscribe("spot:publicTrade:BTCUSDT")) as client:
        history = await until(client, is_data)
        following = await until(client, is_data)
    ids = [int(row["i"]) for row in history["data"]]
    assert (history["action"], following["action"]) == ("snapshot", "update")
    assert ids == sorted(ids, reverse=True)
    assert int(following["data"][0]["i"]) > ids[0]


async def test_a_plain_ping_gets_a_plain_pong() -> None:
    async with simulator() as sim, socket(public(sim)) as client:
        await client.send("ping")
        assert await client.recv() == "pong"


async def test_more_than_ten_messages_a_second_end_the_connection() -> None:
    requests = [subscribe("spot:books1:BTCUSDT")] * 15
    async with simulator() as sim, socket(public(sim), *requests) as client:
        assert (await closed(client)).rcvd.code == 1008


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        ("instruments?category=SPOT", 200, "00000"),
        ("instruments?category=OPTIONS", 400, "40034"),
        ("orderbook?category=SPOT&symbol=BTCUSDT", 200, "00000"),
        ("orderbook?category=SPOT&symbol=NONE", 400, "40034"),
        ("nowhere?category=SPOT&symbol=BTCUSDT", 404, "40404"),
    ],
)
async def test_rest_calls_get_the_venues_code(call: str, status: int, code: str) -> None:
    async with simulator() as sim:
        answered, body, _ = await fetch(f"{sim.rest_url('bitget')}/api/v3/market/{call}")
    assert (answered, body["code"]) == (status, code)


# --- the collector

SYMBOLS = ("BTC-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")
collected = partial(rig.collected, venue="bitget", symbols=SYMBOLS)


async def test_sizes_in_quote_units_become_base_units() -> None:
    async with collected(symbols=("BTC-USD-PERP",)) as (sim, collector):
        await collector.until_valid()
        order(sim, "liquidate BTC n=2 side=sell")
        await collector.until(lambda: collector.rows("liquidations.bitget", side="sell"))
        await collector.until(lambda: collector.rows("trades.bitget"))
        for row in collector.rows("liquidations.bitget") + collector.rows("trades.bitget"):
            assert row["qty"] == pytest.approx(row["raw_size"] / row["price"])
        funding = collector.rows("funding.bitget")[-1]
        assert None not in (funding["rate"], funding["mark_price"], funding["index_price"], funding["next_funding_ts"])
        assert not collector.rows("md.dead_letter")


async def test_a_cut_connection_comes_back_with_valid_books_and_the_trades_between() -> None:
    async with collected("book", "trades", symbols=("BTC-USDT",)) as (sim, collector):
        await collector.until_valid(times=1)
        order(sim, "cut venue=bitget")
        await collector.until_valid(times=2)
        await collector.until_valid(channel="trades", times=2)
        await collector.until(lambda: len(collector.rows("trades.bitget")) > 60)
        ids = [int(row["id"]) // 7 for row in collector.rows("trades.bitget")]
        assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_a_symbol_that_the_venue_refuses_does_the_others_no_harm() -> None:
    async with collected("book", symbols=("BTC-USDT", "ETH-USDT")) as (sim, collector):
        await collector.until_valid(times=2)
        # It is delisted: gone when its book is requested again.
        floors = sim.world.exchanges["bitget"].markets
        floors.instruments = {key: one for key, one in floors.instruments.items() if key != "spot/ETHUSDT"}
        order(sim, "cut venue=bitget")
        await collector.until(lambda: collector.rows("md.dead_letter", reason="venue_error"))
        await collector.until(
            lambda: len(collector.statuses(symbol="BTC-USDT", state="valid", ended_ns=None, channel="book")) == 2
        )
        assert not [row for row in collector.rows("md.dead_letter") if row["reason"] != "venue_error"]
