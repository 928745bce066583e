"""What the venues list: assets with their price, lattice (tick and lot) and liquidity on each venue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mdplatform.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Lattice:
    """Decimal text of whole numbers: `value(123)` with 2 decimals is 1.23, padded with zeros to `width` decimals."""

    decimals: int
    width: int

    @property
    def step(self) -> str:
        """The text of one unit, without padding: `0.001`."""
        return Lattice(self.decimals, self.decimals).text(1)

    def text(self, units: int) -> str:
        pad = "0" * (self.width - self.decimals)
        if self.decimals == 0:
            return f"{units}.{pad}" if pad else str(units)
        whole, part = divmod(units, 10**self.decimals)
        return f"{whole}.{part:0{self.decimals}d}{pad}"


@dataclass(frozen=True, slots=True)
class Asset:
    """A coin: price in the quote currency, typical order in coins, volatility per square root of a second."""

    name: str
    price: float
    order: float
    sigma: float
    tick_decimals: int
    binance_lot: int
    coinbase_lot: int


ASSETS = {
    asset.name: asset
    for asset in (
        Asset("BTC", 68_900.0, 0.08, 1.0e-5, 2, 5, 8),
        Asset("ETH", 3_420.0, 1.2, 1.5e-5, 2, 4, 8),
        Asset("SOL", 182.0, 20.0, 2.5e-5, 2, 3, 8),
        Asset("XRP", 0.6130, 4_000.0, 2.5e-5, 4, 1, 6),
        Asset("DOGE", 0.16240, 12_000.0, 3.0e-5, 5, 0, 1),
        Asset("ADA", 0.4420, 5_000.0, 2.5e-5, 4, 1, 8),
        Asset("BNB", 585.0, 3.0, 1.5e-5, 2, 3, 8),
        Asset("LTC", 71.40, 15.0, 2.5e-5, 2, 3, 8),
        Asset("LINK", 14.20, 120.0, 2.5e-5, 3, 2, 2),
        Asset("AVAX", 27.60, 60.0, 2.5e-5, 2, 2, 8),
        Asset("DOT", 5.210, 300.0, 2.5e-5, 3, 2, 8),
        Asset("BCH", 352.0, 2.5, 2.0e-5, 2, 3, 8),
    )
}


@dataclass(frozen=True, slots=True)
class Instrument:
    """One listed pair: `symbol` is the venue's own name of it."""

    asset: Asset
    symbol: str
    quote: str
    price: Lattice
    size: Lattice

    @property
    def base(self) -> str:
        return self.asset.name

    @property
    def start_tick(self) -> int:
        return round(self.asset.price * float(10**self.price.decimals))

    @property
    def order_lots(self) -> float:
        """The typical order in lots."""
        return self.asset.order * float(10**self.size.decimals)


def binance_instrument(base: str) -> Instrument:
    """Binance writes every number with eight decimals whatever the tick."""
    asset = ASSETS[base]
    return Instrument(asset, f"{base}USDT", "USDT", Lattice(asset.tick_decimals, 8), Lattice(asset.binance_lot, 8))


def coinbase_instrument(base: str) -> Instrument:
    """Coinbase writes prices at their tick and sizes with eight decimals."""
    asset = ASSETS[base]
    price = Lattice(asset.tick_decimals, asset.tick_decimals)
    return Instrument(asset, f"{base}-USD", "USD", price, Lattice(asset.coinbase_lot, 8))


def bases_of(symbols: Iterable[str]) -> tuple[str, ...]:
    """Base assets of canonical symbols or bare names (`BTC-USDT`, `BTC-USD`, `BTC` are all BTC), each once, in order.

    ConfigError for an asset the simulator has no profile of.
    """
    bases = tuple(dict.fromkeys(symbol.strip().upper().partition("-")[0] for symbol in symbols))
    for base in bases:
        if base not in ASSETS:
            raise ConfigError(f"the simulator has no asset {base!r}; it knows {', '.join(ASSETS)}")
    return bases
