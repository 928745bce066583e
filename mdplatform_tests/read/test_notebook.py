"""The notebook runs from top to bottom on the recordings, and its numbers are those of plain Python."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.events import Event
from mdplatform.core.settings import Settings
from mdplatform_tests.read import oracle
from mdplatform_tests.read.recorded import END, START
from mdplatform_tests.warehouse.conftest import empty, warehouse
from mdplatform_tests.warehouse.rows import HOUR, after, ns, put_books, put_status, put_trades

__all__ = ["empty", "warehouse"]

MIDNIGHT = datetime(2024, 8, 9, tzinfo=UTC)  # within the recordings
NOTEBOOK = Path(__file__).parents[2] / "docs" / "analysis.ipynb"


def run(path: Path, parameters: dict[str, Any], until: str = "") -> dict[str, Any]:
    """Its variables after all cells of code, or as soon as there is one ``until``.

    ``parameters`` replace what the cell with that tag sets.
    """
    names: dict[str, Any] = {}
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] == "code" and until not in names:
            exec(compile("".join(cell["source"]), str(path), "exec"), names)
            if "parameters" in cell["metadata"].get("tags", ()):
                assert set(parameters) <= set(names)
                names.update(parameters)
    return names


def test_the_notebook_gives_the_oracles_numbers(
    recorded: dict[str, list[Event]], market: Settings, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", market.clickhouse_url)
    monkeypatch.setenv("MDPLATFORM_DATABASE", market.clickhouse_database)
    monkeypatch.setenv("MDPLATFORM_ARCHIVE_DIR", str(archive))
    found = run(NOTEBOOK, {"START": START, "END": END, "OVER": MIDNIGHT})
    spot, perpetual = recorded["binance"], recorded["binance-usdm"]

    assert found["kept"].equals(found["archived"])
    first, last = (ns(at) for at in (MIDNIGHT - timedelta(minutes=5), MIDNIGHT))
    kept = [trade for trade in oracle.trades(spot) if first <= trade.venue_ns < last]
    assert 0 < len(kept) == len(found["archived"])
    assert len(found["trades"]) == len(oracle.trades(spot))
    spread, effective = (found[name].set_index("exchange") for name in ("spreads", "effective"))
    for venue, events in recorded.items():
        assert spread.loc[venue, "spread_bps"] == pytest.approx(oracle.mean_spread_bps(events))
        assert effective.loc[venue, "effective_bps"] == pytest.approx(oracle.effective_bps(events, 5)[1])
    bought = oracle.buys(spot, 1.0)
    mean = sum(qty * bps for qty, bps in bought) / sum(qty for qty, _ in bought)
    assert found["slippage"].loc[("binance", "BTC-USDT", 1.0), "mean_buy_bps"] == pytest.approx(mean)
    assert found["same"]
    assert found["bars"]["close"].tolist() == [bar[3] for bar in oracle.bars(spot, 10).values()]
    volatility = found["volatility"].set_index(["exchange", "seconds"])["volatility_per_year"]
    assert volatility["binance", 5] == pytest.approx(oracle.volatility(spot, 5)[1])
    correlations = [oracle.correlation(perpetual, spot, 100, lag)[1] for lag in range(-10, 11)]
    assert found["lead_lag"]["correlation"].tolist() == pytest.approx(correlations)


def test_the_two_joins_are_the_same_where_a_price_is_missing(
    warehouse: Client, empty: Settings, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a running stack: a trade before any quote, and one while a side of the book is empty."""
    monkeypatch.setenv("CLICKHOUSE_URL", empty.clickhouse_url)
    monkeypatch.setenv("MDPLATFORM_DATABASE", empty.clickhouse_database)
    monkeypatch.setenv("MDPLATFORM_ARCHIVE_DIR", str(archive))
    put_status(warehouse, "valid", after(0), after(300))
    whole = {"at": after(20), "sequence": 1}
    put_books(warehouse, whole, {"at": after(40), "sequence": 2, "previous_sequence": 1, "a": [], "av": []})
    put_trades(warehouse, *({"at": after(second), "id": str(second)} for second in (10, 30, 50)))
    found = run(NOTEBOOK, {"START": HOUR, "END": HOUR + timedelta(minutes=5), "OVER": MIDNIGHT}, until="same")
    assert (found["same"], found["both"]["id"].tolist()) == (True, ["30", "50"])
    unfilled = found["slippage"].loc[("binance", "BTC-USDT", 5.0), ["buys_filled", "buys_unfilled"]]
    assert unfilled.tolist() == [0, pytest.approx(0.9)]
