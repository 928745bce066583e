"""Binance's protocol, through a real client."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from itertools import pairwise

import pytest

from mdplatform_tests.simulator.rig import (
    DEADLINE_S,
    Rebuilt,
    closed,
    decimals,
    fetch,
    frames,
    get,
    simulator,
    socket,
    until,
)


async def test_a_book_rebuilt_from_snapshot_and_diffs_is_the_true_book() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + "/stream?streams=btcusdt@depth@100ms") as client:
        diffs = await frames(client, 2)
        snapshot = await get(sim.rest_url("binance") + "/api/v3/depth?symbol=BTCUSDT&limit=5000")
        last = snapshot["lastUpdateId"]
        diffs += [await until(client, lambda frame: frame["data"]["u"] > last), *await frames(client, 15)]
        book = Rebuilt("0.01", "0.00001")
        book.apply("b", snapshot["bids"])
        book.apply("a", snapshot["asks"])
        assert len(book.sides["b"]) > 1_000
        kept = [frame["data"] for frame in diffs if frame["data"]["u"] > last]
        assert kept[0]["U"] <= last + 1 <= kept[0]["u"]
        for diff in kept:
            book.apply("b", diff["b"])
            book.apply("a", diff["a"])
            truth = await get(f"{sim.url}/_sim/truth?symbol=BTCUSDT&update_id={diff['u']}")
            assert book.checksum == truth["checksum"]
            assert list(book.best) == [Decimal(truth["bids"][0][0]), Decimal(truth["asks"][0][0])]


async def test_diffs_chain() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + "/ws/ethusdt@depth@100ms") as client:
        diffs = await frames(client, 12)
    assert all(later["U"] == earlier["u"] + 1 for earlier, later in pairwise(diffs))


async def test_trades_are_consecutive_and_lie_at_the_touch_that_bookticker_sent() -> None:
    streams = "btcusdt@bookTicker/btcusdt@trade"
    async with simulator(rate=400.0) as sim, socket(sim.ws_url("binance") + f"/stream?streams={streams}") as client:
        seen = await frames(client, 300)
    quote, ids = None, []
    for frame in seen:
        data = frame["data"]
        if frame["stream"].endswith("@bookTicker"):
            quote = data
        else:
            ids.append(data["t"])
            assert quote is None or data["p"] == (quote["b"] if data["m"] else quote["a"])
    assert len(ids) > 20
    assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_partial_books_are_the_true_top() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + "/stream?streams=btcusdt@depth20@100ms") as client:
        for frame in await frames(client, 4):
            assert set(frame["data"]) == {"lastUpdateId", "bids", "asks"}
            truth = await get(f"{sim.url}/_sim/truth?symbol=BTCUSDT&update_id={frame['data']['lastUpdateId']}")
            assert (frame["data"]["bids"], frame["data"]["asks"]) == (truth["bids"], truth["asks"])


async def test_aggregates_sum_the_trades_that_they_name() -> None:
    streams = "btcusdt@aggTrade/btcusdt@trade"
    async with simulator(rate=400.0) as sim, socket(sim.ws_url("binance") + f"/stream?streams={streams}") as client:
        seen = [frame["data"] for frame in await frames(client, 120)]
    sizes = {data["t"]: Decimal(data["q"]) for data in seen if data["e"] == "trade"}
    whole = [data for data in seen if data["e"] == "aggTrade" and data["f"] in sizes and data["l"] in sizes]
    assert whole
    for data in whole:
        assert Decimal(data["q"]) == sum(sizes[number] for number in range(data["f"], data["l"] + 1))


async def test_control_frames_are_answered() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + "/ws") as client:
        for request, answer in [
            ('{"method":"SUBSCRIBE","params":["btcusdt@depth20","nosuch@trade"],"id":1}', {"result": None, "id": 1}),
            ('{"method":"LIST_SUBSCRIPTIONS","id":"a"}', {"result": ["btcusdt@depth20", "nosuch@trade"], "id": "a"}),
            ('{"method":"UNSUBSCRIBE","params":["btcusdt@depth20"],"id":null}', {"result": None, "id": None}),
        ]:
            await client.send(request)
            assert await until(client, lambda frame: "result" in frame) == answer


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{not json", 3),
        ("[1]", 2),
        ('{"method":"DANCE","id":1}', 2),
        ('{"method":"SUBSCRIBE","params":"btcusdt@trade","id":1}', 2),
        ('{"method":"SUBSCRIBE","params":[1],"id":1}', 2),
        ('{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1.5}', 2),
    ],
)
async def test_bad_control_frames_get_the_venues_error(message: str, code: int) -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + "/stream") as client:
        await client.send(message)
        (answer,) = await frames(client, 1)
        assert answer["code"] == code


async def test_microseconds_are_sent_to_those_who_ask() -> None:
    url = "/stream?streams=btcusdt@depth@100ms&timeUnit=MICROSECOND"
    async with simulator() as sim, socket(sim.ws_url("binance") + url) as client:
        (frame,) = await frames(client, 1)
    assert frame["stream"] == "btcusdt@depth@100ms"
    assert frame["data"]["E"] > 10**15


async def test_a_sixth_message_within_a_second_ends_the_connection() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + "/ws") as client:
        for number in range(7):
            await client.send(f'{{"method":"LIST_SUBSCRIPTIONS","id":{number}}}')
        assert (await closed(client)).rcvd.code == 1008


async def test_the_end_of_the_lifetime_is_announced() -> None:
    options = {"lifetime_s": 1.0, "notice_s": 0.5}
    async with simulator(**options) as sim, socket(sim.ws_url("binance") + "/stream") as client:
        (notice,) = await frames(client, 1)
        assert notice["stream"] == "!serverShutdown"
        assert notice["data"]["e"] == "serverShutdown"
        assert (await closed(client)).rcvd.code == 1001


async def test_the_server_pings() -> None:
    async with simulator(ping_s=0.1) as sim, socket(sim.ws_url("binance") + "/ws/btcusdt@trade") as client:
        pings: list[bytes] = []
        answer = client.protocol.recv_frame

        def noted(frame: object) -> None:
            if frame.opcode == 9:
                pings.append(bytes(frame.data))
            answer(frame)

        client.protocol.recv_frame = noted
        async with asyncio.timeout(DEADLINE_S):
            while not pings:
                await client.recv()  # trades that nobody reads would hold up the ping behind them
    assert int(pings[0]) > 10**12


async def test_the_instrument_list_has_ticks_and_steps() -> None:
    async with simulator() as sim:
        listed = await get(sim.rest_url("binance") + "/api/v3/exchangeInfo")
    row = next(row for row in listed["symbols"] if row["symbol"] == "BTCUSDT")
    filters = {entry["filterType"]: entry for entry in row["filters"]}
    assert (row["baseAsset"], row["quoteAsset"], row["status"]) == ("BTC", "USDT", "TRADING")
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00001000"


async def test_rest_trades_continue_the_stream() -> None:
    async with simulator() as sim, socket(sim.ws_url("binance") + "/ws/btcusdt@trade") as client:
        (trade,) = await frames(client, 1)
        rows = await get(sim.rest_url("binance") + f"/api/v3/historicalTrades?symbol=BTCUSDT&fromId={trade['t']}")
    shared = (trade["t"], trade["p"], trade["q"], trade["T"], trade["m"])
    assert tuple(rows[0][name] for name in ("id", "price", "qty", "time", "isBuyerMaker")) == shared


async def test_rest_aggregates_cover_the_trades() -> None:
    async with simulator() as sim:
        rows = await get(sim.rest_url("binance") + "/api/v3/aggTrades?symbol=BTCUSDT&limit=1000")
    assert len(rows) > 20
    assert all(later["f"] == earlier["l"] + 1 for earlier, later in pairwise(rows))


async def test_the_limit_cuts_the_snapshot() -> None:
    async with simulator() as sim:
        snapshot = await get(sim.url + "/api/v3/depth?symbol=ETHUSDT&limit=7")
    assert (len(snapshot["bids"]), len(snapshot["asks"])) == (7, 7)
    assert decimals(snapshot["bids"]) == sorted(decimals(snapshot["bids"]), reverse=True)


async def test_weight_is_counted_and_above_it_is_429_with_retry_after() -> None:
    async with simulator(weight_limit=300) as sim:
        url = sim.rest_url("binance") + "/api/v3/depth?symbol=BTCUSDT&limit=5000"
        status, _, headers = await fetch(url)
        assert (status, headers["X-MBX-USED-WEIGHT-1M"]) == (200, "250")
        status, body, headers = await fetch(url)
        if headers["X-MBX-USED-WEIGHT-1M"] == "250":  # the minute turned in between
            status, body, headers = await fetch(url)
        assert (status, body["code"]) == (429, -1003)
        assert 1 <= int(headers["Retry-After"]) <= 60


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v3/depth?symbol=NOPE", 400, -1121),
        ("/api/v3/depth", 400, -1102),
        ("/api/v3/depth?symbol=BTCUSDT&limit=x", 400, -1100),
        ("/api/v1/depth?symbol=BTCUSDT", 404, -1),
    ],
)
async def test_bad_rest_calls_get_the_venues_code(path: str, status: int, code: int) -> None:
    async with simulator() as sim:
        answered, body, _ = await fetch(sim.rest_url("binance") + path)
    assert (answered, body["code"]) == (status, code)
