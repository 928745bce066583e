import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from mdplatform.core.errors import ConfigError
from mdplatform.feed.connection import Connection, Lost, open_connection
from mdplatform_tests.eventually import eventually


@asynccontextmanager
async def server(handler: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[str]:
    """The address of a WebSocket server that runs ``handler`` for each connection."""
    async with serve(handler, "127.0.0.1", 0, ping_interval=None, close_timeout=0.1) as running:
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}"


async def one(connection: Connection) -> bytes:
    return (await connection.receive()).popleft()


async def test_text_and_binary_frames_arrive_as_bytes() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.send('{"é":1}')
        await socket.send(b"\x00\xff")
        await socket.wait_closed()

    async with server(handler) as url, await open_connection(url, None) as connection:
        assert [await one(connection), await one(connection)] == ['{"é":1}'.encode(), b"\x00\xff"]


async def test_what_is_sent_arrives_as_text() -> None:
    async def echo(socket: ServerConnection) -> None:
        async for message in socket:
            await socket.send(f"{type(message).__name__} {message}")

    async with server(echo) as url, await open_connection(url, None) as connection:
        connection.send(b"hello")
        assert await one(connection) == b"str hello"


async def test_sends_keep_to_the_venues_limit() -> None:
    arrived: list[float] = []
    loop = asyncio.get_running_loop()

    async def handler(socket: ServerConnection) -> None:
        async for _ in socket:
            arrived.append(loop.time())
        await socket.close()

    async with server(handler) as url, await open_connection(url, None) as connection:
        for _ in range(5):
            connection.send(b"x")
        await eventually(lambda: len(arrived) == 5)
    assert arrived[3] - arrived[0] >= 0.9


async def test_a_close_by_the_venue_states_its_code() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.close(1008, "too many messages")

    async with server(handler) as url, await open_connection(url, None) as connection:
        with pytest.raises(Lost, match="closed_by_venue: closed with 1008 too many messages"):
            await connection.receive()


async def test_a_cut_is_distinguished_from_a_close() -> None:
    async def handler(socket: ServerConnection) -> None:
        socket.transport.abort()

    async with server(handler) as url, await open_connection(url, None) as connection:
        with pytest.raises(Lost) as lost:
            await connection.receive()
    assert lost.value.cause == "cut"


async def test_a_half_open_connection_is_noticed() -> None:
    async def handler(socket: ServerConnection) -> None:
        socket.transport.pause_reading()
        await socket.wait_closed()

    async with server(handler) as url, await open_connection(url, None, 0.05, 0.2) as connection:
        async with asyncio.timeout(5):
            with pytest.raises(Lost) as lost:
                await connection.receive()
    assert lost.value.cause == "half_open"


async def test_a_quiet_venue_that_answers_pings_is_kept() -> None:
    async def handler(socket: ServerConnection) -> None:
        await asyncio.sleep(0.5)
        await socket.send("at last")
        await socket.wait_closed()

    async with server(handler) as url, await open_connection(url, None, 0.05, 0.1) as connection:
        assert await one(connection) == b"at last"


async def test_not_reading_on_purpose_is_not_half_open() -> None:
    async def handler(socket: ServerConnection) -> None:
        for n in range(200):  # more than the library buffers, so that reading really stops
            await socket.send(str(n))
        await socket.wait_closed()

    async with server(handler) as url, await open_connection(url, None, 0.05, 0.1) as connection:
        await asyncio.sleep(0.6)
        assert [int(await one(connection)) for _ in range(200)] == list(range(200))


async def test_a_frame_above_the_bound_ends_the_connection() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.send("x" * 2000)
        await socket.wait_closed()

    async with server(handler) as url, await open_connection(url, 1000) as connection:
        with pytest.raises(Lost) as lost:
            await connection.receive()
    assert lost.value.cause == "frame_too_large"


async def test_a_dropped_connection_gives_nothing_more() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.send("one")
        await socket.send("two")
        await socket.wait_closed()

    async with server(handler) as url, await open_connection(url, None) as connection:
        frames = await connection.receive()
        assert frames.popleft() == b"one"
        await eventually(lambda: frames)
        connection.drop("crossed", "asked for by the session")
        assert not frames
        with pytest.raises(Lost) as lost:
            await connection.receive()
    assert lost.value.cause == "crossed"


async def test_closing_does_not_wait_behind_what_is_unread() -> None:
    closed: list[int] = []

    async def handler(socket: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(200):
                await socket.send("x" * 10_000)
            await socket.wait_closed()
        closed.append(socket.close_code or 0)

    async with server(handler) as url:
        async with await open_connection(url, None) as connection:
            await connection.receive()
        await eventually(lambda: closed)
    assert closed == [1000]


async def test_nobody_there_is_unreachable(unused_tcp_port: int) -> None:
    with pytest.raises(Lost) as lost:
        await open_connection(f"ws://127.0.0.1:{unused_tcp_port}", None)
    assert lost.value.cause == "unreachable"


async def test_an_http_error_is_a_refusal() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async def refuse(socket: ServerConnection, request: object) -> object:
        return socket.respond(429, "slow down\n")

    async with serve(handler, "127.0.0.1", 0, process_request=refuse) as running:
        with pytest.raises(Lost, match="HTTP 429"):
            await open_connection(f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}", None)


@pytest.mark.parametrize(("header", "waits_s"), [("7", 7.0), ("9000", 600.0), ("9" * 5000, None), ("-3", None)])
async def test_a_refusal_states_how_long_to_wait(header: str, waits_s: float | None) -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async def refuse(socket: ServerConnection, request: object) -> object:
        response = socket.respond(503, "later\n")
        response.headers["Retry-After"] = header
        return response

    async with serve(handler, "127.0.0.1", 0, process_request=refuse) as running:
        with pytest.raises(Lost) as lost:
            await open_connection(f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}", None)
    assert (lost.value.cause, lost.value.status, lost.value.retry_after_s) == ("handshake_refused", 503, waits_s)


async def test_a_url_that_is_none_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="http://x"):
        await open_connection("http://x", None)


async def test_headers_of_a_venue_go_with_the_request_that_connects() -> None:
    async def handler(socket: ServerConnection) -> None:
        assert socket.request is not None
        await socket.send(socket.request.headers["X-Form"])
        await socket.wait_closed()

    async with server(handler) as url, await open_connection(url, None, headers={"X-Form": "decimal"}) as connection:
        assert await one(connection) == b"decimal"
