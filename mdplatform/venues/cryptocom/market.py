"""One pair or contract of Crypto.com on one connection."""

from __future__ import annotations

from mdplatform.core.clock import SECOND
from mdplatform.core.decimals import quoted
from mdplatform.core.errors import FrameError
from mdplatform.core.events import Provenance
from mdplatform.core.session import Channel, Output, Request
from mdplatform.core.symbols import Instrument
from mdplatform.venuekit.books.chained import ChainedBook
from mdplatform.venuekit.streamed_session import StreamedMarket
from mdplatform.venuekit.trade_ids import Missing
from mdplatform.venues.cryptocom import wire
from mdplatform.venues.cryptocom.channels import LEVELS
from mdplatform.venues.cryptocom.instruments import index_of

PAST_TRADES = 150  # a call; the most that the venue gives (documented 2026-07)
_HOUR_NS = 3600 * SECOND


class CryptoComMarket(StreamedMarket):
    """``channels`` are those that the instrument has."""

    stream: ChainedBook

    def __init__(self, instrument: Instrument, channels: tuple[Channel, ...], depth: int) -> None:
        super().__init__(instrument, channels, sequential_ids=False)
        self.stream = ChainedBook(self.feed("book"), depth, self.units, keep=LEVELS)
        self.book = self.stream
        self.index = index_of(instrument)
        if "trades" in self.feeds:
            self.backfill_trades_by(self._latest_trades)

    def snapshot(self, row: wire.Whole, now_ns: int) -> list[Output]:
        """Raises FrameError, as do all below."""
        return self.stream.snapshot(wire.pairs(row.bids), wire.pairs(row.asks), row.u, _changed_ns(row), now_ns)

    def change(self, row: wire.Change, now_ns: int) -> list[Output] | None:
        """None where it repeats the one before."""
        bids, asks = wire.pairs(row.update.bids), wire.pairs(row.update.asks)
        return self.stream.follow(bids, asks, row.pu, row.u, _changed_ns(row), now_ns)

    def traded(self, row: wire.Trade, now_ns: int, provenance: Provenance = "live") -> list[Output]:
        if row.i != self.venue_symbol:
            raise FrameError("wrong_shape", f"a trade of {row.i[:40]!r} among those of {self.venue_symbol}")
        return self.trade(row.d, row.p, row.q, wire.TAKER[row.s], wire.ms_ns(row.t), now_ns, provenance)

    def best(self, row: wire.Ticker, now_ns: int) -> list[Output]:
        return self.quote(quoted(row.b, row.bs), quoted(row.k, row.ks), None, wire.ms_ns(row.t), now_ns)

    def funded(self, row: wire.Value, now_ns: int) -> list[Output]:
        """The rate of one hour, paid at its end."""
        time_ns = wire.ms_ns(row.t)
        return self.prices(time_ns, now_ns, rate=row.v, next_funding_ns=(time_ns // _HOUR_NS + 1) * _HOUR_NS)

    def _latest_trades(self, missing: Missing | None) -> Request:
        path = f"/exchange/v1/public/get-trades?instrument_name={self.venue_symbol}&count={PAST_TRADES}"
        return Request(path, symbol=self.symbol, purpose="trades")


def _changed_ns(row: wire.Whole | wire.Change) -> int:
    """``t`` is some ms later; on a quiet book, seconds."""
    return wire.ms_ns(row.t if row.tt is None else row.tt)
