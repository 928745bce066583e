"""What an instrument is worth on one venue: where its book goes, its mark price and its funding."""

from __future__ import annotations

from mdplatform.core.symbols import Kind
from mdplatform.simulator.drift import Drift, Premium
from mdplatform.simulator.events import Mark
from mdplatform.simulator.expiries import expires_ms
from mdplatform.simulator.profiles import Instrument

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
