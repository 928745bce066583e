"""The two sections of the venue: their channels, and how each writes a book, a print and a quote."""

from __future__ import annotations

from collections import Counter

from mdplatform.core.decimals import plain
from mdplatform.core.session import Output
from mdplatform.venuekit.books.diff_book import Snapshot
from mdplatform.venues.gate import wire
from mdplatform.venues.gate.channels import BOOK, LIQUIDATIONS, OBU, QUOTES, TICKERS, TRADES
from mdplatform.venues.gate.instruments import FUTURES, SPOT
from mdplatform.venues.gate.market import LEVELS, GateMarket, side_of
from mdplatform.venues.gate.session import GateSession, On


class SpotSession(GateSession):
    """Sizes are in base units; one trade a message."""

    section = SPOT
    positional = ("100ms",)  # with 100 levels

    def readers(self) -> dict[str, On]:
        return {
            OBU.name: self.on_stream,
            BOOK.name: self._on_book,
            TRADES.name: self._on_trade,
            QUOTES.name: self._on_quote,
        }

    def snapshot(self, body: bytes) -> Snapshot:
        return wire.read_spot_snapshot(body)

    def read_trades(self, market: GateMarket, body: bytes, received_ns: int) -> list[Output]:
        rows = wire.read_rest_trades(body)
        ordered = sorted(rows, key=lambda row: row.sequence_id.rjust(20))
        return self.each(rows, lambda row: market.rest_trade(row, received_ns), body, received_ns, ordered)

    def _on_book(self, frame: bytes, received_ns: int) -> list[Output]:
        data = self.own(wire.read_spot_book(frame), BOOK)
        return self.on_book(data, data.b, data.a, received_ns)

    def _on_trade(self, frame: bytes, received_ns: int) -> list[Output]:
        data = self.own(wire.read_spot_trade(frame), TRADES)
        return self.markets.of(data.currency_pair).pair_trade(data, received_ns) or self.count("duplicate_trade")

    def _on_quote(self, frame: bytes, received_ns: int) -> list[Output]:
        return self.on_quote(self.own(wire.read_spot_quote(frame), QUOTES), received_ns)


class FuturesSession(GateSession):
    """Sizes are in contracts; several trades, tickers or forced orders a message.

    A trade below zero is the taker's sale (documented 2026-06), and so is a forced order taken to be, whose sign is not
    documented: the size is the order's, and the REST list gives the order of a long position a size below zero.
    """

    section = FUTURES
    positional = ("100ms", str(LEVELS))

    def readers(self) -> dict[str, On]:
        return {
            OBU.name: self.on_stream,
            BOOK.name: self._on_book,
            TRADES.name: self._on_trades,
            LIQUIDATIONS.name: self._on_forced_orders,
            TICKERS.name: self._on_tickers,
            QUOTES.name: self._on_quote,
        }

    def snapshot(self, body: bytes) -> Snapshot:
        return wire.read_futures_snapshot(body)

    def _on_book(self, frame: bytes, received_ns: int) -> list[Output]:
        data = self.own(wire.read_futures_book(frame), BOOK)
        return self.on_book(data, wire.pairs(data.b), wire.pairs(data.a), received_ns)

    def _on_trades(self, frame: bytes, received_ns: int) -> list[Output]:
        def take(data: wire.FuturesTrade) -> list[Output]:
            market = self.markets.of(data.contract)
            if data.is_internal:
                # Taken over by the insurance fund or by other positions: it met no order of the book.
                return self.count("internal_trade")
            return market.contract_trade(data, received_ns) or self.count("duplicate_trade")

        return self.each(self.own(wire.read_futures_trades(frame), TRADES), take, frame, received_ns)

    def _on_quote(self, frame: bytes, received_ns: int) -> list[Output]:
        return self.on_quote(self.own(wire.read_futures_quote(frame), QUOTES), received_ns)

    def _on_tickers(self, frame: bytes, received_ns: int) -> list[Output]:
        message = wire.read_tickers(frame)

        def take(data: wire.Ticker) -> list[Output]:
            # A ticker of itself holds no time before 2026: the message's is its own, to the ms where it states that.
            sent_ns = wire.ms_ns(data.t or message.time_ms or message.time * 1000)
            return self.markets.of(data.contract).funding(
                rate=data.funding_rate,
                mark_price=data.mark_price,
                index_price=data.index_price,
                next_funding_ns=wire.seconds_ns(data.funding_next_apply),
                venue_ns=sent_ns,
                received_ns=received_ns,
            )

        return self.each(self.own(message, TICKERS), take, frame, received_ns)

    def _on_forced_orders(self, frame: bytes, received_ns: int) -> list[Output]:
        alike: Counter[tuple[str, str]] = Counter()

        def take(data: wire.ForcedOrder) -> list[Output]:
            time_ms = data.time if data.time_ms is None else data.time_ms
            size, price, time_ns = str(data.size), plain(data.price), wire.ms_ns(time_ms)
            # The venue gives no id; two orders of one message may well agree in everything.
            name = f"{time_ms}:{size}@{price}"
            alike[data.contract, name] += 1
            name += f"#{alike[data.contract, name]}"
            market = self.markets.of(data.contract)
            out = market.liquidation(name, price, size.removeprefix("-"), side_of(size), time_ns, received_ns)
            return out or self.count("duplicate_liquidation")

        orders = self.own(wire.read_forced_orders(frame), LIQUIDATIONS)
        return self.each(orders if isinstance(orders, list) else [orders], take, frame, received_ns)
