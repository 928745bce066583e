"""What a simulation is made of: one frozen object, the same for the command line and for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_SYMBOLS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "TSLA")


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """Options of the simulator.

    symbols     assets, bare (`BTC`) or as canonical symbols (`BTC-USDT`); every venue lists its own products of each
    synthetic   so many assets beside them, with names made up (S001, S002, ...)
    venues      which ones to simulate; none named: all
    options     so many strikes of options at each of four expiries, on BTC and ETH at the venues that have options
    rate        mean level changes a second for each symbol on each venue; frames follow from the venue's own batching
                (Binance: one diff each 100 ms with about rate / 10 levels), trades are about 0.15 of it
    rates       of single venues, where it is another
    bursts      how much orders come in clusters: 1 as they do, 0 evenly
    truth       whether what really was is kept
    batch_s     the finest batching: with 1 a venue that publishes each 100 ms does so each second
    seed        the same seed gives the same sequence of orders; wire times are the wall clock
    levels      levels a side of a book holds (fewer where the price has too few ticks)
    depths      levels of single venues, where they are others
    volatility  factor on how far prices wander
    faults      fault script, see `faults`
    truth_file  ledger: one JSON line for each published update
    lifetime_s, notice_s, ping_s, pong_s, subscribe_s    override the venues that have such a rule; None keeps it
    weight_limit, weight_window_s  REST weight in a window of so long, where the venue counts weight
    queue       frames that a slow client may fall behind before it is cut off
    tick_s      how often the simulation's time moves, and with it how late a frame can be
    """

    host: str = "127.0.0.1"
    port: int = 0
    symbols: tuple[str, ...] = DEFAULT_SYMBOLS
    synthetic: int = 0
    options: int = 0
    venues: tuple[str, ...] = ()
    rate: float = 100.0
    rates: Mapping[str, float] = field(default_factory=dict)
    bursts: float = 1.0
    truth: bool = True
    batch_s: float = 0.05
    seed: int = 1
    levels: int = 3_000
    depths: Mapping[str, int] = field(default_factory=dict)
    volatility: float = 1.0
    faults: str = ""
    truth_file: Path | None = None
    lifetime_s: float | None = None
    notice_s: float | None = None
    ping_s: float | None = None
    pong_s: float | None = None
    subscribe_s: float | None = None
    weight_limit: int = 6_000
    weight_window_s: int = 60
    queue: int = 4_096
    tick_s: float = 0.02
