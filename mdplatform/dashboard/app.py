"""The page's addresses: ``/`` and its files, ``/events`` (server-sent events), ``/healthz`` (JSON)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from mdplatform.dashboard.guard import Guard
from mdplatform.dashboard.reader import Reader, now_ms
from mdplatform.dashboard.stream import Stream, server_sent_events, summary

STATIC = Path(__file__).parent / "static"
MAX_BROWSERS = 50


def build(reader: Reader, token: str, stopping: Callable[[], bool]) -> Starlette:
    """The application over a started reader; its streams end once ``stopping`` says so."""
    browsers = 0

    async def counted(stream: Stream) -> AsyncIterator[bytes]:
        nonlocal browsers
        browsers += 1
        try:
            async for chunk in server_sent_events(stream, now_ms, stopping):
                yield chunk
        finally:
            browsers -= 1

    async def events(request: Request) -> Response:
        if browsers >= MAX_BROWSERS:
            return PlainTextResponse(f"{MAX_BROWSERS} browsers are connected already\n", 503)
        exchange, symbol = request.query_params.get("exchange"), request.query_params.get("symbol")
        selected = (exchange, symbol) if exchange and symbol else None
        stream = Stream(reader.board, reader.health, selected)
        return StreamingResponse(counted(stream), media_type="text/event-stream")

    async def healthz(_: Request) -> Response:
        # An unreachable broker is told, not failed: restarting the page would not bring it back.
        facts = {**summary(reader.board, reader.health), "browsers": browsers}
        return JSONResponse(facts, 503 if reader.health.broker == "stopped" else 200)

    return Starlette(
        routes=[
            Route("/events", events),
            Route("/healthz", healthz),
            Mount("/", StaticFiles(directory=STATIC, html=True)),
        ],
        middleware=[Middleware(Guard, token=token)],
    )
