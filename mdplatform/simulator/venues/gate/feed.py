"""Gate: what the channels of one pair or contract publish, as to a client that asks for sizes with decimals."""

from __future__ import annotations

from collections.abc import Container, Iterator

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Change, Event, Liquidation, Quote, Trade
from mdplatform.simulator.engine.feed import MS, Batch, Feed, Frame, PublishedBook, Sides
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.venues.gate.instruments import SPOT

VENUE = "gate"
PUBLISH_NS = 100_000_000
LEVELS = 100
# Streams of ``obu``: levels -> how often they are pushed (by the venue the shorter every 20 ms; time moves by 50 here).
STREAMS = {50: 50_000_000, 400: PUBLISH_NS}
_SECOND = 1_000_000_000


class GateFeed(Feed):
    """One instrument. Updates hold every level that changed, and those that come or go among the best 100."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        self._is_spot = self.instrument.section == SPOT
        self._batch = Batch()
        self._book = PublishedBook(market, LEVELS)
        self._streams: dict[int, PublishedBook] = {}  # those with subscribers, by their levels
        self._forced: list[Liquidation] = []

    def level(self, price: str, size: str) -> str:
        return super().level(price, size) if self._is_spot else f'{{"p":"{price}","s":"{size}"}}'

    def event(self, event: Event) -> Iterator[Frame]:
        match event:
            case Change():
                self._batch.add(event)
            case Trade():
                yield from self.to(event.ns, "trades", self._trade if self._is_spot else self._contract_trades, event)
            case Quote():
                yield from self.to(event.ns, "book_ticker", self._best, event)
            case Liquidation():
                self._forced.append(event)

    def edge(self, ns: int) -> Iterator[Frame]:
        if ns % PUBLISH_NS == 0 and self._batch:
            batch, self._batch = self._batch, Batch()
            yield from self.to(ns, "order_book_update", self._update, batch)
        for levels, every_ns in STREAMS.items():
            if self.topic(f"obu-{levels}") not in self.wanted:
                self._streams.pop(levels, None)
            elif ns % every_ns == 0 and levels in self._streams:
                yield from self._advance(levels, ns)
        if not self._is_spot and ns % _SECOND == 0:
            yield from self.to(ns, "tickers", self._ticker)
        if self._forced and ns % _SECOND == 0:
            forced, self._forced = self._forced, []
            yield from self.to(ns, "public_liquidates", self._orders, forced)

    def topic(self, channel: str) -> str:
        return f"{self.instrument.key}:{channel}"

    def envelope(self, channel: str, text: str, ns: int) -> str:
        name = self._name(channel)
        head = f'{{"time":{ns // _SECOND},"time_ms":{ns // MS},"channel":"{name}","event":"update","result":'
        return f"{head}{text}}}"

    def rebase(self) -> None:
        """Somebody subscribes to updates where nobody did."""
        self._book.rebase()
        self._batch = Batch()

    # --- streams of books

    def whole(self, levels: int, ns: int) -> Frame:
        """The book that the next push leads on from."""
        if levels not in self._streams:
            self._streams[levels] = PublishedBook(self.market, levels)
            self._streams[levels].rebase()
        book = self._streams[levels]
        return self._push(levels, ns, f'"full":true,"s":"ob.{self.symbol}.{levels}","u":{book.last_id}', book.sides)

    def _advance(self, levels: int, ns: int) -> Iterator[Frame]:
        book = self._streams[levels]
        changed = book.advance()
        if changed is not None:
            head = f'"s":"ob.{self.symbol}.{levels}","U":{book.previous_id + 1},"u":{book.last_id}'
            yield self._push(levels, ns, head, changed)

    def _push(self, levels: int, ns: int, head: str, sides: Sides) -> Frame:
        """Sizes are text for contracts as well; a side that holds nothing is left out."""
        rows = [",".join(map(self._pair, side.items())) for side in sides]
        text = "".join([f',"{name}":[{side}]' for name, side in zip("ba", rows, strict=True) if side])
        result = f'{{"t":{ns // MS},{head}{text}}}'
        body = f'{{"channel":"{self._name("obu")}","result":{result},"time_ms":{ns // MS},"event":"update"}}'
        return self.frame_on(self.topic(f"obu-{levels}"), "obu", body, ns)

    def _pair(self, level: tuple[int, int]) -> str:
        tick, lots = level
        return f'["{self.price(tick)}","{self.size(lots) if lots else 0}"]'

    def _name(self, channel: str) -> str:
        return f"{'spot' if self._is_spot else 'futures'}.{channel}"

    # --- results

    def _update(self, batch: Batch, ns: int) -> str:
        before, now = self._book.sides, self._book.now()
        self._book.sides = now
        changed = self.sides(
            {**_moved(before[0], now[0]), **batch.bids}.items(), {**_moved(before[1], now[1]), **batch.asks}.items()
        )
        kind = f'"e":"depthUpdate","E":{ns // _SECOND},' if self._is_spot else ""
        return (
            f'{{"t":{ns // MS},"l":"{LEVELS}",{kind}"s":"{self.symbol}","U":{batch.first},"u":{batch.last},'
            f'"b":[{changed[0]}],"a":[{changed[1]}]}}'
        )

    def _trade(self, trade: Trade, ns: int) -> str:
        """On spot; the id of all pairs together is another than that of the pair."""
        ms, rest = divmod(trade.ns, MS)
        return (
            f'{{"id":{trade.trade_id * 16},"id_market":{trade.trade_id},"create_time":{ms // 1000},'
            f'"create_time_ms":"{ms}.{rest:06d}","side":"{trade.taker_side}",'
            f'"currency_pair":"{self.symbol}","amount":"{self.size(trade.lots)}","price":"{self.price(trade.tick)}",'
            f'"range":"{trade.trade_id}-{trade.trade_id}"}}'
        )

    def rest_trade(self, trade: Trade) -> str:
        """The same by REST, where the number of the pair has another name."""
        ms, rest = divmod(trade.ns, MS)
        return (
            f'{{"id":"{trade.trade_id * 16}","create_time":"{ms // 1000}","create_time_ms":"{ms}.{rest:06d}",'
            f'"currency_pair":"{self.symbol}","side":"{trade.taker_side}",'
            f'"amount":"{self.size(trade.lots)}","price":"{self.price(trade.tick)}","sequence_id":"{trade.trade_id}"}}'
        )

    def _contract_trades(self, trade: Trade, ns: int) -> str:
        return f"[{self.contract_trade(trade)}]"

    def contract_trade(self, trade: Trade) -> str:
        """Of a contract: sales are below zero."""
        return (
            f'{{"size":"{"" if trade.taker_buys else "-"}{self.size(trade.lots)}","id":{trade.trade_id},'
            f'"create_time":{trade.ns // _SECOND},"create_time_ms":{trade.ns // MS},'
            f'"price":"{self.price(trade.tick)}","contract":"{self.symbol}","is_internal":false}}'
        )

    def _best(self, quote: Quote, ns: int) -> str:
        price, size = self.price, self.size
        return (
            f'{{"t":{ns // MS},"u":{quote.update_id},"s":"{self.symbol}","b":"{price(quote.bid)}",'
            f'"B":"{size(quote.bid_lots)}","a":"{price(quote.ask)}","A":"{size(quote.ask_lots)}"}}'
        )

    def _ticker(self, _: None, ns: int) -> str:
        mark = self.market.mark(ns)
        text = f'"mark_price":"{self.near(mark.mark_price)}","index_price":"{self.near(mark.index_price)}"'
        if self.instrument.kind is Kind.PERPETUAL:
            text += f',"funding_rate":"{mark.funding_rate:.6f}","funding_rate_indicative":"{mark.predicted_rate:.6f}"'
            text += f',"funding_next_apply":{mark.next_funding_ns // _SECOND}'
        text += f',"total_size":"{self.size(self.market.open_lots)}"'
        return f'[{{"contract":"{self.symbol}",{text},"t":{ns // MS}}}]'

    def _orders(self, forced: list[Liquidation], ns: int) -> str:
        rows = [
            f'{{"price":{self.price(one.tick)},"size":"{"" if one.buys else "-"}{self.size(one.lots)}",'
            f'"time_ms":{one.ns // MS},"contract":"{self.symbol}"}}'
            for one in forced
        ]
        return f"[{','.join(rows)}]"


def _moved(before: dict[int, int], after: dict[int, int]) -> dict[int, int]:
    """Levels that came among the best, and with 0 those that fell behind them."""
    moved = {tick: after[tick] for tick in after.keys() - before.keys()}
    moved.update(dict.fromkeys(before.keys() - after.keys(), 0))
    return moved
