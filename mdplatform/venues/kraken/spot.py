"""Spot, WebSocket v2: https://docs.kraken.com/api/docs/websocket-v2/book

A book of the best ``depth`` levels, unnumbered, with a checksum on every message; see ``checksum``.
"""

from __future__ import annotations

import re

import msgspec

from mdplatform.clock import SECOND
from mdplatform.decimals import plain
from mdplatform.errors import FrameError, UnknownInstrument
from mdplatform.events import Side
from mdplatform.instrumentlist import read_rows
from mdplatform.market import Markets
from mdplatform.session import Channel, ChannelKind, Output, Send
from mdplatform.socketsession import SocketSession
from mdplatform.symbols import Instrument, Instruments
from mdplatform.venues.kraken import spot_wire as wire
from mdplatform.venues.kraken.channels import BBO, BOOK, SYMBOLS_A_MESSAGE, TRADE
from mdplatform.venues.kraken.lists import EXCHANGE, spot_instrument
from mdplatform.venues.kraken.pair import DEPTHS, Pair

SILENCE_NS = 10 * SECOND  # a heartbeat comes every second in which nothing else does
_NO_BOOK = re.compile(rb'"channel"\s*:\s*"(trade|ticker|heartbeat|status|instrument|ohlc|level3)"|"method"\s*:')
_SYMBOL = re.compile(rb'"symbol"\s*:\s*"([^"\\]{1,40})"')
_KINDS: dict[str, ChannelKind] = {"book": "book", "trade": "trades", "ticker": "bbo"}


class SpotSession(SocketSession[Pair]):
    """One connection to v2. ``recorded``: what depth was subscribed to, only the recording can tell."""

    def __init__(
        self, instruments: Instruments, channels: tuple[Channel, ...], depth: int, *, recorded: bool = False
    ) -> None:
        self.depth = next((size for size in DEPTHS if size >= depth), DEPTHS[-1])
        asked = None if recorded else self.depth
        markets = Markets(instruments, lambda instrument: Pair(instrument, channels, depth, asked))
        super().__init__(EXCHANGE, markets, SILENCE_NS)
        self._channels = [channel for channel in (BOOK, TRADE, BBO) if channel in channels]
        self._requests = 0
        self._asked: dict[int, tuple[str, list[str]]] = {}  # req_id -> wire channel and symbols

    def subscribe(self, now_ns: int) -> list[Output]:
        symbols = [market.venue_symbol for market in self.markets.all()]
        parts = [symbols[i : i + SYMBOLS_A_MESSAGE] for i in range(0, len(symbols), SYMBOLS_A_MESSAGE)]
        return [self._ask("subscribe", channel, part, now_ns) for channel in self._channels for part in parts]

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
                return self._on_reply(message, received_ns)
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
        return out + self._renew(received_ns)

    def tick(self, now_ns: int) -> list[Output]:
        return super().tick(now_ns) + self._renew(now_ns)

    def read_trades(self, market: Pair, body: bytes, received_ns: int) -> list[Output]:
        def take(row: wire.PastTrade) -> list[Output]:
            price, size, time, letter, _, _, trade_id = row
            side: Side = "buy" if letter == "b" else "sell"
            return market.trade(str(trade_id), price, size, side, wire.past_ns(time), received_ns, "rest")

        rows = wire.read_past_trades(body)
        return self.each(rows, take, body, received_ns, sorted(rows, key=lambda row: row[-1]))

    def _ask(self, method: str, channel: Channel, symbols: list[str], now_ns: int) -> Send:
        self._requests += 1
        name, _, trigger = channel.name.partition(".")
        params: dict[str, object] = {"channel": name, "symbol": symbols}
        if channel is BOOK:
            params["depth"] = self.depth
        if method == "subscribe":
            params |= {"event_trigger": trigger, "snapshot": True} if trigger else {"snapshot": True}
            self._asked[self._requests] = name, symbols
            for symbol in symbols:
                self.live.awaits(f"{name} {symbol}", now_ns)
        return Send(msgspec.json.encode({"method": method, "params": params, "req_id": self._requests}))

    def _renew(self, now_ns: int) -> list[Output]:
        """Subscribe anew to the books that were lost: that brings a snapshot."""
        lost = [market for market in self.markets if market.stream.wants_snapshot(now_ns)]
        if not lost or BOOK not in self._channels:
            return []
        for market in lost:
            market.stream.awaits(now_ns)
        symbols = [market.venue_symbol for market in lost]
        return [self._ask(method, BOOK, symbols, now_ns) for method in ("unsubscribe", "subscribe")]

    def _on_reply(self, reply: wire.Reply, received_ns: int) -> list[Output]:
        if not reply.success:
            raise self._refused(reply)
        if reply.method is not None and reply.method != "subscribe":
            return self.count(reply.method)
        if reply.result is None:
            raise FrameError("wrong_shape", "an acknowledgement that does not say of what")
        self.count("acknowledgement")
        channel, symbol = reply.result.channel, reply.result.symbol
        self.live.acknowledged(f"{channel} {symbol}")
        kind = _KINDS.get(channel)
        if kind is None or symbol is None:
            return []
        market = self.markets.of(symbol)
        if kind == "book":
            market.subscribed(reply.result.depth)
        return market.acknowledged(kind, received_ns)

    def _refused(self, reply: wire.Reply) -> FrameError:
        """The error of a request, naming what was asked; it is not waited for any longer."""
        channel, asked = self._asked.get(reply.req_id or 0, ("", []))
        symbols = [reply.symbol] if reply.symbol is not None else asked
        for symbol in symbols:
            self.live.acknowledged(f"{channel} {symbol}")
        what = " ".join(filter(None, (reply.method, channel, ", ".join(symbols[:5]))))
        return FrameError("venue_error", f"{reply.error}; asked for: {what}")

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
            take = market.snapshot if message.type == "snapshot" else market.update
            out += take(bids, asks, checksum, venue_ns, received_ns)
            if not market.stream.is_whole:
                out += self._renew(received_ns)
        return out

    def _on_trades(self, message: wire.Trades, frame: bytes, received_ns: int) -> list[Output]:
        def take(trade: wire.TradeData) -> list[Output]:
            market, (price, qty, venue_ns) = self.markets.of(trade.symbol), wire.checked(trade)
            if "trades" not in market.feeds:
                return self.count("trade")
            return market.trade(str(trade.trade_id), price, qty, trade.side, venue_ns, received_ns)

        rows = sorted(message.data, key=lambda trade: trade.trade_id)
        out = self._stand_at(rows, received_ns) if message.type == "snapshot" else []
        return out + self.each(message.data, take, frame, received_ns, rows)

    def _stand_at(self, rows: list[wire.TradeData], received_ns: int) -> list[Output]:
        """What was traded before we came only tells where the ids stand; what a reconnect missed is new."""
        out: list[Output] = []
        newest = {trade.symbol: trade.trade_id for trade in rows}
        for symbol, trade_id in newest.items():
            try:
                market = self.markets.of(symbol)
            except UnknownInstrument:
                continue  # its trades are refused one by one
            if market.ids.last is None:
                out += market.ids.reached(trade_id, received_ns)
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


def _instrument(raw: msgspec.Raw) -> Instrument:
    row = wire.read_pair(raw)
    tick = plain(row.price_increment)
    return spot_instrument(row.symbol, tick, row.price_precision, row.qty_precision, row.status)
