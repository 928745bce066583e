"""Which markets a consumer keeps state of: as many as there may be, not as many as somebody makes up."""

from __future__ import annotations

from mdplatform.core.errors import MessageError

MOST_MARKETS = 20_000  # all venues together list some thousands of those that one would collect
MOST_EXCHANGES = 64  # of one symbol: what they say of it is compared


class Markets:
    """Exchanges and symbols seen so far; beyond the bounds what is known goes on, and nothing is added."""

    def __init__(self, most: int = MOST_MARKETS) -> None:
        self._most = most
        self._known: set[tuple[str, str]] = set()
        self._exchanges: dict[str, int] = {}  # by symbol

    def admit(self, exchange: str, symbol: str) -> None:
        """Raises MessageError for one more than there is room for."""
        key = (exchange, symbol)
        if key in self._known:
            return
        exchanges = self._exchanges.get(symbol, 0)
        if len(self._known) >= self._most or exchanges >= MOST_EXCHANGES:
            raise MessageError("no_room", f"{len(self._known):,} markets are known, {exchanges} of this symbol")
        self._known.add(key)
        self._exchanges[symbol] = exchanges + 1
