"""Both of Coinbase's protocols, through the real collector."""

from __future__ import annotations

from typing import Any

import pytest

from mdplatform.collector import CollectorConfig
from mdplatform.simulator.server import Simulator
from mdplatform_tests.collector.rig import Running, collecting, order
from mdplatform_tests.simulator.rig import simulator

SYMBOLS = ("BTC-USD", "ETH-USD")


def collector(sim: Simulator, **options: Any) -> CollectorConfig:
    where = {"ws_url": sim.ws_url("coinbase"), "rest_url": sim.rest_url("coinbase")}
    return CollectorConfig(venue="coinbase", **{"symbols": SYMBOLS, **where, **options})


def running_simulator(**options: Any) -> Any:
    return simulator(**{"venues": ("coinbase",), "levels": 300, "rate": 200.0} | options)


def is_true(sim: Simulator, book: dict[str, Any]) -> bool:
    """Whether the book is the one that the simulator had at its time."""
    truth = sim.world.truth(book["symbol"], "coinbase")
    record = None if truth is None else truth.at(time_ns=book["venue_ns"])
    assert record is not None
    levels = [list(zip(book[side], book[size], strict=True)) for side, size in (("b", "bv"), ("a", "av"))]
    return levels == [[(float(p), float(s)) for p, s in record[side][:20]] for side in ("bids", "asks")]


def gaps(running: Running) -> list[dict[str, Any]]:
    return running.statuses(channel="book", state="gap", ended_ns=None)


async def test_a_frame_that_the_default_book_loses_is_found_and_no_valid_book_is_wrong() -> None:
    async with running_simulator() as sim, collecting(collector(sim)) as running:
        await running.until_valid("book", 2)
        order(sim, "drop venue=coinbase channel=level2 symbol=BTC-USD count=1")
        await running.until_valid("book", 4)  # the number is the connection's: both are asked for again
        after = len(running.books("coinbase"))
        await running.until(lambda: len(running.books("coinbase")) > after + 20)
        books = running.books("coinbase")
        assert [(gap["symbol"], gap["cause"]) for gap in gaps(running)] == [(name, "sequence_gap") for name in SYMBOLS]
        assert [book for book in books if book["previous_sequence"] is not None and not is_true(sim, book)] == []


async def test_trades_that_advanced_trade_loses_come_by_rest() -> None:
    options = {"symbols": SYMBOLS[:1], "channels": ("l2_data", "market_trades")}
    async with running_simulator(rate=400.0) as sim, collecting(collector(sim, **options)) as running:
        await running.until(lambda: len(running.rows("trades.coinbase")) > 60)
        order(sim, "drop venue=coinbase channel=market_trades count=1")
        await running.until(lambda: running.rows("trades.coinbase", provenance="rest"))
        await running.until(lambda: running.statuses(channel="trades", cause="trade_id_gap_filled"))
        ids = sorted(int(row["id"]) for row in running.rows("trades.coinbase"))
        assert ids == list(range(ids[0], ids[0] + len(ids)))


@pytest.mark.parametrize("channels", [(), ("level2_batch", "matches", "heartbeat"), ("l2_data", "market_trades")])
async def test_a_product_that_the_sockets_refuse_costs_no_other(channels: tuple[str, ...]) -> None:
    async with running_simulator() as lists, running_simulator(symbols=("BTC",)) as sim:
        config = collector(sim, rest_url=lists.rest_url("coinbase"), channels=channels)
        async with collecting(config) as running:
            await running.until_valid("book")
            await running.until_valid("trades")
            down = [
                (row["symbol"], row["channel"])
                for row in running.statuses(state="down", cause="refused", ended_ns=None)
            ]
            assert sorted(down) == [("ETH-USD", "book"), ("ETH-USD", "trades")]
            assert {row["symbol"] for row in running.statuses(state="valid")} == {"BTC-USD"}
