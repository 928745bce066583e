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
}
