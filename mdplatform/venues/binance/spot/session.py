"""One combined-stream connection of spot: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams"""

from __future__ import annotations

from urllib.parse import quote

from mdplatform.core.decimals import check_levels
from mdplatform.core.errors import FrameError
from mdplatform.core.session import Channel, Output, Request
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venuekit.books.diff import Diff, joins
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.subscriptions import Terms
from mdplatform.venues.binance import wire
from mdplatform.venues.binance.market import StreamMarket
from mdplatform.venues.binance.session import STREAMS_A_MESSAGE, StreamSession, trades_from
from mdplatform.venues.binance.spot.channels import BBO, DIFF, PARTIAL, TRADE
from mdplatform.venues.binance.spot.instruments import EXCHANGE, read_instruments

# The venue reads 5 messages a second from a connection, pings and pongs among them; above that it disconnects.
TERMS = Terms(STREAMS_A_MESSAGE, pace=(3, 1.0))
# Words of documented streams that give no event here; a recording may hold them.
_IGNORED = "aggTrade kline miniTicker ticker avgPrice blockTrade referencePrice depth5 depth10"
_WORDS = {"depthUpdate": "depth", "24hrTicker": "ticker", "24hrMiniTicker": "miniTicker"}


class SpotSession(StreamSession):
    """One combined-stream connection."""

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        def market(instrument: Instrument) -> StreamMarket:
            limit, weight = (1000, 50) if depth <= 500 else (5000, 250)
            path = f"/api/v3/depth?symbol={quote(instrument.venue_symbol)}&limit={limit}"
            made = StreamMarket(instrument, channels, depth, Request(path, weight, instrument.symbol), joins, limit)
            made.backfill_trades_by(trades_from("/api/v3/historicalTrades", 25, instrument))
            return made

        takes = {DIFF: self._on_diff, PARTIAL: self._on_partial, TRADE: self._on_trade, BBO: self._on_quote}
        markets = Markets(instruments, market)
        listed, ignored = read_instruments, frozenset(_IGNORED.split())
        super().__init__(
            EXCHANGE, markets, channels, takes, parse_list=listed, ignored=ignored, bare=_WORDS, terms=TERMS
        )

    def _on_diff(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.checked(wire.read_diff(frame).data)
        if data.u < data.U:
            raise FrameError("wrong_shape", f"first update id {data.U} is above the last, {data.u}")
        numbers = check_levels([*data.b, *data.a])
        diff = Diff(data.U - 1, data.u, data.b, data.a, wire.venue_ns(data.E), received_ns, data.U, numbers)
        return self.take(market.diffs, diff)

    def _on_partial(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = wire.read_partial(frame).data
        # The message holds no time: that it equals the receive time says so.
        out = market.whole.take(data.lastUpdateId, data.bids, data.asks, received_ns, received_ns)
        return out or self.count("repeated_book")

    def _on_trade(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.checked(wire.read_trade(frame).data)
        side, traded_ns = wire.taker(data.m), wire.venue_ns(data.T)
        out = market.trade(str(data.t), data.p, data.q, side, traded_ns, received_ns, "live", data.t)
        return out or self.count("duplicate_trade")

    def read_trades(self, market: StreamMarket, body: bytes, received_ns: int) -> list[Output]:
        def take(row: wire.TradeRow) -> list[Output]:
            side, traded_ns = wire.taker(row.isBuyerMaker), wire.venue_ns(row.time)
            return market.trade(str(row.id), row.price, row.qty, side, traded_ns, received_ns, "rest", row.id)

        return self.each(wire.read_trade_rows(body), take, body, received_ns)

    def _on_quote(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.checked(wire.read_ticker(frame).data)
        bid, ask = wire.level(data.b, data.B), wire.level(data.a, data.A)
        # Without a time, as partial books.
        return market.quote(bid, ask, data.u, received_ns, received_ns) or self.count("repeated_quote")
