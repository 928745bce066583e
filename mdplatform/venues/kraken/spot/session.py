"""Spot, WebSocket v2: https://docs.kraken.com/api/docs/websocket-v2/book

A book of the best ``depth`` levels, unnumbered, with a checksum on every message; see ``checksum``. Each symbol of a
request is confirmed or refused by a reply of its own (all documented 2026-06). A side of 0 in a ticker is no side, and
the first moment of 1970 no time (seen 2026-07, of pairs that nobody quotes).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.decimals import plain
from mdplatform.core.errors import FrameError, UnknownInstrument
from mdplatform.core.events import Side
from mdplatform.core.instrument_list import read_rows
from mdplatform.core.session import Channel, ChannelKind, Output
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.streamed_session import StreamedSession
from mdplatform.venuekit.subscriptions import Subscriptions, Terms, Topic, Verb, channel_of, verb_of
from mdplatform.venues.kraken.channels import BBO, BOOK, SYMBOLS_A_MESSAGE, TRADE
from mdplatform.venues.kraken.instruments import EXCHANGE, spot_instrument
from mdplatform.venues.kraken.spot import wire
from mdplatform.venues.kraken.spot.market import DEPTHS, Pair

SILENCE_NS = 10 * SECOND  # a heartbeat comes every second in which nothing else does
_NO_BOOK = re.compile(rb'"channel"\s*:\s*"(trade|ticker|heartbeat|status|instrument|ohlc|level3)"|"method"\s*:')
_SYMBOL = re.compile(rb'"symbol"\s*:\s*"([^"\\]{1,40})"')
_KINDS: dict[str, ChannelKind] = {"book": "book", "trade": "trades", "ticker": "bbo"}


# No limit of messages or of symbols a request is documented (2026-06). After a refusal the rest is confirmed at once.
TERMS = Terms(topics_a_request=SYMBOLS_A_MESSAGE, pace=(5, 1.0), settle_s=5.0)


class SpotSession(StreamedSession[Pair]):
    """One connection to v2. ``recorded``: the depth that was subscribed to is known only from the recording."""

    def __init__(
        self, instruments: Instruments, channels: tuple[Channel, ...], depth: int, *, recorded: bool = False
    ) -> None:
        self.depth = next((size for size in DEPTHS if size >= depth), DEPTHS[-1])
        asked = None if recorded else self.depth
        markets = Markets(instruments, lambda instrument: Pair(instrument, channels, depth, asked))
        super().__init__(EXCHANGE, markets, SILENCE_NS)
        self._channels = [channel for channel in (BOOK, TRADE, BBO) if channel in channels]
        self.subscriptions: Subscriptions[Topic] = Subscriptions(TERMS, self._request, self._feeds, channel_of)
        self.takes_books = BOOK in channels

    def subscribe(self, now_ns: int) -> list[Output]:
        markets = self.markets.all()
        return self.subscriptions.connected([topic for c in self._channels for topic in _topics(c, markets)], now_ns)

    def topics_of(self, market: Pair, kind: ChannelKind) -> list[Topic]:
        return [topic for channel in self._channels if channel.kind == kind for topic in _topics(channel, [market])]

    def read(self, frame: bytes, received_ns: int) -> list[Output]:
        message = wire.read_message(frame)
        match message:
            case wire.Book():
                return self._on_books(message, received_ns)
            case wire.Trades():
                return self._on_trades(message, frame, received_ns)
            case wire.Ticker():
                return self._on_tickers(message, frame, received_ns)
            case wire.InstrumentList():
                return self.listed(read_rows(message.data.pairs, _instrument), received_ns)
            case wire.Reply():
                return self._on_reply(message, frame, received_ns)
        return self.count(message.channel)

    def refuse(self, error: Exception, frame: bytes, received_ns: int) -> list[Output]:
        """A refused frame may have been a book update, and the checksum would show only what reaches the best 10."""
        out = super().refuse(error, frame, received_ns)
        if isinstance(error, UnknownInstrument) or _NO_BOOK.search(frame):
            return out
        match = _SYMBOL.search(frame)
        symbol = match[1].decode(errors="replace") if match else None
        for market in self.markets:
            if market.stream.is_whole and symbol in (None, market.venue_symbol):
                out += market.stream.lose("gap", "refused_frame", received_ns)
        return out + self.renew(self.markets, received_ns)

    def read_trades(self, market: Pair, body: bytes, received_ns: int) -> list[Output]:
        def take(row: wire.PastTrade) -> list[Output]:
            price, size, time, letter, _, _, trade_id = row
            side: Side = "buy" if letter == "b" else "sell"
            return market.trade(str(trade_id), price, size, side, wire.past_ns(time), received_ns, "rest")

        rows = wire.read_past_trades(body)
        return self.each(rows, take, body, received_ns, sorted(rows, key=lambda row: row[-1]))

    def _request(self, verb: Verb, topics: Sequence[Topic], number: int) -> bytes:
        name = topics[0].channel
        params: dict[str, object] = {"channel": name, "symbol": [topic.symbol for topic in topics]}
        if name == BOOK.name:
            params["depth"] = self.depth
        if verb == "subscribe":
            params |= {"event_trigger": "bbo", "snapshot": True} if name == "ticker" else {"snapshot": True}
        return msgspec.json.encode({"method": verb, "params": params, "req_id": number})

    def _feeds(self, topic: Topic) -> list[tuple[Pair, ChannelKind]]:
        return self.feeds_of(topic.symbol, (_KINDS[topic.channel],) if topic.channel in _KINDS else ())

    def book_topic(self, market: Pair) -> Topic:
        return Topic(BOOK.name, market.venue_symbol)

    def _on_reply(self, reply: wire.Reply, frame: bytes, received_ns: int) -> list[Output]:
        """Each symbol of a request is answered by itself."""
        if not reply.success:
            return self._refused(reply, frame, received_ns)
        if reply.method not in (None, "subscribe", "unsubscribe"):
            return self.count(str(reply.method))
        if reply.result is None:
            raise FrameError("wrong_shape", "an acknowledgement that does not say of what")
        self.count("acknowledgement" if reply.method != "unsubscribe" else "unsubscribe")
        verb = verb_of(reply.method)
        channel, symbol = reply.result.channel, reply.result.symbol
        if symbol is None:
            return []
        if channel == BOOK.name and verb == "subscribe":
            self.markets.of(symbol).subscribed(reply.result.depth)
        return self.subscriptions.confirmed(received_ns, reply.req_id, [Topic(channel, symbol)], verb)

    def _refused(self, reply: wire.Reply, frame: bytes, received_ns: int) -> list[Output]:
        """An error names its symbol and its request."""
        number = -1 if reply.req_id is None else reply.req_id
        topics = None if reply.symbol is None else [Topic(name, reply.symbol) for name in _KINDS]
        answer = self.subscriptions.refused(str(reply.error), received_ns, number, topics)
        channel = answer.asked[0].channel if answer.asked else None
        symbols = reply.symbol or ", ".join(topic.symbol for topic in answer.about[:5])
        what = " ".join(filter(None, (reply.method, channel, symbols)))
        return self.refusal(answer, f"{reply.error}; asked for: {what}", frame, received_ns, verb_of(reply.method))

    def _on_books(self, message: wire.Book, received_ns: int) -> list[Output]:
        books = [
            (
                self.markets.of(data.symbol),
                wire.levels(data.bids),
                wire.levels(data.asks),
                data.checksum,
                wire.venue_ns(data.timestamp, received_ns),
            )
            for data in message.data
        ]
        out: list[Output] = []
        for market, bids, asks, checksum, venue_ns in books:
            if "book" not in market.feeds:
                return self.count("book")
            if message.type == "update" and not market.stream.is_whole:
                self.count("update_before_snapshot")
            take = market.snapshot if message.type == "snapshot" else market.update
            out += take(bids, asks, checksum, venue_ns, received_ns)
            if not market.stream.is_whole:
                out += self.renew([market], received_ns)
        return out

    def _on_trades(self, message: wire.Trades, frame: bytes, received_ns: int) -> list[Output]:
        def take(trade: wire.TradeData) -> list[Output]:
            market, (price, qty, venue_ns) = self.markets.of(trade.symbol), wire.checked(trade)
            if "trades" not in market.feeds:
                return self.count("trade")
            out = market.trade(str(trade.trade_id), price, qty, trade.side, venue_ns, received_ns)
            return out or self.count("earlier_trade" if message.type == "snapshot" else "duplicate_trade")

        rows = sorted(message.data, key=lambda trade: trade.trade_id)
        out = self._stand_at(rows, received_ns) if message.type == "snapshot" else []
        return out + self.each(message.data, take, frame, received_ns, rows)

    def _stand_at(self, rows: list[wire.TradeData], received_ns: int) -> list[Output]:
        """What was traded before we came only shows where the ids stand; what a reconnect missed is new."""
        out: list[Output] = []
        newest: dict[Pair, tuple[int, int]] = {}  # id and venue time
        for trade in rows:
            try:
                market, (_, _, venue_ns) = self.markets.of(trade.symbol), wire.checked(trade)
            except FrameError:
                continue  # it is refused with its row
            newest[market] = trade.trade_id, max(venue_ns, newest.get(market, (0, 0))[1])
        for market, (trade_id, venue_ns) in newest.items():
            if market.ids.last is None:
                out += market.ids.reached(trade_id, received_ns, venue_ns)
        return out

    def _on_tickers(self, message: wire.Ticker, frame: bytes, received_ns: int) -> list[Output]:
        def take(data: wire.TickerData) -> list[Output]:
            bid, ask = wire.level(data.bid, data.bid_qty), wire.level(data.ask, data.ask_qty)
            venue_ns = wire.ticker_ns(data.timestamp, received_ns)
            if bid is None and ask is None and not any(market.venue_symbol == data.symbol for market in self.markets):
                return self.count("no_quote")  # nor need a list name what is not traded yet
            market = self.markets.of(data.symbol)
            if "bbo" not in market.feeds:
                return self.count("ticker")
            return market.quote(bid, ask, None, venue_ns, received_ns) or self.count("no_quote")

        return self.each(message.data, take, frame, received_ns)


def _topics(channel: Channel, markets: Iterable[Pair]) -> list[Topic]:
    name = channel.name.partition(".")[0]
    return [Topic(name, market.venue_symbol) for market in markets]


def _instrument(raw: msgspec.Raw) -> Instrument:
    row = wire.read_pair(raw)
    tick = plain(row.price_increment)
    return spot_instrument(row.symbol, tick, row.price_precision, row.qty_precision, row.status)
