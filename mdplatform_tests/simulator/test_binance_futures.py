"""The protocols of Binance's futures, through a real client and through the real collector."""

from __future__ import annotations

import asyncio
import json
import time
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from mdplatform.collector import CollectorConfig
from mdplatform.simulator.engine.ground_truth import GroundTruth
from mdplatform.simulator.engine.instruments import assets_of
from mdplatform.simulator.server import Simulator
from mdplatform.simulator.venues.binance.futures_feed import wire_id
from mdplatform_tests.collector.rig import broken_links, collecting, order, simulated
from mdplatform_tests.simulator.rig import Rebuilt, fetch, frames, get, simulator, socket, until

USDM, COINM = "binance-usdm", "binance-coinm"
PUBLIC = {USDM: "/public/stream", COINM: "/stream"}
MARKET = {USDM: "/market/stream", COINM: "/stream"}
REST = {USDM: "/fapi/v1/", COINM: "/dapi/v1/"}
PERPETUAL = {USDM: "BTCUSDT", COINM: "BTCUSD_PERP"}
BOTH = pytest.mark.parametrize("venue", [USDM, COINM])


def stream(venue: str, name: str, symbol: str = "") -> str:
    return f"{(symbol or PERPETUAL[venue]).lower()}@{name}"


def streams(paths: dict[str, str], venue: str, *names: str) -> str:
    return f"{paths[venue]}?streams={'/'.join(stream(venue, name) for name in names)}"


def shard(sim: Simulator, venue: str, **options: Any) -> CollectorConfig:
    symbol = {USDM: "BTC-USDT-PERP", COINM: "BTC-USD-PERP"}[venue]
    urls = {"ws_url": sim.ws_url(venue), "rest_url": sim.rest_url(venue)}
    return CollectorConfig(**{"venue": venue, "symbols": (symbol,)} | urls | options)


@BOTH
async def test_each_change_is_sent_alone_where_no_cadence_is_asked_for(venue: str) -> None:
    path = streams(PUBLIC, venue, "depth@0ms")
    async with simulator(venues=(venue,)) as sim, socket(sim.ws_url(venue) + path) as client:
        diffs = [frame["data"] for frame in await frames(client, 20)]
    assert all(later["pu"] == earlier["u"] for earlier, later in pairwise(diffs))
    assert {len(diff["b"]) + len(diff["a"]) for diff in diffs} == {1}


@BOTH
async def test_a_book_rebuilt_from_snapshot_and_diffs_is_the_true_book(venue: str) -> None:
    async with (
        simulator(venues=(venue,), levels=900) as sim,
        socket(sim.ws_url(venue) + streams(PUBLIC, venue, "depth@100ms")) as client,
    ):
        diffs = await frames(client, 2)
        snapshot = await get(f"{sim.rest_url(venue)}{REST[venue]}depth?symbol={PERPETUAL[venue]}&limit=1000")
        last = snapshot["lastUpdateId"]
        diffs += [await until(client, lambda frame: frame["data"]["u"] >= last), *await frames(client, 10)]
        book = Rebuilt("0.1", "0.001" if venue == USDM else "1")
        book.apply("b", snapshot["bids"])
        book.apply("a", snapshot["asks"])
        kept = [frame["data"] for frame in diffs if frame["data"]["u"] >= last]
        assert kept[0]["pu"] <= last <= kept[0]["u"]
        for diff in kept:
            book.apply("b", diff["b"])
            book.apply("a", diff["a"])
            update_id = diff["u"] // wire_id(1)
            truth = await get(f"{sim.url}/_sim/truth?symbol={diff['s']}&venue={venue}&update_id={update_id}")
            assert book.checksum == truth["checksum"]


@BOTH
async def test_diffs_chain_by_pu_while_their_ids_lie_apart(venue: str) -> None:
    path = streams(PUBLIC, venue, "depth@100ms")
    async with simulator(venues=(venue,)) as sim, socket(sim.ws_url(venue) + path) as client:
        diffs = [frame["data"] for frame in await frames(client, 10)]
    assert all(later["pu"] == earlier["u"] < later["U"] - 1 for earlier, later in pairwise(diffs))


@pytest.mark.parametrize("cadence", ["", "@100ms", "@500ms"])
async def test_partial_books_are_the_true_top_and_look_like_diffs(cadence: str) -> None:
    path = streams(PUBLIC, USDM, f"depth5{cadence}")
    async with simulator(venues=(USDM,)) as sim, socket(sim.ws_url(USDM) + path) as client:
        (frame,) = await frames(client, 1)
        update_id = frame["data"]["u"] // wire_id(1)
        truth = await get(f"{sim.url}/_sim/truth?symbol=BTC-USDT-PERP&update_id={update_id}")
    assert [frame["data"]["b"], frame["data"]["a"]] == [truth["bids"][:5], truth["asks"][:5]]


@pytest.mark.parametrize(
    ("path", "name"),
    [("/public/stream", "aggTrade"), ("/market/stream", "depth@100ms"), ("/stream", "markPrice@1s")],
)
async def test_a_stream_of_the_other_class_is_acknowledged_and_never_comes(path: str, name: str) -> None:
    wanted = [stream(USDM, name), stream(USDM, "nosuch")]
    async with simulator(venues=(USDM,), rate=400.0) as sim, socket(sim.ws_url(USDM) + path) as client:
        await client.send(json.dumps({"method": "SUBSCRIBE", "params": wanted, "id": 1}))
        await client.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": 2}))
        assert await frames(client, 2) == [{"result": None, "id": 1}, {"result": wanted, "id": 2}]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.recv(), 1.2)


@pytest.mark.parametrize("path", ["/public/ws", "/ws", "/public/stream"])
async def test_books_come_on_the_public_and_on_the_bare_paths(path: str) -> None:
    request = {"method": "SUBSCRIBE", "params": [stream(USDM, "depth@100ms")], "id": 1}
    async with simulator(venues=(USDM,)) as sim, socket(sim.ws_url(USDM) + path, request) as client:
        frame = await until(client, lambda frame: "result" not in frame)
    assert frame.get("data", frame)["e"] == "depthUpdate"


@BOTH
async def test_aggregates_are_numbered_and_sum_the_trades_that_they_name(venue: str) -> None:
    async with (
        simulator(venues=(venue,), rate=400.0) as sim,
        socket(sim.ws_url(venue) + streams(MARKET, venue, "aggTrade")) as market,
        socket(sim.ws_url(venue) + streams(PUBLIC, venue, "trade")) as public,
    ):
        trades = [frame["data"] for frame in await frames(public, 1)]
        sums = [frame["data"] for frame in await frames(market, 30)]
        while sums[-5]["f"] < trades[0]["t"]:  # the socket that came first may have heard much alone
            sums += [frame["data"] for frame in await frames(market, 1)]
        while trades[-1]["t"] < sums[-1]["l"]:
            trades += [frame["data"] for frame in await frames(public, 1)]
    sizes = {trade["t"]: Decimal(trade["q"]) for trade in trades}
    whole = [data for data in sums if data["f"] in sizes and data["l"] in sizes]
    assert len(whole) >= 5
    assert all(later["a"] == earlier["a"] + 1 for earlier, later in pairwise(sums))
    for data in whole:
        assert Decimal(data["q"]) == sum(sizes[number] for number in range(data["f"], data["l"] + 1))


@BOTH
async def test_mark_prices_state_index_and_funding_of_perpetuals_only(venue: str) -> None:
    async with simulator(venues=(venue,)) as sim:
        listed = await get(f"{sim.rest_url(venue)}{REST[venue]}exchangeInfo")
        dated = next(row["symbol"] for row in listed["symbols"] if row["contractType"] == "CURRENT_QUARTER")
        names = [stream(venue, "markPrice@1s"), stream(venue, "markPrice@1s", dated)]
        async with socket(f"{sim.ws_url(venue)}{MARKET[venue]}?streams={'/'.join(names)}") as client:
            seen: dict[str, Any] = {}
            while not seen.keys() >= {PERPETUAL[venue], dated}:
                seen |= {frame["data"]["s"]: frame["data"] for frame in await frames(client, 1)}
    perpetual, future = seen[PERPETUAL[venue]], seen[dated]
    assert abs(float(perpetual["p"]) / float(perpetual["i"]) - 1) < 2e-3
    assert 0 < perpetual["T"] - perpetual["E"] <= 8 * 3_600_000
    assert perpetual["T"] % (8 * 3_600_000) == 0
    assert abs(float(perpetual["r"])) < 5e-3
    assert (future["r"], future["T"]) == ("", 0)
    assert float(future["p"]) > float(perpetual["p"])


@BOTH
async def test_only_the_latest_liquidation_of_a_second_is_sent(venue: str) -> None:
    path = streams(MARKET, venue, "forceOrder")
    async with simulator(venues=(venue,), rate=400.0) as sim, socket(sim.ws_url(venue) + path) as client:
        order(sim, f"every=0.3 liquidate BTC n=3 side=sell venue={venue}")
        seen = [frame["data"]["o"] for frame in await frames(client, 3)]
        floor = sim.world.markets[venue][PERPETUAL[venue]]
        true = {one.ns // 10**6: one for one in floor.liquidations}
    assert len(true) > len(seen)
    assert all(later["T"] // 1000 > earlier["T"] // 1000 for earlier, later in pairwise(seen))
    for told in seen:
        forced = true[told["T"]]
        assert told["S"] == ("BUY" if forced.buys else "SELL")
        assert told["z"] == floor.market.instrument.size.text(forced.lots)
        assert Decimal(told["ap"]) >= Decimal(told["p"]) or told["S"] == "BUY"


async def test_the_streams_of_all_symbols_send_every_symbol() -> None:
    async with (
        simulator(venues=(USDM,)) as sim,
        socket(sim.ws_url(USDM) + "/market/stream?streams=!markPrice@arr@1s") as client,
    ):
        seen: set[str] = set()
        while not {"BTCUSDT", "ETHUSDT"} < seen:  # a slow machine has several seconds of one contract come first
            seen.update(frame["data"][0]["s"] for frame in await frames(client, 1))


@BOTH
async def test_the_list_says_what_a_contract_is_worth(venue: str) -> None:
    async with simulator(venues=(venue,)) as sim:
        listed = await get(f"{sim.rest_url(venue)}{REST[venue]}exchangeInfo")
    row = next(row for row in listed["symbols"] if row["symbol"] == PERPETUAL[venue])
    expected = ("USDT", None, "TRADING") if venue == USDM else ("BTC", 100, None)
    assert (row["marginAsset"], row.get("contractSize"), row.get("status")) == expected
    assert row["contractType"] == "PERPETUAL"


@pytest.mark.parametrize(("limit", "weight"), [(5, 2), (100, 5), (500, 10), (1000, 20)])
async def test_snapshots_are_charged_by_their_limit(limit: int, weight: int) -> None:
    async with simulator(venues=(USDM,)) as sim:
        url = f"{sim.rest_url(USDM)}/fapi/v1/depth?symbol=BTCUSDT&limit={limit}"
        status, body, headers = await fetch(url)
    assert (status, headers["X-MBX-USED-WEIGHT-1M"]) == (200, str(weight))
    assert len(body["bids"]) <= limit
    assert body["lastUpdateId"] % wire_id(1) == 0


@BOTH
async def test_above_the_budget_is_429_with_retry_after(venue: str) -> None:
    async with simulator(venues=(venue,), weight_limit=30) as sim:
        url = f"{sim.rest_url(venue)}{REST[venue]}depth?symbol={PERPETUAL[venue]}&limit=1000"
        answers = [await fetch(url) for _ in range(4)]  # whatever minute turns in between
    limited = [headers for status, _, headers in answers if status == 429]
    assert limited
    assert 1 <= int(limited[0]["Retry-After"]) <= 60


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("depth?symbol=NOPE", 400, -1121),
        ("depth?symbol=BTCUSDT&limit=7", 400, -4021),
        ("trades", 400, -1102),
        ("historicalTrades?symbol=BTCUSDT", 401, -2014),
        ("nothing", 404, -1),
    ],
)
async def test_bad_rest_calls_get_the_venues_code(path: str, status: int, code: int) -> None:
    async with simulator(venues=(USDM,)) as sim:
        answered, body, _ = await fetch(f"{sim.rest_url(USDM)}/fapi/v1/{path}")
    assert (answered, body["code"]) == (status, code)


@BOTH
async def test_rest_aggregates_continue_the_stream(venue: str) -> None:
    path = streams(MARKET, venue, "aggTrade")
    async with simulator(venues=(venue,), rate=400.0) as sim, socket(sim.ws_url(venue) + path) as client:
        (first,) = [frame["data"] for frame in await frames(client, 1)]
        url = f"{sim.rest_url(venue)}{REST[venue]}aggTrades?symbol={first['s']}&fromId={first['a']}"
        rows = await get(url)
    assert {name: first[name] for name in "apqflTm"}.items() <= rows[0].items()


@BOTH
async def test_the_premium_index_is_the_mark_price(venue: str) -> None:
    async with simulator(venues=(venue,)) as sim:
        row = await get(f"{sim.rest_url(venue)}{REST[venue]}premiumIndex?symbol={PERPETUAL[venue]}")
    assert abs(float(row["markPrice"]) / float(row["indexPrice"]) - 1) < 2e-3
    assert row["nextFundingTime"] > row["time"]


# --- the real collector


@BOTH
async def test_the_collector_proves_the_true_book(venue: str) -> None:
    async with (
        simulated(venues=(venue,), symbols=("BTC",), levels=900) as sim,
        collecting(shard(sim, venue, depth=20)) as collector,
    ):
        await collector.until_valid("book")
        await collector.until_valid("trades")
        await collector.until(lambda: len(collector.books(venue)) > 20)
        truth = sim.world.truth(PERPETUAL[venue], venue)
        for book in collector.books(venue)[-10:]:
            record = truth.at(update_id=book["sequence"] // wire_id(1))
            assert record is not None
            assert book["b"] == [float(price) for price, _ in record["bids"]]
            assert book["a"] == [float(price) for price, _ in record["asks"]]
        assert not broken_links(collector.books(venue))
        assert not collector.rows("md.dead_letter")


@BOTH
async def test_the_collector_gets_trades_funding_and_liquidations(venue: str) -> None:
    kinds = ("trades", "funding", "liquidations")
    async with (
        simulated(venues=(venue,), symbols=("BTC",)) as sim,
        collecting(shard(sim, venue)) as collector,
    ):
        await collector.until_valid("book")
        order(sim, f"every=0.5 liquidate BTC venue={venue}")
        await collector.until(lambda: all(collector.rows(f"{kind}.{venue}") for kind in kinds))
        trade, funding, liquidation = (collector.rows(f"{kind}.{venue}")[0] for kind in kinds)
    assert 0 < trade["qty"] < 20
    assert 0 < liquidation["qty"] < 20
    assert funding["next_funding_ts"] > time.time() * 1000 - 60_000
    assert abs(funding["mark_price"] / funding["index_price"] - 1) < 2e-3


@BOTH
async def test_the_collector_asks_for_open_interest_by_rest(venue: str) -> None:
    channels = ("markPrice@1s", "openInterest.rest")
    async with (
        simulated(venues=(venue,), symbols=("BTC",)) as sim,
        collecting(shard(sim, venue, channels=channels)) as collector,
    ):
        await collector.until(lambda: collector.rows(f"open_interest.{venue}"))
        row = collector.rows(f"open_interest.{venue}")[0]
        assert collector.statuses(channel="open_interest", state="valid")
        assert not collector.rows("md.dead_letter")
    once = 5_000 * assets_of(["BTC"])["BTC"].order
    assert once * 0.9 < row["open_interest"] < once * 1.3


@BOTH
async def test_skipped_ids_open_a_gap_that_a_snapshot_closes(venue: str) -> None:
    async with (
        simulated(venues=(venue,), symbols=("BTC", "ETH")) as sim,
        collecting(shard(sim, venue)) as collector,
    ):
        await collector.until_valid("book")
        order(sim, f"skip venue={venue} symbol={PERPETUAL[venue]} n=50")
        await collector.until_valid("book", times=2)
        gaps = collector.statuses(channel="book", state="gap")
    assert gaps
    assert not collector.rows("md.dead_letter")


async def test_a_gap_of_one_symbol_costs_the_others_nothing() -> None:
    symbols = ("BTC-USDT-PERP", "ETH-USDT-PERP")
    async with (
        simulated(venues=(USDM,), symbols=("BTC", "ETH")) as sim,
        collecting(shard(sim, USDM, symbols=symbols)) as collector,
    ):
        await collector.until_valid("book", times=2)
        order(sim, f"drop venue={USDM} symbol=BTCUSDT channel=depth")
        await collector.until(lambda: len(collector.statuses(channel="book", state="valid", ended_ns=None)) >= 3)
        others = collector.statuses(symbol="ETH-USDT-PERP", channel="book", state="valid")
    assert len(others) == 1


@BOTH
async def test_each_change_joined_to_partial_books_gives_true_books_without_rest(venue: str) -> None:
    async with simulator(venues=(venue,), rate=200.0) as sim:
        config = shard(sim, venue, channels=("depth@0ms", "depth20@100ms"))
        async with collecting(config) as running:
            await running.until(lambda: len(running.books(venue)) >= 400)
            books = running.books(venue)
            (floor,) = sim.world.markets[venue].open
            truth = next(feed for feed in floor.feeds if isinstance(feed, GroundTruth))
            compared = 0
            for book in books:
                record = truth.at(update_id=book["sequence"] // wire_id(1))
                if record is not None:
                    compared += 1
                    assert is_top(book, record)
            assert compared > 10
            assert sim.world.exchanges[venue].answers["rest 200"] == 1  # the list of instruments


def is_top(book: Any, record: Any) -> bool:
    """Whether each side is the best of the true one, at least 10 levels of it."""
    for prices, sizes, side in (("b", "raw_bv", "bids"), ("a", "raw_av", "asks")):
        levels = list(zip(book[prices], book.get(sizes) or book[sizes.removeprefix("raw_")], strict=True))
        true = [(float(price), float(size)) for price, size in record[side]]
        if len(levels) < 10 or levels != true[: len(levels)]:
            return False
    return True
