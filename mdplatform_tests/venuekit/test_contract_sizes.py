"""Contracts in base units."""

from mdplatform.core.events import Book, Trade
from mdplatform.core.symbols import Instrument, Kind
from mdplatform.venuekit.contract_sizes import ContractSizes, contract_sizes_of


def perpetual(contract_size: str | None, multiplier: str | None = None, *, inverse: bool = False) -> Instrument:
    return Instrument(
        exchange="x",
        venue_symbol="BTC",
        base="BTC",
        quote="USD",
        kind=Kind.PERPETUAL,
        contract_size=contract_size,
        multiplier=multiplier,
        inverse=inverse,
    )


def test_base_units_need_no_conversion() -> None:
    assert contract_sizes_of(perpetual(None)) is None


def test_linear_contracts_are_exact() -> None:
    assert ContractSizes(perpetual("0.01", "10")).base("64000.1", "7") == "0.7"


def test_a_large_size_keeps_its_zeros() -> None:
    assert ContractSizes(perpetual("100")).base("1", "10") == "1000"


def test_inverse_contracts_are_divided_by_the_price() -> None:
    assert ContractSizes(perpetual("100", inverse=True)).base("64000", "3") == "0.0046875"


def test_an_endless_fraction_has_twelve_decimals() -> None:
    assert ContractSizes(perpetual("1", inverse=True)).base("3", "1") == "0.333333333333"


def test_a_trade_keeps_what_was_sent() -> None:
    trade = Trade("x", "BTC-USD-PERP", "1", "50000", "10", "buy", 1, 2)
    converted = ContractSizes(perpetual("10", inverse=True)).trade(trade)
    assert (converted.size, converted.raw_size) == ("0.002", "10")


def test_a_book_keeps_what_was_sent() -> None:
    book = Book("x", "BTC-USD-PERP", ["9"], ["4"], ["10"], ["5"], 1, 1, None, 2)
    converted = ContractSizes(perpetual("2")).book(book)
    assert (converted.bid_sizes, converted.raw_bid_sizes) == (["8"], ["4"])
    assert (converted.ask_sizes, converted.raw_ask_sizes) == (["10"], ["5"])
