"""Kraken's past spot trades, by REST: https://docs.kraken.com/api/docs/rest-api/get-recent-trades

Each page begins after a time in ns and names that of its last trade. Ids count up by one a pair. The quarterly files of
Kraken's support pages state neither ids nor sides: not taken.
"""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from mdplatform.core.events import Side
from mdplatform.core.symbols import Instrument
from mdplatform.history.files import Kind
from mdplatform.history.listed import Ask, Listing, Row, Span, is_spot, trade_kinds
from mdplatform.venues.kraken.instruments import old_name
from mdplatform.venues.kraken.spot import wire

PAGE = 1000


class End(msgspec.Struct):
    last: str  # ns of the last trade of the page


class Page(msgspec.Struct):
    result: End


_read_end = msgspec.json.Decoder(Page).decode
_SIDES: dict[str, Side] = {"b": "buy", "s": "sell"}


class Kraken(Listing):
    exchange = "kraken"

    def kinds(self, symbol: str, kind: Kind | None) -> tuple[Kind, ...]:
        return trade_kinds(kind, is_spot(symbol))

    def base_url(self, kind: Kind) -> str:
        return "https://api.kraken.com"

    def first_page(self, ask: Ask, instrument: Instrument, span: Span) -> str:
        return self._call(instrument, span.begin_ns - 1)

    def next_page(self, body: bytes, instrument: Instrument, span: Span) -> str | None:
        if max((row.venue_ns for row in self.read(body)), default=span.end_ns) >= span.end_ns:
            return None
        return self._call(instrument, int(_read_end(body).result.last))

    def read(self, body: bytes) -> list[Row]:
        return [
            Row(number, str(number), price, size, _SIDES[letter], wire.past_ns(time))
            for price, size, time, letter, _, _, number in wire.read_past_trades(body)
        ]

    def _call(self, instrument: Instrument, since_ns: int) -> str:
        name = quote(old_name(instrument.base) + old_name(instrument.quote))
        return f"/0/public/Trades?pair={name}&count={PAGE}&since={since_ns}"
