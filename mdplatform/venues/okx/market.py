"""One instrument on one connection: its book and the events of its other channels."""

from __future__ import annotations

from collections import Counter
from urllib.parse import quote

from mdplatform.core.decimals import check_traded
from mdplatform.core.errors import FrameError
from mdplatform.core.session import Channel, ChannelKind, Output, Request
from mdplatform.core.symbols import Instrument, Kind
from mdplatform.venuekit.books.full import FullBook
from mdplatform.venuekit.market import Market
from mdplatform.venuekit.trade_ids import Missing, TradeIds
from mdplatform.venues.okx.book import LEVELS, OkxBook
from mdplatform.venues.okx.channels import applies
from mdplatform.venues.okx.instruments import index_of
from mdplatform.venues.okx.wire import (
    BookData,
    InterestData,
    LiquidationOrder,
    SummaryData,
    TickerData,
    TradeData,
    above_zero,
    pairs,
    real,
    stated,
    venue_ns,
)

TRADES_A_REQUEST = 100
_MATCHES = 10_000  # more matches of one order at one price cannot be


class OkxMarket(Market):
    """``channels``: those taken; it has the feeds of those that apply to it."""

    content = "a row"
    sequential_ids: TradeIds

    def __init__(self, instrument: Instrument, channels: tuple[Channel, ...], depth: int) -> None:
        carrying = tuple(channel for channel in channels if applies(channel, instrument))
        super().__init__(instrument, carrying, sequential_ids=True)
        self.index = None if instrument.kind is Kind.SPOT else index_of(instrument)
        path = f"/api/v5/market/books?instId={quote(self.venue_symbol)}&sz={LEVELS}&source=0"
        request = Request(path, 1, self.symbol)
        self.diffs = OkxBook(self.feed("book"), request, depth, self.units)
        self.whole = FullBook(self.feed("book"), depth, self.units)
        self.book = self.diffs
        self.backfill_trades_by(self._lost_trades)

    @property
    def stream(self) -> OkxBook:
        return self.diffs

    def connected(self, now_ns: int) -> list[Output]:
        self.whole.connected(now_ns)
        return super().connected(now_ns)

    def acknowledged(self, kind: ChannelKind, now_ns: int) -> list[Output]:
        if kind == "book":
            self.diffs.acknowledged()
        return super().acknowledged(kind, now_ns)

    def top(self, data: BookData, received_ns: int) -> list[Output]:
        """A whole book of 5 levels."""
        if data.seqId is None:
            raise FrameError("wrong_shape", "a book without seqId")
        return self.whole.take(data.seqId, pairs(data.bids), pairs(data.asks), venue_ns(data.ts), received_ns)

    def best(self, data: BookData, received_ns: int) -> list[Output]:
        bids, asks, time_ns = pairs(data.bids), pairs(data.asks), venue_ns(data.ts)
        if len(bids) > 1 or len(asks) > 1:
            raise FrameError("wrong_shape", "more than the best level of a side")
        return self.quote(bids[0] if bids else None, asks[0] if asks else None, data.seqId, time_ns, received_ns)

    def traded(self, row: TradeData, received_ns: int) -> list[Output]:
        """A trade: ``count`` matches of one order at one price, with consecutive ids up to tradeId.

        That ids count up by one within an instrument, whatever the ``source``, is as recorded, not as documented. Were
        it otherwise, the trades feed would show closed gaps, and lower ids of another source would pass as repeated.
        """
        first, last, time_ns = self._checked(row)
        return self.trade(
            row.tradeId, row.px, row.sz, row.side, time_ns, received_ns, number=last, first=first, checked=True
        )

    def _checked(self, row: TradeData) -> tuple[int, int, int]:
        """(the id of its first match, that of the last, its time)."""
        self.ensure_symbol(row.instId)
        check_traded(row.px, row.sz)
        last = _number(row.tradeId)
        if row.count == "1":
            return last, last, venue_ns(row.ts)
        count = _number(row.count)
        if not 1 <= count <= min(_MATCHES, last + 1):
            raise FrameError("wrong_shape", f"{row.count[:40]} matches up to the id {row.tradeId[:40]}")
        return last - count + 1, last, venue_ns(row.ts)

    def past(self, row: TradeData, received_ns: int) -> list[Output]:
        """A trade by REST, each match by itself."""
        self.ensure_symbol(row.instId)
        number = _number(row.tradeId)
        return self.trade(row.tradeId, row.px, row.sz, row.side, venue_ns(row.ts), received_ns, "rest", number)

    def _lost_trades(self, missing: Missing | None) -> Request:
        """``after`` lists what comes before an id."""
        query = f"instId={quote(self.venue_symbol)}&type=1&limit={TRADES_A_REQUEST}"
        if missing is not None:
            query += f"&after={min(missing.last + 1, missing.first + TRADES_A_REQUEST)}"
        return Request(f"/api/v5/market/history-trades?{query}", 2, self.symbol, "trades")

    def liquidated(self, row: LiquidationOrder, equal: Counter[str], received_ns: int) -> list[Output]:
        """A liquidation. It has no id and the first message after subscribing repeats old ones: content is the id,
        and a count of those ``equal`` in one message, which are several."""
        name = f"{row.ts}-{row.side}-{row.sz}-{row.bkPx}"
        time_ns = venue_ns(row.ts)
        equal[f"{self.symbol} {name}"] += 1
        count = equal[f"{self.symbol} {name}"]
        return self.liquidation(
            name if count == 1 else f"{name}-{count}", row.bkPx, row.sz, row.side, time_ns, received_ns
        )

    def interest(self, data: InterestData, received_ns: int) -> list[Output]:
        """Open contracts; what they are worth is stated in USD, whatever the quote."""
        value = stated(data.oiUsd or "") if self.instrument.quote == "USD" else None
        time_ns = venue_ns(data.ts)
        if self.instrument.kind is Kind.OPTION:
            self.note_worth(time_ns, open_interest=data.oiCcy)
        return self.open_interest(data.oi, base=data.oiCcy, value=value, venue_ns=time_ns, received_ns=received_ns)

    def valued(self, row: SummaryData, received_ns: int) -> list[Output]:
        """An option's volatilities and greeks, with the prices and open interest that other channels stated."""
        return self.option_summary(
            venue_ns(row.ts),
            received_ns,
            mark_iv=above_zero(row.markVol),
            bid_iv=above_zero(row.bidVol),
            ask_iv=above_zero(row.askVol),
            delta=real(row.deltaBS),
            gamma=real(row.gammaBS),
            vega=real(row.vegaBS),
            theta=real(row.thetaBS),
            underlying=stated(row.uly),
            underlying_price=real(row.fwdPx),
        )

    def ticker(self, data: TickerData, received_ns: int) -> list[Output]:
        bid, ask, last = above_zero(data.bidPx), above_zero(data.askPx), above_zero(data.last)
        return self.option_summary(venue_ns(data.ts), received_ns, bid_price=bid, ask_price=ask, last_price=last)


def _number(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= 18:
        return int(text)
    raise FrameError("wrong_shape", f"not a number: {text[:40]!r}")
