"""Coinbase Exchange: the ws-feed and its REST calls. At the same address Advanced Trade answers too.

https://docs.cdp.coinbase.com/exchange/websocket-feed/channels and https://docs.cdp.coinbase.com/exchange/reference.
The venue has an address for each of the two; ours are replaced by one. Which is spoken shows in a request: ``channels``
here, one ``channel`` there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mdplatform.simulator.engine.feed import Frame
from mdplatform.simulator.engine.instruments import Asset, Instrument, Lattice
from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.faults.script import Fault
from mdplatform.simulator.protocol.exchange import Exchange, MatchingEngine
from mdplatform.simulator.protocol.limits import ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer, answer
from mdplatform.simulator.protocol.wire import iso
from mdplatform.simulator.venues.coinbase import advanced
from mdplatform.simulator.venues.coinbase.advanced import AdvancedExchange
from mdplatform.simulator.venues.coinbase.feed import (
    ADVANCED,
    MARK,
    PUBLISH_NS,
    VENUE,
    AdvancedFeed,
    AdvancedFeeds,
    CoinbaseFeeds,
)

_SIZE_DECIMALS = {"XRP": 6, "DOGE": 1, "LINK": 2}  # the others eight
_CHANNELS = {  # what may be subscribed, and the name that the venue knows it by
    "level2_batch": "level2_50",
    "level2_50": "level2_50",
    "matches": "matches",
    "heartbeat": "heartbeat",
    "ticker": "ticker",
}

LIMITS = ConnectionLimits(
    subscribe_within_s=5.0,
    messages=(100.0, 100.0),
    connects=(8.0, 20.0),
    requests=(10.0, 15.0),
)


class CoinbaseExchange(AdvancedExchange):
    """Subscriptions by message within five seconds; the answer lists all that the connection now has.

    One bad product refuses a whole request (documented).
    """

    venue = VENUE
    default_limits = LIMITS
    lists = ("/products",)

    def receive(self, peer: Peer, message: bytes, now_ns: int) -> None:
        try:
            request = msgspec.json.decode(message, type=dict[str, Any])
            if "channel" in request:
                self.requested(peer, request, now_ns)
                return
            topics = self._exchange_topics(request)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            peer.reply(_error("Malformed JSON", None))
            return
        except _Refused as refused:
            peer.reply(_error("Failed to subscribe", str(refused)))
            return
        if request["type"] == "unsubscribe":
            self.leave(peer, topics)
            peer.reply(self._subscriptions(peer))
            return
        fresh = [topic for topic in topics if topic not in peer.topics]
        for topic in fresh:
            self.join(peer, topic)
        peer.reply(self._subscriptions(peer))
        for topic in fresh:
            self._begin(peer, topic, now_ns)

    def envelope(self, peer: Peer, frame: Frame) -> bytes:
        return super().envelope(peer, frame) if frame.topic.startswith(MARK) else frame.body

    def beat(self, peer: Peer, now_ns: int) -> None:
        if any(topic.startswith(MARK) for topic in peer.topics):
            super().beat(peer, now_ns)

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        if path.startswith(("/api/v3/brokerage/", "/market/")):
            return super().respond(path, query, now_ns)
        return _answered(self.markets, path, query, now_ns)

    def skip(self, fault: Fault) -> int:
        """Numbers of trades, or of the messages of connections that have any."""
        if (fault.channel or "").startswith(("match", "market_trades")):
            return Exchange.skip(self, fault)
        return super().skip(fault)

    def feed_of(self, runner: MarketRunner) -> AdvancedFeed:
        return self._feeds_of(runner).advanced

    def _feeds_of(self, runner: MarketRunner) -> CoinbaseFeeds:
        return next(feed for feed in runner.feeds if isinstance(feed, CoinbaseFeeds) and feed.venue == self.venue)

    def _exchange_topics(self, request: dict[str, Any]) -> list[str]:
        """The topics that a request names; _Refused says what is wrong with it."""
        if request.get("type") not in ("subscribe", "unsubscribe"):
            raise _Refused(f"{request.get('type')} is not a valid type")
        channels = request.get("channels")
        if not isinstance(channels, list) or not channels:
            raise _Refused("channels must be a list with at least one channel")
        topics: list[str] = []
        for channel in channels:
            name, products = channel, request.get("product_ids", [])
            if isinstance(channel, dict):
                name, products = channel.get("name"), channel.get("product_ids", products)
            topics += self._checked(name, products)
        return topics

    def _checked(self, name: Any, products: Any) -> list[str]:
        if name == "level2":
            raise _Refused("level2 requires authentication")
        if not isinstance(name, str) or name not in _CHANNELS:
            raise _Refused(f"{name} is not a valid channel")
        if not isinstance(products, list) or not products:
            raise _Refused(f"{name} needs product_ids")
        for product in products:
            if product not in self.markets:
                raise _Refused(f"{product} is not a valid product")
        return [f"{_CHANNELS[name]}:{product}" for product in products]

    def _subscriptions(self, peer: Peer) -> bytes:
        by_channel: dict[str, list[str]] = {}
        for topic in peer.topics:
            if not topic.startswith(MARK):
                channel, _, product = topic.partition(":")
                by_channel.setdefault(channel, []).append(product)
        channels = [
            {"name": channel, "product_ids": products, "account_ids": None} for channel, products in by_channel.items()
        ]
        return msgspec.json.encode({"type": "subscriptions", "channels": channels})

    def _begin(self, peer: Peer, topic: str, now_ns: int) -> None:
        """What a new subscription begins with."""
        channel, _, product = topic.partition(":")
        runner = self.markets[product]
        feed = self._feeds_of(runner).exchange
        if channel == "level2_50":
            frame = feed.snapshot(now_ns)
        elif channel in ("matches", "ticker") and runner.trades:
            frame = feed.last(channel, runner.trades[-1])
        else:
            return
        peer.offer(frame)


class CoinbaseAdvanced(CoinbaseExchange):
    """The address of Advanced Trade, with its limits; Exchange answers here too, as a collector has one address."""

    venue = ADVANCED
    default_limits = advanced.LIMITS

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        found = AdvancedExchange.respond(self, path, query, now_ns)
        return super().respond(path, query, now_ns) if found.status == 404 else found

    def skip(self, fault: Fault) -> int:
        return AdvancedExchange.skip(self, fault)


class _Refused(Exception):
    """Why a subscription is refused."""


def _error(message: str, reason: str | None) -> bytes:
    return msgspec.json.encode({"type": "error", "message": message} | ({"reason": reason} if reason else {}))


def _lists(asset: Asset, start_ns: int) -> list[Instrument]:
    """Coinbase writes prices at their tick and sizes with eight decimals."""
    price = Lattice(asset.tick_decimals, asset.tick_decimals)
    return [Instrument(asset, f"{asset.name}-USD", "USD", price, Lattice(_SIZE_DECIMALS.get(asset.name, 8), 8))]


_NOT_FOUND = Answer(404, b'{"message":"NotFound"}')
_BOOK_LEVELS = {"1": 1, "2": 1_000_000}


def _answered(markets: Markets, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
    """Answer `/products`, `/products/{id}`, `/products/{id}/book`, `/products/{id}/trades` and `/time`."""
    parts = path.strip("/").split("/")
    if parts == ["time"]:
        return answer({"iso": iso(now_ns), "epoch": now_ns / 1e9})
    if parts == ["products"]:
        return answer([_product(instrument) for instrument in markets.instruments.values()])
    if parts[0] != "products" or len(parts) < 2 or parts[1] not in markets:
        return _NOT_FOUND
    return _about(markets[parts[1]], parts[2:], query, now_ns)


def _about(runner: MarketRunner, what: list[str], query: Mapping[str, str], now_ns: int) -> Answer:
    match what:
        case []:
            return answer(_product(runner.market.instrument))
        case ["book"]:
            return _book(runner, query.get("level", "1"), now_ns)
        case ["trades"]:
            return _trades(runner, query)
    return _NOT_FOUND


def _product(instrument: Instrument) -> dict[str, Any]:
    return {
        "id": instrument.symbol,
        "base_currency": instrument.base,
        "quote_currency": instrument.quote,
        "quote_increment": instrument.price.step,
        "base_increment": instrument.size.step,
        "display_name": f"{instrument.base}-{instrument.quote}",
        "min_market_funds": "1",
        "margin_enabled": False,
        "post_only": False,
        "limit_only": False,
        "cancel_only": False,
        "status": "online",
        "status_message": "",
        "trading_disabled": False,
        "fx_stablecoin": False,
        "max_slippage_percentage": "0.02000000",
        "auction_mode": False,
        "high_bid_limit_percentage": "",
    }


def _book(runner: MarketRunner, level: str, now_ns: int) -> Answer:
    """Level 2: the whole book, each level with its number of orders (one here)."""
    if level not in _BOOK_LEVELS:
        return Answer(400, b'{"message":"Invalid level"}')
    bids, asks = ([(price, size, 1) for price, size in side] for side in runner.levels(_BOOK_LEVELS[level]))
    number = runner.market.update_id
    return answer({"bids": bids, "asks": asks, "sequence": number, "auction_mode": False, "time": iso(now_ns)})


def _trades(runner: MarketRunner, query: Mapping[str, str]) -> Answer:
    """Newest first; `after` pages to older trades, `before` to newer ones, by trade id."""
    instrument = runner.market.instrument
    try:
        limit = min(1000, max(1, int(query.get("limit", 1000))))
        after, before = int(query.get("after", 2**62)), int(query.get("before", 0))
    except ValueError:
        return Answer(400, b'{"message":"Invalid value for pagination"}')
    kept = [trade for trade in reversed(runner.trades) if before < trade.trade_id < after][:limit]
    rows = [
        {
            "trade_id": trade.trade_id,
            "side": trade.maker_side,
            "size": instrument.size.text(trade.lots),
            "price": instrument.price.text(trade.tick),
            "time": iso(trade.ns),
        }
        for trade in kept
    ]
    cursors = (("CB-BEFORE", str(kept[0].trade_id)), ("CB-AFTER", str(kept[-1].trade_id))) if kept else ()
    return answer(rows)._replace(headers=cursors)


_PROTOCOLS = ((CoinbaseExchange, CoinbaseFeeds), (CoinbaseAdvanced, AdvancedFeeds))
ENGINES = (MatchingEngine(VENUE, _lists, PUBLISH_NS, _PROTOCOLS),)
