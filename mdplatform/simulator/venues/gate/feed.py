"""Gate: what the channels of one pair or contract publish, as to a client that asks for sizes with decimals."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Change, Event, Liquidation, Quote, Trade
from mdplatform.simulator.engine.feed import Batch, Feed, Frame
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.venues.gate.instruments import SPOT

VENUE = "gate"
PUBLISH_NS = 100_000_000
LEVELS = 100
# Streams of ``obu``: levels -> how often they are pushed (by the venue the shorter every 20 ms; time moves by 50 here).
STREAMS = {50: 50_000_000, 400: PUBLISH_NS}
_FORCED_NS = _TICKER_NS = 1_000_000_000
_MS = 1_000_000

Sides = tuple[dict[int, int], dict[int, int]]


class GateFeed(Feed):
    """One instrument. Updates tell of every level that changed, and of those that come or go among the best 100."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        instrument = market.instrument
        self._is_spot = instrument.section == SPOT
        self._key, self._price, self._size = instrument.key, instrument.price.text, instrument.size.text
        self._batch = Batch()
        self._told: Sides = ({}, {})  # the best levels after the last update
        self._streamed: dict[int, tuple[Sides, int, int]] = {}  # levels -> what its subscribers have: see ``_state``
        self._seen_id, self._holes = market.update_id, 0  # update ids that were left out
        self._forced: list[Liquidation] = []

    def event(self, event: Event) -> Iterator[Frame]:
        match event:
            case Change():
                self._batch.add(event)
                self._holes += event.update_id - self._seen_id - 1
                self._seen_id = event.update_id
            case Trade():
                yield from self._to(event.ns, "trades", self._trade if self._is_spot else self._contract_trade, event)
            case Quote():
                yield from self._to(event.ns, "book_ticker", self._best, event)
            case Liquidation():
                self._forced.append(event)

    def edge(self, ns: int) -> Iterator[Frame]:
        if ns % PUBLISH_NS == 0 and self._batch:
            batch, self._batch = self._batch, Batch()
            yield from self._to(ns, "order_book_update", self._update, batch)
        for levels, every_ns in STREAMS.items():
            if f"{self._key}:obu-{levels}" not in self.wanted:
                self._streamed.pop(levels, None)
            elif ns % every_ns == 0 and levels in self._streamed:
                yield from self._advance(levels, ns)
        if not self._is_spot and ns % _TICKER_NS == 0:
            yield from self._to(ns, "tickers", self._ticker, None)
        if self._forced and ns % _FORCED_NS == 0:
            forced, self._forced = self._forced, []
            yield from self._to(ns, "public_liquidates", self._orders, forced)

    def topic(self, channel: str) -> str:
        return f"{self._key}:{channel}"

    def rebase(self) -> None:
        """Somebody begins to listen to updates where nobody did."""
        self._told, self._batch = self._now(), Batch()

    def levels(self, levels: Iterable[tuple[int, int]]) -> str:
        """As text: pairs for spot, objects for contracts."""
        row = '["{}","{}"]' if self._is_spot else '{{"p":"{}","s":"{}"}}'
        return ",".join([row.format(self._price(tick), self._size(lots) if lots else "0") for tick, lots in levels])

    # --- streams of books

    def whole(self, levels: int, ns: int) -> Frame:
        """The book that the next push leads on from."""
        if not self._streamed:
            self._seen_id = self.market.update_id
        sides, last, _ = self._streamed.setdefault(levels, self._state(levels))
        return self._push(levels, ns, f'"full":true,"s":"ob.{self.symbol}.{levels}","u":{last}', sides)

    def _advance(self, levels: int, ns: int) -> Iterator[Frame]:
        (before, last, holes), (now, newest, _) = self._streamed[levels], self._state(levels)
        changed = _changed(before[0], now[0]), _changed(before[1], now[1])
        if changed[0] or changed[1]:
            self._streamed[levels] = now, newest, self._holes
            head = f'"s":"ob.{self.symbol}.{levels}","U":{last + 1 + self._holes - holes},"u":{newest}'
            yield self._push(levels, ns, head, changed)

    def _state(self, levels: int) -> tuple[Sides, int, int]:
        """The best levels of now, the update that they stand at, and how many were left out until then."""
        return self._best_levels(levels), self.market.update_id, self._holes

    def _push(self, levels: int, ns: int, head: str, sides: Sides) -> Frame:
        """Sizes are text for contracts as well; a side that holds nothing is left out."""
        text = "".join(
            [
                f',"{name}":[{",".join(map(self._pair, side.items()))}]'
                for name, side in zip("ba", sides, strict=True)
                if side
            ]
        )
        name = f"{'spot' if self._is_spot else 'futures'}.obu"
        body = (
            f'{{"channel":"{name}","result":{{"t":{ns // _MS},{head}{text}}},"time_ms":{ns // _MS},"event":"update"}}'
        )
        return self.frame(f"{self._key}:obu-{levels}", "obu", body.encode(), ns)

    def _pair(self, level: tuple[int, int]) -> str:
        tick, lots = level
        return f'["{self._price(tick)}","{self._size(lots) if lots else 0}"]'

    def _best_levels(self, levels: int) -> Sides:
        return dict(self.market.bids.top(levels)), dict(self.market.asks.top(levels))

    # --- results

    def _update(self, batch: Batch, ns: int) -> str:
        now = self._now()
        changed = [
            self.levels({**_moved(before, after), **touched}.items())
            for before, after, touched in zip(self._told, now, (batch.bids, batch.asks), strict=True)
        ]
        self._told = now
        kind = f'"e":"depthUpdate","E":{ns // _TICKER_NS},' if self._is_spot else ""
        return (
            f'{{"t":{ns // _MS},"l":"{LEVELS}",{kind}"s":"{self.symbol}","U":{batch.first},"u":{batch.last},'
            f'"b":[{changed[0]}],"a":[{changed[1]}]}}'
        )

    def _now(self) -> Sides:
        return self._best_levels(LEVELS)

    def _trade(self, trade: Trade, ns: int) -> str:
        """A print of spot; the id of all pairs together is another than that of the pair."""
        ms, rest = divmod(trade.ns, _MS)
        return (
            f'{{"id":{trade.trade_id * 16},"id_market":{trade.trade_id},"create_time":{ms // 1000},'
            f'"create_time_ms":"{ms}.{rest:06d}","side":"{trade.taker_side}",'
            f'"currency_pair":"{self.symbol}","amount":"{self._size(trade.lots)}","price":"{self._price(trade.tick)}",'
            f'"range":"{trade.trade_id}-{trade.trade_id}"}}'
        )

    def rest_trade(self, trade: Trade) -> str:
        """The same by REST, where the number of the pair has another name."""
        ms, rest = divmod(trade.ns, _MS)
        return (
            f'{{"id":"{trade.trade_id * 16}","create_time":"{ms // 1000}","create_time_ms":"{ms}.{rest:06d}",'
            f'"currency_pair":"{self.symbol}","side":"{trade.taker_side}",'
            f'"amount":"{self._size(trade.lots)}","price":"{self._price(trade.tick)}","sequence_id":"{trade.trade_id}"}}'
        )

    def _contract_trade(self, trade: Trade, ns: int) -> str:
        return f"[{self.contract_trade(trade)}]"

    def contract_trade(self, trade: Trade) -> str:
        """A print of a contract: sales are below zero."""
        return (
            f'{{"size":"{"" if trade.taker_buys else "-"}{self._size(trade.lots)}","id":{trade.trade_id},'
            f'"create_time":{trade.ns // _TICKER_NS},"create_time_ms":{trade.ns // _MS},'
            f'"price":"{self._price(trade.tick)}","contract":"{self.symbol}","is_internal":false}}'
        )

    def _best(self, quote: Quote, ns: int) -> str:
        price, size = self._price, self._size
        return (
            f'{{"t":{ns // _MS},"u":{quote.update_id},"s":"{self.symbol}","b":"{price(quote.bid)}",'
            f'"B":"{size(quote.bid_lots)}","a":"{price(quote.ask)}","A":"{size(quote.ask_lots)}"}}'
        )

    def _ticker(self, _: None, ns: int) -> str:
        mark = self.market.mark(ns)
        text = f'"mark_price":"{self._near(mark.mark_price)}","index_price":"{self._near(mark.index_price)}"'
        if self.market.instrument.kind is Kind.PERPETUAL:
            text += (
                f',"funding_rate":"{mark.funding_rate:.6f}","funding_next_apply":{mark.next_funding_ns // _TICKER_NS}'
            )
        return f'[{{"contract":"{self.symbol}",{text},"t":{ns // _MS}}}]'

    def _orders(self, forced: list[Liquidation], ns: int) -> str:
        rows = [
            f'{{"price":{self._price(one.tick)},"size":"{"" if one.buys else "-"}{self._size(one.lots)}",'
            f'"time_ms":{one.ns // _MS},"contract":"{self.symbol}"}}'
            for one in forced
        ]
        return f"[{','.join(rows)}]"

    def _near(self, price: float) -> str:
        lattice = self.market.instrument.price
        return lattice.text(round(lattice.units(price)))

    def _to(self, ns: int, channel: str, write: Callable[[Any, int], str], subject: Any) -> Iterator[Frame]:
        """The frame, if somebody listens to the channel."""
        topic = self.topic(channel)
        if topic in self.wanted:
            name = f"{'spot' if self._is_spot else 'futures'}.{channel}"
            head = f'{{"time":{ns // _TICKER_NS},"time_ms":{ns // _MS},"channel":"{name}","event":"update","result":'
            yield self.frame(topic, channel, f"{head}{write(subject, ns)}}}".encode(), ns)


def _changed(before: dict[int, int], after: dict[int, int]) -> dict[int, int]:
    """Levels that are another or new, and with 0 those that are gone."""
    changed = {tick: lots for tick, lots in after.items() if before.get(tick) != lots}
    changed.update(dict.fromkeys(before.keys() - after.keys(), 0))
    return changed


def _moved(before: dict[int, int], after: dict[int, int]) -> dict[int, int]:
    """Levels that came among the best, and with 0 those that fell behind them."""
    moved = {tick: after[tick] for tick in after.keys() - before.keys()}
    moved.update(dict.fromkeys(before.keys() - after.keys(), 0))
    return moved
