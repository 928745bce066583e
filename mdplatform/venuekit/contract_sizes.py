"""Sizes in base units, for venues that quote contracts. What was sent is kept beside it as the raw size."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import repeat

from msgspec.structs import replace

from mdplatform.core.decimals import ZEROS
from mdplatform.core.errors import FrameError
from mdplatform.core.events import Book, Liquidation, Quote, Trade
from mdplatform.core.symbols import Instrument
from mdplatform.venuekit.books.order_book import OrderBook

_PLACES = Decimal(1).scaleb(-12)  # an inverse contract in base units has no end: so many decimals are kept
_REMEMBERED = 4096  # conversions kept an instrument: the levels of a book change little from one event to the next


class ContractSizes:
    """What the sizes of one instrument stand for.

    Linear contracts: base = size * contract_size * multiplier, exact. Inverse ones are worth a fixed amount of quote:
    base = size * contract_size * multiplier / price, to 12 decimals.
    """

    def __init__(self, instrument: Instrument) -> None:
        self._worth = Decimal(instrument.contract_size or "1") * Decimal(instrument.multiplier or "1")
        self._inverse = instrument.inverse
        self._convert = lru_cache(maxsize=_REMEMBERED)(self._converted)
        self.worth, self.is_inverse = float(self._worth), self._inverse
        # Sizes of the last book's sides as sent and in base units: a side that did not change comes as the same list.
        self._bids: tuple[list[str], list[str]] = ([], [])
        self._asks: tuple[list[str], list[str]] = ([], [])

    def base(self, price: str, size: str) -> str:
        """``size`` contracts at ``price`` in base units; both are decimal text that was checked.

        Raises FrameError where that is more than anybody could trade: its digits would be lost.
        """
        return self._convert(price if self._inverse else "", size)

    def changed(self, prices: list[str], sizes: list[str]) -> list[str]:
        """``base`` of each level of a change; a size of zero deletes its level and stays as it is."""
        convert = self._convert
        if self._inverse:
            return [size if size in ZEROS else convert(price, size) for price, size in zip(prices, sizes, strict=True)]
        return [size if size in ZEROS else convert("", size) for size in sizes]

    def book(self, event: Book) -> Book:
        self._bids = self._sizes(self._bids, event.bid_prices, event.bid_sizes)
        self._asks = self._sizes(self._asks, event.ask_prices, event.ask_sizes)
        return replace(
            event,
            bid_sizes=self._bids[1],
            ask_sizes=self._asks[1],
            raw_bid_sizes=event.bid_sizes,
            raw_ask_sizes=event.ask_sizes,
        )

    def quote(self, event: Quote) -> Quote:
        return replace(
            event,
            bid_size=self._side(event.bid_price, event.bid_size),
            ask_size=self._side(event.ask_price, event.ask_size),
            raw_bid_size=event.bid_size,
            raw_ask_size=event.ask_size,
        )

    def trade(self, event: Trade) -> Trade:
        return replace(event, size=self.base(event.price, event.size), raw_size=event.size)

    def liquidation(self, event: Liquidation) -> Liquidation:
        return replace(event, size=self.base(event.price, event.size), raw_size=event.size)

    def _sizes(
        self, last: tuple[list[str], list[str]], prices: list[str], sizes: list[str]
    ) -> tuple[list[str], list[str]]:
        if sizes is last[0]:
            return last
        return sizes, list(map(self._convert, prices if self._inverse else repeat(""), sizes))

    def _side(self, price: str | None, size: str | None) -> str | None:
        return None if price is None or size is None else self.base(price, size)

    def _converted(self, price: str, size: str) -> str:
        amount = Decimal(size) * self._worth
        if price:
            amount = _divided(amount, Decimal(price))
        text = f"{amount:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


def _divided(worth: Decimal, price: Decimal) -> Decimal:
    """Raises FrameError where the quotient has no place in so many decimals: it is one that nobody trades."""
    try:
        amount = (worth / price).quantize(_PLACES)
    except InvalidOperation:
        raise FrameError("bad_number", f"{worth} at {price} have too many digits") from None
    if worth and not amount:
        raise FrameError("bad_number", f"{worth} at {price} are less than {_PLACES}")
    return amount


def book_in(units: ContractSizes | None) -> OrderBook:
    """An empty book whose sizes stand for these units; None: for base units."""
    return OrderBook() if units is None else OrderBook(units.worth, per_price=units.is_inverse)


def contract_sizes_of(instrument: Instrument) -> ContractSizes | None:
    """None where the venue's sizes are base units already."""
    return None if instrument.contract_size is None and instrument.multiplier is None else ContractSizes(instrument)
