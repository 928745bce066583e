"""The proxy does what networks do."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mdplatform_tests.chaos.proxy import LOOPBACK, Proxy

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """In front of a server that says everything again."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(1024):
            writer.write(piece)
        writer.close()

    server = await asyncio.start_server(echo, LOOPBACK, 0)
    with Proxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy
    server.close()


async def connected(proxy: Proxy) -> Streams:
    reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
    return reader, writer


async def answer(streams: Streams, said: bytes) -> bytes:
    streams[1].write(said)
    return await asyncio.wait_for(streams[0].read(100), 10)


async def test_it_passes_on_what_both_sides_say(proxy: Proxy) -> None:
    assert await answer(await connected(proxy), b"hello") == b"hello"


async def test_cut_it_resets_what_is_open_and_what_is_new(proxy: Proxy) -> None:
    before = await connected(proxy)
    assert await answer(before, b"hello") == b"hello"
    await asyncio.to_thread(proxy.cut)
    assert await ended(before)
    assert await ended(await connected(proxy))


async def test_mended_it_takes_new_connections(proxy: Proxy) -> None:
    await asyncio.to_thread(proxy.cut)
    await asyncio.to_thread(proxy.mend)
    assert await answer(await connected(proxy), b"hello") == b"hello"


async def test_half_open_it_is_silent_to_the_old_and_speaks_with_the_new(proxy: Proxy) -> None:
    before = await connected(proxy)
    assert await answer(before, b"hello") == b"hello"
    await asyncio.to_thread(proxy.silence)
    before[1].write(b"anybody there?")
    reading = asyncio.create_task(before[0].read(100))
    assert await answer(await connected(proxy), b"hello") == b"hello"
    assert not reading.done()
    reading.cancel()


async def ended(streams: Streams) -> bool:
    try:
        return await asyncio.wait_for(streams[0].read(100), 10) == b""
    except ConnectionError:
        return True
