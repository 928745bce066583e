"""Kraken's protocols, through a real client and through the real collector."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from mdplatform_tests.collector.rig import order
from mdplatform_tests.simulator import rig
from mdplatform_tests.simulator.rig import fetch, fetch_at_once, frames, simulator, socket, until

VENUES = ("kraken",)


def subscribe(channel: str, *symbols: str, **options: Any) -> dict[str, Any]:
    return {"method": "subscribe", "params": {"channel": channel, "symbol": [*symbols], **options}, "req_id": 5}


async def test_each_symbol_is_acknowledged_or_refused_for_itself() -> None:
    request = subscribe("trade", "BTC/USD", "XBT/USD")
    async with simulator(venues=VENUES) as sim, socket(sim.ws_url("kraken") + "/v2", request) as client:
        accepted = await until(client, lambda frame: frame.get("success") is True)
        refused = await until(client, lambda frame: frame.get("success") is False)
    assert accepted["result"] == {"channel": "trade", "symbol": "BTC/USD"}
    assert (refused["symbol"], refused["req_id"]) == ("XBT/USD", 5)
    assert refused["error"] == "Currency pair not supported XBT/USD"


async def test_a_heartbeat_comes_every_second_once_something_is_subscribed() -> None:
    request = subscribe("trade", "BTC/USD")
    async with simulator(venues=VENUES) as sim, socket(sim.ws_url("kraken") + "/v2", request) as client:
        assert await until(client, lambda frame: frame.get("channel") == "heartbeat") == {"channel": "heartbeat"}


async def test_a_book_of_a_product_counts_up_by_one_from_its_snapshot() -> None:
    request = {"event": "subscribe", "feed": "book", "product_ids": ["PF_XBTUSD"]}
    async with simulator(venues=VENUES, rate=300.0) as sim, socket(sim.ws_url("kraken") + "/ws/v1", request) as client:
        snapshot = await until(client, lambda frame: frame.get("feed") == "book_snapshot")
        numbers = [frame["seq"] for frame in await frames(client, 30)]
    assert numbers == list(range(snapshot["seq"] + 1, snapshot["seq"] + 31))


async def test_an_unknown_product_is_refused_without_a_name() -> None:
    request = {"event": "subscribe", "feed": "book", "product_ids": ["PF_NONEUSD"]}
    async with simulator(venues=VENUES) as sim, socket(sim.ws_url("kraken") + "/ws/v1", request) as client:
        error = await until(client, lambda frame: frame.get("event") == "error")
    assert error == {"event": "error", "message": "Invalid product id"}


async def test_too_many_calls_are_an_error_with_the_status_200() -> None:
    async with simulator(venues=VENUES) as sim:
        answers = await fetch_at_once(sim.rest_url("kraken") + "/0/public/AssetPairs", 20)
    assert {status for status, _, _ in answers} == {200}
    refused = [body for _, body, _ in answers if body["error"]]
    assert refused
    assert all(body == {"error": ["EGeneral:Too many requests"]} for body in refused)


# --- the collector

SYMBOLS = ("BTC-USD", "ETH-USD", "BTC-USD-PERP", "ETH-USD-PERP")
collected = partial(rig.collected, venue="kraken", symbols=SYMBOLS)


async def test_collected_books_are_the_simulators_truth() -> None:
    async with collected() as (sim, collector):
        await collector.until_valid(times=4)
        await collector.until(lambda: len(collector.books("kraken")) > 200)
        checked = set()
        for row in collector.books("kraken"):
            # Spot numbers nothing: its books are found by their time.
            number = f"update_id={row['sequence']}" if "PERP" in row["symbol"] else f"time_ns={row['venue_ns']}"
            query = f"venue=kraken&symbol={row['symbol']}&{number}"
            status, truth, _ = await fetch(f"{sim.url}/_sim/truth?{query}")
            if status != 200 or truth.get("bids") is None or row["previous_sequence"] is None:
                continue  # the truth is kept once in 50 ms
            for prices, sizes, side in (("b", "bv", "bids"), ("a", "av", "asks")):
                held = list(zip(row[prices], row[sizes], strict=True))
                assert held == [(float(price), float(size)) for price, size in truth[side]][: len(held)]
            checked.add(row["symbol"])
        assert checked == set(SYMBOLS)
        assert not collector.rows("md.dead_letter")


async def test_collected_products_have_funding_marks_and_liquidations() -> None:
    async with collected() as (sim, collector):
        await collector.until_valid(times=4)
        order(sim, "liquidate BTC n=3 side=sell")
        await collector.until(lambda: collector.rows("liquidations.kraken", side="sell"))
        await collector.until(lambda: collector.rows("funding.kraken", symbol="BTC-USD-PERP"))
        row = collector.rows("funding.kraken", symbol="BTC-USD-PERP")[-1]
        assert None not in (row["rate"], row["mark_price"], row["index_price"], row["next_funding_ts"])


# The checksum is of ten levels, and a level that is sent again is right again: one update may go unseen, twenty do not.
@pytest.mark.parametrize("fault", ["drop count=20", "garbage kind=truncated"])
async def test_a_lost_update_of_a_pair_shows_in_the_checksum_and_the_others_lose_nothing(fault: str) -> None:
    async with collected("book", symbols=("BTC-USD", "ETH-USD")) as (sim, collector):
        await collector.until_valid(times=2)
        order(sim, f"{fault} venue=kraken symbol=BTC/USD channel=book")
        await collector.until(lambda: collector.statuses(state="gap", channel="book"))
        await collector.until_valid(times=3)
        gaps = collector.statuses(state="gap", ended_ns=None)
        assert {(row["symbol"], row["cause"]) for row in gaps} <= {
            ("BTC-USD", "checksum"),
            ("BTC-USD", "refused_frame"),
        }


async def test_trades_that_a_socket_loses_are_had_by_rest() -> None:
    async with collected("trade", symbols=("BTC-USD",)) as (sim, collector):
        await collector.until(lambda: collector.rows("trades.kraken"))
        order(sim, "drop venue=kraken symbol=BTC/USD channel=trade")
        await collector.until(lambda: len(collector.rows("trades.kraken", provenance="rest")) >= 1)
        await collector.until(lambda: collector.statuses(cause="trade_id_gap_filled", missed=0))
        ids = sorted(int(row["id"]) for row in collector.rows("trades.kraken"))
        assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_a_reconnect_is_sent_the_trades_that_it_missed() -> None:
    # Few enough trades that the list of the latest reaches back to the cut, however long it takes.
    async with collected("trade", symbols=("BTC-USD", "BTC-USD-PERP"), rate=40.0) as (sim, collector):
        for symbol in ("BTC-USD", "BTC-USD-PERP"):
            await collector.until(lambda symbol=symbol: collector.rows("trades.kraken", symbol=symbol))
        order(sim, "cut venue=kraken")
        await collector.until_valid("trades", times=4)
        for symbol in ("BTC-USD", "BTC-USD-PERP"):
            count = len(collector.rows("trades.kraken", symbol=symbol))
            await collector.until(
                lambda symbol=symbol, count=count: len(collector.rows("trades.kraken", symbol=symbol)) > count + 3
            )
            ids = [int(row["id"]) for row in collector.rows("trades.kraken", symbol=symbol)]
            assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_maintenance_is_announced_on_spot() -> None:
    async with simulator() as sim, socket(sim.ws_url("kraken") + "/v2") as client:
        order(sim, "maintenance venue=kraken for=1")
        notice = await until(client, lambda frame: frame.get("data", [{}])[0].get("system") == "maintenance")
        assert notice["channel"] == "status"


async def test_quotes_of_futures_are_the_true_touch_of_the_book() -> None:
    async with collected("bbo", symbols=("BTC-USD-PERP",)) as (sim, collector):
        await collector.until(lambda: len(collector.rows("quotes.kraken")) > 60)
        checked = 0
        for row in collector.rows("quotes.kraken"):
            query = f"venue=kraken&symbol=BTC-USD-PERP&update_id={row['sequence']}"
            status, truth, _ = await fetch(f"{sim.url}/_sim/truth?{query}")
            if status != 200 or truth.get("bids") is None:
                continue  # the truth is kept once in 50 ms
            best = [float(text) for side in ("bids", "asks") for text in truth[side][0]]
            assert [row["bid_price"], row["bid_size"], row["ask_price"], row["ask_size"]] == best
            checked += 1
        assert checked
        assert not collector.books("kraken")
        assert {status["channel"] for status in collector.statuses()} == {"bbo"}


async def test_a_symbol_that_the_venue_refuses_does_the_others_no_harm() -> None:
    async with collected("trade") as (sim, collector):
        for symbol in SYMBOLS:
            await collector.until(lambda symbol=symbol: collector.rows("trades.kraken", symbol=symbol))
        # They are delisted: gone when they are requested again.
        floors = sim.world.exchanges["kraken"].markets
        floors.instruments = {key: one for key, one in floors.instruments.items() if "ETH" not in key}
        order(sim, "cut venue=kraken")
        await collector.until(lambda: len(collector.rows("md.dead_letter", reason="venue_error")) > 1)
        for symbol in ("BTC-USD", "BTC-USD-PERP"):
            count = len(collector.rows("trades.kraken", symbol=symbol))
            await collector.until(
                lambda symbol=symbol, count=count: len(collector.rows("trades.kraken", symbol=symbol)) > count
            )
        assert not [row for row in collector.rows("md.dead_letter") if row["reason"] != "venue_error"]
