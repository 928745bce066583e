"""What really was: the book at each published update, kept for a while and, on request, in a ledger file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from mdplatform.simulator.engine.events import Event, Liquidation, Trade
from mdplatform.simulator.engine.feed import Feed, Frame
from mdplatform.simulator.engine.market import Market

_KEPT = 1_200  # published updates: two minutes of Binance, one of Coinbase
_TOP = 20


class GroundTruth(Feed):
    """Listens like a feed and publishes nothing. One record each `cadence_ns` in which the book changed.

    A record: `venue symbol update_id time_ns bids asks last_trade_id checksum levels trades`; numbers as the venue
    writes them, best level first; `checksum` as `market.level_checksum` over the whole book; `trades` since the record
    before it, as (id, price, size, taker's side, ns); `liquidations` since then, as (id, average price in ticks, size,
    the order's side, ns).
    """

    def __init__(self, venue: str, market: Market, cadence_ns: int, ledger: BinaryIO | None = None) -> None:
        super().__init__(market, ())
        self.venue = venue
        self._cadence_ns = cadence_ns
        self._ledger = ledger
        self._dirty = False
        self._prints: list[Trade] = []
        self._liquidations: list[Liquidation] = []
        self._records: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._record(0)

    def event(self, event: Event) -> Iterator[Frame]:
        self._dirty = True
        if isinstance(event, Trade):
            self._prints.append(event)
        elif isinstance(event, Liquidation):
            self._liquidations.append(event)
        return iter(())

    def edge(self, ns: int) -> Iterator[Frame]:
        if self._dirty and ns % self._cadence_ns == 0:
            self._record(ns)
            self._dirty = False
        return iter(())

    def at(self, update_id: int | None = None, time_ns: int | None = None) -> dict[str, Any] | None:
        """The record with this update id, or the last one not after `time_ns`, or the latest; None when not kept."""
        for record in reversed(self._records):
            if update_id in (None, record["update_id"]) and (time_ns is None or record["time_ns"] <= time_ns):
                return self._shown(record)
        return None

    def _record(self, ns: int) -> None:
        market = self.market
        record = {
            "update_id": market.update_id,
            "time_ns": ns,
            "bids": market.bids.top(_TOP),
            "asks": market.asks.top(_TOP),
            "last_trade_id": market.trade_id,
            "checksum": market.checksum,
            "levels": (len(market.bids), len(market.asks)),
            "trades": self._prints,
            "liquidations": self._liquidations,
        }
        self._prints, self._liquidations = [], []
        self._records.append(record)
        if self._ledger is not None and ns:
            self._ledger.write(msgspec.json.encode(self._shown(record)) + b"\n")

    def _shown(self, record: dict[str, Any]) -> dict[str, Any]:
        price, size = self.market.instrument.price.text, self.market.instrument.size.text
        levels = {side: [(price(tick), size(lots)) for tick, lots in record[side]] for side in ("bids", "asks")}
        trades = [
            (trade.trade_id, price(trade.tick), size(trade.lots), trade.taker_side, trade.ns)
            for trade in record["trades"]
        ]
        liquidations = [
            (one.liquidation_id, one.average, size(one.lots), "buy" if one.buys else "sell", one.ns)
            for one in record["liquidations"]
        ]
        named = {"venue": self.venue, "symbol": self.symbol, "canonical": self.market.instrument.canonical}
        return {**named, **record, **levels, "trades": trades, "liquidations": liquidations}
