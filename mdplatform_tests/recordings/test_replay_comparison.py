"""What a collector published, and what its recording gives again: the same messages, of every venue."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from mdplatform.bus import Message
from mdplatform.core.topics import Topics
from mdplatform.venues import venue_ids
from mdplatform_tests.collector.rig import Running, collecting, order, shard, simulated
from mdplatform_tests.recordings.replay_comparison import compare

SPOT_AND_CONTRACT = {
    "binance": ("BTC-USDT",),
    "coinbase": ("BTC-USD",),
    "binance-usdm": ("BTC-USDT-PERP",),
    "binance-coinm": ("BTC-USD-PERP",),
    "cryptocom": ("BTC-USD", "BTC-USD-PERP"),
    "deribit": ("BTC-USD-PERP", "BTC-USDC-PERP"),
    "hyperliquid": ("BTC-USD-PERP", "BTC-USDC"),
    "kraken": ("BTC-USD", "BTC-USD-PERP"),
}


def books_and_trades(collector: Running, venue_id: str) -> bool:
    return len(collector.books(venue_id)) > 20 and len(collector.rows(f"trades.{venue_id}")) > 5


@pytest.mark.parametrize("venue_id", venue_ids())
async def test_a_replay_gives_every_message_that_was_published(venue_id: str) -> None:
    symbols = SPOT_AND_CONTRACT.get(venue_id, ("BTC-USDT", "BTC-USDT-PERP"))
    async with simulated(venues=(venue_id,), symbols=("BTC",)) as simulator:
        config = shard(simulator, venue_id, symbols=symbols, keep_raw=True)
        async with collecting(config) as collector:
            await collector.until(lambda: books_and_trades(collector, venue_id))
            order(simulator, "liquidate BTC n=3")
            had = len(collector.books(venue_id))
            await collector.until(lambda: len(collector.books(venue_id)) > had + 10)
            await collector.ended()
    same = await compare(config, collector.bus.topics, Topics())
    assert same.differences == []
    assert same.is_same
    assert {"md.orderbook.normalized", f"trades.{venue_id}"} <= same.messages.keys()


async def test_lost_trades_had_by_rest_are_given_again() -> None:
    async with simulated(venues=("binance",), symbols=("BTC",)) as simulator:
        config = shard(simulator, keep_raw=True)
        async with collecting(config) as collector:
            await collector.until(lambda: books_and_trades(collector, "binance"))
            order(simulator, "drop venue=binance channel=trade count=3")
            await collector.until(lambda: collector.rows("trades.binance", provenance="rest"))
            await collector.ended()
    assert (await compare(config, collector.bus.topics, Topics())).is_same


async def test_a_message_that_differs_or_is_missing_is_reported() -> None:
    async with simulated(venues=("binance",), symbols=("BTC",)) as simulator:
        config = shard(simulator, keep_raw=True)
        async with collecting(config) as collector:
            await collector.until(lambda: books_and_trades(collector, "binance"))
            await collector.ended()
    log: dict[str, Sequence[Message]] = dict(collector.bus.topics)
    *_, last = trades = list(log["trades.binance"])
    [difference] = (await compare(config, log | {"trades.binance": trades[:-1]}, Topics())).differences
    assert (difference.number, difference.published, difference.replayed) == (len(trades) - 1, None, last.value)
    changed = replace(last, value=last.value.replace(b'"live"', b'"rest"'))
    [difference] = (await compare(config, log | {"trades.binance": [*trades[:-1], changed]}, Topics())).differences
    assert (difference.published, difference.replayed) == (changed.value, last.value)


async def test_where_nothing_was_published_nothing_is_the_same() -> None:
    async with simulated(venues=("binance",), symbols=("BTC",)) as simulator:
        config = shard(simulator)
    assert not (await compare(config, {}, Topics())).is_same
