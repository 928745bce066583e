"""Instruments by the venue's symbol and by ours."""

import pytest

from mdplatform.core.clock import rfc3339_ns
from mdplatform.core.errors import ConfigError, UnknownInstrument
from mdplatform.core.symbols import Instrument, Instruments, Kind, check_rule
from mdplatform.venuekit.market import Market, Markets

SPOT = Instrument(exchange="x", venue_symbol="BTCUSDT", base="BTC", quote="USDT", category="spot")
LINEAR = Instrument(
    exchange="x", venue_symbol="BTCUSDT", base="BTC", quote="USDT", category="linear", kind=Kind.PERPETUAL
)
ONLY_LINEAR = Instrument(
    exchange="x", venue_symbol="1000PEPEUSDT", base="1000PEPE", quote="USDT", category="linear", kind=Kind.PERPETUAL
)


def test_one_venue_symbol_names_an_instrument_in_each_category() -> None:
    both = Instruments("x", [SPOT, LINEAR])
    assert both.named("BTCUSDT", "spot") == SPOT
    assert both.named("BTCUSDT", "linear") == LINEAR
    assert list(both) == [SPOT, LINEAR]


def test_a_category_must_be_stated_where_the_venue_has_them() -> None:
    with pytest.raises(UnknownInstrument):
        Instruments("x", [SPOT]).named("BTCUSDT")


def test_categories_of_a_symbol_come_in_the_order_of_the_list() -> None:
    listed = Instruments("x", [LINEAR, ONLY_LINEAR, SPOT])
    assert listed.categories("BTCUSDT") == ["linear", "spot"]
    assert listed.categories("1000PEPEUSDT") == ["linear"]


def test_the_instruments_within_a_category_leave_the_others_out() -> None:
    assert list(Instruments("x", [SPOT, LINEAR, ONLY_LINEAR]).within("linear")) == [LINEAR, ONLY_LINEAR]


def test_the_markets_of_a_session_are_those_of_its_category() -> None:
    listed = Instruments("x", [SPOT, LINEAR])
    markets = Markets(listed, lambda instrument: Market(instrument, (), sequential_ids=False), "linear")
    assert [market.symbol for market in markets.all()] == ["BTC-USDT-PERP"]
    assert markets.of("BTCUSDT").symbol == "BTC-USDT-PERP"


DATED = Instruments(
    "v",
    [
        Instrument(exchange="v", venue_symbol=day, base="BTC", quote="USD", kind=Kind.FUTURE, expiry=day)
        for day in ("20261204", "20261211", "20261225", "20270326", "20270625")
    ],
)


@pytest.mark.parametrize(
    ("rule", "today", "expiry"),
    [
        ("front", "2026-12-01", "20261204"),
        ("front", "2026-12-04", "20261204"),
        ("front", "2026-12-05", "20261211"),
        ("next", "2026-12-01", "20261211"),
        ("front-quarter", "2026-12-01", "20261225"),
        ("front-quarter", "2026-12-26", "20270326"),
        ("next-quarter", "2026-12-01", "20270326"),
        ("next-quarter", "2027-05-01", None),
    ],
)
def test_a_rule_names_a_dated_contract_by_its_place(rule: str, today: str, expiry: str | None) -> None:
    found = DATED.find(f"BTC-USD@{rule}", rfc3339_ns(f"{today}T12:00:00Z"))
    assert (found and found.expiry) == expiry


def test_a_rule_passes_over_what_has_ended_and_other_pairs() -> None:
    ended = Instrument(
        exchange="v", venue_symbol="x", base="BTC", quote="USD", kind=Kind.FUTURE, expiry="20261203", status="DELIVERED"
    )
    listed = Instruments("v", [ended, *DATED])
    found = listed.find("BTC-USD@front", rfc3339_ns("2026-12-01T00:00:00Z"))
    assert found is not None
    assert found.expiry == "20261204"
    assert listed.find("BTC-USDT@front", 0) is None


@pytest.mark.parametrize("name", ["BTC-USD@frnt", "BTC@front", "BTC-USD@"])
def test_a_rule_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="front-quarter"):
        check_rule(name)


def test_what_has_ended_is_not_found() -> None:
    gone = Instrument(exchange="v", venue_symbol="x", base="X", quote="USD", status="delisted")
    assert Instruments("v", [gone]).find("X-USD", 0) is None


@pytest.mark.parametrize(
    ("costs", "parts"),
    [([2, 2, 2], [[2, 2], [2]]), ([5, 1], [[5], [1]]), ([1, 5, 1], [[1], [5], [1]]), ([4], [[4]]), ([], [])],
)
def test_a_connection_takes_as_many_as_its_limit_allows(costs: list[int], parts: list[list[int]]) -> None:
    rows = [Instrument(exchange="x", venue_symbol=f"S{n}", base=f"S{n}", quote="USD") for n in range(len(costs))]
    listed = Instruments("x", rows)
    cost = dict(zip(rows, costs, strict=True))
    assert [[cost[row] for row in part] for part in listed.parts_within(4, cost.__getitem__)] == parts
