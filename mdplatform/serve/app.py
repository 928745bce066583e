"""The addresses of the server: two for HTTP, which answer lines of JSON, two for WebSockets."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from mdplatform.core.browsers import ForeignPagesRefused
from mdplatform.core.errors import ConfigError, MdplatformError
from mdplatform.core.settings import Settings
from mdplatform.export.source import Source
from mdplatform.serve import replay
from mdplatform.serve.live import Live

log = logging.getLogger(__name__)

MAX_CLIENTS = 16
BATCH = 500  # messages
JSON_LINES = "application/x-json-stream"
FAILED = 1011  # the closing code of the protocol for what cannot be answered
POLICY = 1008


def build(settings: Settings, source: Source) -> Starlette:
    """The application. Without a token it answers under the settings' host names and those of this machine."""
    clients = _Clients()

    async def replay_raw(request: Request) -> Response:
        return await _lines(request, clients, lambda text: replay.raw(text, settings))

    async def replay_normalized(request: Request) -> Response:
        return await _lines(request, clients, lambda text: replay.normalized(text, source))

    async def ws_replay_normalized(socket: WebSocket) -> None:
        async def send(text: str) -> None:
            lines = replay.normalized(text, source)
            while batch := await asyncio.to_thread(_next, lines):
                for line in batch:
                    await socket.send_text(line.decode())

        await _served(socket, clients, send)

    async def ws_stream_normalized(socket: WebSocket) -> None:
        async def send(text: str) -> None:
            live = await asyncio.to_thread(Live, text, settings)
            try:
                while True:
                    for line in await asyncio.to_thread(live.batch):
                        await socket.send_text(line.decode())
            finally:
                await asyncio.to_thread(live.close)

        await _served(socket, clients, send)

    hosts = None if settings.serve_token else settings.host_names()
    return Starlette(
        routes=[
            Route("/replay", replay_raw),
            Route("/replay-normalized", replay_normalized),
            WebSocketRoute("/ws-replay-normalized", ws_replay_normalized),
            WebSocketRoute("/ws-stream-normalized", ws_stream_normalized),
        ],
        middleware=[
            Middleware(ForeignPagesRefused, hosts=hosts),
            Middleware(TokenRequired, token=settings.serve_token),
        ],
    )


class TokenRequired:
    """With a token: asks for it as bearer, or as ``?token=`` for clients that set no header."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or not self._token or self._has_token(HTTPConnection(scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY, "reason": "the token is missing"})
        else:
            answer = PlainTextResponse("ask with the header Authorization: Bearer <MDPLATFORM_SERVE_TOKEN>\n", 401)
            await answer(scope, receive, send)

    def _has_token(self, asked: HTTPConnection) -> bool:
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        given = (bearer, asked.query_params.get("token", ""))
        return any(hmac.compare_digest(text.encode(), self._token.encode()) for text in given)


class _Clients:
    """How many are served at once: each takes a thread and a question to ClickHouse or the archive."""

    def __init__(self) -> None:
        self._count = 0

    @contextlib.contextmanager
    def one(self) -> Iterator[bool]:
        """Whether there is room for one more."""
        if self._count >= MAX_CLIENTS:
            yield False
            return
        self._count += 1
        try:
            yield True
        finally:
            self._count -= 1


async def _lines(request: Request, clients: _Clients, ask: Any) -> Response:
    """The first messages decide the status: what cannot be asked is 400, what cannot be answered 503."""
    room = contextlib.ExitStack()
    if not room.enter_context(clients.one()):
        return _error(503, f"{MAX_CLIENTS} clients are served already")
    try:
        lines = ask(request.query_params.get("options", ""))
        first = await asyncio.to_thread(_next, lines)
    except MdplatformError as error:
        room.close()
        return _error(400 if isinstance(error, ConfigError) else 503, str(error))

    async def body() -> AsyncIterator[bytes]:
        with room:
            batch = first
            while batch:
                yield b"".join(line + b"\n" for line in batch)
                batch = await asyncio.to_thread(_next, lines)

    return StreamingResponse(body(), media_type=JSON_LINES)


async def _served(socket: WebSocket, clients: _Clients, send: Any) -> None:
    """Send until all is sent or the client goes; an error is the reason of the close."""
    await socket.accept()
    with clients.one() as has_room:
        if not has_room:
            await socket.close(FAILED, f"{MAX_CLIENTS} clients are served already")
            return
        sending = asyncio.create_task(send(socket.query_params.get("options", "")))
        leaving = asyncio.create_task(_left(socket))
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if not sending.done():
            sending.cancel()
        try:
            await sending
            await socket.close()
        except MdplatformError as error:
            # A reason has room for 123 bytes.
            await socket.close(FAILED, str(error).encode()[:120].decode(errors="ignore"))
        except (asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            return


async def _left(socket: WebSocket) -> None:
    """Returns once the client has gone; what it sends means nothing."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _next(lines: Iterator[bytes]) -> list[bytes]:
    return list(islice(lines, BATCH))


def _error(status: int, text: str) -> Response:
    return Response(msgspec.json.encode({"message": text}), status, media_type="application/json")
