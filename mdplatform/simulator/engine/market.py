"""One market: a seeded order book process in whole ticks and lots. Pure: time is an argument.

Orders arrive in clusters. Most are placed and cancelled near the touch, some deep in the book; market orders take what
rests at the touch and walk the book; makers and takers together keep the touch at the latent price of `Drift`, which
for a derivative is `Premium` away. Positions in derivatives are liquidated when `Stress` says so.
"""

from __future__ import annotations

from collections import deque
from random import Random
from zlib import crc32

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.arrivals import Arrivals, Stress
from mdplatform.simulator.engine.events import Change, Event, Liquidation, Mark, Quote, Trade
from mdplatform.simulator.engine.instruments import Instrument
from mdplatform.simulator.engine.ladder import Ladder
from mdplatform.simulator.engine.prices import Drift, OptionValuation, Premium, Valuation

_WIDE = 3  # ticks; a wider spread invites makers into it
_NEAR = 50  # levels that count as near the touch
_CHANGES_AN_EVENT = 1.1  # level changes that one arrival makes on average
_HURRY = 10  # gaps that the touch may lie from the price until several make for it at once
_LIQUIDATED = 4.0  # typical orders that a liquidation is


class Market:
    """The book of one instrument on one venue. `rate`: mean level changes a second. `levels`: how many a side holds.

    `premium`: what derivatives of the asset cost over spot; a spot market has none.
    """

    def __init__(
        self,
        seed: str,
        instrument: Instrument,
        drift: Drift,
        start_ns: int,
        *,
        rate: float,
        levels: int,
        premium: Premium | None = None,
        bursts: float = 1.0,
    ) -> None:
        self.instrument = instrument
        self._rng = rng = Random(f"market/{seed}")
        self._arrivals = Arrivals(rng, rate / _CHANGES_AN_EVENT, start_ns, bursts)
        self._next_ns = self._arrivals.next()
        basis = 1 + rng.gauss(0.0, 2e-5)  # this venue trades a little above or below the others
        self.option = OptionValuation(instrument, drift) if instrument.kind is Kind.OPTION else None
        self._value = self.option or Valuation(instrument, drift, premium, basis)
        self._noise = 0.0
        self.gap = max(1.0, instrument.start_tick * 4e-7)  # mean ticks between levels near the touch
        self._reach = instrument.start_tick * 0.3  # how deep the book goes
        self.levels = min(levels, int(instrument.start_tick * 0.5))
        self.update_id, self.trade_id, self.order_id = _first_ids(instrument.key, start_ns)
        self.liquidation_id = self.order_id
        self.checksum = 0
        self.skipped = 0  # update ids that were left out so far
        self._events: list[Event] = []
        self._ordered: deque[bool | None] = deque()
        self._withdrawn: list[tuple[bool, int, int]] = []
        self._back_ns = 0
        self._surge, self._surge_until_ns = 0.0, 0
        self._surge_side: bool | None = None
        fair = self._fair(start_ns)
        self._stress = None if premium is None else Stress(seed, drift.sigma, fair, start_ns)
        self.bids = Ladder(1, self._resting(int(fair) - 1, -1))
        self.asks = Ladder(-1, self._resting(int(fair) + 1, 1))

    def quote(self, ns: int) -> Quote:
        bid, ask = self.bids.best, self.asks.best
        return Quote(ns, self.update_id, bid, self.bids.lots.get(bid, 0), ask, self.asks.lots.get(ask, 0))

    def advance(self, until_ns: int) -> list[Event]:
        """All that happens up to and including `until_ns`, in order. The steps taken do not change what happens."""
        if self._withdrawn and until_ns >= self._back_ns:
            self._place_again()
        while self._next_ns <= until_ns:
            self._act(self._next_ns)
            self._next_ns = self._arrivals.next()
        events, self._events = self._events, []
        return events

    def mark(self, ns: int) -> Mark:
        """What positions are valued at, and what they pay; for derivatives."""
        return self._value.mark(ns)

    @property
    def open_lots(self) -> int:
        """Lots of a derivative that are open: they rise with its trades, and fall all at once now and then."""
        return int(self.instrument.order_lots) * 5_000 + self.trade_id % 1_000

    def resume(self, ns: int) -> None:
        """Nothing happens until then, and things go on from there."""
        self._arrivals.skip_to(ns)
        self._next_ns = self._arrivals.next()

    # --- requests

    def skip_updates(self, count: int) -> None:
        """Leave out `count` update ids, as if changes had happened that are never published."""
        self.update_id += count
        self.skipped += count

    def skip_trades(self, count: int) -> None:
        self.trade_id += count
        self.order_id += count

    def move(self, factor: float) -> None:
        """This venue alone trades at `factor` times its price from now on."""
        self._value.basis *= factor

    def withdraw(self, ns: int, until_ns: int) -> None:
        """Every order is gone until then, when all are there again: the book is empty, and nothing is traded."""
        self._withdrawn = [
            (is_bid, tick, lots)
            for is_bid, side in ((True, self.bids), (False, self.asks))
            for tick, lots in reversed(side.top(len(side)))
        ]
        self._back_ns = until_ns
        self.resume(until_ns)
        for is_bid, tick, _ in self._withdrawn:
            self._set(ns, is_bid, tick, 0)

    def liquidate(self, count: int, buys: bool | None) -> None:
        """The next `count` orders are liquidations; None: of either side."""
        self._ordered.extend([buys] * count)

    def surge(self, times: float, buys: bool | None, until_ns: int) -> None:
        """Until then about `times` the usual volume is traded; with a side, the rest of it on that side."""
        self._surge, self._surge_side, self._surge_until_ns = times, buys, until_ns

    # --- what happens

    def _place_again(self) -> None:
        withdrawn, self._withdrawn = self._withdrawn, []
        for is_bid, tick, lots in reversed(withdrawn):
            self._set(self._back_ns, is_bid, tick, lots)

    def _resting(self, start: int, direction: int) -> dict[int, int]:
        """The levels of a side at the start: dense at the touch, thinning out over a third of the price."""
        levels: dict[int, int] = {}
        tick, count = start, self.levels
        while len(levels) < count and tick > 0 and abs(tick - start) < self.instrument.start_tick * 0.8:
            lots = self._size(1 + 3 * len(levels) / count)
            levels[tick] = lots
            self.checksum ^= level_checksum(direction < 0, tick, lots)
            gap = self.gap + 3 * self._reach * (len(levels) / count) ** 2 / count
            tick += direction * max(1, int(self._rng.expovariate(1 / gap)))
        return levels

    def _fair(self, ns: int) -> float:
        self._noise = self._noise * 0.98 + self._rng.gauss(0.0, 0.1)
        return self._value.fair(ns) + self._noise

    def _size(self, scale: float = 1.0) -> int:
        return max(1, int(self.instrument.order_lots * scale * self._rng.lognormvariate(-0.7, 1.1)))

    def _act(self, ns: int) -> None:
        """One arrival."""
        fair, bid, ask, chance = self._fair(ns), self.bids.best, self.asks.best, self._rng.random()
        closes = self._closes(ns, fair)
        if closes is not None:
            self._liquidate(ns, closes)
        elif fair >= ask + 1 or fair <= bid - 1:
            self._chase(ns, fair, fair > ask)
        elif ask - bid > _WIDE and chance < 0.7:
            self._improve(ns, fair)
        elif chance < 0.08:
            buys = self._rng.random() < 0.5 + 0.4 * (fair - (bid + ask) / 2) / (ask - bid)
            self._take(ns, buys, self._size(), int(ask + 4 * self.gap if buys else bid - 4 * self.gap))
        elif chance < 0.5:
            self._place(ns)
        elif chance < 0.9:
            self._cancel(ns)
        else:
            self._deepen(ns)

    def _chase(self, ns: int, fair: float, buys: bool) -> None:
        """The touch is on the wrong side of the price: somebody takes it or its maker pulls it; many if it is far."""
        side = self.asks if buys else self.bids
        if len(side) == 1:  # the price has left the book
            self._set(ns, not buys, max(1, int(fair) + (1 if buys else -1)), self._size())
        for _ in range(1 + min(100, int(abs(fair - side.best) / (_HURRY * self.gap)))):
            if self._rng.random() < 0.5:
                self._take(ns, buys, self._size(2.0), int(fair))
            elif len(side) > 1 and (side.best < fair if buys else side.best > fair):
                self._set(ns, not buys, side.best, 0)

    def _improve(self, ns: int, fair: float) -> None:
        """A maker quotes inside the spread."""
        bid, ask = self.bids.best, self.asks.best
        is_bid = fair - bid > ask - fair
        away = self._rng.randrange(2)
        tick = max(bid + 1, int(fair) - away) if is_bid else min(ask - 1, int(fair) + 1 + away)
        tick = min(max(tick, bid + 1), ask - 1)
        self._set(ns, is_bid, tick, self._size())

    def _closes(self, ns: int, fair: float) -> bool | None:
        """Whether this arrival closes a position, and whether it buys to do so."""
        if not self._ordered:
            return None if self._stress is None else self._stress.strikes(fair, ns)
        side = self._ordered.popleft()
        return self._rng.random() < 0.5 if side is None else side

    def _liquidate(self, ns: int, buys: bool) -> None:
        """A position is closed at any price the book has up to its bankruptcy."""
        best = self.asks.best if buys else self.bids.best
        limit = max(1, int(best + 20 * self.gap if buys else best - 20 * self.gap))
        before = len(self._events)
        self._take(ns, buys, self._size(_LIQUIDATED), limit, forced=True)
        fills = [event for event in self._events[before:] if isinstance(event, Trade) and event.forced]
        lots = sum(fill.lots for fill in fills)
        if lots:  # the last level of a side is left alone
            self.liquidation_id += 1
            average = sum(fill.tick * fill.lots for fill in fills) / lots
            self._events.append(Liquidation(ns, self.liquidation_id, buys, limit, lots, average))

    def _churn(self, ns: int, buys: bool, lots: int) -> None:
        """Orders for so many lots hit a level that is refilled each time: volume without a move."""
        buys = buys if self._surge_side is None else self._surge_side
        side = self.asks if buys else self.bids
        tick = side.best
        while lots and len(side) > 1:
            fill = min(lots, side.lots[tick])
            self._print(ns, buys, tick, fill)
            self._set(ns, not buys, tick, side.lots[tick] - fill)
            self._set(ns, not buys, tick, max(fill, self._size()))
            lots -= fill

    def _take(self, ns: int, buys: bool, lots: int, limit: int, *, forced: bool = False) -> None:
        """A taker's order walks the book up to its limit."""
        side, ordered = self.asks if buys else self.bids, lots
        while lots and len(side) > 1 and (side.best <= limit if buys else side.best >= limit):
            tick = side.best
            fill = min(lots, side.lots[tick])
            self._print(ns, buys, tick, fill, forced)
            self._set(ns, not buys, tick, side.lots[tick] - fill)
            lots -= fill
        if ns < self._surge_until_ns:
            self._churn(ns, buys, int((ordered - lots) * (self._surge - 1)))

    def _print(self, ns: int, buys: bool, tick: int, lots: int, forced: bool = False) -> None:
        """The fill at one level, split over the orders that rested there."""
        self.order_id += 1
        while lots:
            part = lots if self._rng.random() < 0.7 else self._rng.randint(1, lots)
            self.trade_id += 1
            self._events.append(Trade(ns, self.trade_id, self.order_id, tick, part, buys, self.update_id + 1, forced))
            lots -= part

    def _sparse(self, side: Ladder) -> bool:
        """Whether the levels behind the touch have become too few: then makers fill in and nobody leaves."""
        return abs(side.best - side.tick(_NEAR)) > 2 * _NEAR * self.gap

    def _place(self, ns: int) -> None:
        is_bid = self._rng.random() < 0.5
        side = self.bids if is_bid else self.asks
        if self._sparse(side):
            away = self._rng.randrange(int(2 * _NEAR * self.gap))
        else:
            away = int(self._rng.expovariate(1 / (6 * self.gap)) * (8 if self._rng.random() < 0.2 else 1))
        tick = side.best - side.sign * away
        if tick > 0:
            self._set(ns, is_bid, tick, side.lots.get(tick, 0) + self._size())

    def _cancel(self, ns: int) -> None:
        """An order near the touch is pulled, wholly or in part."""
        is_bid = self._rng.random() < 0.5
        side = self.bids if is_bid else self.asks
        tick = side.tick(int(self._rng.expovariate(1 / 8)))
        lots = side.lots[tick]
        gone = self._rng.random() < 0.6 and len(side) > _NEAR and not self._sparse(side)
        left = 0 if gone else self._rng.randint(1, lots)
        if left != lots:
            self._set(ns, is_bid, tick, left)

    def _deepen(self, ns: int) -> None:
        """Something changes away from the touch: a level comes by the book's own profile, one goes anywhere.

        Coming follows the profile and going does not, so the shape lasts; going outweighs when levels are too many.
        """
        is_bid = self._rng.random() < 0.5
        side = self.bids if is_bid else self.asks
        surplus = (len(side) - self.levels) / self.levels
        if self._rng.random() < 0.5 + 10 * surplus and len(side) > _NEAR:
            self._set(ns, is_bid, side.tick(self._rng.randrange(1, len(side))), 0)
        else:
            tick = side.best - side.sign * (1 + int(self._reach * self._rng.random() ** 3))
            self._set(ns, is_bid, max(1, tick), self._size(3.0))

    def _set(self, ns: int, is_bid: bool, tick: int, lots: int) -> None:
        """The only way a level changes."""
        side = self.bids if is_bid else self.asks
        before, best = side.lots.get(tick, 0), side.best
        if before:
            self.checksum ^= level_checksum(is_bid, tick, before)
        if lots:
            self.checksum ^= level_checksum(is_bid, tick, lots)
        side.set(tick, lots)
        self.update_id += 1
        self._events.append(Change(ns, self.update_id, is_bid, tick, lots))
        if tick in (best, side.best):
            self._events.append(self.quote(ns))


def _first_ids(symbol: str, start_ns: int) -> tuple[int, int, int]:
    """Where update, trade and order ids begin: at the microsecond, plus a distance of up to a day that is the symbol's.

    No market counts a million a second, so one that is started again never repeats an id. All stay below 2**53.
    """
    rng = Random(f"ids/{symbol}")
    update, trade, order = (start_ns // 1_000 + rng.randrange(86_400_000_000) for _ in range(3))
    return update, trade, order


def level_checksum(is_bid: bool, tick: int, lots: int) -> int:
    """What one level adds, by exclusive or, to the checksum of a whole book (both sides, every level)."""
    return crc32(f"{'b' if is_bid else 'a'}{tick}:{lots}".encode())
