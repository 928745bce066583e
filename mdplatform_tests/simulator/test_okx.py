"""OKX's protocol, through a real client and through the real collector."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from mdplatform.simulator.server import Simulator
from mdplatform_tests.collector.rig import order
from mdplatform_tests.simulator import rig
from mdplatform_tests.simulator.rig import Rebuilt, closed, fetch, fetch_at_once, frames, get, simulator, socket, until


def subscribe(*args: str, op: str = "subscribe") -> dict[str, Any]:
    """``channel:instId``; liquidations by instType."""
    split = [arg.split(":") for arg in args]
    named = [{"channel": c, "instType" if c == "liquidation-orders" else "instId": name} for c, name in split]
    return {"id": "7", "op": op, "args": named}


def public(sim: Simulator) -> str:
    return sim.ws_url("okx") + "/ws/v5/public"


def is_data(frame: Any) -> bool:
    return "data" in frame


async def test_a_book_rebuilt_from_snapshot_and_updates_is_the_true_top() -> None:
    async with simulator() as sim, socket(public(sim), subscribe("books:BTC-USDT-SWAP")) as client:
        snapshot = await until(client, is_data)
        book, last = Rebuilt("0.1", "0.01"), snapshot["data"][0]["seqId"]
        assert (snapshot["action"], snapshot["data"][0]["prevSeqId"]) == ("snapshot", -1)
        for push in [snapshot, *await frames(client, 15)]:
            (data,) = push["data"]
            assert push is snapshot or data["prevSeqId"] == last
            assert data["checksum"] == 0
            last = data["seqId"]
            for side in ("bids", "asks"):
                book.apply(side[0], [level[:2] for level in data[side]])
            if push is not snapshot:
                truth = await get(f"{sim.url}/_sim/truth?venue=okx&symbol=BTC-USDT-SWAP&update_id={last}")
                for side, sign in (("bids", -1), ("asks", 1)):
                    held = sorted(book.sides[side[0]].items(), key=lambda level: sign * level[0])
                    assert len(held) == 400
                    assert held[:20] == [(Decimal(price), Decimal(size)) for price, size in truth[side]]


async def test_every_argument_is_answered_by_itself() -> None:
    request = subscribe("trades:BTC-USDT", "trades:NONE-USDT", "books-l2-tbt:BTC-USDT", "trades-all:BTC-USDT")
    async with simulator() as sim, socket(public(sim), request) as client:
        answers = [await until(client, lambda frame: "event" in frame) for _ in range(4)]
        assert [(a["id"], a["event"], a.get("code")) for a in answers] == [
            ("7", "subscribe", None),
            ("7", "error", "60018"),
            ("7", "error", "64003"),
            ("7", "error", "60018"),
        ]
        await client.send("{not json")
        assert (await until(client, lambda frame: "event" in frame))["code"] == "60012"


async def test_trades_are_groups_with_consecutive_ids() -> None:
    async with simulator(rate=400.0) as sim, socket(public(sim), subscribe("trades:BTC-USDT")) as client:
        await until(client, lambda frame: "event" in frame)
        rows = [frame["data"][0] for frame in await frames(client, 40)]
    assert any(int(row["count"]) > 1 for row in rows)
    assert all(int(b["tradeId"]) - int(b["count"]) == int(a["tradeId"]) for a, b in pairwise(rows))


async def test_all_trades_are_on_the_business_socket_one_a_match() -> None:
    url = "/ws/v5/business"
    async with (
        simulator(rate=400.0) as sim,
        socket(sim.ws_url("okx") + url, subscribe("trades-all:BTC-USDT")) as client,
    ):
        await until(client, lambda frame: "event" in frame)
        rows = [frame["data"][0] for frame in await frames(client, 30)]
    assert all(int(b["tradeId"]) == int(a["tradeId"]) + 1 for a, b in pairwise(rows))


async def test_more_requests_an_hour_than_allowed_are_refused_and_the_connection_stays() -> None:
    async with simulator(venues=("okx",)) as sim, socket(public(sim)) as client:
        for _ in range(481):
            await client.send('{"op":"unsubscribe","args":[{"channel":"books","instId":"BTC-USDT"}]}')
        refusal = await until(client, lambda frame: frame["event"] == "error")
        assert refusal["code"] == "60014"
        await client.send("ping")
        assert await client.recv() == "pong"


async def test_a_request_of_more_than_64_kb_is_refused() -> None:
    request = subscribe(*["books:BTC-USDT"] * 2000)
    async with simulator(venues=("okx",)) as sim, socket(public(sim), request) as client:
        assert (await frames(client, 1))[0]["code"] == "60012"


async def test_an_x_perp_is_listed_as_a_future_and_collected_with_its_funding() -> None:
    symbol = "BTC-USD_UM_XPERP-20310404"
    async with collected(symbols=(symbol,)) as (_, collector):
        await collector.until(lambda: collector.rows("funding.okx"))
        await collector.until(lambda: collector.rows("trades.okx"))
        await collector.until_valid()
        rows = collector.rows("funding.okx")
        await collector.until(lambda: all(collector.rows("funding.okx")[-1][n] for n in ("mark_price", "index_price")))
    assert {row["symbol"] for row in rows} == {symbol}
    assert any(row["rate"] is not None for row in collector.rows("funding.okx"))
    assert not collector.rows("md.dead_letter")


async def test_a_ping_gets_a_pong_in_text() -> None:
    async with simulator() as sim, socket(public(sim)) as client:
        await client.send("ping")
        assert await client.recv() == "pong"


async def test_a_client_that_subscribes_to_nothing_is_closed() -> None:
    async with simulator(subscribe_s=0.2) as sim, socket(public(sim)) as client:
        assert (await closed(client)).rcvd.code == 1008


async def test_the_end_of_the_lifetime_is_announced() -> None:
    async with simulator(lifetime_s=1.0, notice_s=0.5) as sim, socket(public(sim), subscribe("trades:BTC-USDT")) as c:
        notice = await until(c, lambda frame: frame.get("event") == "notice")
        assert notice["code"] == "64008"


async def test_instruments_are_listed_by_kind() -> None:
    async with simulator() as sim:
        url = sim.rest_url("okx") + "/api/v5/public/instruments?instType="
        listed = {
            kind: (await get(url + kind))["data"] for kind in ("SPOT", "SWAP", "FUTURES", "OPTION&instFamily=BTC-USD")
        }
    assert [row["instId"] for row in listed["SPOT"]] == ["BTC-USDT", "ETH-USDT"]
    assert {row["instId"]: row["ctType"] for row in listed["SWAP"]} == {
        "BTC-USDT-SWAP": "linear",
        "BTC-USD-SWAP": "inverse",
        "ETH-USDT-SWAP": "linear",
        "ETH-USD-SWAP": "inverse",
    }
    assert len(listed["FUTURES"]) == 6  # two quarters and an X-Perp each
    assert listed["OPTION&instFamily=BTC-USD"] == []  # unless they are asked for


async def test_rest_trades_page_backwards_by_id() -> None:
    async with simulator() as sim:
        url = sim.rest_url("okx") + "/api/v5/market/history-trades?instId=BTC-USDT&type=1&limit=10"
        first = (await get(url))["data"]
        second = (await get(f"{url}&after={first[-1]['tradeId']}"))["data"]
        latest = (await get(sim.rest_url("okx") + "/api/v5/market/trades?instId=BTC-USDT&limit=3"))["data"]
    ids = [int(row["tradeId"]) for row in first + second]
    assert ids == list(range(ids[0], ids[0] - 20, -1))
    assert len(latest) == 3


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v5/market/books?instId=NONE-USDT", 200, "51001"),
        ("/api/v5/market/books", 400, "50014"),
        ("/api/v5/market/books?instId=BTC-USDT&sz=x", 200, "51000"),
        ("/api/v5/nowhere", 404, "404"),
    ],
)
async def test_bad_rest_calls_get_the_venues_code(path: str, status: int, code: str) -> None:
    async with simulator() as sim:
        answered, body, _ = await fetch(sim.rest_url("okx") + path)
    assert (answered, body["code"]) == (status, code)


async def test_above_the_request_limit_is_429() -> None:
    async with simulator() as sim:
        answers = await fetch_at_once(sim.rest_url("okx") + "/api/v5/public/time", 80)
    assert {(status, body["code"]) for status, body, _ in answers} == {(200, "0"), (429, "50011")}


# --- the collector

SYMBOLS = ("BTC-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")
collected = partial(rig.collected, venue="okx", symbols=SYMBOLS)


async def test_collected_derivatives_have_funding_marks_and_liquidations() -> None:
    async with collected() as (sim, collector):
        await collector.until_valid(times=3)
        order(sim, "liquidate BTC n=3 side=sell")
        await collector.until(lambda: len(collector.rows("liquidations.okx", side="sell")) >= 3)
        funding = collector.rows("funding.okx", symbol="BTC-USDT-PERP")
        for name in ("rate", "mark_price", "index_price"):
            assert [row for row in funding if row[name] is not None], name
        assert not collector.rows("md.dead_letter")


async def test_a_lost_trade_is_a_counted_gap() -> None:
    async with collected("trades", symbols=("BTC-USDT",)) as (sim, collector):
        await collector.until(lambda: collector.rows("trades.okx"))
        order(sim, "skip venue=okx symbol=BTC-USDT channel=trades n=4")
        await collector.until(lambda: collector.statuses(state="gap", channel="trades"))
        assert collector.statuses(state="gap", channel="trades")[0]["missed"] == 4


async def test_an_instrument_that_the_venue_refuses_does_the_others_no_harm() -> None:
    async with collected("books", symbols=("BTC-USDT", "ETH-USDT")) as (sim, collector):
        await collector.until_valid(times=2)
        # It is delisted: gone when its book is requested again.
        floors = sim.world.exchanges["okx"].markets
        floors.instruments = {key: one for key, one in floors.instruments.items() if key != "ETH-USDT"}
        order(sim, "cut venue=okx")
        await collector.until(lambda: collector.rows("md.dead_letter", reason="venue_error"))
        await collector.until(
            lambda: len(collector.statuses(symbol="BTC-USDT", state="valid", ended_ns=None)) == 2,
        )
        assert collector.statuses(symbol="ETH-USDT", cause="refused")
        assert "books of ETH-USDT" in collector.rows("md.dead_letter")[0]["error"]
