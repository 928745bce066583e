"""A hostile or broken exchange: what is far more than any venue sends is refused, and the rest is collected."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from mdplatform.collector import CollectorConfig
from mdplatform.core.bounds import HEAD_BYTES, MOST_BOOK_LEVELS, is_overfull
from mdplatform.feed import websocket
from mdplatform.venuekit.books.diff import Buffer, Diff
from mdplatform.venuekit.books.order_book import OrderBook
from mdplatform.venues import venue
from mdplatform_tests.collector.rig import Running, collecting

PRODUCTS = ("BTC-USD", "ETH-USD")
Speaks = Callable[[ServerConnection], Awaitable[None]]


def listed() -> bytes:
    product = {"status": "online", "base_increment": "0.00000001", "quote_increment": "0.01", "trading_disabled": False}
    bases = (product | {"id": p, "base_currency": p[:3], "quote_currency": "USD"} for p in PRODUCTS)
    return json.dumps([*bases]).encode()


def snapshot(product: str, levels: int) -> str:
    """A book of so many levels a side."""
    sides = [",".join(f'["{at + step}.01","1"]' for step in range(levels)) for at in (1, 10_000_000)]
    head = f'{{"type":"snapshot","product_id":"{product}","time":"2026-11-30T12:00:00.000000Z"'
    return f'{head},"bids":[{sides[0]}],"asks":[{sides[1]}]}}'


def update(product: str, prices: Iterable[int] = (1,), side: str = "buy") -> str:
    changes = ",".join(f'["{side}","{price}.02","2"]' for price in prices)
    head = f'{{"type":"l2update","product_id":"{product}","time":"2026-11-30T12:00:01.000000Z"'
    return f'{head},"changes":[{changes}]}}'


@asynccontextmanager
async def exchange(speaks: Speaks) -> AsyncIterator[Running]:
    """A collector of two books of Coinbase, from a server that acknowledges the subscription and then ``speaks``."""

    def answer(socket: ServerConnection, request: Any) -> Any:
        return socket.respond(200, listed().decode()) if request.path.startswith("/products") else None

    async def handler(socket: ServerConnection) -> None:
        try:
            asked = json.loads(await socket.recv())
            products = asked.get("product_ids") or PRODUCTS
            channels = [{"name": "level2_batch", "product_ids": products}]
            await socket.send(json.dumps({"type": "subscriptions", "channels": channels}))
            await speaks(socket)
            await socket.wait_closed()
        except ConnectionClosed:
            return

    async with serve(handler, "127.0.0.1", 0, process_request=answer, max_size=None) as server:
        address = f"127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        config = CollectorConfig(
            venue="coinbase",
            symbols=PRODUCTS,
            channels=("level2_batch",),
            ws_url=f"ws://{address}",
            rest_url=f"http://{address}",
        )
        async with collecting(config) as collector:
            yield collector


def letters(collector: Running, reason: str) -> list[dict[str, Any]]:
    return collector.rows("md.dead_letter", reason=reason)


def goes_on(collector: Running) -> bool:
    """Whether the second book is collected, beyond its snapshot."""
    return len([row for row in collector.books("coinbase") if row["symbol"] == "ETH-USD"]) > 3


async def keeps_trading(socket: ServerConnection) -> None:
    for price in range(1, 10):
        await socket.send(update("ETH-USD", [price]))


async def test_a_snapshot_of_a_million_levels_is_refused_and_the_rest_collected() -> None:
    async def speaks(socket: ServerConnection) -> None:
        await socket.send(snapshot("ETH-USD", 10))
        await socket.send(snapshot("BTC-USD", 500_000))
        await keeps_trading(socket)

    async with exchange(speaks) as collector:
        await collector.until(lambda: bool(letters(collector, "too_many_levels")) and goes_on(collector), 60)
        assert [row["symbol"] for row in collector.books("coinbase") if row["symbol"] != "ETH-USD"] == []
        report = await collector.ended()
    (letter, *_) = letters(collector, "too_many_levels")
    assert len(letter["frame"]) == HEAD_BYTES
    assert report.dead_letters == len(collector.rows("md.dead_letter"))


async def test_a_book_that_grows_without_end_is_given_up_by_name() -> None:
    async def speaks(socket: ServerConnection) -> None:
        for product in PRODUCTS:
            await socket.send(snapshot(product, 10))
        for part in range(6):
            await socket.send(update("BTC-USD", range(part * 40_000 + 20_000_000, part * 40_000 + 20_040_000), "sell"))
        await keeps_trading(socket)

    async with exchange(speaks) as collector:
        given_up = {"symbol": "BTC-USD", "channel": "book", "cause": "too_many_levels"}
        await collector.until(lambda: bool(collector.statuses(**given_up)) and goes_on(collector), 60)


async def test_a_frame_above_the_bytes_of_any_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(venue("coinbase")), "max_frame_bytes", 1_000_000)

    async def speaks(socket: ServerConnection) -> None:
        await socket.send("x" * 1_000_001)

    async with exchange(speaks) as collector:
        await collector.until(lambda: bool(letters(collector, "frame_too_large")))


@pytest.mark.parametrize("piece", ["", "x"])
async def test_a_frame_in_endless_pieces_is_refused_by_name(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "MOST_FRAGMENTS", 100)

    async def speaks(socket: ServerConnection) -> None:
        socket.transport.write(Frame(Opcode.TEXT, piece.encode(), fin=False).serialize(mask=False))
        while not socket.transport.is_closing():
            socket.transport.write(Frame(Opcode.CONT, piece.encode(), fin=False).serialize(mask=False) * 50)
            await asyncio.sleep(0)

    async with exchange(speaks) as collector:
        await collector.until(lambda: bool(letters(collector, "too_many_fragments")))


async def test_a_frame_in_some_pieces_is_read() -> None:
    async def speaks(socket: ServerConnection) -> None:
        for _ in range(2):
            whole = snapshot("ETH-USD", 1000)
            await socket.send([whole[at : at + 20] for at in range(0, len(whole), 20)])
        await keeps_trading(socket)

    async with exchange(speaks) as collector:
        await collector.until(lambda: goes_on(collector))


async def test_a_collector_ends_while_large_frames_keep_coming() -> None:
    async def speaks(socket: ServerConnection) -> None:
        large = snapshot("BTC-USD", 500_000)
        while True:
            await socket.send(large)

    async with exchange(speaks) as collector:
        await collector.until(lambda: len(letters(collector, "too_many_levels")) > 1, 60)
        report = await collector.ended()
    assert report.dead_letters > 1


def test_what_is_shorter_than_so_many_levels_is_not_counted_and_no_more_of_them_pass() -> None:
    assert not is_overfull(b"[" * (6 * MOST_BOOK_LEVELS))
    assert not is_overfull(b"x" * 6 * MOST_BOOK_LEVELS + b"[" * MOST_BOOK_LEVELS)
    assert is_overfull(b"[1,2]," * MOST_BOOK_LEVELS + b"{}")


def test_diffs_that_wait_for_a_snapshot_hold_no_more_than_a_book() -> None:
    buffer = Buffer()
    level = ["1", "1"]
    for number in range(50):
        buffer.append(Diff(number, number + 1, [level] * 5_000, [level] * 5_000, 0, 0))
    assert sum(len(diff.bids) + len(diff.asks) for diff in buffer) <= MOST_BOOK_LEVELS
    assert [diff.last for diff in buffer] == list(range(31, 51))


@pytest.mark.parametrize("side", ["bids", "asks"])
def test_a_book_knows_when_it_is_larger_than_any(side: str) -> None:
    book = OrderBook()
    getattr(book, side).replace([[str(price), "1"] for price in range(1, MOST_BOOK_LEVELS + 1)])
    assert not book.is_overfull()
    getattr(book, side).apply([["0.5", "1"]])
    assert book.is_overfull()
