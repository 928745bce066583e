"""Bars of every length are those that plain Python makes of the trades, however these came into the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.events import Trade
from mdplatform.warehouse.rollups import build_trades_minute
from mdplatform_tests.read.recorded import END, START, TAPES, events, store
from mdplatform_tests.warehouse.rows import HOUR, after, put_status, put_trades

LENGTHS = (1, 5, 7, 60, 90, 300, 3600, 14_400, 86_400)
COLUMNS = ("open", "high", "low", "close", "volume", "quote_volume", "buy_volume", "trades", "vwap")
HOURS = (START, END.replace(hour=0))  # the recordings go on over midnight
BARS = "SELECT * FROM md_bars(seconds = {seconds:UInt32})"
Key = tuple[str, str, int]


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> list[Trade]:
    """All trades of three venues, in the order of receipt."""
    return [event for venue, _ in TAPES for event in events(shared_data, venue) if isinstance(event, Trade)]


def asked(client: Client, seconds: int) -> dict[Key, dict[str, Any]]:
    rows = list(client.query(BARS, parameters={"seconds": seconds}, tz_mode="aware").named_results())
    bars = {(row["exchange"], row["symbol"], int(row["bar"].timestamp())): row for row in rows}
    assert len(bars) == len(rows)
    return bars


def expected(trades: Sequence[Trade], seconds: int) -> dict[Key, tuple[float, ...]]:
    def key(trade: Trade) -> Key:
        return trade.exchange, trade.symbol, trade.venue_ns // 10**9 // seconds * seconds

    ordered = sorted(trades, key=lambda trade: (*key(trade), trade.venue_ns, int(trade.id)))
    return {bar: _bar(list(inside)) for bar, inside in groupby(ordered, key)}


def _bar(inside: Sequence[Trade]) -> tuple[float, ...]:
    prices, sizes = [float(trade.price) for trade in inside], [float(trade.size) for trade in inside]
    quote = sum(price * size for price, size in zip(prices, sizes, strict=True))
    bought = sum(size for trade, size in zip(inside, sizes, strict=True) if trade.side == "buy")
    volume = sum(sizes)
    return (prices[0], max(prices), min(prices), prices[-1], volume, quote, bought, len(inside), quote / volume)


def assert_right(client: Client, trades: Sequence[Trade], lengths: Iterable[int] = LENGTHS) -> None:
    for seconds in lengths:
        found, wanted = asked(client, seconds), expected(trades, seconds)
        assert list(found) == list(wanted), seconds
        for key, bar in wanted.items():
            assert tuple(found[key][name] for name in COLUMNS) == pytest.approx(bar, rel=1e-9), (seconds, key)


def build(client: Client) -> None:
    for hour in HOURS:
        build_trades_minute(client, hour)


def settle(client: Client) -> None:
    """As if all of it had been stored long before the build."""
    client.command("ALTER TABLE md_trades_hours_store UPDATE stored_at = 0 WHERE true SETTINGS mutations_sync = 2")


def filled(trades: Iterable[Trade]) -> list[Trade]:
    return [msgspec.structs.replace(trade, provenance="rest") for trade in trades]


def one_order(trades: Sequence[Trade]) -> list[Trade]:
    """Three matches or more of one moment, price and side, numbered one after the other."""
    for _, same in groupby(trades, lambda trade: (trade.exchange, trade.venue_ns, trade.price, trade.side)):
        matches = list(same)
        if len(matches) > 2 and int(matches[-1].id) - int(matches[0].id) == len(matches) - 1:
            return matches
    raise AssertionError("the recordings hold no such matches")


def together(matches: Sequence[Trade]) -> Mapping[str, object]:
    first, last = matches[0], matches[-1]
    return {
        "at": last.venue_ns,
        "exchange": last.exchange,
        "symbol": last.symbol,
        "id": last.id,
        "price": float(last.price),
        "qty": sum(float(match.size) for match in matches),
        "side": last.side,
        "first_id": first.id,
        "count": len(matches),
    }


def test_bars_of_every_length_are_right_while_the_hour_runs(warehouse: Client, recorded: list[Trade]) -> None:
    store(warehouse, recorded[: len(recorded) // 2])
    assert_right(warehouse, recorded[: len(recorded) // 2])
    store(warehouse, recorded[len(recorded) // 2 :])
    assert_right(warehouse, recorded)


def test_no_trade_counts_twice_of_two_collectors_a_filled_gap_and_an_order_of_several(
    warehouse: Client, recorded: list[Trade]
) -> None:
    missed = recorded[100:400]
    store(warehouse, recorded[:100] + recorded[400:])
    store(warehouse, recorded[50:100] + recorded[400::3])  # a second collector
    store(warehouse, filled(recorded[90:410]))  # more than was missed
    store(warehouse, missed[:20])  # as the other collector had them after all
    put_trades(warehouse, dict(together(one_order(recorded))))
    assert_right(warehouse, recorded)
    build(warehouse)
    settle(warehouse)
    assert_right(warehouse, recorded)


def test_a_trade_that_comes_after_its_hour_was_built_is_in_the_bars_at_once(
    warehouse: Client, recorded: list[Trade]
) -> None:
    late = recorded[::50]
    store(warehouse, [trade for trade in recorded if trade not in set(late)])
    build(warehouse)
    settle(warehouse)
    store(warehouse, late)
    assert_right(warehouse, recorded)
    build(warehouse)
    assert_right(warehouse, recorded)


def test_built_hours_come_from_their_minutes_where_minutes_divide_the_bar(
    warehouse: Client, recorded: list[Trade]
) -> None:
    store(warehouse, recorded)
    build(warehouse)
    settle(warehouse)
    warehouse.command("TRUNCATE TABLE md_trades_store")
    whole = [seconds for seconds in LENGTHS if seconds % 60 == 0]
    assert_right(warehouse, recorded, whole)
    assert not any(asked(warehouse, seconds) for seconds in LENGTHS if seconds not in whole)


def test_an_hour_that_left_the_warehouse_keeps_the_bars_of_its_minutes(
    warehouse: Client, recorded: list[Trade]
) -> None:
    store(warehouse, recorded)
    build(warehouse)  # too soon after the rows to be sure that it holds them all
    warehouse.command("TRUNCATE TABLE md_trades_store")
    assert not asked(warehouse, 60)
    for hour in HOURS:
        warehouse.insert("_retired", [["trades", hour, hour]], ["dataset", "hour", "retired_at"])
    assert_right(warehouse, recorded, [60])


@pytest.fixture
def proven(warehouse: Client) -> Client:
    """Three trades in the second minute of HOUR, and proofs of three stretches, two of which overlap."""
    put_trades(warehouse, *({"at": after(70 + second), "id": str(second)} for second in (1, 3, 9)))
    for begin, end in ((-60, 65), (72, 74), (73, 76), (80, 200)):
        put_status(warehouse, "valid", after(begin), after(end), channel="trades")
    put_status(warehouse, "valid", after(0), after(3600))  # of books
    put_status(warehouse, "valid", after(0), after(3600), channel="trades", symbol="ETH-USDT")
    return warehouse


@pytest.mark.parametrize(
    ("seconds", "shares"),
    [(1, [0.0, 1.0, 0.0]), (10, [0.4]), (60, [(5 + 4 + 40) / 60]), (3600, [(65 + 4 + 120) / 3600])],
)
def test_coverage_is_the_share_of_the_bar_for_which_trades_were_proven(
    proven: Client, seconds: int, shares: list[float]
) -> None:
    assert [row["coverage"] for row in asked(proven, seconds).values()] == pytest.approx(shares)


def test_a_bar_of_which_nothing_is_proven_has_no_coverage(warehouse: Client) -> None:
    put_trades(warehouse, {"at": after(1), "id": "1"})
    (bar,) = asked(warehouse, 60).values()
    assert (bar["coverage"], bar["bar"]) == (0.0, HOUR)


def test_trades_of_one_moment_are_in_the_order_of_their_ids(warehouse: Client) -> None:
    """Numbers by value, others by text."""
    numbers, texts = ("10", "9", "100"), ("5c35c02709e4f67d5266954e", "5c35c02709e4f67d5266954a", "5c35c02709e4")
    for exchange, ids in (("binance", numbers), ("kucoin", texts)):
        rows = [{"at": after(1), "id": id, "exchange": exchange, "price": float(n)} for n, id in enumerate(ids, 1)]
        put_trades(warehouse, *rows)
    found = {exchange: (row["open"], row["close"]) for (exchange, *_), row in asked(warehouse, 60).items()}
    assert found == {"binance": (2.0, 3.0), "kucoin": (3.0, 1.0)}
