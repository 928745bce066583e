"""Crypto.com's protocol, through a real client and through the real collector."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mdplatform.simulator.server import Simulator
from mdplatform.simulator.venues.cryptocom import exchange
from mdplatform.simulator.venues.cryptocom.exchange import SecondsAllowance
from mdplatform_tests.collector.rig import collecting, order, shard, simulated
from mdplatform_tests.simulator.rig import Rebuilt, closed, fetch, frames, get, simulator, socket, until

DELTAS = {"book_subscription_type": "SNAPSHOT_AND_UPDATE", "book_update_frequency": 10}
SECOND = 1_000_000_000


@pytest.fixture(autouse=True)
def opened_as_the_second_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that opens in the last 10 ms of a second may send nothing in it: one test in a hundred did."""
    monkeypatch.setattr(exchange, "SecondsAllowance", lambda opened_ns: SecondsAllowance(opened_ns // SECOND * SECOND))


def subscribe(*channels: str, number: int = 7, method: str = "subscribe", **params: Any) -> dict[str, Any]:
    return {"id": number, "method": method, "params": {"channels": list(channels), **(params or DELTAS)}}


def path(sim: Simulator) -> str:
    return sim.ws_url("cryptocom") + "/exchange/v1/market"


def is_reply(frame: Any) -> bool:
    return "result" not in frame and frame["method"] != "public/heartbeat"


async def test_a_book_begins_with_its_snapshot_and_leads_on_by_pu_to_the_true_top() -> None:
    async with simulator() as sim, socket(path(sim), subscribe("book.BTCUSD-PERP.50")) as client:
        reply, *pushes = await frames(client, 20)
        assert reply == {"id": 7, "method": "subscribe", "code": 0, "channel": "book.BTCUSD-PERP.50"}
        book, last = Rebuilt("0.1", "0.00001"), None
        for push in (one for one in pushes if one["method"] == "subscribe"):
            assert (push["id"], push["result"]["subscription"], push["result"]["depth"]) == (
                -1,
                "book.BTCUSD-PERP.50",
                50,
            )
            (row,) = push["result"]["data"]
            assert (push["result"]["channel"] == "book") == (last is None)
            assert last is None or row["pu"] == last
            last = row["u"]
            for side, levels in (row.get("update") or row).items():
                if side in ("bids", "asks"):
                    book.apply(side[0], [level[:2] for level in levels])
        assert len(book.sides["b"]) == len(book.sides["a"]) == 50


async def test_the_second_of_two_subscriptions_is_confirmed_and_brings_nothing() -> None:
    asked = subscribe("book.BTC_USD.50")
    async with simulator() as sim, socket(path(sim), asked, asked) as client:
        seen = await frames(client, 15)
    assert sum(is_reply(frame) for frame in seen) == 2
    assert sum(frame.get("result", {}).get("channel") == "book" for frame in seen) == 1


async def test_all_but_books_are_answered_by_their_first_message() -> None:
    asked = subscribe(
        "trade.BTC_USD", "ticker.BTC_USD", "mark.BTCUSD-PERP", "funding.BTCUSD-PERP", "index.BTCUSD-INDEX"
    )
    async with simulator() as sim, socket(path(sim), asked) as client:
        first = [await until(client, lambda frame: frame["id"] == 7) for _ in range(5)]
    assert [frame["result"]["channel"] for frame in first] == ["trade", "ticker", "mark", "funding", "index"]
    assert 0 < len(first[0]["result"]["data"]) <= 50
    times = [row["t"] for row in first[0]["result"]["data"]]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    ("channel", "params", "message"),
    [
        ("book.NOPE_USD.50", {}, "Unknown symbol"),
        ("book.BTC_USD.20", {}, "Invalid depth"),
        ("book.BTC_USD.150", {}, "Unsupported depth/interval combination"),
        ("book.BTC_USD.50", {"book_subscription_type": "NOPE"}, "Invalid book_subscription_type"),
        ("nope.BTC_USD", {}, "Unrecognized channel"),
        ("mark.BTC_USD", {}, "Unsupported instrument"),
        ("index.BTCUSD-PERP", {}, "Unsupported instrument"),
    ],
)
async def test_what_is_not_there_is_refused_by_itself(channel: str, params: dict[str, Any], message: str) -> None:
    asked = subscribe(channel, "trade.ETH_USD", **(DELTAS | params))
    async with simulator() as sim, socket(path(sim), asked) as client:
        refused = await until(client, is_reply)
        taken = await until(client, lambda frame: frame["id"] == 7)
    assert refused == {"id": 7, "method": "subscribe", "code": 40003, "channel": channel, "message": message}
    assert taken["result"]["subscription"] == "trade.ETH_USD"


async def test_more_channels_than_400_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "CHANNELS", 2)
    async with simulator() as sim, socket(path(sim), subscribe("trade.BTC_USD", "trade.ETH_USD")) as client:
        await client.send('{"id":9,"method":"subscribe","params":{"channels":["ticker.BTC_USD"]}}')
        refused = await until(client, is_reply)
    assert refused == {"id": 9, "method": "subscribe", "code": 40107, "message": "Maximum subscriptions exceeded"}


def test_the_second_of_the_connection_allows_only_what_is_left_of_it() -> None:
    allowance = SecondsAllowance(10 * SECOND + 950_000_000)
    assert [allowance.take(10 * SECOND + 990_000_000) for _ in range(6)] == [True] * 5 + [False]
    assert all(allowance.take(11 * SECOND) for _ in range(100))
    assert not allowance.take(11 * SECOND)


async def test_who_leaves_heartbeats_unanswered_is_cut_at_the_third(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "BEAT_NS", SECOND // 5)
    async with simulator() as sim, socket(path(sim)) as client:
        beats = [await until(client, lambda frame: frame["method"] == "public/heartbeat") for _ in range(3)]
        ended = await closed(client)
        assert ended.rcvd is not None
        assert ended.rcvd.code == 1000
    assert all(isinstance(beat["id"], int) for beat in beats)


async def test_the_collector_answers_heartbeats_and_keeps_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "BEAT_NS", SECOND)
    async with simulated(venues=("cryptocom",), symbols=("BTC",)) as sim:
        config = shard(sim, "cryptocom", symbols=("BTC-USD", "BTC-USD-PERP"))
        async with collecting(config) as collector:
            await collector.until(lambda: len(collector.books("cryptocom")) > 100)
            assert all(peer.notes["beats"] <= 1 for peer in sim.world.exchanges["cryptocom"].peers)
            report = await collector.ended()
    assert report.reconnects == 0


async def test_numbers_that_are_left_out_are_a_gap_which_a_new_subscription_heals() -> None:
    async with (
        simulated(venues=("cryptocom",), symbols=("BTC",)) as sim,
        collecting(shard(sim, "cryptocom", symbols=("BTC-USD-PERP",))) as collector,
    ):
        await collector.until(lambda: len(collector.books("cryptocom")) > 20)
        order(sim, "skip n=5 venue=cryptocom")
        await collector.until(lambda: bool(collector.statuses(channel="book", state="gap")))
        had = len(collector.books("cryptocom"))
        await collector.until(lambda: len(collector.books("cryptocom")) > had + 20)
        report = await collector.ended()
    assert {row["cause"] for row in collector.statuses(channel="book", state="gap")} == {"sequence_gap"}
    assert report.reconnects == 0


async def test_past_trades_are_listed_newest_first_within_a_window() -> None:
    async with simulator() as sim:
        url = f"{sim.rest_url('cryptocom')}/exchange/v1/public/get-trades"
        rows = (await get(f"{url}?instrument_name=BTCUSD-PERP&count=20"))["result"]["data"]
        older = (await get(f"{url}?instrument_name=BTCUSD-PERP&count=5&end_ts={rows[-1]['tn']}"))["result"]["data"]
    times = [row["tn"] for row in rows + older]
    assert len(rows) == 20
    assert times == sorted(times, reverse=True)
    assert Decimal(rows[0]["p"]) > 0


async def test_a_call_about_what_is_not_there_is_refused() -> None:
    async with simulator() as sim:
        base = f"{sim.rest_url('cryptocom')}/exchange/v1/public"
        for query, code in (("instrument_name=NOPE_USD", 40003), ("", 40004)):
            status, body, _ = await fetch(f"{base}/get-trades?{query}")
            assert (status, body["code"]) == (400, code)
