"""What a collector subscribes to on each simulated venue: books and trades of every symbol, and their snapshots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from mdplatform.core.symbols import Kind
from mdplatform.simulator.protocol.exchange import Exchange
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.venues.kucoin.feed import TOPICS

Calls = Iterable[tuple[str, dict[str, str]]]  # REST: (path, query)

_BINANCE = ("depth@100ms", "trade")
_BINANCE_FUTURES = ("depth@100ms", "aggTrade", "forceOrder", "markPrice@1s")
_OKX = ("books", "books5", "bbo-tbt", "trades", "mark-price", "funding-rate", "open-interest")
_BITGET = ("books", "books1", "publicTrade")
_GATE = {"spot": "/ws/v4/", "futures/usdt": "/v4/ws/usdt", "futures/btc": "/v4/ws/btc", "futures/usd1": "/v4/ws/usd1"}
_GATE_DELIVERY = {"delivery/usdt": "/v4/ws/delivery/usdt"}
_KUCOIN = {"spot": "/api/v2/symbols", "futures": "/api/v1/contracts/active"}
_KUCOIN_BOOKS = {"spot": "/api/v1/market/orderbook/level2_100", "futures": "/api/v1/level2/snapshot"}
_A_REQUEST = 100  # symbols of KuCoin


def subscribe(exchange: Exchange, peer: Peer, now_ns: int) -> None:
    """Send what subscribes this peer; lists without which frames cannot be read come first, as frames."""
    for message in _SUBSCRIPTIONS[exchange.venue](exchange, peer):
        exchange.message(peer, msgspec.json.encode(message), now_ns)


def snapshot_calls(exchange: Exchange) -> Calls:
    """The REST calls of a client whose stream begins without the book."""
    make = _SNAPSHOTS.get(exchange.venue)
    return () if make is None else make(exchange)


def _list(exchange: Exchange, peer: Peer, path: str, **query: str) -> None:
    peer.reply(exchange.respond(path, query, peer.opened_ns).body)


def _symbols(exchange: Exchange, section: str) -> list[str]:
    return [one.symbol for one in exchange.markets.listed(section)]


def _binance(exchange: Exchange, peer: Peer, channels: tuple[str, ...] = _BINANCE_FUTURES) -> list[Any]:
    peer.combined = True
    names = [f"{symbol.lower()}@{channel}" for symbol in exchange.markets for channel in channels]
    return [{"method": "SUBSCRIBE", "params": names, "id": 1}]


def _binance_spot(exchange: Exchange, peer: Peer) -> list[Any]:
    return _binance(exchange, peer, _BINANCE)


def _depth(prefix: str, limit: int) -> Callable[[Exchange], Calls]:
    return lambda exchange: [(f"{prefix}depth", {"symbol": name, "limit": str(limit)}) for name in exchange.markets]


def _bitget(exchange: Exchange, peer: Peer) -> Iterator[Any]:
    categories = ("spot", "usdt-futures", "usdc-futures", "coin-futures")
    for category in categories:
        _list(exchange, peer, "/api/v3/market/instruments", category=category)
    args = [
        {"instType": one.section, "topic": channel, "symbol": one.symbol}
        for one in exchange.markets.instruments.values()
        for channel in (*_BITGET, *(("ticker",) if one.section != "spot" else ()))
    ]
    args += [{"instType": category, "topic": "liquidation"} for category in categories[1:]]
    for start in range(0, len(args), 20):
        yield {"op": "subscribe", "args": args[start : start + 20]}


def _bybit(exchange: Exchange, peer: Peer) -> Iterator[Any]:
    for name in _symbols(exchange, "linear"):
        yield {"op": "subscribe", "req_id": "linear-1", "args": [f"orderbook.50.{name}", f"publicTrade.{name}"]}


def _coinbase(exchange: Exchange, peer: Peer) -> list[Any]:
    """Books by Advanced Trade and trades by Exchange."""
    ids = list(exchange.markets)
    return [
        {"type": "subscribe", "product_ids": ids, "channels": ["matches", "heartbeat"]},
        {"type": "subscribe", "channel": "heartbeats"},
        {"type": "subscribe", "product_ids": ids, "channel": "level2"},
    ]


def _coinbase_advanced(exchange: Exchange, peer: Peer) -> list[Any]:
    ids = list(exchange.markets)
    channels = ("heartbeats", "market_trades", "level2")
    return [{"type": "subscribe", "product_ids": ids, "channel": channel} for channel in channels]


def _deribit(exchange: Exchange, peer: Peer) -> list[Any]:
    channels = [f"{head}.{name}.100ms" for name in exchange.markets for head in ("book", "trades")]
    return [{"jsonrpc": "2.0", "id": 1, "method": "public/subscribe", "params": {"channels": channels}}]


def _gate(exchange: Exchange, peer: Peer) -> Iterator[Any]:
    for section, path in (_GATE | _GATE_DELIVERY).items():
        exchange.opened(peer, path, {})
        is_spot, symbols = section == "spot", _symbols(exchange, section)
        _list(exchange, peer, f"/api/v4/{section}/{'currency_pairs' if is_spot else 'contracts'}")
        book = "order_book_update" if section in _GATE_DELIVERY else "obu"
        for channel in sorted({book, "trades", "book_ticker", *(() if is_spot else ("tickers", "public_liquidates"))}):
            payloads = {
                "order_book_update": [[symbol, "100ms", "100"] for symbol in symbols],
                "obu": [[f"ob.{symbol}.400"] for symbol in symbols],
            }.get(channel, [symbols])
            for payload in payloads:
                yield {
                    "channel": f"{'spot' if is_spot else 'futures'}.{channel}",
                    "event": "subscribe",
                    "payload": payload,
                }


def _gate_books(exchange: Exchange) -> Calls:
    for section in _GATE_DELIVERY:
        for name in _symbols(exchange, section):
            yield f"/api/v4/{section}/order_book", {"contract": name, "limit": "100", "with_id": "true"}


def _hyperliquid(exchange: Exchange, peer: Peer) -> Iterator[Any]:
    for coin, instrument in exchange.markets.instruments.items():
        kinds: list[dict[str, Any]] = [{"type": kind} for kind in ("l2Book", "trades", "bbo")]
        kinds.append({"type": "l2Book", "fast": True})
        if instrument.kind is Kind.PERPETUAL:
            kinds.append({"type": "activeAssetCtx"})
        for kind in kinds:
            yield {"method": "subscribe", "subscription": kind | {"coin": coin}}


def _kraken(exchange: Exchange, peer: Peer) -> Iterator[Any]:
    exchange.opened(peer, "/v2", {})
    _list(exchange, peer, "/0/public/AssetPairs")
    for channel in ("book", "trade", "ticker"):
        params = {"channel": channel, "symbol": _symbols(exchange, "spot"), "depth": 25}
        yield {"method": "subscribe", "params": params, "req_id": 1}
    exchange.opened(peer, "/ws/v1", {})
    _list(exchange, peer, "/derivatives/api/v3/instruments")
    for feed in ("book", "trade", "ticker"):
        yield {"event": "subscribe", "feed": feed, "product_ids": _symbols(exchange, "futures")}


def _kucoin(exchange: Exchange, peer: Peer) -> Iterator[Any]:
    for section, path in _KUCOIN.items():
        _list(exchange, peer, path)
        symbols = _symbols(exchange, section)
        parts = [",".join(symbols[start : start + _A_REQUEST]) for start in range(0, len(symbols), _A_REQUEST)]
        for channel, topic in TOPICS[section].items():
            for part in parts if channel != "whole" else ():
                yield {"id": channel, "type": "subscribe", "topic": f"{topic}:{part}"}


def _kucoin_books(exchange: Exchange) -> Calls:
    return [(_KUCOIN_BOOKS[one.section], {"symbol": one.symbol}) for one in exchange.markets.instruments.values()]


def _okx(exchange: Exchange, peer: Peer) -> Iterator[Any]:
    exchange.opened(peer, "/ws/v5/public", {})
    for kind in ("SPOT", "SWAP", "FUTURES"):
        _list(exchange, peer, "/api/v5/public/instruments", instType=kind)
    args = []
    for name, one in exchange.markets.instruments.items():
        pays_funding = one.kind is Kind.PERPETUAL or "XPERP" in one.symbol
        lacking = (
            {"mark-price", "funding-rate", "open-interest"}
            if one.kind is Kind.SPOT
            else set()
            if pays_funding
            else {"funding-rate"}
        )
        args += [{"channel": channel, "instId": name} for channel in _OKX if channel not in lacking]
    swaps = [name for name, one in exchange.markets.instruments.items() if one.kind is Kind.PERPETUAL]
    args += [{"channel": "index-tickers", "instId": name.removesuffix("-SWAP")} for name in swaps]
    args += [{"channel": "liquidation-orders", "instType": kind} for kind in ("SWAP", "FUTURES")]
    yield {"id": "1", "op": "subscribe", "args": args}


def _cryptocom(exchange: Exchange, peer: Peer) -> Iterator[Any]:
    exchange.opened(peer, "", {})
    _list(exchange, peer, "/exchange/v1/public/get-instruments")
    how = {"book_subscription_type": "SNAPSHOT_AND_UPDATE", "book_update_frequency": 10}
    for name, one in exchange.markets.instruments.items():
        topics = [f"book.{name}.50", f"trade.{name}", f"ticker.{name}"]
        topics += [f"mark.{name}"] if one.kind is not Kind.SPOT else []
        topics += [f"funding.{name}", f"index.{one.base}{one.quote}-INDEX"] if one.kind is Kind.PERPETUAL else []
        yield {"id": 1, "method": "subscribe", "params": {"channels": topics, **how}}


_SUBSCRIPTIONS: dict[str, Callable[[Exchange, Peer], Iterable[Any]]] = {
    "binance": _binance_spot,
    "binance-usdm": _binance,
    "binance-coinm": _binance,
    "bitget": _bitget,
    "bybit": _bybit,
    "coinbase": _coinbase,
    "coinbase-advanced": _coinbase_advanced,
    "cryptocom": _cryptocom,
    "deribit": _deribit,
    "gate": _gate,
    "hyperliquid": _hyperliquid,
    "kraken": _kraken,
    "kucoin": _kucoin,
    "okx": _okx,
}
_SNAPSHOTS: dict[str, Callable[[Exchange], Calls]] = {
    "binance": _depth("/api/v3/", 5000),
    "binance-usdm": _depth("/fapi/v1/", 1000),
    "binance-coinm": _depth("/dapi/v1/", 1000),
    "gate": _gate_books,
    "kucoin": _kucoin_books,
}
