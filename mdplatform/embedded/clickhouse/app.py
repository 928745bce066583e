"""The HTTP endpoint: routes, and one query's way through them.

The event loop reads and writes; everything that touches the engine runs on a bounded pool of threads, so that a heavy
query does not hold up a small one.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mdplatform.embedded.clickhouse.access import Users
from mdplatform.embedded.clickhouse.answer import Answer
from mdplatform.embedded.clickhouse.engine import Engine
from mdplatform.embedded.clickhouse.errors import ClickHouseError, Refusal, as_clickhouse_error
from mdplatform.embedded.clickhouse.execution import Execution
from mdplatform.embedded.clickhouse.request import read_query
from mdplatform.embedded.clickhouse.sessions import Sessions
from mdplatform.warehouse.files import SQL, sql_text

log = logging.getLogger(__name__)

CANCEL_EVERY_S = 0.2
MOST_HELD_BYTES = 128 << 20  # of an answer with wait_end_of_query
# Read at once: later this process has shut itself off from all files but its data.
MEASURED = sql_text(SQL / "queries" / "observe" / "prometheus.sql")
OF_MARKET_DATA = b"md_"  # how the names of all tables begin that streams fill
T = TypeVar("T")


class Endpoint:
    """An ASGI application: one instance a process, on one engine."""

    def __init__(self, engine: Engine, users: Users, threads: int, asked_file: Path) -> None:
        """``asked_file`` is touched whenever somebody asks about market data."""
        self._engine, self._users, self._asked_file = engine, users, asked_file
        self._sessions = Sessions(engine)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="query")
        # Cancelling must not wait behind the queries it is to cancel.
        self._cancel_pool = ThreadPoolExecutor(1, thread_name_prefix="cancel")
        self._headers = {
            "x-clickhouse-server-display-name": engine.name,
            "x-clickhouse-timezone": engine.timezone,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method in ("GET", "HEAD") and "query" not in request.query_params:
            await PlainTextResponse("Ok.\n")(scope, receive, send)
            return
        answer = Answer(send, self._headers)
        try:
            await self._answer(request, answer)
        except (ClientDisconnect, ConnectionError):
            log.debug("the client went away")
        except Exception as error:
            if not isinstance(error, (ClickHouseError, Refusal)):
                log.exception("a request failed in the endpoint itself")
            refused = as_clickhouse_error(error, self._engine.version)
            await answer.error(refused, request.query_params.get("query_id", ""))

    async def _answer(self, request: Request, answer: Answer) -> None:
        query = await read_query(request, self._users)
        if query.statement.selects and OF_MARKET_DATA in query.statement.sql:
            self._asked_file.touch(mode=0o600)
        execution = Execution(self._engine, self._sessions, self._users, query)
        gone = asyncio.create_task(_disconnected(request.receive))
        try:
            piece = await self._unless_gone(execution, execution.begin, gone)
            if query.parameters.wait_end_of_query:
                piece = await self._held_back(execution, piece, gone)
            await answer.begin(execution)
            await answer.piece(piece)
            while not execution.ended:
                await answer.piece(await self._unless_gone(execution, execution.read, gone))
            await answer.end()
        finally:
            gone.cancel()
            if not execution.finished:
                await asyncio.shield(self._run(execution.finish))

    async def _held_back(self, execution: Execution, piece: bytes, gone: "asyncio.Task[None]") -> bytes:
        """All of the answer, or of a very large one its beginning: the rest follows as if nobody had waited."""
        pieces, size = [piece], len(piece)
        while not execution.ended and size < MOST_HELD_BYTES:
            pieces.append(await self._unless_gone(execution, execution.read, gone))
            size += len(pieces[-1])
        return b"".join(pieces)

    async def _unless_gone(self, execution: Execution, step: Callable[[], bytes], gone: "asyncio.Task[None]") -> bytes:
        """Run a step on the pool; if the client goes away first, cancel the statement and wait for its end."""
        work = self._run(step)
        try:
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Also when this task is cancelled, at shutdown: no connection is closed under its statement.
            await self._cancel(execution, work)
        if gone.done() and work.exception():
            raise ClientDisconnect
        return work.result()

    async def _cancel(self, execution: Execution, work: "asyncio.Future[bytes]") -> None:
        loop = asyncio.get_running_loop()
        while not work.done():
            await loop.run_in_executor(self._cancel_pool, self._engine.cancel, execution.mark)
            await asyncio.wait((work,), timeout=CANCEL_EVERY_S)

    def _run(self, step: Callable[[], T]) -> "asyncio.Future[T]":
        return asyncio.get_running_loop().run_in_executor(self._pool, step)

    def close(self) -> None:
        """Wait for what runs, and close sessions. The engine remains its owner's."""
        self._pool.shutdown()
        self._cancel_pool.shutdown()
        self._sessions.expire(everything=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def ping(_: Request) -> Response:
    return PlainTextResponse("Ok.\n")


def metrics(endpoint: Endpoint) -> ASGIApp:
    """``/metrics``: a query of ours, under the caller's name and rights."""
    query_string = urlencode({"query": MEASURED, "default_format": "Prometheus"}).encode()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await endpoint({**scope, "query_string": query_string}, receive, send)

    return answer


def application(endpoint: Endpoint) -> Starlette:
    """The routes of ClickHouse's HTTP interface that this node serves."""
    return Starlette(
        routes=[
            Route("/ping", ping, methods=["GET", "HEAD"]),
            Route("/replicas_status", ping, methods=["GET", "HEAD"]),
            Mount("/metrics", metrics(endpoint)),
            Route("/", endpoint),
        ]
    )
