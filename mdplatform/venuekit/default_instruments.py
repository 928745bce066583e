"""Instruments composed from assets that most venues list: enough to read a recording that holds no instrument list.

Symbols are looked up in what is composed here, never split. What a venue does not list does no harm.
"""

from __future__ import annotations

from collections.abc import Callable

from mdplatform.core.symbols import Instrument, Instruments, Kind

_BASES = """
1INCH AAVE ADA AKRO ALGO APE APT AR ARB ATOM AVAX AXS BAL BAND BAT BCH BLZ BNB BONK BTC CHZ COMP CRV CTK DAI DASH
DIS DOGE DOT DYDX EGLD ENA ENJ ENS EOS ETC ETH FAST FET FIL FLOKI FTM GALA GMX GRT HAI HBAR ICP IMX INJ INK JTO JUP
KEEP KNC KSM LDO LINK LRC LTC LUNA MANA MASK MATIC MKR NANO NEAR NEO NKN NMR NU OMG OP ORDI PAXG PENDLE PEPE POL QNT
QTUM3S RENDER RNDR RUNE SAND SEI SHIB SKL SNX SOL STRK STX SUI SUSHI TAO TIA TON TRB TRUMP TRX UMA UNI USDC USDT VET
WBTC WIF WLD WLFI XLM XMR XRP XTZ YFI ZEC ZEN ZIL ZKS ZRX
"""
BASES = tuple(_BASES.split())


def composed(
    exchange: str, quotes: tuple[str, ...], venue_symbol: Callable[[str, str], str], kind: Kind = Kind.SPOT
) -> Instruments:
    """Every base against every quote, named as ``venue_symbol(base, quote)``."""
    pairs = [(base, quote) for base in BASES for quote in quotes if base != quote]
    return Instruments(
        exchange,
        (
            Instrument(exchange=exchange, venue_symbol=venue_symbol(base, quote), base=base, quote=quote, kind=kind)
            for base, quote in pairs
        ),
    )
