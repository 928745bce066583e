"""The indices that one connection brings: they belong to no instrument, and several instruments lie on one."""

from __future__ import annotations

from mdplatform.core.clock import SECOND
from mdplatform.core.decimals import check_numbers
from mdplatform.core.events import IndexPrice
from mdplatform.core.session import Output


class IndexPrices:
    """An event where an index changed, and one a minute of the venue's time."""

    def __init__(self, exchange: str) -> None:
        self._exchange = exchange
        self._stated: dict[str, tuple[str, int]] = {}  # by symbol: the last price, and the minute of it

    def stated(self, symbol: str, price: str, venue_ns: int, received_ns: int) -> list[Output]:
        """``symbol`` is canonical. Raises FrameError."""
        check_numbers(price)
        stated = price, venue_ns // (60 * SECOND)
        if self._stated.get(symbol) == stated:
            return []
        self._stated[symbol] = stated
        return [IndexPrice(self._exchange, symbol, price, venue_ns, received_ns)]
