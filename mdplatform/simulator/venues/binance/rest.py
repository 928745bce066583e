"""What Binance's venues share of their REST interfaces: weights and their budget, errors, paging of trades."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, ClassVar

from mdplatform.simulator.engine.events import Trade
from mdplatform.simulator.engine.instruments import Instrument
from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.protocol.limits import Window
from mdplatform.simulator.protocol.rest import Answer, Refused, answer

MS = 1_000_000
_IGNORED_BEFORE_BAN = 10  # calls over the budget in one minute until 429 becomes 418


class Calls:
    """One venue's calls. `weights` by call; `depth_weights`: the largest limit that each is for."""

    prefix: ClassVar[str]
    weights: ClassVar[Mapping[str, int]]
    depth_weights: ClassVar[tuple[tuple[int, int], ...]]
    depth_default: ClassVar[int]

    def __init__(self, markets: Markets, weight: Window) -> None:
        self.markets = markets
        self.weight = weight

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        """Answer one call and charge its weight; 429 above the budget, 418 to those who go on."""
        call = path.removeprefix(self.prefix)
        if path == call or call not in {*self.weights, "depth"}:
            return Answer(404, b'{"code":-1,"msg":"Not found"}')
        try:
            cost = self._depth_weight(query) if call == "depth" else self.weights[call]
            within = self.weight.use(cost, now_ns)
            reply = self.answer(call, query, now_ns) if within else self._over_budget(now_ns)
        except Refused as refusal:
            reply = refusal.answer
        used = (("X-MBX-USED-WEIGHT", str(self.weight.used)), ("X-MBX-USED-WEIGHT-1M", str(self.weight.used)))
        return reply._replace(headers=(*reply.headers, *used))

    def answer(self, call: str, query: Mapping[str, str], now_ns: int) -> Answer:
        match call:
            case "ping":
                return Answer(200, b"{}")
            case "time":
                return Answer(200, b'{"serverTime":%d}' % (now_ns // MS))
            case "exchangeInfo":
                return answer(self._exchange_info(self.listed(query), now_ns))
        runner = self.runner(query.get("symbol"))
        match call:
            case "depth":
                return Answer(200, self.depth(runner, self.depth_limit(query), now_ns))
            case "aggTrades":
                return answer(_aggregates(runner, query))
        return answer(self._trades(runner, query))

    # --- what a venue adds

    def listing(self, instrument: Instrument) -> dict[str, Any]:
        """The row of an instrument in exchangeInfo."""
        raise NotImplementedError

    def trade(self, instrument: Instrument, trade: Trade) -> dict[str, Any]:
        raise NotImplementedError

    def depth(self, runner: MarketRunner, limit: int, now_ns: int) -> bytes:
        """The snapshot: the best `limit` levels of each side."""
        raise NotImplementedError

    def depth_limit(self, query: Mapping[str, str]) -> int:
        return number(query, "limit", self.depth_default, self.depth_weights[-1][0])

    def listed(self, query: Mapping[str, str]) -> Iterable[Instrument]:
        """The instruments that a call of exchangeInfo names."""
        return self.markets.instruments.values()

    # --- what is the same everywhere

    def runner(self, symbol: str | None) -> MarketRunner:
        if symbol is None:
            raise refused(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
        if symbol not in self.markets:
            raise refused(-1121, "Invalid symbol.")
        return self.markets[symbol]

    def _depth_weight(self, query: Mapping[str, str]) -> int:
        limit = self.depth_limit(query)
        return next(weight for most, weight in self.depth_weights if limit <= most)

    def _over_budget(self, now_ns: int) -> Answer:
        weight = self.weight
        banned = weight.used > weight.limit + _IGNORED_BEFORE_BAN * self.depth_weights[-1][1]
        return too_many(120, 418) if banned else too_many(weight.left_s(now_ns))

    def _exchange_info(self, instruments: Iterable[Instrument], now_ns: int) -> dict[str, Any]:
        weights = {
            "rateLimitType": "REQUEST_WEIGHT",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": self.weight.limit,
        }
        raw = {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 300_000}
        return {
            "timezone": "UTC",
            "serverTime": now_ns // MS,
            "rateLimits": [weights, raw],
            "exchangeFilters": [],
            "symbols": [self.listing(instrument) for instrument in instruments],
        }

    def _trades(self, runner: MarketRunner, query: Mapping[str, str]) -> list[dict[str, Any]]:
        limit = number(query, "limit", 500, 1000)
        kept = list(runner.trades)
        if "fromId" in query:
            first = number(query, "fromId", 0, 2**62)
            kept = [trade for trade in kept if trade.trade_id >= first][:limit]
        return [self.trade(runner.market.instrument, trade) for trade in kept[-limit:]]


def number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    """A parameter that is a positive number, cut off at `most`."""
    text = query.get(name, str(default))
    if not text.isdecimal() or not int(text):
        raise refused(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.")
    return min(int(text), most)


def levels(runner: MarketRunner, limit: int) -> str:
    """The best `limit` levels as the fields `bids` and `asks`."""
    market = runner.market
    price, size = market.instrument.price.text, market.instrument.size.text
    bids, asks = (
        ",".join([f'["{price(tick)}","{size(lots)}"]' for tick, lots in side.top(limit)])
        for side in (market.bids, market.asks)
    )
    return f'"bids":[{bids}],"asks":[{asks}]'


def filters(instrument: Instrument) -> list[dict[str, str]]:
    tick, step = instrument.price.text(1), instrument.size.text(1)
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "9000000.00000000", "stepSize": step},
    ]


def too_many(retry_s: int, status: int = 429) -> Answer:
    body = b'{"code":-1003,"msg":"Too much request weight used; please use WebSocket Streams for live updates."}'
    return Answer(status, body, (("Retry-After", str(retry_s)),))


def refused(code: int, text: str, status: int = 400) -> Refused:
    return Refused(answer({"code": code, "msg": text}, status))


def _aggregates(runner: MarketRunner, query: Mapping[str, str]) -> list[dict[str, Any]]:
    limit = number(query, "limit", 500, 1000)
    groups = [list(group) for _, group in groupby(runner.trades, key=lambda trade: trade.order_id)]
    if "fromId" in query:
        first = number(query, "fromId", 0, 2**62)
        groups = [group for group in groups if group[0].order_id >= first][:limit]
    elif "startTime" in query or "endTime" in query:
        start, end = number(query, "startTime", 1, 2**62), number(query, "endTime", 2**62, 2**62)
        groups = [group for group in groups if start <= group[0].ns // MS <= end][:limit]
    return [_aggregate(runner.market.instrument, group) for group in groups[-limit:]]


def _aggregate(instrument: Instrument, group: list[Trade]) -> dict[str, Any]:
    first = group[0]
    return {
        "a": first.order_id,
        "p": instrument.price.text(first.tick),
        "q": instrument.size.text(sum(trade.lots for trade in group)),
        "f": first.trade_id,
        "l": group[-1].trade_id,
        "T": first.ns // MS,
        "m": not first.taker_buys,
        "M": True,
    }
