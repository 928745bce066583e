"""Coinbase Exchange: the ws-feed and its REST calls. At the same address Advanced Trade answers too.

https://docs.cdp.coinbase.com/exchange/websocket-feed/channels. The venue has an address for each of the two; ours are
replaced by one. Which is spoken shows in a request: ``channels`` here, one ``channel`` there.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from mdplatform.simulator.engine.events import Change, Event, Quote, Trade
from mdplatform.simulator.engine.feed import Batch, Feed, Frame
from mdplatform.simulator.engine.instruments import Asset, Instrument, Lattice
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.engine.market_runner import MarketRunner
from mdplatform.simulator.faults.script import Fault
from mdplatform.simulator.protocol.exchange import SECOND, Exchange, MatchingEngine
from mdplatform.simulator.protocol.limits import ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer
from mdplatform.simulator.protocol.wire import iso
from mdplatform.simulator.venues.coinbase import advanced, rest
from mdplatform.simulator.venues.coinbase.advanced import MARK, AdvancedExchange, AdvancedFeed

VENUE = "coinbase"
PUBLISH_NS = 50_000_000
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


class CoinbaseFeed(Feed):
    """The channels of one product."""

    def __init__(self, market: Market, wanted: Container[str], venue: str = VENUE) -> None:
        super().__init__(market, wanted)
        self.venue = venue  # whose address it is published at
        self._batch = Batch()
        self._quote = market.quote(0)
        self._orders = Random(f"orders/{self.symbol}")

    def event(self, event: Event) -> Iterator[Frame]:
        if isinstance(event, Change):
            self._batch.add(event)
        elif isinstance(event, Trade):
            yield from self.to(event.ns, "matches", self._match, event)
            yield from self.to(event.ns, "ticker", self._ticker, event)
        elif isinstance(event, Quote):
            self._quote = event

    def edge(self, ns: int) -> Iterator[Frame]:
        if self._batch:
            batch, self._batch = self._batch, Batch()
            yield from self.to(ns, "level2_50", self._update, batch)
        if ns % SECOND == 0:
            yield from self.to(ns, "heartbeat", self._heartbeat)

    def snapshot(self, ns: int) -> Frame:
        """The whole book, as sent once to who subscribes."""
        bids, asks = self.top()
        body = f'{{"type":"snapshot","product_id":"{self.symbol}","asks":[{asks}],"bids":[{bids}],"time":"{iso(ns)}"}}'
        return self.frame("level2_50", body, ns)

    def last(self, channel: str, trade: Trade) -> Frame:
        """The latest trade, again, for who subscribes."""
        if channel == "ticker":
            body = self._ticker(trade, trade.ns)
        else:
            body = self._match(trade, trade.ns).replace('"match"', '"last_match"', 1)
        return self.frame(channel, body, trade.ns)

    def _match(self, trade: Trade, ns: int) -> str:
        maker, taker = (UUID(int=self._orders.getrandbits(128), version=4) for _ in range(2))
        return (
            f'{{"type":"match","trade_id":{trade.trade_id},"maker_order_id":"{maker}","taker_order_id":"{taker}",'
            f'"side":"{trade.maker_side}","size":"{self.size(trade.lots)}","price":"{self.price(trade.tick)}",'
            f'"product_id":"{self.symbol}","sequence":{trade.update_id},"time":"{iso(trade.ns)}"}}'
        )

    def _ticker(self, trade: Trade, ns: int) -> str:
        market, price, size, quote = self.market, self.price, self.size, self._quote
        start, volume = price(market.instrument.start_tick), size(int(market.instrument.order_lots) * 20_000)
        side = trade.taker_side  # the taker's here
        return (
            f'{{"type":"ticker","sequence":{trade.update_id},"product_id":"{self.symbol}","price":"{price(trade.tick)}",'
            f'"open_24h":"{start}","volume_24h":"{volume}","low_24h":"{start}","high_24h":"{start}",'
            f'"volume_30d":"{volume}","best_bid":"{price(quote.bid)}","best_bid_size":"{size(quote.bid_lots)}",'
            f'"best_ask":"{price(quote.ask)}","best_ask_size":"{size(quote.ask_lots)}","side":"{side}",'
            f'"time":"{iso(trade.ns)}","trade_id":{trade.trade_id},"last_size":"{size(trade.lots)}"}}'
        )

    def _update(self, batch: Batch, ns: int) -> str:
        price, size = self.price, self.size
        changes = [f'["buy","{price(tick)}","{size(lots)}"]' for tick, lots in batch.bids.items()]
        changes += [f'["sell","{price(tick)}","{size(lots)}"]' for tick, lots in batch.asks.items()]
        return f'{{"type":"l2update","product_id":"{self.symbol}","changes":[{",".join(changes)}],"time":"{iso(ns)}"}}'

    def _heartbeat(self, _: None, ns: int) -> str:
        market = self.market
        return (
            f'{{"type":"heartbeat","last_trade_id":{market.trade_id},"product_id":"{self.symbol}",'
            f'"sequence":{market.update_id},"time":"{iso(ns)}"}}'
        )


class CoinbaseFeeds(Feed):
    """What both protocols publish of one product."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        self.exchange = CoinbaseFeed(market, wanted, self.venue)
        self.advanced = AdvancedFeed(market, wanted, self.venue)

    def event(self, event: Event) -> Iterator[Frame]:
        yield from self.exchange.event(event)
        yield from self.advanced.event(event)

    def edge(self, ns: int) -> Iterator[Frame]:
        yield from self.exchange.edge(ns)
        yield from self.advanced.edge(ns)


class AdvancedFeeds(CoinbaseFeeds):
    """The same at the address of Advanced Trade."""

    venue = advanced.VENUE


class CoinbaseExchange(AdvancedExchange):
    """Subscriptions by message within five seconds; the answer lists all that the connection now has.

    One bad product refuses a whole request (documented).
    """

    venue = VENUE
    default_limits = LIMITS
    lists = ("/products",)

    def accepts(self, path: str) -> bool:
        return path in ("", "/")

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
        return rest.respond(self.markets, path, query, now_ns)

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

    venue = advanced.VENUE
    default_limits = advanced.LIMITS

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        answer = AdvancedExchange.respond(self, path, query, now_ns)
        return super().respond(path, query, now_ns) if answer.status == 404 else answer

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


_PROTOCOLS = ((CoinbaseExchange, CoinbaseFeeds), (CoinbaseAdvanced, AdvancedFeeds))
ENGINES = (MatchingEngine(VENUE, _lists, PUBLISH_NS, _PROTOCOLS),)
