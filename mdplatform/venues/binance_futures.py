"""Binance futures, USD-M and COIN-M alike: https://developers.binance.com/docs/derivatives

What differs stands in their own files. Update ids are drawn from one counter for all symbols of a venue: they tell
that something is missing by ``pu``, and between which ids, but not how many updates (documented; probed in autumn 2026:
``U`` does not follow the last ``u``, ``pu`` does, in 268,223 of as many). Limits are as documented in 2026.
"""

from __future__ import annotations

from urllib.parse import quote

from mdplatform.core.clock import SECOND
from mdplatform.core.decimals import check_levels
from mdplatform.core.errors import ConfigError, FrameError
from mdplatform.core.events import Side
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import Channel, Line, Output, Request, chosen, subscribable
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venuekit.books.diff import DiffMarket, check_snapshot
from mdplatform.venuekit.books.diff_book import Diff, Snapshot
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.subscriptions import Terms
from mdplatform.venues import binance_futures_wire as wire
from mdplatform.venues.binance_stream import LIFETIME_S, STREAMS_A_MESSAGE, StreamMarket, StreamSession, trades_from
from mdplatform.venues.binance_wire import level, taker, venue_ns

DIFF = Channel(
    "depth@100ms",
    "book",
    "whole from a REST snapshot on: each diff's pu is the last u; what is missing is counted in ids of all symbols",
    5.0,
)
FAST = Channel(
    "depth@0ms",
    "book",
    "as depth@100ms, each change as it is made: not documented, probed in autumn 2026 (571 markets, no break)",
    5.0,
)
PARTIAL = Channel(
    "depth20@100ms",
    "book",
    "each message is a whole top 20; one that is lost does not show. Beside depth@0ms: its snapshots, without REST",
    5.0,
)
AGG_TRADE = Channel("aggTrade", "trades", "whole but for fills of the insurance fund: ids count up by one a symbol")
TRADE = Channel("trade", "trades", "whole: trade ids count up by one a symbol; not documented, may fall silent")
FORCE_ORDER = Channel("forceOrder", "liquidations", "none: at most the latest one of each second is sent, unnumbered")
MARK_PRICE = Channel("markPrice@1s", "funding", "sent once a second; one that is lost does not show", 15.0)
BBO = Channel(
    "bookTicker", "bbo", "each message is a whole top 1, numbered as the book; one that is lost does not show"
)
CHANNELS = (DIFF, FAST, PARTIAL, AGG_TRADE, TRADE, FORCE_ORDER, MARK_PRICE, BBO)
DEFAULT = (DIFF, AGG_TRADE, FORCE_ORDER, MARK_PRICE)

STREAMS_A_CONNECTION = 200  # the venue allows 1024, one of its own libraries no more than this
# The venue reads 10 messages a second from a connection, pings and pongs among them.
TERMS = Terms(STREAMS_A_MESSAGE, pace=(5, 1.0))
SNAPSHOT_LEVELS, SNAPSHOT_WEIGHT = 1000, 20  # there is no longer one
PARTIAL_LEVELS = 20
PATIENCE_NS = 3 * SECOND  # without a partial book, before a snapshot is asked for by REST
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


class BinanceFutures:
    """Facts that both venues share. ``paths``: the sockets' paths, each with the channels that it carries."""

    channels: tuple[Channel, ...] = CHANNELS
    default_channels: tuple[str, ...] = tuple(channel.name for channel in DEFAULT)
    rest_budget: tuple[int, float] = (2400, 60.0)
    connect_budget: tuple[int, float] = (300, 300.0)
    lifetime_s: float | None = LIFETIME_S
    max_frame_bytes: int | None = 8 * 1024 * 1024
    used_weight_header: str | None = "X-MBX-USED-WEIGHT-1M"
    id: str
    ws_url: str
    rest_url: str
    api: str
    paths: tuple[tuple[str, tuple[Channel, ...]], ...]

    def instruments_requests(self) -> tuple[Request, ...]:
        return (Request(f"{self.api}/exchangeInfo", purpose="instruments"),)

    def parse_instruments(self, body: bytes) -> InstrumentList:
        return wire.read_contracts(self.id, body)

    def lines(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> list[Line]:
        names = channels or self.default_channels
        selected = chosen(self.channels, names)
        if not _is_joined(selected):
            selected = subscribable(self.channels, names)
        if AGG_TRADE in selected and TRADE in selected:
            raise ConfigError(f"{AGG_TRADE.name} and {TRADE.name} are the same trades; choose one")
        lines = []
        rows = list(instruments)
        for path, carried in self.paths:
            taken = tuple(channel for channel in selected if channel in carried)
            size = STREAMS_A_CONNECTION // max(1, len(taken))
            for start in range(0, len(rows), size) if taken else ():
                part = Instruments(self.id, rows[start : start + size])
                lines.append(Line(self.ws_url, path, FuturesSession(self, part, taken, depth)))
        return lines

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> FuturesSession:
        selected = chosen(self.channels, channels)
        return FuturesSession(self, instruments, selected or self.channels, depth)


def _is_joined(channels: tuple[Channel, ...]) -> bool:
    """Whether partial books are taken as the snapshots of each change, and no other book."""
    return {channel for channel in channels if channel.kind == "book"} == {FAST, PARTIAL}


class JoinedMarket(DiffMarket):
    """Diffs whose snapshots come on a stream beside them, at no weight: partial books have the ids of diffs.

    Probed in autumn 2026: 40,200 partial books, each what the diffs had led to. Of their 20 levels those are known that
    no diff has taken away, so that at times there are fewer. REST is asked where the stream stays silent.
    """

    _beside_ns = 0  # when the stream beside last sent something

    def connected(self, now_ns: int) -> None:
        super().connected(now_ns)
        self._beside_ns = now_ns

    @property
    def is_due(self) -> bool:
        """Whether the next partial book is of use."""
        return self.diffs.last is None or self.diffs.is_short

    def beside(self, snapshot: Snapshot, now_ns: int) -> list[Output]:
        """A partial book; raises FrameError where it cannot be one."""
        self._beside_ns = now_ns
        if self.diffs.last is None:
            return self.offer(snapshot, now_ns)
        check_snapshot(snapshot)
        self.diffs.renew(snapshot, now_ns)
        return []

    def came(self, now_ns: int) -> None:
        """A partial book that is of no use now."""
        self._beside_ns = now_ns

    def _ask(self, now_ns: int) -> list[Output]:
        return super()._ask(now_ns) if now_ns - self._beside_ns > PATIENCE_NS else []


class FuturesSession(StreamSession):
    """One combined-stream connection of either venue."""

    def __init__(
        self, venue: BinanceFutures, instruments: Instruments, channels: tuple[Channel, ...], depth: int
    ) -> None:
        self.beside = frozenset([PARTIAL] if _is_joined(channels) else [])

        def market(instrument: Instrument) -> StreamMarket:
            path = f"{venue.api}/depth?symbol={quote(instrument.venue_symbol)}&limit={SNAPSHOT_LEVELS}"
            request = Request(path, SNAPSHOT_WEIGHT, instrument.symbol)
            made = StreamMarket(instrument, channels, depth, request, _joins, SNAPSHOT_LEVELS)
            if self.beside:
                made.diffs = made.book = JoinedMarket(
                    made.feed("book"), request, _joins, depth, made.units, PARTIAL_LEVELS
                )
            if AGG_TRADE in channels:  # the venue lists other trades only for a key
                made.fill_trades_by(trades_from(f"{venue.api}/aggTrades", 20, instrument))
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
        listed = venue.parse_instruments
        super().__init__(
            venue.id, markets, channels, takes, parse_list=listed, ignored=ignored, bare=_WORDS, terms=TERMS
        )
        self._unclaimed: list[Snapshot] = []

    def offered(self, body: bytes, received_ns: int) -> list[Output]:
        depth = wire.read_depth(body)
        snapshot = Snapshot(depth.lastUpdateId, depth.bids, depth.asks)
        if depth.symbol is not None:
            return self.markets.of(depth.symbol).diffs.offer(snapshot, received_ns)
        check_snapshot(snapshot)
        self._unclaimed = [*self._unclaimed, snapshot][-_KEPT:]
        owner = max(self.markets, key=lambda market: _shared(market.diffs, snapshot), default=None)
        return [] if owner is None else self._claim(owner.diffs, received_ns)

    def _claim(self, market: DiffMarket, received_ns: int) -> list[Output]:
        """What follows when one of the snapshots kept is this market's: by its levels, or as nothing else is left."""
        only = len(self._unclaimed) == 1 and len([*self.markets]) == 1
        for index, snapshot in enumerate(self._unclaimed):
            joins = any(market.joins(diff, snapshot.last) for diff in market.diffs.buffer)
            if joins and (only or _shared(market, snapshot)):
                del self._unclaimed[index]
                return market.offer(snapshot, received_ns)
        return []

    def _on_diff(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.own(wire.read_diff(frame).data)
        if not data.pu <= data.U <= data.u:
            raise FrameError("wrong_shape", f"update ids do not rise: pu {data.pu}, U {data.U}, u {data.u}")
        check_levels([*data.b, *data.a])
        out = market.diffs.take(Diff(data.pu, data.u, data.b, data.a, venue_ns(data.E), received_ns))
        if not out and market.diffs.diffs.last is not None:
            self.count("repeated_diff")
        return out + self._claim(market.diffs, received_ns) if self._unclaimed else out

    def _on_partial(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        if isinstance(market.diffs, JoinedMarket) and not market.diffs.is_due:
            market.diffs.came(received_ns)
            return self.count("partial_book")
        data = market.own(wire.read_diff(frame).data)
        if isinstance(market.diffs, JoinedMarket):
            return market.diffs.beside(Snapshot(data.u, data.b, data.a), received_ns) or self.count("partial_book")
        return market.whole.take(data.u, data.b, data.a, venue_ns(data.E), received_ns) or self.count("repeated_book")

    def _on_agg_trade(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.own(wire.read_agg_trade(frame).data)
        side, traded_ns = taker(data.m), venue_ns(data.T)
        out = market.trade(str(data.a), data.p, data.q, side, traded_ns, received_ns, "live", data.a)
        return out or self.count("duplicate_trade")

    def read_trades(self, market: StreamMarket, body: bytes, received_ns: int) -> list[Output]:
        def take(row: wire.AggTradeRow) -> list[Output]:
            side, traded_ns = taker(row.m), venue_ns(row.T)
            return market.trade(str(row.a), row.p, row.q, side, traded_ns, received_ns, "rest", row.a)

        return self.each(wire.read_agg_trade_rows(body), take, body, received_ns)

    def _on_trade(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.own(wire.read_trade(frame).data)
        if data.X not in ("MARKET", "RPI") and market.numbered is not None:
            # Not traded on the book, but numbered with what is.
            return self.count("fund_trade") + market.numbered.take(data.t, venue_ns(data.T), received_ns)[1]
        side, traded_ns = taker(data.m), venue_ns(data.T)
        out = market.trade(str(data.t), data.p, data.q, side, traded_ns, received_ns, "live", data.t)
        return out or self.count("duplicate_trade")

    def _on_force_order(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        """No id is sent: the order's time stands for it, no two of a symbol are sent within a second."""
        order = market.own(wire.read_force_order(frame).data.o)
        side: Side = "sell" if order.S == "SELL" else "buy"
        out = market.liquidation(str(order.T), order.ap, order.z, side, venue_ns(order.T), received_ns)
        return out or self.count("duplicate_liquidation")

    def _on_mark_price(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.own(wire.read_mark_price(frame).data)
        return market.funding(
            rate=data.r or None,
            mark_price=data.p,
            index_price=data.i or None,
            next_funding_ns=venue_ns(data.T) if data.T else None,
            venue_ns=venue_ns(data.E),
            received_ns=received_ns,
        )

    def _on_quote(self, market: StreamMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.own(wire.read_ticker(frame).data)
        bid, ask = level(data.b, data.B), level(data.a, data.A)
        return market.quote(bid, ask, data.u, venue_ns(data.E), received_ns) or self.count("repeated_quote")


_KEPT = 64  # snapshots in a recording that no diff has claimed yet


def _joins(diff: Diff, snapshot_id: int) -> bool:
    """U <= lastUpdateId <= u, or pu = lastUpdateId. No update of the symbol lies between pu and U."""
    return diff.previous <= snapshot_id <= diff.last


def _shared(market: DiffMarket, snapshot: Snapshot) -> int:
    """How many levels of the diffs that wait for a snapshot this one holds as they are.

    In a recording USD-M snapshots do not say whose they are, and the ids of many symbols lie around theirs.
    """
    held = {*snapshot.bids, *snapshot.asks}
    return sum(pair in held for diff in market.diffs.buffer for pair in (*diff.bids, *diff.asks))
