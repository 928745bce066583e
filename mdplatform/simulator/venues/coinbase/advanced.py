"""Coinbase Advanced Trade: market data channels, one a subscription message, numbered per connection.

https://docs.cdp.coinbase.com/advanced-trade/docs/ws-channels and https://docs.cdp.coinbase.com/advanced-trade/reference.
The number counts every message of the connection, acknowledgements included (probed in autumn 2026); one bad product
refuses a whole request; 8 messages a second from an address; a connection on which nothing is sent for 90 s is closed,
which heartbeats prevent (documented, June 2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.engine.feed import Frame
from mdplatform.simulator.engine.instruments import Instrument
from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.faults.impairment import Impairment
from mdplatform.simulator.faults.script import Fault
from mdplatform.simulator.protocol.exchange import SECOND, Exchange
from mdplatform.simulator.protocol.limits import Bucket, ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer, answer
from mdplatform.simulator.protocol.wire import iso
from mdplatform.simulator.venues.coinbase.feed import ADVANCED, MARK, AdvancedFeed

_WIRE_NAMES = {"level2": "l2_data", "market_trades": "market_trades", "ticker": "ticker", "heartbeats": "heartbeats"}
_RECENT = 50  # trades of the snapshot
_QUIET_NS = 90 * SECOND

LIMITS = ConnectionLimits(
    subscribe_within_s=5.0,
    messages=(8.0, 8.0),
    connects=(8.0, 20.0),
    requests=(10.0, 15.0),
)


class AdvancedExchange(Exchange):
    """One channel a message; products `X-USDC` are aliases of `X-USD`, and their data says so."""

    venue = ADVANCED
    default_limits = LIMITS
    paths = ("", "/")
    lists = ("/products",)

    def __init__(self, markets: Markets, config: SimulatorConfig) -> None:
        super().__init__(markets, config)
        self._beats = 0
        self._beat_ns = 0
        self._late: list[tuple[Peer, Frame, Impairment]] = []  # held back by a stall
        self._messages = Bucket(*LIMITS.messages)  # of one address: of all its connections

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
        return _answered(self.markets, path, query, now_ns)

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


_NOT_FOUND = Answer(404, b'{"error":"NOT_FOUND","error_details":"not found","message":"not found"}')


def _answered(markets: Markets, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
    """Answer `/market/...` with or without the `/api/v3/brokerage` in front."""
    parts = path.removeprefix("/api/v3/brokerage").strip("/").split("/")
    match parts:
        case ["time"]:
            return answer({"iso": iso(now_ns), "epochMillis": str(now_ns // 10**6)})
        case ["market", "products"]:
            rows = [_product(instrument, alias) for instrument in markets.instruments.values() for alias in ("", "C")]
            return answer({"products": rows, "num_products": len(rows)})
        case ["market", "products", name] if _listed(markets, name):
            return answer(_product(_listed(markets, name).market.instrument, "C" if name.endswith("-USDC") else ""))
        case ["market", "products", name, "ticker"] if _listed(markets, name):
            return _ticker(_listed(markets, name), query)
        case ["market", "product_book"] if _listed(markets, query.get("product_id", "")):
            return _book(_listed(markets, query["product_id"]), query, now_ns)
    return _NOT_FOUND


def _listed(markets: Markets, name: str) -> Any:
    """The runner of a product or of its alias; None when there is none."""
    return markets.get(name.removesuffix("C") if name.endswith("-USDC") else name)


def _product(instrument: Instrument, alias: str) -> dict[str, Any]:
    """The listing of a product, or (alias "C") of its X-USDC alias."""
    return {
        "product_id": f"{instrument.base}-{instrument.quote}{alias}",
        "price": instrument.price.text(instrument.start_tick),  # not the last one: that takes a market per product
        "base_increment": instrument.size.step,
        "quote_increment": instrument.price.step,
        "price_increment": instrument.price.step,
        "base_name": instrument.base,
        "quote_name": f"{instrument.quote}{alias}",
        "base_currency_id": instrument.base,
        "quote_currency_id": f"{instrument.quote}{alias}",
        "status": "online",
        "is_disabled": False,
        "trading_disabled": False,
        "cancel_only": False,
        "product_type": "SPOT",
        "product_venue": "CBE",
        "alias": instrument.symbol if alias else "",
        "alias_to": [] if alias else [f"{instrument.symbol}C"],
    }


def _ticker(runner: MarketRunner, query: Mapping[str, str]) -> Answer:
    instrument, quote = runner.market.instrument, runner.market.quote(0)
    trades = list(runner.trades)[-_limit(query, 100) :]
    rows = [
        {
            "trade_id": str(trade.trade_id),
            "product_id": instrument.symbol,
            "price": instrument.price.text(trade.tick),
            "size": instrument.size.text(trade.lots),
            "time": iso(trade.ns),
            "side": trade.maker_side.upper(),
            "bid": "",
            "ask": "",
            "exchange": "coinbase",
        }
        for trade in reversed(trades)
    ]
    best = {"best_bid": instrument.price.text(quote.bid), "best_ask": instrument.price.text(quote.ask)}
    return answer({"trades": rows, **best})


def _book(runner: MarketRunner, query: Mapping[str, str], now_ns: int) -> Answer:
    market, price = runner.market, runner.market.instrument.price.text
    sides = runner.levels(_limit(query, 1_000_000))
    bids, asks = ([{"price": price, "size": size} for price, size in side] for side in sides)
    quote, decimals = market.quote(now_ns), market.instrument.price.decimals
    middle, spread = (quote.bid + quote.ask) / 2, quote.ask - quote.bid
    book = {"product_id": market.instrument.symbol, "bids": bids, "asks": asks, "time": iso(now_ns)}
    numbers = {
        "last": price(runner.trades[-1].tick) if runner.trades else "",
        "mid_market": f"{middle / 10**decimals:.{decimals + 1}f}",
        "spread_bps": f"{spread / middle * 1e4:.12f}",
        "spread_absolute": price(spread),
    }
    return answer({"pricebook": book, **numbers})


def _limit(query: Mapping[str, str], default: int) -> int:
    text = query.get("limit", "")
    return max(1, int(text)) if text.isdecimal() else default
