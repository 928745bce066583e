"""Options as venues stated them: each number of an event is in the unit that Black's formula gives it.

Deribit's was probed in 2026-09, OKX' recorded in 2023-12, Bybit's is the example of its documentation. A volatility in
percent, a theta a year or a vega of a whole unit would be off by a hundred or more.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

FRAMES = Path(__file__).parents[1] / "frames"


def stated(case: str, symbol: str) -> dict[str, Any]:
    """The first summary of a symbol in a golden file."""
    rows = map(json.loads, (FRAMES / f"{case}.events.jsonl").read_text().splitlines())
    found: dict[str, Any] = next(row for row in rows if row["type"] == "option" and row["symbol"] == symbol)
    return found


# Venue and file, symbol, how far its greeks are from the formula: OKX does not say how its own are made.
@pytest.mark.parametrize(
    ("case", "symbol", "off", "theta_off"),
    [
        ("deribit/options_as_probed_in_2026", "BTC-USD-20261030-85000-C", 0.001, 0.001),
        ("okx/options_have_greeks_and_volatilities", "BTC-USD-20231229-40000-P", 0.02, 0.3),
        ("bybit/options_have_greeks_and_volatilities", "BTC-USD-20211119-58000-P", 0.001, 0.001),
    ],
)
def test_numbers_are_in_the_units_of_the_dictionary(case: str, symbol: str, off: float, theta_off: float) -> None:
    row = stated(case, symbol)
    _, _, expiry, strike, right = symbol.split("-")
    due = datetime.strptime(expiry + "08", "%Y%m%d%H").replace(tzinfo=UTC).timestamp()
    years, forward, sign = (due - row["ts"] / 1000) / (365 * 86_400), row["underlying_price"], 1 if right == "C" else -1
    spread = row["mark_iv"] * math.sqrt(years)
    d1 = math.log(forward / float(strike)) / spread + spread / 2
    density = math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
    near, far = (math.erfc(-sign * x / math.sqrt(2)) / 2 for x in (d1, d1 - spread))
    price = sign * (forward * near - float(strike) * far)
    in_coin = not case.startswith("bybit")  # of the venue's options in USDC
    assert row["mark_price"] * (forward if in_coin else 1) == pytest.approx(price, rel=0.01)
    assert row["delta"] == pytest.approx(sign * near, rel=off)
    assert row["gamma"] == pytest.approx(density / (forward * spread), rel=max(off, 0.1))  # of few digits
    assert row["vega"] == pytest.approx(forward * density * math.sqrt(years) / 100, rel=off)
    assert row["theta"] == pytest.approx(
        -forward * density * row["mark_iv"] / 2 / math.sqrt(years) / 365, rel=theta_off
    )
    if row["rho"] is not None:
        assert row["rho"] == pytest.approx(sign * float(strike) * years * far / 100, rel=off)
