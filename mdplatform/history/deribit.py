"""Deribit's past trades, by REST: https://docs.deribit.com/#public-get_last_trades_by_instrument_and_time

The first page by time, each further one by ``trade_seq``, which counts up by one an instrument. Calls to
history.deribit.com reach back further than those to www (reported by clients). No files are published.
"""

from __future__ import annotations

from urllib.parse import quote

from mdplatform.core.clock import MS
from mdplatform.core.symbols import Instrument
from mdplatform.history.files import Kind
from mdplatform.history.listed import Ask, Listing, Row, Span, trade_kinds
from mdplatform.venues.deribit import wire

PAGE = 1000


class Deribit(Listing):
    exchange = "deribit"

    def kinds(self, symbol: str, kind: Kind | None) -> tuple[Kind, ...]:
        return trade_kinds(kind, has_trades=True)

    def base_url(self, kind: Kind) -> str:
        return "https://history.deribit.com/api/v2"

    def first_page(self, ask: Ask, instrument: Instrument, span: Span) -> str:
        times = f"start_timestamp={span.begin_ns // MS}&end_timestamp={span.end_ns // MS - 1}"
        return f"/public/get_last_trades_by_instrument_and_time?{self._of(instrument)}&{times}"

    def next_page(self, body: bytes, instrument: Instrument, span: Span) -> str | None:
        listed = wire.read_trade_list(body).result
        if not listed.has_more or not listed.trades or any(row.timestamp * MS >= span.end_ns for row in listed.trades):
            return None
        number = max(row.trade_seq for row in listed.trades) + 1
        return f"/public/get_last_trades_by_instrument?{self._of(instrument)}&start_seq={number}"

    def read(self, body: bytes) -> list[Row]:
        return [
            Row(
                row.trade_seq,
                row.trade_id,
                wire.number(row.price),
                wire.number(row.amount),
                row.direction,
                row.timestamp * MS,
            )
            for row in wire.read_trade_list(body).result.trades
        ]

    def _of(self, instrument: Instrument) -> str:
        return f"instrument_name={quote(instrument.venue_symbol)}&count={PAGE}&sorting=asc"
