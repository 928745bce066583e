"""What the venues list: assets with their price and liquidity, and instruments with their lattice and contract."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Literal

from mdplatform.core.errors import ConfigError
from mdplatform.core.symbols import AssetClass, Kind
from mdplatform.core.symbols import Instrument as Listed


@dataclass(frozen=True, slots=True)
class Lattice:
    """Decimal text of whole numbers: `text(123)` with 2 decimals is 1.23, padded with zeros to `width` decimals.

    `multiple` for steps that are no power of ten: a tick of 0.5 has 1 decimal and a multiple of 5.
    """

    decimals: int
    width: int
    multiple: int = 1

    @property
    def step(self) -> str:
        """The text of one unit, without padding: `0.001`."""
        return Lattice(self.decimals, self.decimals, self.multiple).text(1)

    def text(self, units: int) -> str:
        units *= self.multiple
        pad = "0" * (self.width - self.decimals)
        if self.decimals == 0:
            return f"{units}.{pad}" if pad else str(units)
        whole, part = divmod(units, 10**self.decimals)
        return f"{whole}.{part:0{self.decimals}d}{pad}"

    def value(self, units: float) -> float:
        return units * self.multiple / float(10**self.decimals)

    def units(self, value: float) -> float:
        """How many units make this value."""
        return value * float(10**self.decimals) / self.multiple


@dataclass(frozen=True, slots=True)
class Asset:
    """A coin or a share: price in the quote currency, typical order in units, volatility per square root of a second.

    `tick_decimals` and `lot_decimals` are what a venue without rules of its own uses.
    """

    name: str
    price: float
    order: float
    sigma: float
    tick_decimals: int
    lot_decimals: int
    asset_class: AssetClass = "crypto"


ASSETS = {
    asset.name: asset
    for asset in (
        Asset("BTC", 68_900.0, 0.08, 1.0e-5, 2, 5),
        Asset("ETH", 3_420.0, 1.2, 1.5e-5, 2, 4),
        Asset("SOL", 182.0, 20.0, 2.5e-5, 2, 3),
        Asset("XRP", 0.6130, 4_000.0, 2.5e-5, 4, 1),
        Asset("DOGE", 0.16240, 12_000.0, 3.0e-5, 5, 0),
        Asset("ADA", 0.4420, 5_000.0, 2.5e-5, 4, 1),
        Asset("BNB", 585.0, 3.0, 1.5e-5, 2, 3),
        Asset("LTC", 71.40, 15.0, 2.5e-5, 2, 3),
        Asset("LINK", 14.20, 120.0, 2.5e-5, 3, 2),
        Asset("AVAX", 27.60, 60.0, 2.5e-5, 2, 2),
        Asset("DOT", 5.210, 300.0, 2.5e-5, 3, 2),
        Asset("BCH", 352.0, 2.5, 2.0e-5, 2, 3),
        Asset("TSLA", 412.0, 3.0, 1.0e-5, 2, 2, "stock"),
    )
}


@dataclass(frozen=True)
class Instrument:
    """One listed product: `symbol` is the venue's own name of it, `size` the lattice of what the venue quotes.

    contract_size  what a size of 1 stands for, as the venue writes it: base units, or quote units where `inverse`;
                   None: sizes are base units
    expiry         YYYYMMDD of a dated one
    section        where a venue uses the same name twice (Bybit's BTCUSDT is spot and linear), which one this is
    strike, right  of an option, which costs ``start_price`` at first, in the units of its price
    """

    asset: Asset
    symbol: str
    quote: str
    price: Lattice
    size: Lattice
    kind: Kind = Kind.SPOT
    settle: str | None = None
    contract_size: str | None = None
    inverse: bool = False
    expiry: str | None = None
    funding_hours: int = 8
    section: str = ""
    strike: int | None = None
    right: Literal["C", "P"] | None = None
    start_price: float | None = None  # None: that of the asset

    @property
    def base(self) -> str:
        return self.asset.name

    @property
    def key(self) -> str:
        """Unique on its venue."""
        return f"{self.section}/{self.symbol}" if self.section else self.symbol

    @cached_property
    def canonical(self) -> str:
        return Listed(
            exchange="",
            venue_symbol=self.symbol,
            base=self.base,
            quote=self.quote,
            kind=self.kind,
            expiry=self.expiry,
            strike=None if self.strike is None else str(self.strike),
            right=self.right,
        ).symbol

    @property
    def start_tick(self) -> int:
        return round(self.price.units(self.asset.price if self.start_price is None else self.start_price))

    @property
    def order_lots(self) -> float:
        """The typical order in lots."""
        worth = float(self.contract_size or 1) / (self.asset.price if self.inverse else 1.0)
        return self.size.units(self.asset.order / worth)


def assets_of(symbols: Iterable[str], synthetic: int = 0) -> dict[str, Asset]:
    """The assets of these symbols by name, and so many made-up ones, each dearer than the one before it."""
    made = [Asset(f"S{n:03d}", round(1.02**n, 4), 2000 / 1.02**n, 2.5e-5, 4, 2) for n in range(1, synthetic + 1)]
    return {base: ASSETS[base] for base in bases_of(symbols)} | {asset.name: asset for asset in made}


def bases_of(symbols: Iterable[str]) -> tuple[str, ...]:
    """Base assets of canonical symbols or bare names (`BTC-USDT`, `BTC-USD`, `BTC` are all BTC), each once, in order.

    ConfigError for an asset the simulator has no profile of.
    """
    bases = tuple(dict.fromkeys(symbol.strip().upper().partition("-")[0] for symbol in symbols))
    for base in bases:
        if base not in ASSETS:
            raise ConfigError(f"the simulator has no asset {base!r}; it knows {', '.join(ASSETS)}")
    return bases


_FRIDAY = 4
_HOUR = 8


def quarters(now_ns: int, count: int = 2) -> list[date]:
    """The next `count` quarterly expiries after this time: current quarter first."""
    now = datetime.fromtimestamp(now_ns / 1e9, UTC)
    today = now.date() - timedelta(days=now.hour < _HOUR)  # on its day one is listed until it ends
    months = range(3 * ((today.month - 1) // 3 + 1), 12 * 10, 3)
    days = (_last_friday(today.year + (month - 1) // 12, (month - 1) % 12 + 1) for month in months)
    return [day for day in days if day > today][:count]


@lru_cache(maxsize=1024)
def expires_ms(expiry: str) -> int:
    """08:00 UTC of the day written YYYYMMDD, in ms."""
    return int(datetime.strptime(expiry + "08+0000", "%Y%m%d%H%z").timestamp()) * 1000


def _last_friday(year: int, month: int) -> date:
    day = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return day - timedelta(days=(day.weekday() - _FRIDAY) % 7)
