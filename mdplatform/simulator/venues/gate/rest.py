"""Gate: the REST calls a market data client needs. https://www.gate.com/docs/developers/apiv4/"""

from __future__ import annotations

from collections.abc import Mapping

from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.protocol.rest import Answer, Refused, answer
from mdplatform.simulator.venues.gate.feed import GateFeed
from mdplatform.simulator.venues.gate.instruments import BTC, DELIVERY, SPOT, USD1, USDT, row

_MS = 1_000_000
_SECTIONS = (SPOT, USDT, BTC, USD1, DELIVERY)
_MOST_LEVELS = 100
_MOST_TRADES = 1000
_NOT_FOUND = Answer(404, b'{"label":"NOT_FOUND","message":"Not Found"}')


def respond(markets: Markets, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
    """Answer a call below /api/v4."""
    section, _, call = path.removeprefix("/api/v4/").rpartition("/")
    if section not in _SECTIONS:
        return _NOT_FOUND
    if call == ("currency_pairs" if section == SPOT else "contracts"):
        return answer([row(one) for one in markets.listed(section)])
    if call == "order_book":
        return Answer(200, _book(markets, section, query, now_ns).encode())
    if call == "trades":
        return Answer(200, _trades(markets, section, query).encode())
    return _NOT_FOUND


def too_many() -> Answer:
    return Answer(429, b'{"label":"TOO_MANY_REQUESTS","message":"Request Rate Limit Exceeded"}')


def _book(markets: Markets, section: str, query: Mapping[str, str], now_ns: int) -> str:
    runner = _runner(markets, section, query)
    bids, asks = runner.feed(GateFeed).top(_limit(query, 10, _MOST_LEVELS))
    number = f'"id":{runner.market.update_id},' if query.get("with_id") == "true" else ""
    at = f"{now_ns // _MS}" if section == SPOT else f"{now_ns // _MS / 1000:.3f}"
    return f'{{{number}"current":{at},"update":{at},"asks":[{asks}],"bids":[{bids}]}}'


def _trades(markets: Markets, section: str, query: Mapping[str, str]) -> str:
    """Newest first."""
    runner = _runner(markets, section, query)
    latest, feed = runner.latest(_limit(query, 100, _MOST_TRADES)), runner.feed(GateFeed)
    return f"[{','.join(feed.rest_trade(one) if section == SPOT else feed.contract_trade(one) for one in latest)}]"


def _runner(markets: Markets, section: str, query: Mapping[str, str]) -> MarketRunner:
    name, label = ("currency_pair", "INVALID_CURRENCY_PAIR") if section == SPOT else ("contract", "CONTRACT_NOT_FOUND")
    symbol = query.get(name)
    if not symbol:
        raise _refused("MISSING_REQUIRED_PARAM", f"Missing required parameter: {name}")
    if f"{section}/{symbol}" not in markets:
        raise _refused(label, f"Invalid {name} {symbol}")
    return markets[f"{section}/{symbol}"]


def _limit(query: Mapping[str, str], default: int, most: int) -> int:
    text = query.get("limit") or str(default)
    if not text.isdecimal() or len(text) > 9 or not 0 < int(text) <= most:
        raise _refused("INVALID_PARAM_VALUE", f"Invalid parameter `limit` with value: {text[:20]}")
    return int(text)


def _refused(label: str, message: str) -> Refused:
    return Refused(answer({"label": label, "message": message}, 400))
