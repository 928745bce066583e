"""Not every base is a coin: perpetuals of shares are listed, collected and classed; and expected funding."""

from __future__ import annotations

import pytest

from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.world import World
from mdplatform_tests.collector.rig import collecting, shard
from mdplatform_tests.simulator.rig import simulator

SHARES = ("bitget", "kucoin", "okx")
PREDICTING = {"gate": "BTC-USDT-PERP", "kraken": "BTC-USD-PERP"}


def test_shares_are_listed_as_linear_perpetuals_alone_and_where_there_are_any() -> None:
    world = World(SimulatorConfig(symbols=("BTC", "TSLA")), 1_780_000_000 * 10**9)
    listed = {
        name: {one.canonical for one in markets.instruments.values() if one.base == "TSLA"}
        for name, markets in world.markets.items()
    }
    assert {name for name, symbols in listed.items() if symbols} == {*SHARES}
    assert set().union(*listed.values()) == {"TSLA-USDT-PERP", "TSLA-USDC-PERP"}


@pytest.mark.parametrize("name", SHARES)
async def test_a_perpetual_of_a_share_is_collected_as_any_other(name: str) -> None:
    async with simulator(venues=(name,), symbols=("BTC", "TSLA")) as sim:
        config = shard(sim, name, symbols=("TSLA-USDT-PERP",), channels=("book", "trades", "funding"))
        async with collecting(config) as collector:
            await collector.until_valid("book")
            kinds = (f"trades.{name}", f"funding.{name}")
            await collector.until(lambda: all(collector.rows(kind) for kind in kinds), 60)
            trade = collector.rows(f"trades.{name}")[0]
            classes = {row["asset_class"] for row in collector.rows("md.instruments") if row["base"] == "TSLA"}
            assert not collector.rows("md.dead_letter")
    assert (trade["symbol"], 300 < trade["price"] < 500) == ("TSLA-USDT-PERP", True)
    assert classes == {{"okx": "stock", "bitget": "other", "kucoin": None}[name]}


@pytest.mark.parametrize("name", PREDICTING)
async def test_the_expected_rate_of_the_next_payment_is_stated(name: str) -> None:
    async with (
        simulator(venues=(name,), symbols=("BTC",)) as sim,
        collecting(shard(sim, name, symbols=(PREDICTING[name],), channels=("funding",))) as collector,
    ):
        await collector.until(lambda: [row for row in collector.rows(f"funding.{name}") if row["rate"] is not None], 60)
        row = next(row for row in collector.rows(f"funding.{name}") if row["rate"] is not None)
    assert row["predicted_rate"] == pytest.approx((row["rate"] + 0.0001) / 2, abs=2e-6)
