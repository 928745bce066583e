"""The page's addresses: ``/`` and its files, ``/events`` (server-sent events), as JSON ``/history``, ``/depth``,
``/day``, ``/pipeline``, ``/coverage``, ``/gaps`` and ``/healthz``; ``/metrics`` for Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from mdplatform.core.browsers import ForeignPagesRefused
from mdplatform.core.errors import MdplatformError
from mdplatform.core.legible import legible
from mdplatform.dashboard.board import Board
from mdplatform.dashboard.dagster import Dagster
from mdplatform.dashboard.guard import Guard
from mdplatform.dashboard.health import now_ms
from mdplatform.dashboard.history import (
    BARS_S,
    DAY_MS,
    MOST_BARS,
    MOST_BOOK_MINUTES,
    MOST_DAYS,
    MOST_MINUTES,
    History,
    bar_seconds,
)
from mdplatform.dashboard.measured import page_families
from mdplatform.dashboard.reader import Reader
from mdplatform.dashboard.stream import Sources, Stream, server_sent_events
from mdplatform.metrics.measures import CONTENT_TYPE, exposition

STATIC = Path(__file__).parent / "static"
MAX_BROWSERS = 50
MAX_PANELS = 4
_MINUTES = {str(minutes) for minutes in range(1, MOST_MINUTES + 1)}
_BOOK_MINUTES = {str(minutes) for minutes in range(1, MOST_BOOK_MINUTES + 1)}
_BARS = {str(seconds) for seconds in BARS_S}
_DAYS = {str(days) for days in range(1, MOST_DAYS + 1)}


def build(
    reader: Reader,
    history: History,
    dagster: Dagster,
    token: str,
    hosts: Collection[str],
    stopping: Callable[[], bool],
) -> Starlette:
    """The application over a started reader and history; its streams end once ``stopping`` says so.

    Without a token it answers under ``hosts`` and the names of this machine.
    """
    browsers = 0
    sources = Sources(reader.board, reader.health, history.reach)

    async def counted(stream: Stream) -> AsyncIterator[bytes]:
        nonlocal browsers
        browsers += 1
        try:
            async for chunk in server_sent_events(stream, now_ms, stopping):
                yield chunk
        finally:
            browsers -= 1

    async def events(request: Request) -> Response:
        if wrong := _unknown(request, "feed", "base"):
            return wrong
        if browsers >= MAX_BROWSERS:
            return PlainTextResponse(f"{MAX_BROWSERS} browsers are connected already\n", 503)
        pairs = [text.partition("/") for text in request.query_params.getlist("feed")[:MAX_PANELS]]
        selected = [(exchange, symbol) for exchange, _, symbol in pairs if exchange and symbol]
        stream = Stream(sources, selected, request.query_params.get("base", ""))
        return StreamingResponse(counted(stream), media_type="text/event-stream")

    async def past(request: Request) -> Response:
        return await _past(history, reader.board, request)

    async def depth(request: Request) -> Response:
        return await _depth(history, request)

    async def day(request: Request) -> Response:
        return _unknown(request) or await _answered(lambda: history.day(now_ms()))

    async def pipeline(request: Request) -> Response:
        return _unknown(request) or await _pipeline(history, dagster)

    async def covered(request: Request) -> Response:
        return await _covered(history, request)

    async def gaps(request: Request) -> Response:
        return await _gaps(history, request)

    async def healthz(_: Request) -> Response:
        # An unreachable broker is reported with 200: restarting the page would not bring it back.
        facts = {**sources.summary(), "browsers": browsers}
        return JSONResponse(facts, 503 if reader.health.reach.state == "stopped" else 200)

    async def metrics(_: Request) -> Response:
        return Response(exposition(page_families(sources, browsers, now_ms())), media_type=CONTENT_TYPE)

    return Starlette(
        routes=[
            Route("/events", events),
            Route("/history", past),
            Route("/depth", depth),
            Route("/day", day),
            Route("/pipeline", pipeline),
            Route("/coverage", covered),
            Route("/gaps", gaps),
            Route("/healthz", healthz),
            Route("/metrics", metrics),
            Mount("/", StaticFiles(directory=STATIC, html=True)),
        ],
        middleware=[
            # A browser keeps the token for one name: another that points here comes without it.
            Middleware(ForeignPagesRefused, hosts=None if token else hosts, links=True),
            Middleware(Guard, token=token),
        ],
    )


async def _past(history: History, board: Board, request: Request) -> Response:
    """``?feed=<exchange>/<symbol>&minutes=15&bar=5`` (seconds), with ``&only=points`` for just these; 503 without a
    warehouse."""
    if wrong := _unknown(request, "feed", "minutes", "bar", "only"):
        return wrong
    exchange, _, symbol = request.query_params.get("feed", "").partition("/")
    minutes = request.query_params.get("minutes", "15")
    if not (exchange and symbol and minutes in _MINUTES):
        return PlainTextResponse(f"ask for ?feed=exchange/SYMBOL&minutes=1 to {MOST_MINUTES}\n", 400)
    if request.query_params.get("only") == "points":
        return await _answered(lambda: history.points(exchange, symbol, int(minutes), now_ms()))
    bar = request.query_params.get("bar", str(bar_seconds(int(minutes))))
    if bar not in _BARS or int(minutes) * 60 > MOST_BARS * int(bar):
        lengths = ", ".join(sorted(_BARS, key=int))
        return PlainTextResponse(f"bar is one of {lengths} seconds, and {MOST_BARS} bars are the most\n", 400)
    first = board.bars_from((exchange, symbol))
    return await _answered(lambda: history.feed(exchange, symbol, int(minutes), int(bar), now_ms(), first))


async def _depth(history: History, request: Request) -> Response:
    """``?feed=<exchange>/<symbol>&minutes=15``: published levels over time; 503 without a warehouse."""
    if wrong := _unknown(request, "feed", "minutes"):
        return wrong
    exchange, _, symbol = request.query_params.get("feed", "").partition("/")
    minutes = request.query_params.get("minutes", "15")
    if not (exchange and symbol and minutes in _BOOK_MINUTES):
        return PlainTextResponse(f"ask for ?feed=exchange/SYMBOL&minutes=1 to {MOST_BOOK_MINUTES}\n", 400)
    return await _answered(lambda: history.depth(exchange, symbol, int(minutes), now_ms()))


async def _pipeline(history: History, dagster: Dagster) -> Response:
    """What warehouse and Dagster know of the pipeline; each may be away."""

    def ask() -> dict[str, Any]:
        try:
            found = history.pipeline(now_ms())
        except MdplatformError as error:
            found = {"stages": [], "built": [], "warehouse": str(error)}
        return {**found, "dagster": dagster.known(now_ms())}

    return await _answered(ask)


async def _covered(history: History, request: Request) -> Response:
    """``?days=7``: cells of all feeds, see ``History.coverage``; 503 without a warehouse."""
    if wrong := _unknown(request, "days"):
        return wrong
    days = request.query_params.get("days", "7")
    if days not in _DAYS:
        return PlainTextResponse(f"ask for ?days=1 to {MOST_DAYS}\n", 400)
    return await _answered(lambda: history.coverage(int(days), now_ms()))


async def _gaps(history: History, request: Request) -> Response:
    """``?feed=<exchange>/<symbol>/<channel>&from=<ms>&to=<ms>``: the gaps that began within, a day at most."""
    if wrong := _unknown(request, "feed", "from", "to"):
        return wrong
    asked = request.query_params
    exchange, _, rest = asked.get("feed", "").partition("/")
    symbol, _, channel = rest.rpartition("/")
    times = [
        int(text) if text.isdecimal() and len(text) <= 14 else -1
        for text in (asked.get("from", ""), asked.get("to", ""))
    ]
    if not (exchange and symbol and channel) or not 0 <= times[0] < times[1] <= times[0] + DAY_MS:
        return PlainTextResponse("ask for ?feed=exchange/SYMBOL/channel&from=MS&to=MS, a day at most\n", 400)
    return await _answered(lambda: history.gaps(exchange, symbol, channel, times[0], times[1]))


def _unknown(request: Request, *known: str) -> Response | None:
    """A refusal that names the parameters that nothing reads."""
    strange = [legible(name) for name in request.query_params if name not in known]
    if not strange:
        return None
    return PlainTextResponse(f"no parameter {', '.join(strange)}: there are {', '.join(known) or 'none'}\n", 400)


async def _answered(ask: Callable[[], Any]) -> Response:
    """What the warehouse answers, as JSON; 503 without one."""
    try:
        found = await asyncio.to_thread(ask)
    except MdplatformError as error:
        return PlainTextResponse(f"{error}\n", 503)
    return Response(msgspec.json.encode(found), media_type="application/json")
