"""One combined-stream connection of USD-M or COIN-M futures: https://developers.binance.com/docs/derivatives"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from urllib.parse import quote

from mdplatform.core.decimals import check_levels
from mdplatform.core.errors import FrameError
from mdplatform.core.events import Side
from mdplatform.core.session import REFUSALS, Channel, Output, Request
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venuekit.books.diff import Diff, DiffBook, Snapshot, check_snapshot
from mdplatform.venuekit.interest_poll import InterestPoll, InterestPolls
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.pending_snapshots import PendingSnapshots
from mdplatform.venuekit.subscriptions import Terms
from mdplatform.venues.binance.futures import wire
from mdplatform.venues.binance.futures.channels import (
    AGG_TRADE,
    BBO,
    DIFF,
    FAST,
    FORCE_ORDER,
    MARK_PRICE,
    OPEN_INTEREST,
    PARTIAL,
    TRADE,
    _is_joined,
)
from mdplatform.venues.binance.futures.instruments import read_instruments
from mdplatform.venues.binance.futures.market import PARTIAL_LEVELS, JoinedBook
from mdplatform.venues.binance.market import StreamMarket
from mdplatform.venues.binance.session import STREAMS_A_MESSAGE, StreamSession, trades_from
from mdplatform.venues.binance.wire import level, taker, venue_ns

# The venue reads 10 messages a second from a connection, pings and pongs among them.
TERMS = Terms(STREAMS_A_MESSAGE, pace=(5, 1.0))
SNAPSHOT_LEVELS, SNAPSHOT_WEIGHT = 1000, 20  # there is no longer one
INTEREST = "/openInterest"
# Words of documented streams that give no event here; a recording may hold them.
_IGNORED = """
kline continuousKline indexPriceKline markPriceKline miniTicker ticker indexPrice contractInfo compositeIndex
assetIndex tradingSession rpiDepth depth5 depth10
"""
_WORDS = {
    "depthUpdate": "depth",
    "markPriceUpdate": "markPrice",
    "24hrTicker": "ticker",
    "24hrMiniTicker": "miniTicker",
    "continuous_kline": "continuousKline",
    "assetIndexUpdate": "assetIndex",
}


class FuturesSession(StreamSession):
    """One combined-stream connection of either venue. ``api``: where its REST paths begin."""

    def __init__(
        self, exchange: str, api: str, instruments: Instruments, channels: tuple[Channel, ...], depth: int
    ) -> None:
        self.beside = frozenset([PARTIAL] if _is_joined(channels) else [])

        def market(instrument: Instrument) -> StreamMarket:
            path = f"{api}/depth?symbol={quote(instrument.venue_symbol)}&limit={SNAPSHOT_LEVELS}"
            request = Request(path, SNAPSHOT_WEIGHT, instrument.symbol)
            made = StreamMarket(instrument, channels, depth, request, _joins, SNAPSHOT_LEVELS)
            if self.beside:
                made.diffs = made.book = JoinedBook(
                    made.feed("book"), request, _joins, depth, made.units, PARTIAL_LEVELS
                )
            if AGG_TRADE in channels:  # the venue lists other trades only for a key
                made.backfill_trades_by(trades_from(f"{api}/aggTrades", 20, instrument))
            return made

        takes = {
            DIFF: self._on_diff,
            FAST: self._on_diff,
            PARTIAL: self._on_partial,
            AGG_TRADE: self._on_agg_trade,
            TRADE: self._on_trade,
            FORCE_ORDER: self._on_force_order,
            MARK_PRICE: self._on_mark_price,
            BBO: self._on_quote,
        }
        markets, ignored = Markets(instruments, market), frozenset(_IGNORED.split())
        listed = partial(read_instruments, exchange)
        super().__init__(
            exchange, markets, channels, takes, parse_list=listed, ignored=ignored, bare=_WORDS, terms=TERMS
        )
        self.streams = tuple(channel for channel in channels if channel is not OPEN_INTEREST)
        self._polls = InterestPolls(
            InterestPoll(
                row, Request(f"{api}{INTEREST}?symbol={quote(row.venue_symbol)}", 1, row.symbol, "open_interest")
            )
            for row in (instruments if OPEN_INTEREST in channels else ())
        )
        self._marks: dict[str, str] = {}  # mark prices by the venue's symbol, what inverse contracts are valued at
        self.pending_snapshots = _PendingByLevels(markets)

    def connected(self, conn: str, now_ns: int) -> list[Output]:
        self._polls.connected(now_ns)
        return super().connected(conn, now_ns)

    def closed(self, cause: str, now_ns: int) -> list[Output]:
        self._polls.closed()
        return super().closed(cause, now_ns)

    def tick(self, now_ns: int) -> list[Output]:
        """Inverse contracts are asked about once their mark price is known: without it they have no base units."""
        polls = [p for p in self._polls if not p.instrument.inverse or p.instrument.venue_symbol in self._marks]
        return super().tick(now_ns) + [fetch for poll in polls for fetch in poll.tick(now_ns)]

    def answer(self, request: Request, status: int, body: bytes, received_ns: int) -> list[Output]:
        if not self._polls.answered(request, received_ns):
            return super().answer(request, status, body, received_ns)
        return self._on_open_interest(body, received_ns) if status == 200 else []

    def recall(self, path: str, body: bytes, received_ns: int) -> list[Output] | None:
        if f"{INTEREST}?" not in path:
            return super().recall(path, body, received_ns)
        return self._on_open_interest(body, received_ns)

    def _on_open_interest(self, body: bytes, received_ns: int) -> list[Output]:
        try:
            data = wire.read_open_interest(body)
            market, price = self.markets.of(data.symbol), self._marks.get(data.symbol)
            time_ns = venue_ns(data.time)
            out = market.open_interest(data.openInterest, price=price, venue_ns=time_ns, received_ns=received_ns)
        except REFUSALS as error:
            return self.refuse(error, body, received_ns)
        feed = market.feed("open_interest")
        opened = feed.valid("received", None, received_ns)
        feed.proven(None, received_ns)
        return [*opened, *out] or self.count("repeated_open_interest")

    def offered(self, body: bytes, received_ns: int) -> list[Output]:
        depth = wire.read_depth(body)
        snapshot = Snapshot(depth.lastUpdateId, depth.bids, depth.asks)
        if depth.symbol is not None:
            return self.markets.of(depth.symbol).diffs.offer(snapshot, received_ns)
        return self.pending_snapshots.give(snapshot, [m.diffs for m in self.markets], received_ns)

    def _on_diff(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.checked(wire.read_diff(frame).data)
        if not data.pu <= data.U <= data.u:
            raise FrameError("wrong_shape", f"update ids do not rise: pu {data.pu}, U {data.U}, u {data.u}")
        numbers = check_levels([*data.b, *data.a])
        diff = Diff(data.pu, data.u, data.b, data.a, venue_ns(data.E), received_ns, data.U, numbers)
        return self.take(market.diffs, diff)

    def _on_partial(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        if isinstance(market.diffs, JoinedBook) and not market.diffs.is_due:
            market.diffs.came(received_ns)
            return self.count("partial_book")
        data = market.checked(wire.read_diff(frame).data)
        if isinstance(market.diffs, JoinedBook):
            return market.diffs.beside(Snapshot(data.u, data.b, data.a), received_ns) or self.count("partial_book")
        return market.whole.take(data.u, data.b, data.a, venue_ns(data.E), received_ns) or self.count("repeated_book")

    def _on_agg_trade(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.checked(wire.read_agg_trade(frame).data)
        side, traded_ns = taker(data.m), venue_ns(data.T)
        out = market.trade(str(data.a), data.p, data.q, side, traded_ns, received_ns, "live", data.a)
        return out or self.count("duplicate_trade")

    def read_trades(self, market: StreamMarket, body: bytes, received_ns: int) -> list[Output]:
        def take(row: wire.AggTradeRow) -> list[Output]:
            side, traded_ns = taker(row.m), venue_ns(row.T)
            return market.trade(str(row.a), row.p, row.q, side, traded_ns, received_ns, "rest", row.a)

        return self.each(wire.read_agg_trade_rows(body), take, body, received_ns)

    def _on_trade(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.checked(wire.read_trade(frame).data)
        if data.X not in ("MARKET", "RPI") and market.sequential_ids is not None:
            # Not traded on the book, but numbered with what is.
            return self.count("fund_trade") + market.sequential_ids.take(data.t, venue_ns(data.T), received_ns)[1]
        side, traded_ns = taker(data.m), venue_ns(data.T)
        out = market.trade(str(data.t), data.p, data.q, side, traded_ns, received_ns, "live", data.t)
        return out or self.count("duplicate_trade")

    def _on_force_order(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        """No id is sent: the order's time stands for it, no two of a symbol are sent within a second."""
        order = market.checked(wire.read_force_order(frame).data.o)
        side: Side = "sell" if order.S == "SELL" else "buy"
        out = market.liquidation(str(order.T), order.ap, order.z, side, venue_ns(order.T), received_ns)
        return out or self.count("duplicate_liquidation")

    def _on_mark_price(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.checked(wire.read_mark_price(frame).data)
        self._marks[data.s] = data.p
        return market.funding(
            rate=data.r or None,
            mark_price=data.p,
            index_price=data.i or None,
            next_funding_ns=venue_ns(data.T) if data.T else None,
            venue_ns=venue_ns(data.E),
            received_ns=received_ns,
        )

    def _on_quote(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.checked(wire.read_ticker(frame).data)
        bid, ask = level(data.b, data.B), level(data.a, data.A)
        return market.quote(bid, ask, data.u, venue_ns(data.E), received_ns) or self.count("repeated_quote")


class _PendingByLevels(PendingSnapshots):
    """In a recording USD-M snapshots do not say whose they are, and the ids of many symbols lie around theirs."""

    def __init__(self, markets: Markets[StreamMarket]) -> None:
        super().__init__()
        self._markets = markets

    def give(self, snapshot: Snapshot, markets: Iterable[DiffBook], now_ns: int) -> list[Output]:
        check_snapshot(snapshot)
        self._keep(snapshot)
        owner = max(markets, key=lambda market: _shared(market, snapshot), default=None)
        return [] if owner is None else self._claim(owner, now_ns)

    def claim(self, market: DiffBook, diff: Diff, now_ns: int) -> list[Output]:
        return self._claim(market, now_ns)

    def _claim(self, market: DiffBook, now_ns: int) -> list[Output]:
        """What follows when one of those kept is this market's: by its levels, or as nothing else is left."""
        only = len(self._snapshots) == 1 and len(self._markets) == 1
        for index, snapshot in enumerate(self._snapshots):
            joins = any(market.joins(diff, snapshot.last) for diff in market.chain.buffer)
            if joins and (only or _shared(market, snapshot)):
                del self._snapshots[index]
                return market.offer(snapshot, now_ns)
        return []


def _joins(diff: Diff, snapshot_id: int) -> bool:
    """U <= lastUpdateId <= u, or pu = lastUpdateId. No update of the symbol lies between pu and U."""
    return diff.previous <= snapshot_id <= diff.last


def _shared(market: DiffBook, snapshot: Snapshot) -> int:
    """How many levels of the diffs that wait for a snapshot this one holds as they are."""
    held = {*snapshot.bids, *snapshot.asks}
    return sum(pair in held for diff in market.chain.buffer for pair in (*diff.bids, *diff.asks))
