"""HTTP as bytes: ``METHOD TARGET``, headers, an empty line, a body; handed to our applications as a server would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp

from mdplatform.core.settings import Settings
from mdplatform.dashboard.app import build
from mdplatform.dashboard.board import Board
from mdplatform.dashboard.dagster import Dagster
from mdplatform.dashboard.history import History
from mdplatform.dashboard.reader import Reader
from mdplatform.embedded.clickhouse.access import Users
from mdplatform.embedded.clickhouse.errors import Refusal
from mdplatform.embedded.clickhouse.request import read_query

NOBODY = Settings(kafka_brokers="127.0.0.1:1", clickhouse_url="http://127.0.0.1:1")
USERS = Users({"default": "", "reader": "secret"}, {"max_execution_time": "60"})
TOKEN = "the token"
_FORM = b'--x\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT 1\r\n--x--\r\n'

ENDPOINT_SEEDS = [
    b"POST /?database=d&session_id=s&session_timeout=9&param_a=1&role=r\nX-ClickHouse-User: default\n\nSELECT {a:Int8}",
    b"POST /?query=INSERT+INTO+t+FORMAT+CSV&max_threads=1\nAuthorization: Basic cmVhZGVyOnNlY3JldA==\n\n1,2\n",
    b"GET /?query=SELECT%201&user=reader&password=secret&default_format=JSON\nAccept-Encoding: gzip\n\n",
    b"POST /?compress=1\nContent-Encoding: gzip\n\n\x1f\x8b\x08\0",
    b"POST /?x_structure=a+Int8\nContent-Type: multipart/form-data; boundary=x\n\n" + _FORM,
]
PAGE_SEEDS = [
    b"GET /\nHost: localhost\nAuthorization: Bearer the token\n\n",
    b"GET /history?feed=a/B-C&minutes=5&only=points\nHost: localhost\nCookie: mdplatform_dashboard=the token\n\n",
    b"GET /depth?feed=a/B-C&minutes=5\nHost: localhost\nAuthorization: Bearer the token\n\n",
    b"GET /pipeline\nHost: localhost\nAuthorization: Bearer the token\n\n",
    b"GET /events?feed=binance/BTC-USDT&feed=a/b&base=BTC\nHost: localhost\nAuthorization: Bearer the token\n\n",
    b"GET /healthz?token=the%20token\nHost: [::1]:80\n\n",
    b"GET /page.js\nHost: localhost\nAuthorization: Bearer the token\nRange: bytes=0-5\nIf-None-Match: x\n\n",
]


def endpoint(data: bytes) -> None:
    """A request for the embedded ClickHouse: a query is read from it, or it is refused."""
    scope, body = _request(data)
    try:
        _loop().run_until_complete(read_query(Request(scope, _received(body)), USERS)).close()
    except (Refusal, ClientDisconnect):
        return


def page(data: bytes) -> None:
    """A request for the live page, with and without its token: answered, and never with our failure."""
    scope, body = _request(data)
    for token in ("", TOKEN):
        statuses: list[int] = []

        async def send(message: Any, seen: list[int] = statuses) -> None:
            if message["type"] == "http.response.start":
                seen.append(message["status"])

        _loop().run_until_complete(_page(token)(dict(scope), _received(body), send))
        assert statuses
        assert statuses[0] < 500 or statuses[0] == 503


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


@cache
def _page(token: str) -> ASGIApp:
    return build(Reader(NOBODY, Board()), History(NOBODY), Dagster(""), token, (), lambda: True)


def _received(body: bytes) -> Any:
    waiting: Iterator[dict[str, Any]] = iter(
        (
            {"type": "http.request", "body": body[:100], "more_body": True},
            {"type": "http.request", "body": body[100:], "more_body": False},
        )
    )

    async def receive() -> dict[str, Any]:
        return next(waiting, {"type": "http.disconnect"})

    return receive


def _request(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The scope and the body, as an HTTP server that has checked the syntax would hand them on."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, address = first.partition(b" ")
    path, _, query = address.partition(b"?")
    headers = [tuple(part.strip() for part in line.partition(b":")[::2]) for line in lines if b":" in line]
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method.decode("latin-1").upper() or "GET",
        "scheme": "http",
        "path": "/" + unquote_to_bytes(path.lstrip(b"/")).decode(errors="replace"),
        "raw_path": path,
        "query_string": query.replace(b" ", b"+"),
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in headers if name],
        "server": ("127.0.0.1", 8123),
        "client": ("127.0.0.1", 1),
    }, body
