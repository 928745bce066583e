"""Names of instruments, both ways and as of a date, with what is collected of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform import read
from mdplatform.cli.symbols import _table
from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings
from mdplatform_tests.warehouse.conftest import empty, warehouse
from mdplatform_tests.warehouse.rows import HOUR, after, put_status

__all__ = ["empty", "warehouse"]

NOW = HOUR + timedelta(days=20)
DEFAULTS = {"exchange": "binance", "base": "BTC", "quote": "USDT", "kind": "spot", "inverse": False, "version": 1}
# (fields, first day seen, last day seen) of each version
LISTED = (
    ({"symbol": "BTC-USDT", "venue_symbol": "BTCUSDT", "tick": 0.1, "step": 0.001, "status": "TRADING"}, 0, 10),
    ({"symbol": "BTC-USDT", "venue_symbol": "BTCUSDT", "tick": 0.01, "status": "TRADING", "version": 2}, 10, 20),
    ({"symbol": "BTC-FDUSD", "venue_symbol": "BTCFDUSD", "quote": "FDUSD"}, 0, 5),
    ({"symbol": "ETH-BTC", "venue_symbol": "ETHBTC", "base": "ETH", "quote": "BTC"}, 0, 20),
    (
        {
            **{"exchange": "okx", "symbol": "BTC-USD-PERP", "venue_symbol": "BTC-USD-SWAP", "quote": "USD"},
            **{"kind": "perpetual", "contract_size": 100.0, "inverse": True, "category": "SWAP", "status": "live"},
        },
        *(0, 20),
    ),
    (
        {
            **{"exchange": "deribit", "symbol": "BTC-USD-20240927-70000-C", "venue_symbol": "BTC-27SEP24-70000-C"},
            **{"quote": "USD", "kind": "option", "expiry": "20240927", "strike": 70_000.0, "right": "C"},
        },
        *(0, 20),
    ),
    ({"symbol": "XRP-USDT", "venue_symbol": "XRPUSDT", "base": "XRP", "status": "BREAK"}, 0, 20),
)


@pytest.fixture
def listed(warehouse: Client, empty: Settings) -> Settings:
    for fields, first, last in LISTED:
        row = {**DEFAULTS, **fields, "first_seen_at": HOUR + timedelta(days=first)}
        row |= {"last_seen_at": HOUR + timedelta(days=last)}
        warehouse.insert("md_instruments_store", [list(row.values())], column_names=list(row))
    put_status(warehouse, "valid", after(60), after(600), channel="book")
    put_status(warehouse, "valid", after(30), after(900), channel="trades")
    return empty


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("btc", ["BTC-FDUSD", "BTC-USD-20240927-70000-C", "BTC-USD-PERP", "BTC-USDT"]),
        ("BTCUSDT", ["BTC-USDT"]),
        ("BTC-USD-SWAP", ["BTC-USD-PERP"]),
        ("BTC-USD", ["BTC-USD-20240927-70000-C", "BTC-USD-PERP"]),
        ("btc-27sep24", ["BTC-USD-20240927-70000-C"]),
        ("ETH-BTC", ["ETH-BTC"]),
        ("DOGE", []),
    ],
)
def test_a_name_is_found_from_either_side(listed: Settings, name: str, expected: list[str]) -> None:
    assert [found.symbol for found in read.symbols(name, at=NOW, settings=listed)] == expected


def test_a_date_has_the_properties_of_its_time(listed: Settings) -> None:
    (now,) = read.symbols("BTCUSDT", at=NOW, settings=listed)
    (then,) = read.symbols("BTCUSDT", at=HOUR + timedelta(days=3), settings=listed)
    assert (then.tick, then.step, then.valid_from) == (0.1, 0.001, HOUR)
    assert (now.tick, now.step, now.valid_from) == (0.01, None, HOUR + timedelta(days=10))
    assert {now.listed_since, then.listed_since} == {HOUR}
    assert read.symbols("BTCUSDT", at=HOUR - timedelta(days=1), settings=listed) == []


def test_what_left_the_list_is_gone_and_was_there_before(listed: Settings) -> None:
    (now,) = read.symbols("BTC-FDUSD", at=NOW, settings=listed)
    (then,) = read.symbols("BTC-FDUSD", at=HOUR + timedelta(days=4), settings=listed)
    assert (now.state, now.last_listed, then.state) == ("gone", HOUR + timedelta(days=5), "listed")


def test_what_is_collected_is_stated_with_its_begin(listed: Settings) -> None:
    (found,) = read.symbols("BTCUSDT", at=NOW, settings=listed)
    assert (found.channels, found.collected_since) == (("book", "trades"), HOUR + timedelta(seconds=30))
    (other,) = read.symbols("ETHBTC", at=NOW, settings=listed)
    assert (other.channels, other.collected_since, other.state) == ((), None, "listed")


def test_the_table_has_units_and_leaves_options_out(listed: Settings) -> None:
    lines = _table(read.symbols("BTC", at=NOW, settings=listed), with_options=False).splitlines()
    (line,) = [line for line in lines if "BTC-USD-PERP" in line]
    assert line.split("  ")[0] == "BTC-USD-PERP"
    assert "BTC-USD-SWAP (SWAP)" in line
    assert "100 USD" in line
    assert lines[-1] == "and 1 options (--kind option)"


def test_only_venues_and_kinds_that_are_asked_for(listed: Settings) -> None:
    assert [each.exchange for each in read.symbols("BTC", venues="okx", at=NOW, settings=listed)] == ["okx"]
    assert [each.kind for each in read.symbols("BTC", kinds=["option"], at=NOW, settings=listed)] == ["option"]
    with pytest.raises(ConfigError, match="no kind 'swap'; there are spot, perpetual, future, option"):
        read.symbols("BTC", kinds="swap", settings=listed)
