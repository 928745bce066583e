"""Bybit's protocol, through a real client and through the real collector."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mdplatform.collector import CollectorConfig
from mdplatform.recordings.normalize import normalize
from mdplatform.recordings.tape import TapeWriter, read_lines
from mdplatform.simulator.server import Simulator
from mdplatform_tests.collector.rig import collecting, order
from mdplatform_tests.simulator import rig
from mdplatform_tests.simulator.rig import Rebuilt, fetch, frames, get, simulator, socket, until

MS = 1_000_000


def ask(*args: str, op: str = "subscribe") -> dict[str, Any]:
    return {"op": op, "req_id": "7", "args": list(args)}


def public(sim: Simulator, category: str = "linear") -> str:
    return f"{sim.ws_url('bybit')}/v5/public/{category}"


def is_data(frame: Any) -> bool:
    return "topic" in frame


async def truth_of(sim: Simulator, key: str, time_ms: int) -> Any:
    """The book as it was published at this time."""
    return await get(f"{sim.url}/_sim/truth?venue=bybit&symbol={key}&time_ns={time_ms * MS}")


@pytest.mark.parametrize("key", ["linear/BTCUSDT", "spot/BTCUSDT", "inverse/BTCUSD"])
async def test_a_book_rebuilt_from_snapshot_and_deltas_is_the_true_top(key: str) -> None:
    category, _, symbol = key.partition("/")
    async with simulator() as sim, socket(public(sim, category), ask(f"orderbook.50.{symbol}")) as client:
        snapshot = await until(client, is_data)
        book, last = Rebuilt("0.01", "0.00001"), snapshot["data"]["u"]
        assert snapshot["type"] == "snapshot"
        for push in [snapshot, *await frames(client, 15)]:
            assert push is snapshot or (push["type"], push["data"]["u"]) == ("delta", last + 1)
            last = push["data"]["u"]
            for side in "ba":
                book.apply(side, push["data"][side])
            if push is not snapshot:
                truth = await truth_of(sim, key, push["cts"])
                for side, levels, sign in (("b", "bids", -1), ("a", "asks", 1)):
                    held = sorted(book.sides[side].items(), key=lambda level: sign * level[0])
                    assert len(held) == 50
                    assert held[:20] == [(Decimal(price), Decimal(size)) for price, size in truth[levels]]


async def test_requests_are_answered_with_their_id_and_refused_without() -> None:
    async with simulator() as sim, socket(public(sim)) as client:
        for request, success, text in [
            (ask("publicTrade.BTCUSDT", "publicTrade.ETHUSDT"), True, ""),
            (ask("publicTrade.BTCUSDT"), False, "error:already subscribed,topic:publicTrade.BTCUSDT"),
            (ask("tickers.BTCUSDT", "tickers.NONEUSDT"), False, "error:handler not found,topic:tickers.NONEUSDT"),
            (ask("publicTrade.BTCUSDT", op="unsubscribe"), True, ""),
            ({"op": "dance"}, False, "Params Error"),
            ({"op": "ping", "req_id": "7"}, True, "pong"),
        ]:
            await client.send(json.dumps(request))
            answer = await until(client, lambda frame: "success" in frame)
            assert (answer["success"], answer["ret_msg"], answer.get("req_id")) == (
                success,
                text,
                "7" if success else None,
            )


async def test_spot_takes_ten_topics_a_request_and_has_no_liquidations() -> None:
    async with simulator() as sim, socket(public(sim, "spot"), ask(*(["tickers.BTCUSDT"] * 11))) as client:
        assert (await until(client, lambda frame: "success" in frame))["ret_msg"] == "args size >10"
    async with simulator() as sim, socket(public(sim, "spot"), ask("allLiquidation.BTCUSDT")) as client:
        assert not (await until(client, lambda frame: "success" in frame))["success"]


async def test_tickers_are_a_snapshot_and_then_what_changed() -> None:
    async with simulator(rate=400.0) as sim, socket(public(sim), ask("tickers.BTCUSDT")) as client:
        pushes = [await until(client, is_data) for _ in range(5)]
    assert [push["type"] for push in pushes] == ["snapshot", *["delta"] * 4]
    assert {"fundingRate", "markPrice", "indexPrice", "nextFundingTime"} <= set(pushes[0]["data"])
    assert all(len(push["data"]) < len(pushes[0]["data"]) for push in pushes[1:])


async def test_the_first_level_is_repeated_with_its_number_when_nothing_changes() -> None:
    async with simulator(rate=0.001) as sim, socket(public(sim), ask("orderbook.1.BTCUSDT")) as client:
        _, told, again = [await until(client, is_data) for _ in range(3)]
    assert told["type"] == again["type"] == "snapshot"
    assert told["data"] == again["data"]
    assert again["ts"] - told["ts"] == 3000


async def test_lists_come_in_pages_and_by_category() -> None:
    async with simulator() as sim:
        url = sim.rest_url("bybit") + "/v5/market/instruments-info?category="
        listed, cursor = [], ""
        while not listed or cursor:
            result = (await get(f"{url}linear&limit=2&cursor={cursor}"))["result"]
            listed += [row["symbol"] for row in result["list"]]
            cursor = result["nextPageCursor"]
        assert len(listed) == len(set(listed)) == 6
        spot = (await get(f"{url}spot"))["result"]
    assert [row["symbol"] for row in spot["list"]] == ["BTCUSDT", "ETHUSDT"]
    assert "nextPageCursor" not in spot


async def test_rest_trades_are_those_of_the_stream() -> None:
    async with simulator(rate=20.0) as sim, socket(public(sim, "spot"), ask("publicTrade.BTCUSDT")) as client:
        (row, *_) = (await until(client, is_data))["data"]
        url = sim.rest_url("bybit") + "/v5/market/recent-trade?category=spot&symbol=BTCUSDT&limit=60"
        (same,) = [one for one in (await get(url))["result"]["list"] if one["execId"] == row["i"]]
    assert (same["price"], same["size"], same["side"], same["time"]) == (row["p"], row["v"], row["S"], str(row["T"]))


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=1000", 200, 0),
        ("/v5/market/orderbook?category=linear&symbol=NONEUSDT", 200, 10001),
        ("/v5/market/instruments-info?category=nowhere", 200, 10001),
        ("/v5/market/recent-trade?category=spot&symbol=BTCUSDT&limit=x", 200, 10001),
    ],
)
async def test_rest_calls_get_the_venues_code(path: str, status: int, code: int) -> None:
    async with simulator() as sim:
        answered, body, _ = await fetch(sim.rest_url("bybit") + path)
    assert (answered, body["retCode"]) == (status, code)


# --- the collector

SYMBOLS = ("BTC-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")
collected = partial(rig.collected, venue="bybit", symbols=SYMBOLS)
KEYS = dict(zip(SYMBOLS, ("spot/BTCUSDT", "linear/BTCUSDT", "inverse/BTCUSD"), strict=True))


async def test_collected_books_are_the_simulators_truth_in_base_units() -> None:
    async with collected() as (sim, collector):
        await collector.until_valid(times=3)
        await collector.until(lambda: len(collector.books("bybit")) > 90)
        checked = 0
        for row in collector.books("bybit"):
            truth = await truth_of(sim, KEYS[row["symbol"]], row["timestamp"])
            if row["previous_sequence"] is None:  # a snapshot may fall between two published updates
                continue
            assert [row["b"], row["a"]] == [[float(p) for p, _ in truth[side]] for side in ("bids", "asks")]
            assert (row.get("raw_bv") or row["bv"]) == [float(size) for _, size in truth["bids"]]
            checked += 1
        assert checked > 60
        last = {row["symbol"]: row for row in collector.books("bybit")}
        inverse = last["BTC-USD-PERP"]
        assert inverse["bv"][0] == pytest.approx(inverse["raw_bv"][0] / inverse["b"][0])
        assert set(last) == set(SYMBOLS)
        assert not collector.rows("md.dead_letter")


async def test_collected_derivatives_have_funding_quotes_and_liquidations() -> None:
    channels = ("liquidations", "funding", "bbo")
    async with collected(*channels) as (sim, collector):
        await collector.until(lambda: len(collector.statuses(channel="liquidations", state="valid")) >= 2)
        order(sim, "liquidate BTC n=3 side=sell")
        await collector.until(lambda: len(collector.rows("liquidations.bybit", side="sell")) >= 3)
        await collector.until(lambda: len({row["symbol"] for row in collector.rows("quotes.bybit")}) == 3)
        funding = collector.rows("funding.bybit")
        assert {row["symbol"] for row in funding} == {"BTC-USDT-PERP", "BTC-USD-PERP"}
        assert all(row["rate"] is not None and row["mark_price"] and row["next_funding_ts"] for row in funding)
        opened = collector.rows("open_interest.bybit")
        assert {row["symbol"] for row in opened} == {"BTC-USDT-PERP", "BTC-USD-PERP"}
        worth = {row["open_interest_value"] / row["open_interest"] for row in opened}
        assert all(0.9 < price / funding[-1]["mark_price"] < 1.1 for price in worth)
        assert not collector.rows("md.dead_letter")


async def test_trades_lost_to_a_cut_come_by_rest() -> None:
    async with collected("trades", symbols=("BTC-USDT-PERP",), rate=600.0) as (sim, collector):
        await collector.until(lambda: len(collector.rows("trades.bybit")) > 20)
        while not collector.rows("trades.bybit", provenance="rest"):  # nobody may have traded while it was cut
            order(sim, "cut venue=bybit")
            with contextlib.suppress(TimeoutError):
                await collector.until(lambda: collector.rows("trades.bybit", provenance="rest"), seconds=5)
    numbers = sorted(int(row["id"].replace("-", "")[8:], 16) for row in collector.rows("trades.bybit"))
    assert numbers == list(range(numbers[0], numbers[-1] + 1))


async def test_an_instrument_that_the_venue_refuses_does_the_others_no_harm() -> None:
    async with collected("book", symbols=("BTC-USDT", "ETH-USDT")) as (sim, collector):
        await collector.until_valid(times=2)
        # It is delisted: gone when its book is requested again.
        floors = sim.world.exchanges["bybit"].markets
        floors.instruments = {key: one for key, one in floors.instruments.items() if key != "spot/ETHUSDT"}
        order(sim, "cut venue=bybit")
        await collector.until(lambda: collector.rows("md.dead_letter", reason="venue_error"))
        await collector.until(lambda: len(collector.statuses(symbol="BTC-USDT", state="valid", ended_ns=None)) == 2)
        assert "asked for: orderbook.50.ETHUSDT" in collector.rows("md.dead_letter")[0]["error"]


async def test_a_tape_of_several_sockets_gives_back_what_was_collected(tmp_path: Path) -> None:
    """One venue symbol on two of them: what was collected live, the tape distinguishes."""
    path = tmp_path / "tape"
    async with simulator(levels=600, venues=("bybit",)) as sim:
        config = CollectorConfig(
            venue="bybit",
            ws_url=sim.ws_url("bybit"),
            rest_url=sim.rest_url("bybit"),
            symbols=SYMBOLS,
            channels=("book",),
            keep_raw=True,
        )
        async with collecting(config) as collector:
            await collector.until_valid(times=3)
            await collector.until(lambda: len(collector.books("bybit")) > 60)
    raw = [json.loads(message.value) for message in collector.bus.topics["md.raw.bybit"]]
    with TapeWriter(path) as tape:
        for row in sorted(raw, key=lambda row: row["received_ns"]):
            tape.write(row["received_ns"], row["frame"].encode(), row.get("request"), row.get("path"))
    messages = [json.loads(line) for line in normalize("bybit", read_lines(path))]
    for symbol in SYMBOLS:
        again = [{k: m[k] for k in m if k != "type"} for m in messages if m["type"] == "book" and m["symbol"] == symbol]
        assert again == [row for row in collector.books("bybit") if row["symbol"] == symbol]
    assert not [message for message in messages if message["type"] == "dead_letter"]
