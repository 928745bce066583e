"""What follows from a message of each topic."""

from __future__ import annotations

from collections.abc import Callable

from mdplatform.core.decimals import Levels, check_levels, plain, quoted
from mdplatform.core.errors import FrameError
from mdplatform.core.session import Channel, Output
from mdplatform.venuekit.books.diff_book import Diff
from mdplatform.venuekit.pending_snapshots import Unclaimed
from mdplatform.venues.kucoin import wire
from mdplatform.venues.kucoin.channels import BBO, BOOK, DEPTH, FUTURES_TOPICS, INSTRUMENT, SPOT_TOPICS, TRADES
from mdplatform.venues.kucoin.market import Symbol

Read = Callable[[wire.Envelope, Symbol, int], list[Output]]
Count = Callable[[str], list[Output]]


class Topics:
    """``readers``: topic -> its channel and the function that reads it; ``count`` is told what gives no event."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self.unclaimed = Unclaimed()
        self.readers: dict[str, tuple[Channel, Read]] = {
            SPOT_TOPICS[BOOK]: (BOOK, self._spot_diff),
            SPOT_TOPICS[DEPTH]: (DEPTH, self._depth),
            SPOT_TOPICS[TRADES]: (TRADES, _spot_match),
            SPOT_TOPICS[BBO]: (BBO, _level1),
            FUTURES_TOPICS[BOOK]: (BOOK, self._futures_diff),
            FUTURES_TOPICS[DEPTH]: (DEPTH, self._depth),
            FUTURES_TOPICS[TRADES]: (TRADES, _futures_match),
            FUTURES_TOPICS[BBO]: (BBO, _ticker),
            FUTURES_TOPICS[INSTRUMENT]: (INSTRUMENT, self._instrument),
        }

    def _spot_diff(self, message: wire.Envelope, market: Symbol, received_ns: int) -> list[Output]:
        data = wire.read_spot_diff(message.data)
        _own(market, data.symbol)
        if data.sequenceEnd < data.sequenceStart:
            raise FrameError("wrong_shape", f"sequence {data.sequenceStart} is above its end, {data.sequenceEnd}")
        bids, asks = wire.changed(data.changes.bids), wire.changed(data.changes.asks)
        venue_ns = wire.ms(data.time, received_ns)
        return self._take(market, Diff(data.sequenceStart - 1, data.sequenceEnd, bids, asks, venue_ns, received_ns))

    def _futures_diff(self, message: wire.Envelope, market: Symbol, received_ns: int) -> list[Output]:
        data = wire.read_futures_diff(message.data)
        price, _, rest = data.change.partition(",")
        side, _, size = rest.partition(",")
        if side not in ("buy", "sell"):
            raise FrameError("wrong_shape", f"not 'price,side,size': {data.change[:60]!r}")
        level: Levels = wire.changed([(price, size, "")])
        bids, asks = (level, []) if side == "buy" else ([], level)
        venue_ns = wire.ms(data.timestamp, received_ns)
        return self._take(market, Diff(data.sequence - 1, data.sequence, bids, asks, venue_ns, received_ns))

    def _take(self, market: Symbol, diff: Diff) -> list[Output]:
        check_levels([*diff.bids, *diff.asks])
        if not market.pinned(BOOK):
            return self._count(BOOK.name)
        was_joined = market.diffs.diffs.last is not None
        out = market.diffs.take(diff)
        if not out and was_joined:
            return self._count("repeated_update")
        return out + self.unclaimed.claim(market.diffs, diff, diff.received_ns) if self.unclaimed else out

    def _depth(self, message: wire.Envelope, market: Symbol, received_ns: int) -> list[Output]:
        data = wire.read_depth(message.data)
        if not market.pinned(DEPTH):
            return self._count(DEPTH.name)
        venue_ns = wire.ms(data.timestamp, received_ns)
        sequence = data.timestamp if data.sequence is None else data.sequence  # spot numbers none
        out = market.whole.take(sequence, wire.levels(data.bids), wire.levels(data.asks), venue_ns, received_ns)
        return out or self._count("repeated_book")

    def _instrument(self, message: wire.Envelope, market: Symbol, received_ns: int) -> list[Output]:
        if message.subject not in ("mark.index.price", "funding.rate"):
            return self._count(message.subject or "instrument")
        data = wire.read_state(message.data)
        if message.subject == "funding.rate":
            stated = {"rate": wire.number(data.fundingRate)}
        else:
            stated = {"mark_price": wire.number(data.markPrice), "index_price": wire.number(data.indexPrice)}
        if next(iter(stated.values())) is None:
            raise FrameError("wrong_shape", f"a message of {message.subject} without what it is about")
        return market.prices(wire.ms(data.timestamp, received_ns), received_ns, **stated) or self._count("older_price")


def _spot_match(message: wire.Envelope, market: Symbol, received_ns: int) -> list[Output]:
    data = wire.read_spot_match(message.data)
    _own(market, data.symbol)
    return market.trade(data.tradeId, data.price, data.size, data.side, wire.ns(data.time), received_ns)


def _futures_match(message: wire.Envelope, market: Symbol, received_ns: int) -> list[Output]:
    data = wire.read_futures_match(message.data)
    _own(market, data.symbol)
    return market.trade(data.tradeId, data.price, plain(data.size), data.side, wire.ns(data.ts), received_ns)


def _level1(message: wire.Envelope, market: Symbol, received_ns: int) -> list[Output]:
    data = wire.read_level1(message.data)
    if len(data.bids) == 1 or len(data.asks) == 1:
        raise FrameError("wrong_shape", "a best price without its size")
    bid = quoted(data.bids[0], data.bids[1]) if data.bids else None
    ask = quoted(data.asks[0], data.asks[1]) if data.asks else None
    return market.quote(bid, ask, None, wire.ms(data.timestamp, received_ns), received_ns)


def _ticker(message: wire.Envelope, market: Symbol, received_ns: int) -> list[Output]:
    data = wire.read_ticker(message.data)
    _own(market, data.symbol)
    bid = quoted(data.bestBidPrice, wire.number(data.bestBidSize))
    ask = quoted(data.bestAskPrice, wire.number(data.bestAskSize))
    return market.quote(bid, ask, data.sequence, wire.ns(data.ts), received_ns)


def _own(market: Symbol, symbol: str) -> None:
    if symbol != market.venue_symbol:
        raise FrameError("wrong_shape", f"the topic is of {market.venue_symbol}, the message of {symbol[:40]!r}")
