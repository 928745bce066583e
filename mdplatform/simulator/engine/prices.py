"""The prices that every venue's books follow, per base asset: seeded random walks, drawn in order and kept.

Markets that read them at different times see the same path.
"""

from __future__ import annotations

import math
from datetime import datetime
from random import Random
from typing import Generic, NamedTuple, TypeVar

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Mark
from mdplatform.simulator.engine.instruments import Instrument, expires_ms
from mdplatform.simulator.engine.options import Worth, implied, worth, years_to

_KEPT = 4096  # a driver steps all markets together: only the recent path is kept
_MEMORY = 1 - 1 / 600  # log volatility forgets in a minute of steps
_VOL_OF_VOL = 0.04
_PREMIUM_MEMORY = 1 - 1 / 600  # of its steps: ten minutes
_PREMIUM_STEP = 1.5e-5  # so that premiums of 2.6 basis points are usual
_AVERAGED = 1 / 300  # of its steps: five minutes

Value = TypeVar("Value")


class Path(Generic[Value]):
    """`at(ns)` is constant within a step of `step_ns`."""

    def __init__(self, start_ns: int, step_ns: int, first: Value) -> None:
        self._start_ns = start_ns
        self._step_ns = step_ns
        self._first = 0
        self._path = [first]

    def at(self, ns: int) -> Value:
        step = max(0, (ns - self._start_ns) // self._step_ns)
        while self._first + len(self._path) <= step:
            self._path.append(self._draw())
            if len(self._path) > _KEPT:
                del self._path[: _KEPT // 2]
                self._first += _KEPT // 2
        return self._path[max(0, step - self._first)]

    def _draw(self) -> Value:
        raise NotImplementedError


class Drift(Path[float]):
    """The latent price relative to the start (1.0 there); its volatility itself wanders."""

    def __init__(self, seed: str, sigma: float, start_ns: int) -> None:
        super().__init__(start_ns, 100_000_000, 1.0)
        self.sigma = sigma  # per square root of a second
        self._rng = Random(f"drift/{seed}")
        self._step_sigma = sigma * math.sqrt(self._step_ns / 1e9)
        self._log_vol = 0.0
        self._log_price = 0.0

    def jump(self, factor: float, now_ns: int) -> None:
        """From the next step on, everything costs `factor` times what it would have."""
        self.at(now_ns)
        self._log_price += math.log(factor)

    def _draw(self) -> float:
        rng = self._rng
        self._log_vol = self._log_vol * _MEMORY + _VOL_OF_VOL * rng.gauss(0.0, 1.0)
        # the pull to the start keeps a simulation of days near its starting price
        self._log_price += self._step_sigma * math.exp(self._log_vol) * rng.gauss(0.0, 1.0) - 2e-7 * self._log_price
        return math.exp(self._log_price)


class Spread(NamedTuple):
    """How far derivatives trade above their underlying, as a fraction."""

    now: float
    average: float


class Premium(Path[Spread]):
    """What a perpetual costs over spot: comes and goes within minutes, the same on every venue."""

    def __init__(self, seed: str, start_ns: int) -> None:
        super().__init__(start_ns, 1_000_000_000, Spread(0.0, 0.0))
        self._rng = Random(f"premium/{seed}")

    def _draw(self) -> Spread:
        last = self._path[-1]
        now = last.now * _PREMIUM_MEMORY + self._rng.gauss(0.0, _PREMIUM_STEP)
        return Spread(now, last.average + (now - last.average) * _AVERAGED)


_CARRY = 0.04  # a year: what a dated contract costs over spot
_HOUR_NS = 3_600_000_000_000
_YEAR_NS = 365 * 24 * _HOUR_NS
_INTEREST = 1e-4  # funding of eight hours where perpetuals cost no more than spot
_INTEREST_ROOM = 5e-5  # how far interest makes up for a premium


class Valuation:
    """`basis`: this venue's own factor. `premium`: what derivatives of the asset cost over spot; None for spot."""

    def __init__(self, instrument: Instrument, drift: Drift, premium: Premium | None, basis: float) -> None:
        self.basis = basis
        self._instrument = instrument
        self._drift = drift
        self._premium = premium
        self._expires_ns = expires_ms(instrument.expiry) * 1_000_000 if instrument.expiry else 0

    def fair(self, ns: int) -> float:
        """The price that the book follows, in ticks."""
        above = self._premium.at(ns).now + self._carry(ns) if self._premium else 0.0
        return self._instrument.start_tick * self._drift.at(ns) * (self.basis + above)

    def mark(self, ns: int) -> Mark:
        instrument = self._instrument
        index = instrument.asset.price * self._drift.at(ns)
        above = self._premium.at(ns).average if self._premium else 0.0
        mark = index * (1 + above + self._carry(ns))
        if instrument.kind != Kind.PERPETUAL:
            return Mark(ns, mark, index, 0.0, 0)
        rate = above + min(_INTEREST_ROOM, max(-_INTEREST_ROOM, _INTEREST - above))
        period_ns = instrument.funding_hours * _HOUR_NS
        return Mark(ns, mark, index, rate * instrument.funding_hours / 8, ns - ns % period_ns + period_ns)

    def _carry(self, ns: int) -> float:
        return _CARRY * (self._expires_ns - ns) / _YEAR_NS if self._expires_ns else 0.0


_LEAST = 5  # ticks that the book of an option stays above


class OptionValuation:
    """The same of an option. What is paid in coin is quoted in coin: its price is a part of the forward."""

    def __init__(self, instrument: Instrument, drift: Drift) -> None:
        self.basis = 1.0
        self._instrument, self._drift = instrument, drift
        self._day = datetime.strptime(instrument.expiry or "", "%Y%m%d").date()
        self._in_coin = instrument.settle == instrument.base
        self._strike, self._right = instrument.strike or 0, instrument.right or "C"

    def fair(self, ns: int) -> float:
        return max(_LEAST, self._instrument.price.units(self.price(self.worth(ns)) * self.basis))

    def mark(self, ns: int) -> Mark:
        index = self._instrument.asset.price * self._drift.at(ns)
        return Mark(ns, self.price(self.worth(ns)), index, 0.0, 0)

    def worth(self, ns: int) -> Worth:
        return worth(self._instrument.asset.price * self._drift.at(ns), self._day, self._strike, self._right, ns)

    def price(self, now: Worth) -> float:
        """In the units in which the option is quoted."""
        return now.price / now.forward if self._in_coin else now.price

    def volatility(self, price: float, now: Worth, ns: int) -> float:
        """That by which the option would cost ``price``; 0 where there is none."""
        dollars = price * now.forward if self._in_coin else price
        return implied(dollars, now, self._strike, years_to(self._day, ns), self._right)
