"""On a scripted simulation each planted event is found once, and nothing where nothing was planted."""

from __future__ import annotations

from collections import Counter

import pytest

from mdplatform.bus.memory import MemoryBus
from mdplatform.core.clock import FrozenClock
from mdplatform.core.topics import Topics
from mdplatform.signals.detectors.thresholds import Thresholds
from mdplatform.signals.engine import SignalEngine
from mdplatform.signals.message import Signal, decode_signal
from mdplatform_tests.signals.recorded import recorded, with_bids
from mdplatform_tests.signals.touches import START_NS

SECONDS = 85
LIQUIDATED_S, TRADED_S, JUMPED_S, PARTED_S = 40, 50, 62, 74
LEANED_S, FLASHED_S = 20, 59.9  # the simulator's own books do neither: these are planted in what was recorded
LEANING = ("bybit", "BTC-USDC-PERP")
# Binance sends only the largest liquidation of a second; recordings of Bybit hold none.
CASCADE = "; ".join(f"at={LIQUIDATED_S + 1.2 * n:g}s liquidate BTC side=sell" for n in range(5))
EVERYWHERE = f"{CASCADE}; at={TRADED_S}s volume BTC x10 for 5s; at={JUMPED_S}s jump ETH 0.8%"
SCRIPTS = {"binance-usdm": EVERYWHERE, "bybit": f"{EVERYWHERE}; at={PARTED_S}s jump ETH -1% venue=bybit"}


def leaning(at_s: float, sizes: list[float]) -> list[float]:
    """Behind the touch fifty times as much is bid for 10 s; at the touch 20 BTC more in a single book."""
    if LEANED_S <= at_s < LEANED_S + 10:
        return [*sizes[:1], *(50 * size for size in sizes[1:])]
    return [20 + sizes[0], *sizes[1:]] if FLASHED_S <= at_s < FLASHED_S + 0.05 else sizes


@pytest.fixture(scope="module")
def found() -> list[tuple[float, Signal]]:
    """(seconds after the start, signal), from 85 s of two venues with six events planted."""
    bus = MemoryBus()
    engine = SignalEngine(Thresholds(), bus, Topics(), FrozenClock(START_NS))
    engine.take(with_bids(recorded(SCRIPTS, SECONDS, rate=60.0), *LEANING, leaning))
    bus.flush(0)
    assert "md.dead_letter" not in bus.topics
    signals = [decode_signal(message.value) for message in bus.topics["md.signals"]]
    return [((signal.received_ns - START_NS) / 1e9, signal) for signal in signals]


def of_kind(found: list[tuple[float, Signal]], kind: str) -> list[tuple[float, Signal]]:
    return [(at_s, signal) for at_s, signal in found if signal.kind == kind]


def test_the_liquidations_are_one_cascade(found: list[tuple[float, Signal]]) -> None:
    (cascade,) = [s for at_s, s in of_kind(found, "liquidation_cascade") if s.symbol == "BTC-USDT-PERP"]
    assert (cascade.direction, cascade.exchanges, cascade.value) == ("sell", ("binance-usdm",), 5)


def test_the_volume_is_one_spike_across_both_exchanges(found: list[tuple[float, Signal]]) -> None:
    ((at_s, spike),) = [(at_s, s) for at_s, s in of_kind(found, "volume_spike") if s.symbol.startswith("BTC")]
    assert TRADED_S < at_s < TRADED_S + 6
    assert (spike.symbol, spike.exchanges) == ("BTC-USDT-PERP", ("binance-usdm", "bybit"))


def test_the_jump_is_one_move_a_market(found: list[tuple[float, Signal]]) -> None:
    up = [(at_s, s) for at_s, s in of_kind(found, "price_move") if s.direction == "up"]
    assert Counter((s.exchange, s.symbol) for _, s in up) == {
        ("binance-usdm", "ETH-USDT-PERP"): 1,
        ("bybit", "ETH-USDT-PERP"): 1,
        ("bybit", "ETH-USDC-PERP"): 1,
    }
    assert all(JUMPED_S < at_s < JUMPED_S + 2 for at_s, _ in up)


def test_a_jump_of_one_venue_is_one_dislocation_and_its_moves(found: list[tuple[float, Signal]]) -> None:
    ((at_s, parted),) = of_kind(found, "dislocation")
    assert (parted.symbol, parted.exchanges) == ("ETH-USDT-PERP", ("binance-usdm", "bybit"))
    assert PARTED_S + 2 <= at_s < PARTED_S + 4
    down = [s for _, s in of_kind(found, "price_move") if s.direction == "down"]
    assert sorted((s.exchange, s.symbol) for s in down) == [("bybit", "ETH-USDC-PERP"), ("bybit", "ETH-USDT-PERP")]


def test_a_book_that_leans_is_one_imbalance(found: list[tuple[float, Signal]]) -> None:
    ((at_s, leans),) = of_kind(found, "imbalance")
    assert (leans.exchange, leans.symbol, leans.direction) == (*LEANING, "bid")
    assert LEANED_S < at_s < LEANED_S + 10


def test_a_flash_of_size_is_one_order_flow(found: list[tuple[float, Signal]]) -> None:
    ((at_s, flash),) = of_kind(found, "order_flow")
    assert (flash.exchange, flash.symbol, flash.direction) == (*LEANING, "buy")
    assert FLASHED_S <= at_s < FLASHED_S + 0.05


def test_nothing_is_found_where_nothing_was_planted(found: list[tuple[float, Signal]]) -> None:
    """Jumps sweep levels and force positions out: what follows them on ETH is theirs."""
    planted = {"BTC": (LIQUIDATED_S, TRADED_S + 6), "ETH": (JUMPED_S, SECONDS)}
    assert [
        (at_s, signal)
        for at_s, signal in found
        for begins, ends in [planted[signal.symbol.partition("-")[0]]]
        if not begins <= at_s <= ends and (signal.exchange, signal.symbol) != LEANING
    ] == []
