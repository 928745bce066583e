"""How the recordings of each venue that hold a stream of diffs are read, and how the venue would send a snapshot."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import msgspec

from mdplatform_tests.venues.breaking import Pairs, State, Stream, Update

_SYMBOL = re.compile(r"[?&](?:symbol|contract|currency_pair)=([^&]+)")


def _pairs(rows: list[list[str]]) -> Pairs:
    return [(row[0], row[1]) for row in rows]


def _binance(chained: bool, line: Any) -> Update | None:
    """``chained``: futures name the update before; on spot ids count up by one."""
    data = line.get("data", line)
    if data.get("e") != "depthUpdate":
        return None
    last, previous = int(data["u"]), int(data["pu"]) if chained else int(data["U"]) - 1
    return Update(data["s"], previous, last, _pairs(data["b"]), _pairs(data["a"]))


def _binance_rest(only: str, line: Any, address: str) -> Update | None:
    """``only``: the one symbol of a recording that does not say what was asked."""
    if "lastUpdateId" not in line:
        return None
    named = _SYMBOL.search(address)
    last = int(line["lastUpdateId"])
    return Update(named[1] if named else only, last, last, _pairs(line["bids"]), _pairs(line["asks"]))


def _binance_body(symbol: str, state: State) -> bytes:
    sides = {"bids": list(state.bids.items()), "asks": list(state.asks.items())}
    return msgspec.json.encode({"lastUpdateId": state.last, "E": 1628000000000, "T": 1628000000000, **sides})


def _kraken(line: Any) -> Update | None:
    if line.get("feed") != "book" or "seq" not in line:
        return None
    last, level = int(line["seq"]), [(line["price"], line["qty"])]
    is_bid = line["side"] == "buy"
    return Update(line["product_id"], last - 1, last, level if is_bid else [], [] if is_bid else level)


def _kraken_snapshot(line: Any, address: str) -> Update | None:
    if line.get("feed") != "book_snapshot":
        return None
    last = int(line["seq"])
    bids, asks = ([(row["price"], row["qty"]) for row in line[side]] for side in ("bids", "asks"))
    return Update(line["product_id"], last, last, bids, asks)


def _kraken_frame(symbol: str, state: State) -> bytes:
    bids, asks = (
        ",".join(f'{{"price":{price},"qty":{size}}}' for price, size in side.items())
        for side in (state.bids, state.asks)
    )
    head = f'"feed":"book_snapshot","product_id":"{symbol}","timestamp":1626994927000,"seq":{state.last}'
    return f'{{{head},"bids":[{bids}],"asks":[{asks}]}}'.encode()


def _kraken_subscribed(message: Any) -> list[str]:
    return message["product_ids"] if (message["event"], message["feed"]) == ("subscribe", "book") else []


def _gate(line: Any) -> Update | None:
    data = line.get("result")
    if not str(line.get("channel")).endswith(".order_book_update") or "U" not in (data or ()):
        return None
    return Update(data["s"], int(data["U"]) - 1, int(data["u"]), _gate_pairs(data["b"]), _gate_pairs(data["a"]))


def _gate_pairs(rows: list[Any]) -> Pairs:
    return [(row["p"], row["s"]) if isinstance(row, dict) else (row[0], row[1]) for row in rows]


def _gate_rest(line: Any, address: str) -> Update | None:
    named = _SYMBOL.search(address)
    if "bids" not in line or named is None:
        return None
    last = int(line["id"])
    return Update(named[1], last, last, _gate_pairs(line["bids"]), _gate_pairs(line["asks"]))


def _gate_body(is_futures: bool, symbol: str, state: State) -> bytes:
    sides = {
        name: [f'{{"p":"{price}","s":{size}}}' if is_futures else f'["{price}","{size}"]' for price, size in pairs]
        for name, pairs in {
            "bids": sorted(state.bids.items(), key=lambda pair: -float(pair[0])),
            "asks": sorted(state.asks.items(), key=lambda pair: float(pair[0])),
        }.items()
    }
    times = '"current":1684930166.384,"update":1684930166.35'
    bids, asks = (",".join(rows) for rows in sides.values())
    return f'{{"id":{state.last},{times},"asks":[{asks}],"bids":[{bids}]}}'.encode()


def _bybit(kind: str, line: Any, address: str = "") -> Update | None:
    if not line["topic"].startswith("orderbook.") or line["type"] != kind:
        return None
    data = line["data"]
    return Update(data["s"], int(data["u"]) - 1, int(data["u"]), _pairs(data["b"]), _pairs(data["a"]))


def _bybit_frame(symbol: str, state: State) -> bytes:
    sides = {"b": list(state.bids.items()), "a": list(state.asks.items())}
    data = {"s": symbol, **sides, "u": state.last, "seq": 1}
    frame = {"topic": f"orderbook.500.{symbol}", "type": "snapshot", "ts": 1733011200691, "data": data}
    return msgspec.json.encode({**frame, "cts": 1733011200690})


def _deribit(kind: str, line: Any, address: str = "") -> Update | None:
    data = line.get("params", {}).get("data")
    if not isinstance(data, dict) or data.get("type") != kind or "change_id" not in data:
        return None
    last = int(data["change_id"])
    bids, asks = ([(row[1], row[2]) for row in data[side]] for side in ("bids", "asks"))
    return Update(data["instrument_name"], int(data.get("prev_change_id", last)), last, bids, asks)


def _deribit_frame(symbol: str, state: State) -> bytes:
    bids, asks = (
        ",".join(f'["new",{price},{size}]' for price, size in side.items()) for side in (state.bids, state.asks)
    )
    data = f'"type":"snapshot","timestamp":1626993723632,"instrument_name":"{symbol}","change_id":{state.last}'
    params = f'{{"channel":"book.{symbol}.raw","data":{{{data},"bids":[{bids}],"asks":[{asks}]}}}}'
    return f'{{"jsonrpc":"2.0","method":"subscription","params":{params}}}'.encode()


def _kucoin(line: Any) -> Update | None:
    data = line.get("data")
    if line.get("subject") != "trade.l2update":
        return None
    bids, asks = ([(row[0], row[1]) for row in data["changes"][side]] for side in ("bids", "asks"))
    return Update(data["symbol"], int(data["sequenceStart"]) - 1, int(data["sequenceEnd"]), bids, asks)


def _kucoin_rest(line: Any, address: str) -> Update | None:
    named = _SYMBOL.search(address)
    if line.get("code") is None or named is None:
        return None
    data = line["data"]
    last = int(data["sequence"])
    return Update(named[1], last, last, _pairs(data["bids"]), _pairs(data["asks"]))


def _kucoin_body(symbol: str, state: State) -> bytes:
    sides = {"bids": list(state.bids.items()), "asks": list(state.asks.items())}
    return msgspec.json.encode(
        {"code": "200000", "data": {"time": 1619378326628, "sequence": str(state.last), **sides}}
    )


def _topics(message: Any) -> list[str]:
    """What a message subscribes at venues that write channel and symbol as one word: the symbols of books."""
    words = message.get("args", []) if message.get("op") == "subscribe" else []
    if message.get("method", "").endswith("/subscribe"):
        words = message["params"]["channels"]
    found = [re.fullmatch(r"(?:orderbook\.\d+|book)\.([^.]+)(?:\.raw)?", word) for word in words]
    return [match[1] for match in found if match]


STREAMS = {
    "binance": Stream(
        "binance",
        ("binance/hft_spot_btcusdt_20240808.txt.gz",),
        partial(_binance, False),
        partial(_binance_rest, "BTCUSDT"),
        _binance_body,
    ),
    "binance-of-four": Stream(
        "binance",
        ("binance/cryptofeed_BINANCE.http.0.0", "binance/cryptofeed_BINANCE.ws.1.0"),
        partial(_binance, False),
        partial(_binance_rest, ""),
        _binance_body,
    ),
    "binance-usdm": Stream(
        "binance-usdm",
        ("binance/hft_usdm_btcusdt_20240808.first90s.txt.gz",),
        partial(_binance, True),
        partial(_binance_rest, "BTCUSDT"),
        _binance_body,
    ),
    "binance-usdm-of-four": Stream(
        "binance-usdm",
        ("binance/cryptofeed_BINANCE_FUTURES.http.0.0", "binance/cryptofeed_BINANCE_FUTURES.ws.1.0.gz"),
        partial(_binance, True),
        partial(_binance_rest, ""),
        _binance_body,
    ),
    "binance-coinm-of-ten": Stream(
        "binance-coinm",
        ("binance/cryptofeed_BINANCE_DELIVERY.http.0.0.gz", "binance/cryptofeed_BINANCE_DELIVERY.ws.1.0.gz"),
        partial(_binance, True),
        partial(_binance_rest, ""),
        _binance_body,
        lists=("binance/cryptofeed_BINANCE_DELIVERY.0",),
    ),
    "kraken-futures": Stream(
        "kraken",
        ("kraken/cryptofeed_KRAKEN_FUTURES.ws.1.0.gz",),
        _kraken,
        _kraken_snapshot,
        _kraken_frame,
        _kraken_subscribed,
    ),
    "gate-spot": Stream(
        "gate",
        ("gate/cryptofeed_GATEIO.http.0.0", "gate/cryptofeed_GATEIO.ws.1.0"),
        _gate,
        _gate_rest,
        partial(_gate_body, False),
        lists=("gate/cryptofeed_GATEIO.0.gz",),
        category="spot",
        channels=("order_book_update", "trades"),
        by_reader=False,
    ),
    "gate-futures": Stream(
        "gate",
        ("gate/cryptofeed_GATEIO_FUTURES.http.0.0", "gate/cryptofeed_GATEIO_FUTURES.ws.1.0"),
        _gate,
        _gate_rest,
        partial(_gate_body, True),
        lists=("gate/cryptofeed_GATEIO_FUTURES.0.gz",),
        category="futures",
        channels=("order_book_update", "trades", "liquidations", "funding"),
        by_reader=False,
    ),
    "kucoin": Stream(
        "kucoin",
        ("kucoin/cryptofeed_KUCOIN.http.0.0.part", "kucoin/cryptofeed_KUCOIN.ws.1.0.part.gz"),
        _kucoin,
        _kucoin_rest,
        _kucoin_body,
        lists=("kucoin/cryptofeed_KUCOIN.0.gz",),
        channels=("level2", "match"),
    ),
    "bybit": Stream(
        "bybit",
        ("bybit/nautilus_2024-12-01_XRPUSDT_ob500.data.jsonl",),
        partial(_bybit, "delta"),
        partial(_bybit, "snapshot"),
        _bybit_frame,
        _topics,
        category="linear",
    ),
    "deribit": Stream(
        "deribit",
        ("deribit/cryptofeed_DERIBIT.ws.1.0",),
        partial(_deribit, "change"),
        partial(_deribit, "snapshot"),
        _deribit_frame,
        _topics,
        tells_size=False,
        lists=("deribit/cryptofeed_DERIBIT.0.gz",),
    ),
}
