"""Gate's protocol, through a real client and through the real collector."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from mdplatform.simulator.server import Simulator
from mdplatform_tests.collector.rig import order
from mdplatform_tests.simulator import rig
from mdplatform_tests.simulator.rig import Rebuilt, closed, fetch, frames, get, simulator, socket, until


def subscribe(channel: str, *payload: str, event: str = "subscribe", number: int = 7) -> dict[str, Any]:
    return {"time": 1, "id": number, "channel": channel, "event": event, "payload": payload}


def path(sim: Simulator, section: str = "/ws/v4/") -> str:
    return sim.ws_url("gate") + section


def is_update(frame: Any) -> bool:
    return bool(frame["event"] == "update")


async def test_a_book_joined_to_its_snapshot_by_id_is_the_true_top() -> None:
    request = subscribe("futures.order_book_update", "BTC_USDT", "100ms", "100")
    async with simulator() as sim, socket(path(sim, "/v4/ws/usdt"), request) as client:
        waiting = [(await until(client, is_update))["result"]]
        query = "contract=BTC_USDT&limit=100&with_id=true"
        snapshot = await get(f"{sim.rest_url('gate')}/api/v4/futures/usdt/order_book?{query}")
        later = [await until(client, lambda frame: frame["result"]["u"] > snapshot["id"]), *await frames(client, 15)]
        waiting += [frame["result"] for frame in later]
        book, last = Rebuilt("0.1", "1"), None
        for side, levels in (("b", snapshot["bids"]), ("a", snapshot["asks"])):
            assert len(levels) == 100
            book.apply(side, [(level["p"], level["s"]) for level in levels])
        for update in [one for one in waiting if one["u"] > snapshot["id"]]:
            assert update["U"] <= snapshot["id"] + 1 if last is None else update["U"] == last + 1
            last = update["u"]
            for side in "ba":
                book.apply(side, [(level["p"], level["s"]) for level in update[side]])
            truth = await get(f"{sim.url}/_sim/truth?venue=gate&symbol=BTC-USDT-PERP&update_id={last}")
            for side, levels, sign in (("b", truth["bids"], -1), ("a", truth["asks"], 1)):
                held = sorted(book.sides[side].items(), key=lambda level: sign * level[0])
                assert held[:20] == [(Decimal(price), Decimal(size)) for price, size in levels]


async def test_a_stream_begins_with_its_book_and_leads_on_to_the_true_top() -> None:
    request = subscribe("futures.obu", "ob.BTC_USDT.400")
    async with simulator() as sim, socket(path(sim, "/v4/ws/usdt"), request) as client:
        assert (await until(client, lambda frame: frame["event"] == "subscribe"))["result"] == {"status": "success"}
        whole, *updates = [frame["result"] for frame in await frames(client, 15)]
        book, last = Rebuilt("0.1", "1"), whole["u"]
        assert (whole["full"], whole["s"], len(whole["b"])) == (True, "ob.BTC_USDT.400", 400)
        for push in (whole, *updates):
            for side in "ba":
                book.apply(side, push.get(side, []))
            assert push is whole or push["U"] == last + 1
            last = push["u"]
            truth = await get(f"{sim.url}/_sim/truth?venue=gate&symbol=BTC-USDT-PERP&update_id={last}")
            assert [*book.best] == [Decimal(truth["bids"][0][0]), Decimal(truth["asks"][0][0])]


async def test_a_stream_that_does_not_exist_is_acknowledged_and_one_asked_for_twice_refused() -> None:
    none, book = subscribe("spot.obu", "ob.NONE_USDT.400"), subscribe("spot.obu", "ob.BTC_USDT.50")
    async with simulator() as sim, socket(path(sim), none, book, book) as client:
        answers = [await until(client, lambda frame: not is_update(frame)) for _ in range(3)]
        assert [answer["error"] for answer in answers] == [
            None,
            None,
            {"code": 2, "message": "Alert sub ob.BTC_USDT.50"},
        ]


async def test_a_socket_without_subscriptions_is_closed() -> None:
    async with simulator(subscribe_s=0.2) as sim, socket(path(sim)) as client:
        await closed(client)


async def test_a_request_with_one_unknown_symbol_is_refused_whole() -> None:
    request = subscribe("spot.trades", "BTC_USDT", "NONE_USDT")
    async with simulator() as sim, socket(path(sim), request) as client:
        (refusal,) = await frames(client, 1)
        assert refusal["error"] == {"code": 2, "message": "unknown currency pair NONE_USDT"}
        assert (refusal["id"], refusal["result"]) == (7, {"status": "fail"})


async def test_what_is_no_request_and_what_is_asked_twice_is_refused() -> None:
    book = subscribe("spot.order_book_update", "BTC_USDT", "100ms")
    async with simulator() as sim, socket(path(sim), book, book) as client:
        answers = [await until(client, lambda frame: not is_update(frame)) for _ in range(2)]
        assert [(answer["error"] or {}).get("code") for answer in answers] == [None, 2]
        await client.send("{not json")
        assert (await until(client, lambda frame: not is_update(frame)))["error"]["code"] == 1


async def test_a_ping_gets_a_pong() -> None:
    async with simulator() as sim, socket(path(sim), {"time": 1, "channel": "spot.ping"}) as client:
        (pong,) = await frames(client, 1)
        assert (pong["channel"], pong["event"], pong["result"]) == ("spot.pong", "", None)


async def test_trades_of_a_pair_are_numbered_by_id_market() -> None:
    async with simulator(rate=400.0) as sim, socket(path(sim), subscribe("spot.trades", "BTC_USDT")) as client:
        await until(client, lambda frame: frame["event"] == "subscribe")
        numbers = [frame["result"]["id_market"] for frame in await frames(client, 30)]
    assert numbers == list(range(numbers[0], numbers[0] + 30))


async def test_the_end_of_the_lifetime_is_announced_to_clients_of_contracts() -> None:
    async with simulator(lifetime_s=1.0, notice_s=0.5) as sim, socket(path(sim, "/v4/ws/usdt")) as client:
        notice = await until(client, lambda frame: frame["channel"] == "futures.system")
        assert notice["result"]["type"] == "upgrade"


@pytest.mark.parametrize(
    ("call", "status", "label"),
    [
        ("spot/order_book?currency_pair=NONE", 400, "INVALID_CURRENCY_PAIR"),
        ("futures/usdt/order_book?contract=NONE", 400, "CONTRACT_NOT_FOUND"),
        ("futures/usdt/order_book", 400, "MISSING_REQUIRED_PARAM"),
        ("spot/order_book?currency_pair=BTC_USDT&limit=many", 400, "INVALID_PARAM_VALUE"),
        ("futures/eur/contracts", 404, "NOT_FOUND"),
    ],
)
async def test_bad_rest_calls_get_the_venues_label(call: str, status: int, label: str) -> None:
    async with simulator() as sim:
        answered, body, _ = await fetch(f"{sim.rest_url('gate')}/api/v4/{call}")
    assert (answered, body["label"]) == (status, label)


# --- the collector

SYMBOLS = ("BTC-USDT", "BTC-USDT-PERP", "ETH-USDT-PERP", "BTC-USD-PERP")
collected = partial(rig.collected, venue="gate", symbols=SYMBOLS)


async def test_collected_contracts_have_funding_marks_and_liquidations() -> None:
    async with collected() as (sim, collector):
        await collector.until_valid(times=4)
        order(sim, "liquidate BTC n=3 side=sell")
        await collector.until(lambda: len(collector.rows("liquidations.gate", side="sell")) >= 3)
        await collector.until(lambda: collector.rows("funding.gate", symbol="BTC-USDT-PERP"))
        row = collector.rows("funding.gate", symbol="BTC-USDT-PERP")[-1]
        assert None not in (row["rate"], row["mark_price"], row["index_price"], row["next_funding_ts"])
        assert not collector.rows("md.dead_letter")


async def test_books_by_updates_and_a_snapshot_recover_as_well() -> None:
    async with collected("order_book_update", symbols=("BTC-USDT", "ETH-USDT")) as (sim, collector):
        await collector.until_valid(times=2)
        order(sim, "drop venue=gate symbol=BTC_USDT channel=order_book_update")
        await collector.until(lambda: collector.statuses(state="gap", channel="book"))
        await collector.until_valid(times=3)
        assert {row["symbol"] for row in collector.statuses(state="gap")} == {"BTC-USDT"}


async def test_a_lost_trade_of_a_pair_is_a_counted_gap() -> None:
    async with collected("trades", symbols=("BTC-USDT",)) as (sim, collector):
        await collector.until(lambda: collector.rows("trades.gate"))
        order(sim, "skip venue=gate symbol=BTC_USDT channel=trades n=4")
        await collector.until(lambda: collector.statuses(state="gap", channel="trades"))
        assert collector.statuses(state="gap", channel="trades")[0]["missed"] == 4


async def test_trades_that_the_socket_did_not_bring_are_filled_by_rest() -> None:
    async with collected("trades", symbols=("BTC-USDT",)) as (sim, collector):
        await collector.until(lambda: collector.rows("trades.gate"))
        order(sim, "refuse for=0.5 venue=gate; cut venue=gate; jump BTC 0.02% venue=gate")
        await collector.until_valid(channel="trades", times=2)
        await collector.until(lambda: collector.rows("trades.gate", provenance="rest"))
        trades = sorted(int(row["id"]) // 16 for row in collector.rows("trades.gate"))
        assert trades == list(range(trades[0], trades[0] + len(trades)))
        assert not collector.rows("md.dead_letter")


async def test_a_symbol_that_the_venue_refuses_does_the_others_no_harm() -> None:
    async with collected("trades", symbols=("BTC-USDT", "ETH-USDT")) as (sim, collector):
        await collector.until(lambda: collector.rows("trades.gate", symbol="BTC-USDT"))
        # It is delisted: gone when it is requested again.
        floors = sim.world.exchanges["gate"].markets
        floors.instruments = {key: one for key, one in floors.instruments.items() if key != "spot/ETH_USDT"}
        order(sim, "cut venue=gate")
        await collector.until(lambda: collector.rows("md.dead_letter", reason="venue_error"))
        before = len(collector.rows("trades.gate", symbol="BTC-USDT"))
        await collector.until(lambda: len(collector.rows("trades.gate", symbol="BTC-USDT")) > before)
        assert not [row for row in collector.rows("md.dead_letter") if row["reason"] != "venue_error"]
