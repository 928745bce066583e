"""One instrument on one connection: the rule of its book, its merged ticker, and what a refused frame puts in doubt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from urllib.parse import quote

from mdplatform.core.clock import MS, SECOND
from mdplatform.core.decimals import ZEROS
from mdplatform.core.errors import FrameError
from mdplatform.core.events import Side
from mdplatform.core.session import Channel, ChannelKind, Output, Request
from mdplatform.core.symbols import Instrument
from mdplatform.venuekit.books.chained import ChainedBook
from mdplatform.venuekit.market import Market
from mdplatform.venuekit.pause import Pause
from mdplatform.venuekit.trade_ids import Missing
from mdplatform.venues.bybit import wire

RETRY_NS, LAST_RETRY_NS = 10 * SECOND, 160 * SECOND  # between two requests for a ticker's snapshot

_PRICES = ("fundingRate", "markPrice", "indexPrice", "nextFundingTime")
_STATED = (*_PRICES, "openInterest", "openInterestValue", "lastPrice")

# Of an option's ticker: our names of what it states, and of which 0 means that there is none.
_WORTH = {
    **{"markPrice": "mark_price", "markPriceIv": "mark_iv", "bidIv": "bid_iv", "askIv": "ask_iv"},
    **{"bidPrice": "bid_price", "askPrice": "ask_price", "lastPrice": "last_price", "delta": "delta", "gamma": "gamma"},
    **{"vega": "vega", "theta": "theta", "underlyingPrice": "underlying_price", "openInterest": "open_interest"},
}
_OR_NONE = frozenset(("mark_iv", "bid_iv", "ask_iv", "bid_price", "ask_price", "last_price"))

# The split of a stock is an execution too, since 2026-07-23 (documented of one's own executions): nobody traded.
_NO_TRADE = "CorporateAction"
TAKER: dict[str, Side] = {"Buy": "buy", "Sell": "sell"}
FORCED: dict[str, Side] = {"Buy": "sell", "Sell": "buy"}  # a long that is liquidated is sold


class BybitMarket(Market):
    """``topic`` is the one that its book comes from: the first that sends decides, two would contradict.

    ``count`` counts messages without event, by kind.
    """

    carrier = "topic"

    def __init__(
        self, instrument: Instrument, channels: tuple[Channel, ...], depth: int, count: Callable[[str], list[Output]]
    ) -> None:
        super().__init__(instrument, channels, sequential_ids=False)
        self._count = count
        self.stream = ChainedBook(self.feed("book"), depth, self.units, counts=True)
        self.book = self.stream
        named = next((channel.name for channel in channels if channel.kind == "book"), "")
        self.topic = f"{named}.{self.venue_symbol}"
        if "trades" in self.feeds:
            self.backfill_trades_by(self._recent)
        self._ticker: dict[str, str] | None = None  # None until its snapshot came
        self._ticker_pause = Pause(RETRY_NS, LAST_RETRY_NS)

    def connected(self, now_ns: int) -> list[Output]:
        self._ticker = None
        self._ticker_pause.forget()
        self._ticker_pause.asked(now_ns)
        return super().connected(now_ns)

    def levels(self, frame: wire.BookFrame, topic: str, depth: int, now_ns: int) -> list[Output]:
        """orderbook.50 and deeper: ``u`` counts up by one a message, and is 1 where the venue starts again."""
        if not self.is_active_source("book", topic):
            return self._count("other_depth")
        self.topic, self.stream.keep = topic, depth
        data, time_ns = frame.data, frame.time_ms * MS
        if frame.type == "snapshot" or data.u == 1:
            return self.stream.snapshot(data.b, data.a, data.u, time_ns, now_ns)
        out = self.stream.follow(data.b, data.a, data.u - 1, data.u, time_ns, now_ns)
        return self._count("repeated_update") if out is None else out or self._count("update_without_snapshot")

    def best(self, frame: wire.BookFrame, now_ns: int) -> list[Output]:
        """orderbook.1: whole every time, and sent again with the same ``u`` after 3 s without a change."""
        data = frame.data
        if frame.type == "delta":
            raise FrameError("obsolete_format", "orderbook.1 has no deltas any more, only snapshots")
        if len(data.b) > 1 or len(data.a) > 1:
            raise FrameError("wrong_shape", "more than one level a side in orderbook.1")
        if data.u == self._quoted:
            feed = self.feed("bbo")
            resumed: list[Output] = [*feed.valid("resumed", data.u, now_ns)]
            feed.proven(data.u, now_ns)
            return resumed or self._count("repeated_quote")
        bid, ask = (side[0] if side else None for side in (data.b, data.a))
        return self.quote(bid, ask, data.u, frame.time_ms * MS, now_ns) or self._count("older_quote")

    def traded(self, row: wire.TradeRow, now_ns: int) -> list[Output]:
        self.ensure_symbol(row.s)
        if row.execType == _NO_TRADE:
            return self._count("corporate_action")
        events = self.trade(row.i, row.p, row.v, TAKER[row.S], row.T * MS, now_ns)
        return events or self._count("duplicate_trade")

    def knows(self, trade_id: str) -> bool:
        return trade_id in self._seen

    def past(self, row: wire.PastTrade, now_ns: int) -> list[Output]:
        """A trade by REST, of the same grain as those of the socket: one a match, by the same id."""
        self.ensure_symbol(row.symbol)
        if row.execType == _NO_TRADE:
            return self._count("corporate_action")
        time_ns = wire.time_ms(row.time) * MS
        return self.trade(row.execId, row.price, row.size, TAKER[row.side], time_ns, now_ns, "rest")

    def _recent(self, missing: Missing | None) -> Request:
        """The latest trades, as many as there are to have: which are missing, nobody knows."""
        category, limit = self.instrument.category, 60 if self.instrument.category == "spot" else 1000
        path = f"/v5/market/recent-trade?category={category}&symbol={quote(self.venue_symbol)}&limit={limit}"
        return Request(path, symbol=self.symbol, purpose="trades")

    def liquidated(self, row: wire.LiquidationRow, equal: Counter[str], now_ns: int) -> list[Output]:
        """It carries no id: time, side, price and size stand for it, and a count of those ``equal`` in one message."""
        self.ensure_symbol(row.s)
        name = f"{row.T}-{row.S}-{row.p}-{row.v}"
        equal[name] += 1
        order_id = name if equal[name] == 1 else f"{name}-{equal[name]}"
        events = self.liquidation(order_id, row.p, row.v, FORCED[row.S], row.T * MS, now_ns)
        return events or self._count("duplicate_liquidation")

    def ticker(self, frame: wire.TickerFrame, now_ns: int) -> list[Output]:
        """A snapshot, then deltas that hold what changed; events where it concerns funding or open interest."""
        stated = {name: text for name in _STATED if (text := getattr(frame.data, name)) is not None}
        if frame.type == "delta" and self._ticker is None:
            return self._count("delta_before_snapshot")
        if stated.keys() <= {"lastPrice"}:  # part of the next event
            self._ticker = None if self._ticker is None else self._ticker | stated
            return self._count("ticker")
        merged = {**(self._ticker or {}), **stated} if frame.type == "delta" else stated
        interest = self._open(merged, frame.ts * MS, now_ns)
        out = self._funding(merged, frame.ts * MS, now_ns) if any(name in stated for name in _PRICES) else []
        self._ticker = merged
        self._ticker_pause.whole(now_ns)
        return [*out, *interest] or self._count("ticker")

    def option(self, frame: wire.OptionFrame, now_ns: int) -> list[Output]:
        """An option's ticker: whole, or what changed (reported 2026-09)."""
        stated = {ours: text for name, ours in _WORTH.items() if (text := getattr(frame.data, name)) is not None}
        if frame.type == "delta" and self._ticker is None:
            return self._count("delta_before_snapshot")
        self._ticker = {}
        self._ticker_pause.whole(now_ns)
        if frame.type == "snapshot":
            stated = dict.fromkeys(_WORTH.values()) | stated
        for name in _OR_NONE & stated.keys():
            stated[name] = None if stated[name] in (*ZEROS, "") else stated[name]
        out = self.option_summary(frame.ts * MS, now_ns, **stated)
        size = frame.data.openInterest
        interest = self.open_interest(size, venue_ns=frame.ts * MS, received_ns=now_ns) if size else []
        return [*out, *interest] or self._count("ticker")

    def _open(self, ticker: dict[str, str], venue_ns: int, now_ns: int) -> list[Output]:
        size = ticker.get("openInterest") or None
        value = None if self.instrument.inverse else ticker.get("openInterestValue") or None
        price = ticker.get("markPrice") or None
        return self.open_interest(size, price=price, value=value, venue_ns=venue_ns, received_ns=now_ns)

    def _funding(self, ticker: dict[str, str], venue_ns: int, now_ns: int) -> list[Output]:
        time = ticker.get("nextFundingTime", "")
        return self.funding(
            rate=ticker.get("fundingRate") or None,
            mark_price=ticker.get("markPrice") or None,
            index_price=ticker.get("indexPrice") or None,
            last_price=ticker.get("lastPrice") or None,
            next_funding_ns=None if time in ("", "0") else wire.time_ms(time) * MS,
            venue_ns=venue_ns,
            received_ns=now_ns,
        )

    def doubt(self, kinds: tuple[ChannelKind, ...], now_ns: int) -> list[Output]:
        """A message of one of these kinds was lost, and no later one would show it. Books count for themselves."""
        out: list[Output] = []
        for kind in kinds:
            feed = self.feeds.get(kind)
            if feed is not None and feed.state == "valid":
                out += feed.invalid("gap", "refused_frame", now_ns)
                if kind == "trades":
                    self.broke_trades()
        if "funding" in kinds and self._ticker is not None:
            self._ticker = None
            self._ticker_pause.broke(now_ns)
        return out

    def lost_topics(self, now_ns: int) -> list[str]:
        """The topics to subscribe to again now, which brings a snapshot; the caller is expected to do it."""
        topics = []
        if self.stream.wants_snapshot(now_ns):
            self.stream.awaits(now_ns)
            topics.append(self.topic)
        feed = None if self._ticker is not None else self.feeds.get("funding")
        if feed is not None and feed.state is not None and self._ticker_pause.is_over(now_ns):
            self._ticker_pause.asked(now_ns)
            topics.append(f"tickers.{self.venue_symbol}")
        return topics
