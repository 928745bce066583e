"""Options: which there are of an asset, and what each is worth by Black's formula on a smile that every venue shares.

Black, The pricing of commodity contracts, Journal of Financial Economics 3 (1976), without interest: a call is worth
F N(d1) - K N(d2), a put K N(-d2) - F N(-d1), with d1 = ln(F / K) / (s sqrt(T)) + s sqrt(T) / 2, d2 = d1 - s sqrt(T).
Rho is what venues state: K T N(d2) of a call, as if the forward rose with the interest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple

from mdplatform.simulator.engine.instruments import Asset, expires_ms, quarters

Right = Literal["C", "P"]
RIGHTS: tuple[Right, ...] = ("C", "P")

ASSETS = ("BTC", "ETH")  # those that venues list options of
_YEAR_NS = 365 * 24 * 3_600_000_000_000
_SHORTEST = 1e-5  # years: five minutes, below which volatilities mean nothing
_AWAY = 1.5  # standard deviations of the price at expiry, up to which strikes are listed
_AT_THE_MONEY, _SKEW, _CURVE = 0.55, -0.06, 0.08  # volatility over ln(K / F) / sqrt(T)
_CARRY = 0.04  # a year: what forwards cost over the index


class Worth(NamedTuple):
    """Of one option, in dollars. ``vega`` and ``rho`` a percentage point, ``theta`` a day: as venues state them."""

    forward: float
    volatility: float  # a fraction a year
    price: float
    delta: float
    gamma: float
    vega: float
    theta: float
    rho: float


class Option(NamedTuple):
    """One of a chain, and what it costs at the start in dollars and as a part of its forward."""

    expiry: date
    strike: int
    right: Right
    dollars: float
    coins: float


def chain(asset: Asset, start_ns: int, strikes: int) -> Iterator[Option]:
    """All that is listed: so many strikes at each of four expiries, a call and a put each.

    Strikes lie evenly in units of the price's volatility until the expiry, so that none is worth next to nothing.
    """
    unit = 10 ** (math.floor(math.log10(asset.price)) - 2) // 2 or 1
    for day in expiries(start_ns):
        forward, years = forward_of(asset.price, day, start_ns), years_to(day, start_ns)
        reach = _AWAY * _AT_THE_MONEY * math.sqrt(years)
        places = [reach * (2 * n / (strikes - 1) - 1) if strikes > 1 else 0.0 for n in range(strikes)]
        for strike in dict.fromkeys(max(1, round(forward * math.exp(place) / unit)) * unit for place in places):
            for right in RIGHTS:
                now = worth(asset.price, day, strike, right, start_ns)
                yield Option(day, strike, right, now.price, now.price / now.forward)


def expiries(start_ns: int) -> list[date]:
    """The Fridays in about a week and in about a month, and the next two quarterly expiries after them."""
    today = datetime.fromtimestamp(start_ns / 1e9, UTC).date()
    earliest = (today + timedelta(days=days) for days in (6, 27))
    week, month = (day + timedelta(days=(4 - day.weekday()) % 7) for day in earliest)
    later = [day for day in quarters(start_ns, 4) if day > month + timedelta(days=7)]
    return [week, month, *later[:2]]


def years_to(expiry: date, ns: int) -> float:
    return max(_SHORTEST, (expires_ms(f"{expiry:%Y%m%d}") * 1_000_000 - ns) / _YEAR_NS)


def forward_of(index: float, expiry: date, ns: int) -> float:
    """What the index costs for delivery at the expiry."""
    return index * (1 + _CARRY * years_to(expiry, ns))


def worth(index: float, expiry: date, strike: float, right: Right, ns: int) -> Worth:
    """What an option is worth at ``ns``, by the volatility of its strike on the smile."""
    years, forward = years_to(expiry, ns), forward_of(index, expiry, ns)
    place = math.log(strike / forward) / math.sqrt(years)
    volatility = max(0.05, _AT_THE_MONEY + _SKEW * place + _CURVE * place * place)
    return black(forward, strike, years, volatility, right)


def black(forward: float, strike: float, years: float, volatility: float, right: Right) -> Worth:
    deviation = volatility * math.sqrt(years)
    d1 = math.log(forward / strike) / deviation + deviation / 2
    sign = 1 if right == "C" else -1
    near, far = _below(sign * d1), _below(sign * (d1 - deviation))
    density = math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
    price = sign * (forward * near - strike * far)
    return Worth(
        forward,
        volatility,
        price,
        delta=sign * near,
        gamma=density / (forward * deviation),
        vega=forward * density * math.sqrt(years) / 100,
        theta=-forward * density * volatility / (2 * math.sqrt(years)) / 365,
        rho=sign * strike * years * far / 100,
    )


def implied(price: float, at: Worth, strike: float, years: float, right: Right) -> float:
    """The volatility by which an option costs ``price``, found from what it is worth; 0 where there is none."""
    volatility, found = at.volatility, at
    for _ in range(8):
        slope = 100 * found.vega
        if slope < 1e-9 * at.forward:
            return 0.0
        step = (price - found.price) / slope
        volatility = min(10.0, max(0.01, volatility + step))
        if abs(step) < 1e-7:
            break
        found = black(at.forward, strike, years, volatility, right)
    return volatility


def _below(x: float) -> float:
    """The standard normal distribution's probability of less than ``x``."""
    return (1 + math.erf(x / math.sqrt(2))) / 2
