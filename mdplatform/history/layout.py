"""The venues that publish their past, and their files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from mdplatform.history import binance
from mdplatform.history.bybit import Bybit
from mdplatform.history.coinbase import Coinbase
from mdplatform.history.deribit import Deribit
from mdplatform.history.files import Kind, PublishedFile
from mdplatform.history.kraken import Kraken
from mdplatform.history.kucoin import Kucoin
from mdplatform.history.okx import Okx
from mdplatform.history.publisher import Publisher

FIRST_DAY = date(2017, 8, 17)  # of the oldest files

PUBLISHERS: dict[str, Publisher] = {
    "binance": binance.SPOT,
    "binance-usdm": binance.USDM,
    "binance-coinm": binance.COINM,
    "bybit": Bybit(),
    "okx": Okx(),
    "kucoin": Kucoin(),
    "deribit": Deribit(),
    "coinbase": Coinbase(),
    "kraken": Kraken(),
}
VENUES = tuple(PUBLISHERS)


class Source(NamedTuple):
    """What of the past an asset loads."""

    asset: str
    kind: Kind | None  # of the files, as for ``published``
    holds: str


TRADES, BOOKS = "trades_history", "book_increments_history"
# By the kind of channel that collects the same.
LOADED_BY = {
    "trades": (Source(TRADES, None, "the trades"),),
    "book": (Source(BOOKS, "ob500", "whole books, change by change"),),
    "open_interest": (Source("open_interest_history", "metrics", "open interest each five minutes"),),
    "funding": (Source("funding_history", "fundingRate", "each payment, by whole months after their end"),),
}


@dataclass(frozen=True)
class HistoryFile(PublishedFile):
    """A file of one of them."""

    @property
    def publisher(self) -> Publisher:
        return PUBLISHERS[self.venue]

    @property
    def path(self) -> str:
        """Below the base address."""
        return self.publisher.path(self)

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def base_url(self) -> str:
        """The venue's own address."""
        return self.publisher.base_url(self.kind)


def published(venue: str, symbol: str, kind: Kind | None) -> tuple[Kind, ...]:
    """The kinds of files, of which the first that is there is taken, for ``kind``; () where the venue has none.

    None: of trades with the ids of the live ones. "ob500": of whole books.
    """
    return PUBLISHERS[venue].kinds(symbol, kind) if venue in PUBLISHERS else ()
