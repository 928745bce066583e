"""The numbers that the questions must give, worked out from events in plain Python."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mdplatform.core.events import Book, Event, FeedStatus, Trade

YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True)
class Top:
    venue_ns: int
    received_ns: int
    bid: float
    ask: float
    bid_size: float
    ask_size: float

    @property
    def mid(self) -> float:
        return (self.bid + self.ask) / 2


@dataclass(frozen=True)
class Spell:
    """A top and how long it is known to have been in force, venue time in ns."""

    top: Top
    begin: int
    end: int


def trades(events: Sequence[Event]) -> list[Trade]:
    return [event for event in events if isinstance(event, Trade)]


def tops(events: Sequence[Event]) -> list[Top]:
    books = sorted((e for e in events if isinstance(e, Book)), key=lambda book: (book.venue_ns, book.sequence))
    return [
        Top(
            book.venue_ns,
            book.received_ns,
            *(float(side[0]) for side in (book.bid_prices, book.ask_prices, book.bid_sizes, book.ask_sizes)),
        )
        for book in books
        if book.bid_prices and book.ask_prices
    ]


def spells(events: Sequence[Event]) -> Iterator[Spell]:
    """Each top until the next, as far as its book was proven; a proof's end is moved by how late the top came."""
    proofs: dict[int, int] = {}
    for event in events:
        if isinstance(event, FeedStatus) and (event.channel, event.state) == ("book", "valid"):
            proofs[event.started_ns] = max(proofs.get(event.started_ns, 0), event.ended_ns or 0)
    found = tops(events)
    for top, following in zip(found, [*found[1:], None], strict=True):
        ends = [end for begin, end in proofs.items() if begin <= top.received_ns <= end]
        if ends:
            proven = top.venue_ns + max(ends) - top.received_ns
            until = proven if following is None else min(proven, following.venue_ns)
            yield Spell(top, top.venue_ns, max(until, top.venue_ns))


def mean_spread_bps(events: Sequence[Event]) -> float:
    weighed = [(s.end - s.begin, (s.top.ask - s.top.bid) / s.top.mid * 10_000) for s in spells(events)]
    return sum(held * bps for held, bps in weighed) / sum(held for held, _ in weighed)


def effective_bps(events: Sequence[Event], seconds: int) -> tuple[int, float, float]:
    """Trades counted, effective and realized spread."""
    found = tops(events)
    times = [top.venue_ns for top in found]
    count, volume, effective, realized = 0, 0.0, 0.0, 0.0
    for trade in trades(events):
        before, later = bisect.bisect_left(times, trade.venue_ns), trade.venue_ns + seconds * 10**9
        if before == 0 or later > times[-1]:
            continue
        mid, after = found[before - 1].mid, found[bisect.bisect_right(times, later) - 1].mid
        direction, price, size = (1 if trade.side == "buy" else -1), float(trade.price), float(trade.size)
        count, volume = count + 1, volume + size
        effective += 2 * direction * (price - mid) / mid * 10_000 * size
        realized += 2 * direction * (price - after) / mid * 10_000 * size
    return count, effective / volume, realized / volume


def buys(events: Sequence[Event], size: float) -> list[tuple[float, float]]:
    """Of the last book of each second: how much of the size its levels hold, and what that costs in bps."""
    last: dict[int, Book] = {}
    for book in sorted((e for e in events if isinstance(e, Book)), key=lambda book: (book.venue_ns, book.sequence)):
        last[book.venue_ns // 10**9] = book
    found = []
    for book in last.values():
        left, paid = size, 0.0
        for price, offered in zip(book.ask_prices, book.ask_sizes, strict=True):
            taken = min(left, float(offered))
            left, paid = left - taken, paid + taken * float(price)
        mid = (float(book.bid_prices[0]) + float(book.ask_prices[0])) / 2
        bought = size - left if left > 1e-12 else size
        found.append((bought, (paid / bought / mid - 1) * 10_000))
    return found


def bars(events: Sequence[Event], seconds: int) -> dict[int, tuple[float, ...]]:
    """Open, high, low, close, volume by the bar's first second."""
    found: dict[int, list[Trade]] = {}
    for trade in sorted(trades(events), key=lambda trade: (trade.venue_ns, int(trade.id))):
        found.setdefault(trade.venue_ns // 10**9 // seconds * seconds, []).append(trade)
    return {bar: _bar([float(t.price) for t in inside], inside) for bar, inside in found.items()}


def _bar(prices: list[float], inside: list[Trade]) -> tuple[float, ...]:
    volume = math.fsum(float(trade.size) for trade in inside)
    return prices[0], max(prices), min(prices), prices[-1], volume


def volatility(events: Sequence[Event], seconds: int) -> tuple[int, float]:
    """Number of returns, and realized volatility per year."""
    step = seconds * 10**9
    mids = {tick: s.top.mid for s in spells(events) for tick in range(-(-s.begin // step), -(-s.end // step))}
    returns = [math.log(mids[tick] / mids[tick - 1]) for tick in mids if tick - 1 in mids]
    return len(returns), math.sqrt(math.fsum(r * r for r in returns) * YEAR_S / (len(returns) * seconds))


def correlation(leader: Sequence[Event], follower: Sequence[Event], step_ms: int, lag: int) -> tuple[int, float]:
    """Pairs of returns and their correlation, the follower's taken ``lag`` steps later."""
    first, second = _returns(leader, step_ms * 10**6), _returns(follower, step_ms * 10**6)
    pairs = [(first[tick], second[tick + lag]) for tick in first if tick + lag in second]
    mean_x, mean_y = (math.fsum(pair[i] for pair in pairs) / len(pairs) for i in (0, 1))
    over = math.fsum((x - mean_x) * (y - mean_y) for x, y in pairs)
    under = math.fsum((x - mean_x) ** 2 for x, _ in pairs) * math.fsum((y - mean_y) ** 2 for _, y in pairs)
    return len(pairs), over / math.sqrt(under)


def order_flow(events: Sequence[Event], seconds: int) -> tuple[int, float, float, float]:
    """Intervals, correlation of the order-flow imbalance with the same and the next return, slope in bps a unit."""
    flows: dict[int, float] = {}
    mids: dict[int, float] = {}
    before: Top | None = None
    for top in tops(events):
        bar = top.venue_ns // (seconds * 10**9)
        mids[bar] = top.mid
        flow = 0.0
        if before is not None:
            if top.bid >= before.bid:
                flow += top.bid_size
            if top.bid <= before.bid:
                flow -= before.bid_size
            if top.ask <= before.ask:
                flow -= top.ask_size
            if top.ask >= before.ask:
                flow += before.ask_size
        flows[bar] = flows.get(bar, 0.0) + flow
        before = top
    bars = [bar for bar in flows if bar - 1 in mids and bar + 1 in mids]
    flow_of = [flows[bar] for bar in bars]
    now = [10_000 * math.log(mids[bar] / mids[bar - 1]) for bar in bars]
    after = [10_000 * math.log(mids[bar + 1] / mids[bar]) for bar in bars]
    slope, same = _line(flow_of, now)
    return len(bars), same, _line(flow_of, after)[1], slope


def price_impact(events: Sequence[Event], seconds: int) -> tuple[int, float, float, float]:
    """Intervals, lambda in bps per thousand, its r squared, illiquidity in bps per million."""
    inside: dict[int, list[Trade]] = {}
    for trade in sorted(trades(events), key=lambda trade: (trade.venue_ns, int(trade.id))):
        inside.setdefault(trade.venue_ns // (seconds * 10**9), []).append(trade)
    flows, moves, costs = [], [], []
    for bar, found in inside.items():
        if bar - 1 in inside:
            paid = [float(trade.price) * float(trade.size) for trade in found]
            signs = [1 if trade.side == "buy" else -1 for trade in found]
            move = 10_000 * math.log(float(found[-1].price) / float(inside[bar - 1][-1].price))
            flows.append(math.fsum(sign * math.sqrt(each) for sign, each in zip(signs, paid, strict=True)))
            moves.append(move)
            costs.append(abs(move) / math.fsum(paid))
    slope, correlated = _line(flows, moves)
    return len(moves), 1000 * slope, correlated**2, 1e6 * math.fsum(costs) / len(costs)


def _line(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Slope of least squares, and correlation."""
    mean_x, mean_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    both = math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    spread_x, spread_y = (math.fsum((a - mean) ** 2 for a in each) for each, mean in ((x, mean_x), (y, mean_y)))
    return both / spread_x, both / math.sqrt(spread_x * spread_y)


def depth(events: Sequence[Event], seconds: int, bps: float) -> dict[int, tuple[float | None, float | None]]:
    """By interval's first second, what its last book holds within the bound on each side; None where it ends sooner."""
    last: dict[int, Book] = {}
    for book in sorted((e for e in events if isinstance(e, Book)), key=lambda book: (book.venue_ns, book.sequence)):
        last[book.venue_ns // 10**9 // seconds * seconds] = book
    found = {}
    for at, book in last.items():
        mid = (float(book.bid_prices[0]) + float(book.ask_prices[0])) / 2
        bids = _within(mid * (1 - bps / 10_000), book.bid_prices, book.bid_sizes, -1)
        found[at] = bids, _within(mid * (1 + bps / 10_000), book.ask_prices, book.ask_sizes, 1)
    return found


def _within(bound: float, prices: Sequence[object], sizes: Sequence[object], sign: int) -> float | None:
    if sign * float(str(prices[-1])) <= sign * bound:
        return None
    levels = zip(prices, sizes, strict=True)
    return math.fsum(float(str(size)) for price, size in levels if sign * float(str(price)) <= sign * bound)


def basis_bps(perpetual: Sequence[Event], spot: Sequence[Event], seconds: int) -> dict[int, float]:
    """By the interval's end in s, on the collector's clock."""
    step = seconds * 10**9
    last_of = []
    for events in (perpetual, spot):
        by_receipt = sorted(tops(events), key=lambda top: top.received_ns)
        last_of.append({top.received_ns // step: top.mid for top in by_receipt})
    futures, spots = last_of
    return {(at + 1) * seconds: 10_000 * (futures[at] / spots[at] - 1) for at in sorted(set(futures) & set(spots))}


def trade_sizes(events: Sequence[Event], bins: int) -> list[tuple[float, int, float]]:
    """(lower bound, trades, notional) of each bin that holds some."""
    found: dict[int, list[float]] = {}
    for trade in trades(events):
        notional = float(trade.price) * float(trade.size)
        found.setdefault(math.floor(math.log10(notional) * bins), []).append(notional)
    return [(10 ** (at / bins), len(found[at]), math.fsum(found[at])) for at in sorted(found)]


def _returns(events: Sequence[Event], step: int) -> dict[int, float]:
    """By the number of the step, on the collector's clock."""
    mids: dict[int, float] = {}
    for top, following in pairwise(sorted(tops(events), key=lambda top: top.received_ns)):
        mids |= dict.fromkeys(range(-(-top.received_ns // step), -(-following.received_ns // step)), top.mid)
    return {tick: math.log(mids[tick] / mids[tick - 1]) for tick in mids if tick - 1 in mids}
