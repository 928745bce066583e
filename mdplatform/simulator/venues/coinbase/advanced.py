"""Coinbase Advanced Trade: market data channels, one a subscription message, numbered per connection.

https://docs.cdp.coinbase.com/advanced-trade/docs/ws-channels. The number counts every message of the connection,
acknowledgements included (probed in autumn 2026); one bad product refuses a whole request; 8 messages a second from an
address; a connection on which nothing is sent for 90 s is closed, which heartbeats prevent (documented, June 2026).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.engine.events import Change, Event, Quote, Trade
from mdplatform.simulator.engine.feed import Batch, Feed, Frame
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.faults.impairment import Impairment
from mdplatform.simulator.faults.script import Fault
from mdplatform.simulator.protocol.exchange import SECOND, Exchange
from mdplatform.simulator.protocol.limits import Bucket, ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer
from mdplatform.simulator.protocol.wire import iso
from mdplatform.simulator.venues.coinbase import advanced_rest

VENUE = "coinbase-advanced"
_TRADES_NS = 250_000_000
_WIRE_NAMES = {"level2": "l2_data", "market_trades": "market_trades", "ticker": "ticker", "heartbeats": "heartbeats"}
_RECENT = 50  # trades of the snapshot
MARK = "@"  # starts the topics of this protocol: the address of Exchange speaks both
_QUIET_NS = 90 * SECOND

LIMITS = ConnectionLimits(
    subscribe_within_s=5.0,
    messages=(8.0, 8.0),
    connects=(8.0, 20.0),
    requests=(10.0, 15.0),
)


class AdvancedFeed(Feed):
    """The channels of one product. Bodies are the `events` array; the connection writes the envelope around it."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str], venue: str = VENUE) -> None:
        super().__init__(market, wanted)
        self.venue = venue  # whose address it is published at
        self._batch = Batch()
        self._trades: list[Trade] = []
        self._quote = market.quote(0)

    def event(self, event: Event) -> Iterator[Frame]:
        if isinstance(event, Change):
            self._batch.add(event)
        elif isinstance(event, Trade):
            self._trades.append(event)
            if self.topic("ticker") in self.wanted:
                yield self.ticker("update", event.ns, event)
        elif isinstance(event, Quote):
            self._quote = event

    def edge(self, ns: int) -> Iterator[Frame]:
        if self._batch:
            batch, self._batch = self._batch, Batch()
            if self.topic("level2") in self.wanted:
                yield self._level2("update", ns, batch.bids.items(), batch.asks.items())
        if self._trades and ns % _TRADES_NS == 0:
            trades, self._trades = self._trades, []
            if self.topic("market_trades") in self.wanted:
                yield self.trades("update", ns, trades)

    def topic(self, channel: str) -> str:
        return f"{MARK}{channel}:{self.symbol}"

    def snapshot(self, ns: int) -> Frame:
        bids, asks = self.market.bids, self.market.asks
        return self._level2("snapshot", ns, bids.top(len(bids)), asks.top(len(asks)))

    def trades(self, kind: str, ns: int, trades: list[Trade]) -> Frame:
        """A batch, newest first."""
        rows = ",".join(
            f'{{"product_id":"{self.symbol}","trade_id":"{trade.trade_id}","price":"{self.price(trade.tick)}",'
            f'"size":"{self.size(trade.lots)}","time":"{iso(trade.ns)}","side":"{trade.maker_side.upper()}"}}'
            for trade in reversed(trades)
        )
        return self.frame("market_trades", f'[{{"type":"{kind}","trades":[{rows}]}}]', ns)

    def ticker(self, kind: str, ns: int, trade: Trade) -> Frame:
        quote, price, size = self._quote, self.price, self.size
        start, volume = price(self.market.instrument.start_tick), size(int(self.market.instrument.order_lots) * 20_000)
        row = (
            f'{{"type":"ticker","product_id":"{self.symbol}","price":"{price(trade.tick)}","volume_24_h":"{volume}",'
            f'"low_24_h":"{start}","high_24_h":"{start}","low_52_w":"{start}","high_52_w":"{start}",'
            f'"price_percent_chg_24_h":"0","best_bid":"{price(quote.bid)}","best_bid_quantity":"{size(quote.bid_lots)}",'
            f'"best_ask":"{price(quote.ask)}","best_ask_quantity":"{size(quote.ask_lots)}"}}'
        )
        return self.frame("ticker", f'[{{"type":"{kind}","tickers":[{row}]}}]', ns)

    def _level2(self, kind: str, ns: int, bids: Iterable[tuple[int, int]], asks: Iterable[tuple[int, int]]) -> Frame:
        price, size, time = self.price, self.size, iso(ns)
        updates = ",".join(
            f'{{"side":"{side}","event_time":"{time}","price_level":"{price(tick)}","new_quantity":"{size(lots)}"}}'
            for side, levels in (("bid", bids), ("offer", asks))
            for tick, lots in levels
        )
        events = f'[{{"type":"{kind}","product_id":"{self.symbol}","updates":[{updates}]}}]'
        return self.frame("level2", events, ns)


class AdvancedExchange(Exchange):
    """One channel a message; products `X-USDC` are aliases of `X-USD`, and their data says so."""

    venue = VENUE
    default_limits = LIMITS
    lists = ("/products",)

    def __init__(self, markets: Markets, config: SimulatorConfig) -> None:
        super().__init__(markets, config)
        self._beats = 0
        self._beat_ns = 0
        self._late: list[tuple[Peer, Frame, Impairment]] = []  # held back by a stall
        self._messages = Bucket(*LIMITS.messages)  # of one address: of all its connections

    def accepts(self, path: str) -> bool:
        return path in ("", "/")

    def publish(self, frame: Frame) -> None:
        """What the venue does not send, or sends late, it numbers not, or late: only what gets lost leaves a hole."""
        for peer in self.topics.get(frame.topic, ()):
            fault = _withheld(self.venue, peer, frame) if frame.topic.startswith(MARK) else None
            if fault is None:
                peer.offer(frame, self.envelope(peer, frame))
                continue
            fault.hits += 1
            if fault.fault.action == "stall":
                self._late.append((peer, frame, fault))

    def envelope(self, peer: Peer, frame: Frame) -> bytes:
        number, peer.sequence = peer.sequence, peer.sequence + 1
        return b'{"channel":"%s","client_id":"","timestamp":"%s","sequence_num":%d,"events":%s}' % (
            _WIRE_NAMES.get(frame.channel, frame.channel).encode(),
            iso(frame.ns).encode(),
            number,
            frame.body,
        )

    def receive(self, peer: Peer, message: bytes, now_ns: int) -> None:
        try:
            request = msgspec.json.decode(message, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            peer.reply(_error("invalid JSON"))
            return
        self.requested(peer, request, now_ns)

    def requested(self, peer: Peer, request: dict[str, Any], now_ns: int) -> None:
        if not self._messages.take(now_ns):
            self.answers["too many messages"] += 1
            self.overrun(peer)
            return
        wrong = self._wrong(request)
        if wrong:
            peer.reply(_error(wrong))
            return
        topics = self._topics(request)
        if request["type"] == "unsubscribe":
            self.leave(peer, topics)
            self._acknowledge(peer, now_ns)
            return
        fresh = [topic for topic in topics if topic not in peer.topics]
        for topic in fresh:
            self.join(peer, topic)
        self._acknowledge(peer, now_ns)
        for topic in fresh:
            self._greet(peer, topic, now_ns)

    def tick(self, now_ns: int) -> None:
        super().tick(now_ns)
        late, self._late = self._late, []
        for peer, frame, fault in late:
            if fault.over(now_ns) and peer in self.peers:
                peer.offer(frame, self.envelope(peer, frame))
            elif peer in self.peers:
                self._late.append((peer, frame, fault))
        if now_ns - self._beat_ns >= SECOND:
            self._beats += 1
            self._beat_ns = now_ns
            time = iso(now_ns)[:-1].replace("T", " ") + f"000 +0000 UTC m=+{self._beats}.000000000"
            body = b'[{"current_time":"%s","heartbeat_counter":%d}]' % (time.encode(), self._beats)
            self.publish(Frame(self.venue, f"{MARK}heartbeats:", "", "heartbeats", body, now_ns))

    def beat(self, peer: Peer, now_ns: int) -> None:
        """A connection whose channels have no updates is closed."""
        if peer.silent_ns(now_ns) > _QUIET_NS:
            peer.close(1000, "no updates")

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        return advanced_rest.respond(self.markets, path, query, now_ns)

    def skip(self, fault: Fault) -> int:
        if fault.action == "reset":  # the connection's own numbers begin again with another one only
            return super().skip(fault)
        for peer in self.peers:
            peer.sequence += fault.n
        return len(self.peers)

    def feed_of(self, runner: MarketRunner) -> AdvancedFeed:
        return runner.feed(AdvancedFeed)

    def _wrong(self, request: dict[str, Any]) -> str | None:
        if request.get("type") not in ("subscribe", "unsubscribe"):
            return f"{request.get('type')} is not a valid type"
        if request.get("channel") not in _WIRE_NAMES:
            return f"{request.get('channel')} is not a valid channel"
        products = request.get("product_ids", [])
        if not isinstance(products, list) or (not products and request["channel"] != "heartbeats"):
            return "product_ids is missing"
        unknown = [product for product in products if self._product(product) not in self.markets]
        return f"{unknown[0]} is not a valid product" if unknown else None

    def _topics(self, request: dict[str, Any]) -> list[str]:
        channel = request["channel"]
        if channel == "heartbeats":
            return [f"{MARK}heartbeats:"]
        return list(dict.fromkeys(f"{MARK}{channel}:{self._product(product)}" for product in request["product_ids"]))

    @staticmethod
    def _product(product: Any) -> str:
        name = str(product)
        return name.removesuffix("C") if name.endswith("-USDC") else name

    def _acknowledge(self, peer: Peer, now_ns: int) -> None:
        by_channel: dict[str, list[str]] = {}
        for topic in filter(lambda topic: topic.startswith(MARK), peer.topics):
            channel, _, product = topic.removeprefix(MARK).partition(":")
            by_channel.setdefault(channel, []).append(product or channel)
        body = msgspec.json.encode([{"subscriptions": by_channel}])
        peer.reply(self.envelope(peer, Frame(self.venue, MARK, "", "subscriptions", body, now_ns)))

    def _greet(self, peer: Peer, topic: str, now_ns: int) -> None:
        """What a new subscription begins with: the book, or the latest trades."""
        channel, _, product = topic.removeprefix(MARK).partition(":")
        if channel == "heartbeats":
            return
        runner = self.markets[product]
        feed = self.feed_of(runner)
        recent = list(runner.trades)[-_RECENT:]
        if channel == "level2":
            frame = feed.snapshot(now_ns)
        elif channel == "market_trades":
            frame = feed.trades("snapshot", now_ns, recent)
        elif recent:
            frame = feed.ticker("snapshot", now_ns, recent[-1])
        else:
            return
        peer.offer(frame, self.envelope(peer, frame))


def _withheld(venue: str, peer: Peer, frame: Frame) -> Impairment | None:
    """The fault by which this frame is not sent now."""
    faults = (*peer.everywhere, *peer.impairments)
    return next(
        (
            one
            for one in faults
            if one.fault.action in ("silence", "stall") and one.fault.matches(venue, frame.symbol, frame.channel)
        ),
        None,
    )


def _error(message: str) -> bytes:
    return msgspec.json.encode({"type": "error", "message": message})
