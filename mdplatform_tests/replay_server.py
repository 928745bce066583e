"""A venue that says again what it said when it was recorded: frames over its WebSocket, answers over its REST paths.

The first subscription starts the recording. What belongs to a snapshot keeps its order: frames recorded after the
snapshot are sent once it was fetched. When all is sent the connection stays open, and ``finished`` is set.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from mdplatform.recordings.tape import Entry, parse, read_lines
from mdplatform.venuekit.books.order_book import OrderBook

# Frames between two pings, each sent once the one before is answered. As fast as they are taken, and no further ahead:
# what lies in the buffers of a socket is minutes of a market, in which a collector could not ask for a new snapshot.
WINDOW = 250
RECORDED = Path(__file__).parents[1].parent / "shared" / "data"
Message = dict[str, Any]


@dataclass
class Replay:
    """What a venue sent, and how it answers."""

    frames: list[bytes]
    answers: dict[str, bytes]  # REST path without query -> body
    wanted: Callable[[bytes, Message], bool]  # whether a frame belongs to a subscription
    reply: Callable[[Message], bytes | None]  # the acknowledgement of a message
    held: int = 0  # frames before the snapshot; the others wait until ``snapshot`` is fetched
    snapshot: str | None = None
    snapshot_moves: bool = False  # asked again, ``snapshot`` answers the book as far as it was sent, as Binance does


class RecordedBook:
    """The book of a recording as far as its frames were sent: what Binance would answer to a request for it."""

    def __init__(self, snapshot: bytes) -> None:
        first = json.loads(snapshot)
        self._book = OrderBook()
        self._book.replace(first["bids"], first["asks"])
        self._last, self._levels = first["lastUpdateId"], len(first["bids"])

    def sent(self, frame: bytes) -> None:
        """A frame of the recording was sent."""
        if b'"depthUpdate"' in frame:
            data = json.loads(frame)["data"]
            if data["u"] > self._last:
                self._book.apply(data["b"], data["a"])
                self._last = data["u"]

    def answer(self) -> bytes:
        sides = {"bids": self._book.bids.levels(), "asks": self._book.asks.levels()}
        best = {name: levels[: self._levels] for name, levels in sides.items()}
        return json.dumps({"lastUpdateId": self._last, **best}).encode()


@dataclass
class ReplayServer:
    """A running replay. ``sent``: recorded frames sent, without acknowledgements."""

    replay: Replay
    port: int = 0
    sent: int = 0
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    fetched: asyncio.Event = field(default_factory=asyncio.Event)
    started: bool = False
    book: RecordedBook | None = None

    def __post_init__(self) -> None:
        if self.replay.snapshot_moves and self.replay.snapshot is not None:
            self.book = RecordedBook(self.replay.answers[self.replay.snapshot])

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a plain GET; None lets a WebSocket handshake go on."""
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return None
        path = urlsplit(request.path).path
        body = self.replay.answers.get(path)
        if path == self.replay.snapshot:
            if self.fetched.is_set() and self.book is not None:
                body = self.book.answer()
            self.fetched.set()
        headers = Headers([("Content-Length", str(len(body or b""))), ("Connection", "close")])
        return Response(404, "Not Found", headers, b"") if body is None else Response(200, "OK", headers, body)

    async def attend(self, socket: ServerConnection) -> None:
        sending: asyncio.Task[None] | None = None
        try:
            async for text in socket:
                message = json.loads(text)
                if (reply := self.replay.reply(message)) is not None:
                    await socket.send(reply, text=True)
                if not self.started:
                    self.started = True
                    sending = asyncio.create_task(self._send(socket, message))
        except ConnectionClosed:
            pass
        finally:
            if sending is not None:
                sending.cancel()

    async def _send(self, socket: ServerConnection, subscription: Message) -> None:
        taken = await socket.ping()
        for number, frame in enumerate(self.replay.frames):
            if number >= self.replay.held and self.replay.snapshot is not None:
                await self.fetched.wait()
            if self.replay.wanted(frame, subscription):
                await socket.send(frame, text=True)
                self.sent += 1
                if self.book is not None:
                    self.book.sent(frame)
                if self.sent % WINDOW == 0:
                    await taken
                    taken = await socket.ping()
        self.finished.set()


@asynccontextmanager
async def replaying(replay: Replay) -> AsyncIterator[ReplayServer]:
    """Serve a recording on a free port of loopback."""
    server = ReplayServer(replay)
    async with serve(
        server.attend, "127.0.0.1", 0, process_request=server.request, compression=None, close_timeout=1
    ) as running:
        server.port = next(iter(running.sockets)).getsockname()[1]
        yield server


def binance(*tapes: Path, symbol: str = "BTCUSDT", base: str = "BTC", quote: str = "USDT") -> Replay:
    """Binance spot's combined streams, from tapes that hold one REST snapshot between the frames."""
    frames = [entry.frame for entry in _entries(tapes)]
    held = next(number for number, frame in enumerate(frames) if b'"stream"' not in frame)
    snapshot = frames.pop(held)
    listed = {"symbol": symbol, "status": "TRADING", "baseAsset": base, "quoteAsset": quote, "filters": []}
    answers = {"/api/v3/exchangeInfo": json.dumps({"symbols": [listed]}).encode(), "/api/v3/depth": snapshot}

    def wanted(frame: bytes, subscription: Message) -> bool:
        return frame[11 : frame.index(b'"', 11)].decode() in subscription["params"]

    def reply(message: Message) -> bytes:
        return json.dumps({"result": None, "id": message["id"]}).encode()

    return Replay(frames, answers, wanted, reply, held, "/api/v3/depth", snapshot_moves=True)


def coinbase(tape: Path, products: Path) -> Replay:
    """Coinbase's Exchange feed; ``products``: a capture that holds the answer to /products."""
    kinds = {"snapshot": "level2_batch", "l2update": "level2_batch", "match": "matches", "last_match": "matches"}
    frames = [entry.frame for entry in _entries([tape]) if entry.kind == "frame"]
    frames = [frame for frame in frames if b'"type":"subscriptions"' not in frame]
    listed = next(
        entry.frame for entry in _entries([products]) if entry.kind == "answer" and b"base_currency" in entry.frame
    )

    def wanted(frame: bytes, subscription: Message) -> bool:
        head = json.loads(frame)
        channel = kinds.get(head["type"], head["type"])
        return channel in subscription["channels"] and head["product_id"] in subscription["product_ids"]

    def reply(message: Message) -> bytes | None:
        channels = [{"name": name, "product_ids": message["product_ids"]} for name in message["channels"]]
        return json.dumps({"type": "subscriptions", "channels": channels}).encode()

    return Replay(frames, {"/products": listed}, wanted, reply)


def _entries(tapes: Iterable[Path]) -> list[Entry]:
    return [entry for tape in tapes for entry in parse(read_lines(tape)) if isinstance(entry, Entry)]
