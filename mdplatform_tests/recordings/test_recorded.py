"""Recorded truth through the real collector: a local venue sends what Binance and Coinbase once sent."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from mdplatform.collector import CollectorConfig
from mdplatform.recordings.tape import read_lines
from mdplatform_tests.collector.rig import Running, broken_links, collecting
from mdplatform_tests.replay_server import RECORDED, Replay, binance, coinbase, replaying

SPOT = RECORDED / "binance" / "hft_spot_btcusdt_20240808.txt.gz"
NEXT_DAY = RECORDED / "binance" / "hft_spot_btcusdt_20240809.first20s.txt.gz"
EXPECTED = RECORDED / "binance" / "expected" / "hft_spot_btcusdt_20240808+20240809.first20s.book.json"
EXCHANGE = RECORDED / "coinbase" / "cryptofeed_COINBASE.ws.28.0.part.gz"
PRODUCTS = RECORDED / "coinbase" / "cryptofeed_COINBASE.0"
EXCHANGE_CHANNELS = ("level2_batch", "matches", "heartbeat")
COINBASE_SYMBOLS = ("YFI-BTC", "BAND-BTC", "DASH-BTC", "NMR-EUR", "SKL-USD")

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not beside this checkout")


@asynccontextmanager
async def collected(
    replay: Replay, venue: str, symbols: tuple[str, ...], channels: tuple[str, ...] = ()
) -> AsyncIterator[Running]:
    """A collector that has been sent the whole recording and was stopped."""
    async with replaying(replay) as server:
        config = CollectorConfig(
            venue=venue,
            symbols=symbols,
            channels=channels,
            ws_url=server.ws_url,
            rest_url=server.rest_url,
            keep_raw=True,
        )
        async with collecting(config) as collector:
            await collector.until(server.finished.is_set, 60)
            # All frames and an acknowledgement; what REST answered is kept beside them.
            await collector.until(lambda: len(collector.frames(venue)) == server.sent + 1, 60)
            await collector.ended()
            yield collector


async def test_binance_as_recorded_gives_the_expected_book_and_trades() -> None:
    expected = json.loads(EXPECTED.read_text())
    async with collected(binance(SPOT, NEXT_DAY), "binance", ("BTC-USDT",)) as collector:
        books, trades = collector.books(), collector.rows("trades.binance")
        states = {row["state"] for row in collector.statuses(channel="book")}
    assert len(books) == expected["diffs_applied"]
    assert not broken_links(books)
    assert _top(books[-1]) == [_levels(expected["final"][side][:20]) for side in ("bids", "asks")]
    by_sequence = {book["sequence"]: book for book in books}
    for point in expected["checkpoints"]:
        top = _top(by_sequence[point["u"]])
        assert [side[:5] for side in top] == [_levels(point[side]) for side in ("bids", "asks")]
    first, last = expected["trade_id_range"]
    assert [int(trade["id"]) for trade in trades] == list(range(first, last + 1))
    assert sum(Decimal(str(trade["qty"])) for trade in trades) == Decimal(expected["trade_qty_sum"])
    assert states == {"resync", "valid", "down"}


async def test_binance_books_agree_with_its_own_book_ticker() -> None:
    async with collected(binance(SPOT), "binance", ("BTC-USDT",)) as collector:
        best = {
            book["sequence"]: (book["b"][0], book["bv"][0], book["a"][0], book["av"][0]) for book in collector.books()
        }
    tickers = [json.loads(line.split(b" ", 1)[1])["data"] for line in read_lines(SPOT) if b"@bookTicker" in line]
    told = {t["u"]: tuple(float(t[name]) for name in ("b", "B", "a", "A")) for t in tickers}
    both = best.keys() & told.keys()
    assert len(both) > 500
    assert {sequence for sequence in both if best[sequence] != told[sequence]} == set()


async def test_coinbase_as_recorded_gives_the_books_that_its_updates_make() -> None:
    replay = coinbase(EXCHANGE, PRODUCTS)
    async with collected(replay, "coinbase", COINBASE_SYMBOLS, EXCHANGE_CHANNELS) as collector:
        books, trades = collector.books("coinbase"), collector.rows("trades.coinbase")
    for symbol in COINBASE_SYMBOLS:
        sides = _rebuilt(replay.frames, symbol)
        last = [book for book in books if book["symbol"] == symbol][-1]
        assert _top(last) == [
            [(price, sides["buy"][price]) for price in sorted(sides["buy"], reverse=True)[:20]],
            [(price, sides["sell"][price]) for price in sorted(sides["sell"])[:20]],
        ]
    matches = [json.loads(frame) for frame in replay.frames if b'"match"' in frame or b'"last_match"' in frame]
    assert {(t["symbol"], t["id"]) for t in trades} == {(m["product_id"], str(m["trade_id"])) for m in matches}


def _top(book: dict[str, Any]) -> list[list[tuple[float, float]]]:
    """Bids and asks as (price, size)."""
    return [list(zip(book[price], book[size], strict=True)) for price, size in (("b", "bv"), ("a", "av"))]


def _levels(rows: list[list[str]]) -> list[tuple[float, float]]:
    return [(float(price), float(size)) for price, size in rows]


def _rebuilt(frames: list[bytes], product: str) -> dict[str, dict[float, float]]:
    """A product's book after all updates, by side and price: the plainest reading of the venue's documentation."""
    sides: dict[str, dict[float, float]] = {}
    for message in map(json.loads, frames):
        if message["product_id"] != product:
            continue
        if message["type"] == "snapshot":
            sides = {"buy": dict(_levels(message["bids"])), "sell": dict(_levels(message["asks"]))}
        for side, price, size in message.get("changes", ()):
            sides[side][float(price)] = float(size)
            if not float(size):
                del sides[side][float(price)]
    return sides
