"""Coinbase's past trades, by REST: https://docs.cdp.coinbase.com/exchange/reference/exchangerestapi_getproducttrades

Pages go back from a trade id (the header ``CB-AFTER`` names that of the next page: the lowest of this one). No call
asks by time, but ids count up by one a product: where a day ends is found by halving. No files are published.
"""

from __future__ import annotations

from urllib.parse import quote

from mdplatform.core.symbols import Instrument
from mdplatform.history.files import Kind
from mdplatform.history.listed import Ask, Listing, Row, Span, is_spot, trade_kinds
from mdplatform.venues.coinbase.exchange.wire import read_rows
from mdplatform.venues.coinbase.wire import TAKER, venue_ns

PAGE = 1000


class Coinbase(Listing):
    exchange = "coinbase"

    def kinds(self, symbol: str, kind: Kind | None) -> tuple[Kind, ...]:
        return trade_kinds(kind, is_spot(symbol))

    def base_url(self, kind: Kind) -> str:
        return "https://api.exchange.coinbase.com"

    def first_page(self, ask: Ask, instrument: Instrument, span: Span) -> str:
        newest = self.read(ask(self._call(instrument, 1)))
        if not newest:
            return self._call(instrument, PAGE)
        before, after = 0, newest[0].number + 1  # of the trades up to ``before`` none is of a later day
        if newest[0].venue_ns >= span.end_ns:
            after = newest[0].number
            while after - before > 1:
                middle = (before + after) // 2
                rows = self.read(ask(self._call(instrument, 1, middle + 1)))
                if rows and rows[0].venue_ns >= span.end_ns:
                    after = min(rows[0].number, middle)
                else:
                    before = middle
        return self._call(instrument, PAGE, after)

    def next_page(self, body: bytes, instrument: Instrument, span: Span) -> str | None:
        rows = self.read(body)
        if not rows or any(row.venue_ns < span.begin_ns for row in rows):
            return None
        first = min(row.number for row in rows)
        return self._call(instrument, PAGE, first) if first > 1 else None

    def read(self, body: bytes) -> list[Row]:
        return [
            Row(row.trade_id, str(row.trade_id), row.price, row.size, TAKER[row.side], venue_ns(row.time, 0))
            for row in read_rows(body)
        ]

    def _call(self, instrument: Instrument, limit: int, after: int | None = None) -> str:
        before = "" if after is None else f"&after={after}"
        return f"/products/{quote(instrument.venue_symbol)}/trades?limit={limit}{before}"
