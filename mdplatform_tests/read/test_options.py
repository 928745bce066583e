"""The named questions about options, asked of a chain: they give what plain Python makes of the same rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform import read
from mdplatform.core.settings import Settings
from mdplatform_tests.warehouse.conftest import empty, warehouse
from mdplatform_tests.warehouse.rows import HOUR

__all__ = ["empty", "warehouse"]

NEAR, FAR = f"{HOUR + timedelta(days=10):%Y%m%d}", f"{HOUR + timedelta(days=100):%Y%m%d}"
FORWARDS = {NEAR: 70_400.0, FAR: 71_800.0}
STRIKES = (60_000, 70_000, 71_000, 80_000)
END = HOUR + timedelta(minutes=30)


def volatility(expiry: str, strike: float) -> float:
    return 0.5 + 0.2 * abs(math.log(strike / FORWARDS[expiry])) + (0.05 if expiry == FAR else 0)


def summaries() -> Iterator[dict[str, Any]]:
    """Of each option an older one, which is wrong in all, and the last; and what does not belong to the chain."""
    for expiry in (NEAR, FAR):
        for strike in STRIKES:
            for right in "CP":
                iv = volatility(expiry, strike)
                row = {"exchange": "deribit", "symbol": f"BTC-USD-{expiry}-{strike}-{right}", "mark_price": 0.05}
                row |= {"mark_iv": iv, "bid_iv": iv - 0.01, "ask_iv": None, "delta": 0.5 if right == "C" else -0.5}
                row |= {"underlying_price": FORWARDS[expiry], "timestamp": END - timedelta(minutes=1)}
                yield row
                yield row | {"mark_iv": 9.0, "underlying_price": 1.0, "timestamp": END - timedelta(minutes=2)}
    other = {"mark_iv": 7.0, "underlying_price": 70_000.0, "timestamp": END - timedelta(minutes=1)}
    yield other | {"exchange": "okx", "symbol": f"BTC-USD-{NEAR}-70000-C"}
    yield other | {"exchange": "deribit", "symbol": f"BTC-USDC-{NEAR}-70000-C"}
    yield other | {"exchange": "deribit", "symbol": f"BTC-USD-{HOUR - timedelta(days=1):%Y%m%d}-70000-C"}  # has expired
    yield other | {"exchange": "deribit", "symbol": f"BTC-USD-{NEAR}-65000-C", "timestamp": END - timedelta(hours=2)}
    yield other | {"exchange": "deribit", "symbol": f"BTC-USD-{NEAR}-65000-C", "timestamp": END}  # too late


@pytest.fixture
def chained(warehouse: Client, empty: Settings) -> Settings:
    columns = (
        "exchange",
        "symbol",
        "mark_price",
        "mark_iv",
        "bid_iv",
        "ask_iv",
        "delta",
        "underlying_price",
        "timestamp",
    )
    names = (*columns, "venue_time", "received_at", "_topic", "_partition", "_offset")
    rows = [[*(row.get(name) for name in columns), *[row["timestamp"]] * 2, "t", 0, 0] for row in summaries()]
    warehouse.insert("md_option_summary_store", rows, column_names=names)
    return empty


def test_a_chain_is_the_last_summary_of_each_option(chained: Settings) -> None:
    frame = read.query("option_chain", chained, end=END)
    found = list(zip(frame["expiry"], frame["strike"], frame["option_kind"], frame["mark_iv"], strict=True))
    kinds = ("call", "put")
    assert found == [(e, k, kind, volatility(e, k)) for e in (NEAR, FAR) for k in STRIKES for kind in kinds]
    assert frame["delta"].tolist() == [0.5, -0.5] * 8
    assert "expiry" in read.drawn(frame) or "mark_iv" in read.drawn(frame)


@pytest.mark.parametrize("expiry", ["first", FAR])
def test_a_smile_is_of_the_options_out_of_the_money(chained: Settings, expiry: str) -> None:
    frame = read.query("option_smile", chained, end=END, expiry=expiry)
    of = NEAR if expiry == "first" else expiry
    assert frame["strike"].tolist() == list(STRIKES)
    assert frame["mark_iv"].tolist() == [volatility(of, strike) for strike in STRIKES]
    assert frame["ask_iv"].isna().all()
    assert "mark_iv" in read.drawn(frame)


def test_a_term_structure_lies_between_the_strikes_around_each_forward(chained: Settings) -> None:
    frame = read.query("option_term_structure", chained, end=END)
    low, high = volatility(NEAR, 70_000), volatility(NEAR, 71_000)
    near = low + (high - low) * math.log(70_400 / 70_000) / math.log(71_000 / 70_000)
    low, high = volatility(FAR, 71_000), volatility(FAR, 80_000)
    far = low + (high - low) * math.log(71_800 / 71_000) / math.log(80_000 / 71_000)
    assert frame["atm_iv"].tolist() == pytest.approx([near, far])
    assert frame["forward"].tolist() == list(FORWARDS.values())
    assert frame["options"].tolist() == [8, 8]
    assert "atm_iv" in read.drawn(frame)
