"""Trades that a socket did not bring: the collector has them from REST, each once, and says so."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from mdplatform import venues
from mdplatform.collector import CollectorConfig
from mdplatform.simulator.venues.hyperliquid import exchange
from mdplatform_tests.collector.rig import Row, Running, collecting, order, shard, simulated
from mdplatform_tests.collector.volumes import published, traded


class Case(NamedTuple):
    """A venue, one of its symbols, and how its trades are lost; ``rate`` of changes, so that its list reaches back."""

    venue: str
    symbol: str
    fault: str
    rate: float = 200.0
    channels: tuple[str, ...] = ()


CUT = "cut; jump BTC 0.02%"  # so that there are trades at once that nobody hears
# Where trades are numbered a frame that is lost shows; where they are not, only a connection that is.
CASES = [
    Case("binance", "BTC-USDT", "drop channel=trade count=3"),
    Case("binance", "BTC-USDT", CUT),
    Case("binance-usdm", "BTC-USDT-PERP", "drop channel=aggTrade count=3"),
    Case("binance-coinm", "BTC-USD-PERP", "drop channel=aggTrade count=3"),
    Case("coinbase", "BTC-USD", "drop channel=match count=3"),
    Case("coinbase", "BTC-USD", "drop channel=market_trades count=3", channels=("market_trades",)),
    Case("deribit", "BTC-USDC-PERP", "drop channel=trades count=3"),
    Case("okx", "BTC-USDT-PERP", "drop channel=trades count=3"),
    Case("okx", "BTC-USDT", CUT),
    Case("kraken", "BTC-USD", "drop channel=trade count=3"),
    Case("gate", "BTC-USDT", "drop channel=trades count=3"),
    Case("bybit", "BTC-USDT", CUT, 20.0),
    Case("bybit", "BTC-USDT-PERP", CUT),
    Case("hyperliquid", "BTC-USD-PERP", CUT, 20.0),
    Case("kucoin", "BTC-USDT", CUT, 20.0),
    Case("kucoin", "BTC-USDT-PERP", CUT, 20.0),
    Case("cryptocom", "BTC-USD", CUT, 20.0),
    Case("cryptocom", "BTC-USD-PERP", CUT, 20.0),
]

GREETING = ("hyperliquid", "cryptocom")  # a subscription begins with the latest trades: what was lost may be among them


def trades(collector: Running, case: Case) -> list[Row]:
    return collector.rows(f"trades.{case.venue}")


@pytest.mark.parametrize(
    "case",
    CASES,
    ids=lambda case: "-".join((case.venue, case.symbol, "cut" if case.fault is CUT else "drop", *case.channels)),
)
async def test_trades_that_were_lost_are_had_by_rest_each_once(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    # Ten trades, as Hyperliquid lists, are one order's fills at times: whether they reach back would be chance.
    monkeypatch.setattr(exchange, "RECENT", 100)
    async with simulated(venues=(case.venue,), symbols=("BTC",), rate=case.rate) as simulator:
        channels = case.channels or venues.venue(case.venue).default_channels
        config: CollectorConfig = shard(simulator, case.venue, symbols=(case.symbol,), channels=channels)
        async with collecting(config) as collector:
            await collector.until(lambda: len(trades(collector, case)) > 3)
            order(simulator, f"refuse for=0.5 venue={case.venue}")
            order(simulator, f"{case.fault} venue={case.venue}")
            await collector.until(lambda: filled(collector))
            had = len(trades(collector, case))
            await collector.until(lambda: len(trades(collector, case)) > had + 3)
            await collector.ended()
        rows = trades(collector, case)
        assert published(rows) == traded(simulator, case.venue, case.symbol, rows)
    assert len({row["id"] for row in rows}) == len(rows)
    assert case.venue in GREETING or any(row["provenance"] == "rest" for row in rows)
    assert all(status["missed"] == 0 for status in filled(collector))


def filled(collector: Running) -> list[Row]:
    return [status for status in collector.statuses(channel="trades") if status["cause"].endswith("_filled")]
