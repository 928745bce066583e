"""Nothing of a request reaches a header of the answer as it came, and no request takes forever to arrive."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from mdplatform.embedded.clickhouse import heads
from mdplatform.embedded.clickhouse.heads import BoundedHeads
from mdplatform_tests.contract.clickhouse.asking import ask
from mdplatform_tests.security.host import Host

SPLITS = [
    "a\r\nX-Made: 1",
    "a\nX-Made: 1",
    "a\r\n\r\n<script>",
    "a\0b",
    "a\x1b[2Jb",
    "a\x7f",
    "a\u0085b",
    "ä",
    "x" * 1001,
]
POST_HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
PATIENCE_S = 30.0


@pytest.mark.parametrize("text", SPLITS)
@pytest.mark.parametrize("sql", ["SELECT 1", "SELEC 1"])
@pytest.mark.parametrize("as_reader", [False, True], ids=["default", "reader"])
def test_a_query_id_that_no_header_can_repeat_is_answered_with_an_error(
    host: Host, as_reader: bool, sql: str, text: str
) -> None:
    reply = ask(host.node.reader_url if as_reader else host.node.url, sql, {"query_id": text})
    assert (reply.status, reply.code, reply.headers["X-Made"], reply.body.count(b"\n")) == (400, "36", None, 1)
    assert all(value.isprintable() for value in reply.headers.values())


@pytest.mark.parametrize("text", SPLITS)
@pytest.mark.parametrize(
    "name", ["default_format", "database", "session_id", "role", "client_protocol_version", "max_threads", "user", "x"]
)
def test_no_parameter_makes_a_header(host: Host, name: str, text: str) -> None:
    reply = ask(host.node.url, "SELECT 1", {name: text})
    assert reply.headers["X-Made"] is None
    assert all(value.isprintable() for value in reply.headers.values())


@pytest.mark.parametrize("text", SPLITS[:3])
def test_no_format_makes_a_header(host: Host, text: str) -> None:
    for sql in (f"SELECT 1 FORMAT {text}", f"SELECT 1 FORMAT `{text}`"):
        reply = ask(host.node.url, sql)
        assert (reply.status == 200, reply.headers["X-Made"]) == (False, None)


def test_a_refusal_without_password_repeats_no_query_id_raw(host: Host) -> None:
    reply = ask(host.node.url, "SELECT 1", {"query_id": SPLITS[0]}, credentials=False)
    assert (reply.status, reply.headers["X-ClickHouse-Query-Id"]) == (403, "a??X-Made: 1")


def test_a_query_id_that_can_be_repeated_is(host: Host) -> None:
    assert ask(host.node.url, "SELECT 1", {"query_id": "my id: 7"}).headers["X-ClickHouse-Query-Id"] == "my id: 7"


async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
    """As the node does: an answer once the whole body is there."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(f"{len(body)}\n")(scope, receive, send)


@contextmanager
def listening() -> Iterator[socket.socket]:
    """A client's connection to a server that reads requests as the node does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(read_all, http=BoundedHeads, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=asyncio.run, args=(server.serve([listener]),))
        thread.start()
        try:
            with socket.create_connection(listener.getsockname(), timeout=PATIENCE_S) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.mark.parametrize("sent", [b"", b"x", b"x" * 1000])
def test_a_body_that_stops_coming_is_answered_and_hung_up_on(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "BODY_S", 0.3)
    with listening() as client:
        client.sendall(POST_HEAD + sent)
        assert rest_of(client).startswith(b"HTTP/1.1 408 ")


def test_a_body_that_comes_byte_by_byte_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "BODY_S", 0.3)
    monkeypatch.setattr(heads, "LEAST_BODY_BYTES", 1 << 20)
    with listening() as client:
        client.sendall(POST_HEAD)
        client.settimeout(0.01)
        answer = b""
        while not answer:
            client.sendall(b"x")
            try:
                answer = client.recv(1000)
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_long_body_that_keeps_coming_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "BODY_S", 0.1)
    monkeypatch.setattr(heads, "LEAST_BODY_BYTES", 1)
    with listening() as client:
        client.sendall(POST_HEAD)
        for _ in range(100):
            client.sendall(b"x" * 10_000)
        assert b"\r\n\r\n1000000\n" in client.recv(10_000) + rest_of(client)


def rest_of(client: socket.socket) -> bytes:
    found = b""
    while piece := client.recv(65536):
        found += piece
        if found.endswith(b"\n"):
            break
    return found
