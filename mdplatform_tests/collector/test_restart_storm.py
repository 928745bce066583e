"""Many symbols that restart at once stay within the venue's limits: nothing is refused, every book is valid again."""

from __future__ import annotations

import time

from mdplatform.collector import CollectorConfig
from mdplatform.simulator.server import Simulator
from mdplatform.venues.binance.spot import Binance
from mdplatform_tests.collector.rig import Running, collecting, order, simulated

COUNT = 40
SYMBOLS = tuple(f"S{number:03d}-USDT" for number in range(1, COUNT + 1))
WEIGHT, WINDOW_S = 800, 2  # snapshots of 40 symbols are 2.5 times as much, as of 300 symbols in Binance's real minute


class Hurried(Binance):
    """The venue, its minute being shorter."""

    rest_budget = (WEIGHT, float(WINDOW_S))


def storm() -> dict[str, object]:
    return {
        "symbols": (),
        "synthetic": COUNT,
        "venues": ("binance",),
        "rate": 10.0,
        "levels": 200,
        "weight_limit": WEIGHT,
        "weight_window_s": WINDOW_S,
    }


def config(simulator: Simulator) -> CollectorConfig:
    where = {"ws_url": simulator.ws_url("binance"), "rest_url": simulator.rest_url("binance")}
    return CollectorConfig(venue="binance", symbols=SYMBOLS, **where)


def refusals(simulator: Simulator) -> list[str]:
    return [what for what in simulator.world.exchanges["binance"].answers if what not in ("rest 200", "connect 101")]


async def until_all_valid(collector: Running, since_ns: int) -> None:
    """Every book has become valid after this time."""

    def valid() -> set[str]:
        rows = collector.statuses(channel="book", state="valid", ended_ns=None)
        return {row["symbol"] for row in rows if row["started_ns"] >= since_ns}

    await collector.until(lambda: valid() == set(SYMBOLS), seconds=60.0)


async def test_a_cut_connection_of_many_symbols_is_mended_within_the_limits() -> None:
    async with simulated(**storm()) as simulator, collecting(config(simulator), venue=Hurried()) as collector:
        await until_all_valid(collector, 0)
        cut_ns = time.time_ns()
        order(simulator, "cut venue=binance")
        await until_all_valid(collector, cut_ns)
        assert refusals(simulator) == []


async def test_a_restarted_collector_heeds_what_the_one_before_has_spent() -> None:
    async with simulated(**storm()) as simulator:
        for _ in range(2):
            started_ns = time.time_ns()
            async with collecting(config(simulator), venue=Hurried()) as collector:
                await until_all_valid(collector, started_ns)
        assert refusals(simulator) == []
