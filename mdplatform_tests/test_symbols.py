"""Instruments by the venue's symbol and by ours."""

import pytest

from mdplatform.errors import UnknownInstrument
from mdplatform.market import Market, Markets
from mdplatform.symbols import Instrument, Instruments, Kind

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
    markets = Markets(listed, lambda instrument: Market(instrument, (), numbered=False), "linear")
    assert [market.symbol for market in markets.all()] == ["BTC-USDT-PERP"]
    assert markets.of("BTCUSDT").symbol == "BTC-USDT-PERP"
