"""Filters find the channel and the symbols in frames of every venue, as each venue writes them."""

from __future__ import annotations

import pytest

from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings
from mdplatform.serve.filters import wanted
from mdplatform.serve.options import Filter
from mdplatform_tests.venues.recordings_digest import recorded

NOWHERE = Settings(clickhouse_url="http://127.0.0.1:1")
FRAMES = {
    "binance": b'{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","s":"BTCUSDT","b":[["1","2"]]}}',
    "okx": b'{"arg":{"channel":"trades-all","instId":"BTC-USDT-SWAP"},"data":[{"instId":"BTC-USDT-SWAP"}]}',
    "bybit": b'{"topic":"orderbook.50.BTCUSDT","type":"delta","data":{"s":"BTCUSDT"}}',
    "deribit": b'{"method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":{"type":"change"}}}',
    "coinbase": b'{"channel":"l2_data","events":[{"type":"update","product_id":"BTC-USD"}]}',
    "kraken": b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD"}]}',
    "kucoin": b'{"topic":"/market/level2:BTC-USDT","subject":"trade.l2update"}',
    "gate": b'{"channel":"spot.trades","result":{"currency_pair":"BTC_USDT"}}',
    "hyperliquid": b'{"channel":"l2Book","data":{"coin":"BTC"}}',
}


@pytest.mark.parametrize(
    ("venue", "channel", "symbols", "passes"),
    [
        *(("binance", "depth", [symbol], True) for symbol in ("btcusdt", "BTCUSDT")),
        ("binance", "depth", ["ethusdt", "btcusdt"], True),
        ("binance", "depth", ["btcusd", "usdt"], False),
        ("binance", "trade", None, False),
        ("binance", "depth", None, True),
        ("okx", "trades-all", ["BTC-USDT-SWAP"], True),
        ("okx", "trades-all", ["BTC-USDT"], False),  # spot
        ("okx", "trades", None, False),  # another channel
        ("bybit", "orderbook", ["BTCUSDT"], True),
        ("bybit", "orderbook.50", None, True),
        ("deribit", "book", ["BTC-PERPETUAL"], True),
        ("deribit", "book", ["ETH-PERPETUAL"], False),
        ("coinbase", "l2_data", ["BTC-USD"], True),
        ("kraken", "book", ["BTC/USD"], True),
        ("kraken", "book", ["XBTC/USD"], False),
        ("kucoin", "market/level2", ["BTC-USDT"], True),
        ("kucoin", "level1", None, False),
        ("gate", "trades", ["BTC_USDT"], True),
        ("hyperliquid", "l2Book", ["BTC"], True),
    ],
)
def test_a_frame_passes_by_the_words_of_its_venue(
    venue: str, channel: str, symbols: list[str] | None, passes: bool
) -> None:
    assert wanted([Filter(channel, symbols)], venue, NOWHERE)(FRAMES[venue]) is passes


def test_one_of_several_filters_is_enough() -> None:
    either = wanted([Filter("trade"), Filter("depth", ["BTCUSDT"])], "binance", NOWHERE)
    assert either(FRAMES["binance"])
    assert not wanted([Filter("trade"), Filter("depth", ["ETHUSDT"])], "binance", NOWHERE)(FRAMES["binance"])
    assert wanted([], "binance", NOWHERE)(b"pong")


def test_filters_split_a_recording_as_its_streams_do() -> None:
    frames = [frame for _, _, frame in (line.partition(b" ") for line in recorded("binance/hft_spot")[1][:3000])]
    for channel in ("depth", "trade", "bookTicker"):
        passes = wanted([Filter(channel, ["btcusdt"])], "binance", NOWHERE)
        assert [passes(f) for f in frames] == [f'"stream":"btcusdt@{channel}'.encode() in f for f in frames]


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ([Filter("candles")], "no channel 'candles' of binance; there are bookTicker, depth"),
        ([Filter("trade")] * 51, "51 filters are too many"),
        ([Filter("trade", ["x" * 101])], "up to 100 characters"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(filters: list[Filter], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        wanted(filters, "binance", NOWHERE)
