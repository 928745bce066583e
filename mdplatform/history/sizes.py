"""Sizes of files in base units, where they count contracts: as of live events, in whole columns."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from mdplatform.core.symbols import Instrument

# Decimals that are kept: of inverse contracts as of live events; of others more than any venue counts with.
INVERSE_PLACES, PLACES = 12, 10


def counts_contracts(instrument: Instrument) -> bool:
    """Whether a size of 1 is something else than a base unit."""
    return instrument.contract_size is not None


def worth(instrument: Instrument) -> float:
    """What a contract is worth: in base units, or in quote units where it is inverse."""
    return float(Decimal(instrument.contract_size or "1") * Decimal(instrument.multiplier or "1"))


def base(instrument: Instrument, sizes: pa.Array, prices: pa.Array) -> pa.Array:
    """``sizes`` as sent, in base units."""
    if not counts_contracts(instrument):
        return sizes
    value = pc.multiply(sizes, worth(instrument))
    if instrument.inverse:
        return _rounded(pc.divide(value, prices), INVERSE_PLACES)
    return _rounded(value, PLACES)


def _rounded(values: pa.Array, places: int) -> pa.Array:
    """To decimals, by way of text: the floats that are nearest to them."""
    return values.cast(pa.decimal128(38, places), safe=False).cast(pa.string()).cast(pa.float64())


def sized(instrument: Instrument, columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """Columns of trades with ``qty`` in base units, and as sent beside it where that counts contracts."""
    if not counts_contracts(instrument):
        return columns
    return {**columns, "qty": base(instrument, columns["qty"], columns["price"]), "raw_size": columns["qty"]}
