"""Our reader beside the library's: whatever is sent, in whatever pieces, both bring the same messages and end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from mdplatform.feed.websocket import WebSocket

MOST_BYTES = 70_000


class Transport(asyncio.Transport):
    """A socket that is fed by hand: keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.is_reading = True
        self._closing = False

    def write(self, data: Any) -> None:
        self.written += data

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    abort = close

    def pause_reading(self) -> None:
        assert self.is_reading
        self.is_reading = False

    def resume_reading(self) -> None:
        assert not self.is_reading
        self.is_reading = True


def handshake(client: ClientProtocol) -> bytes:
    """What a server answers to the request of ``client``."""
    server = ServerProtocol()
    client.send_request(client.connect())
    for data in client.data_to_send():
        server.receive_data(data)
    server.send_response(server.accept(cast("Any", server.events_received()[0])))
    return b"".join(server.data_to_send())


def fed(make: type[ClientConnection], sent: bytes, cuts: Sequence[int]) -> tuple[ClientConnection, Transport]:
    """A connection that took the handshake and then ``sent``, cut into pieces at these places; the socket is gone."""
    protocol = ClientProtocol(parse_uri("ws://venue"), max_size=MOST_BYTES)
    options: dict[str, Any] = {"most_bytes": MOST_BYTES} if make is WebSocket else {"max_queue": None}
    connection, transport = make(protocol, ping_interval=None, **options), Transport()
    connection.connection_made(transport)
    data = handshake(protocol) + sent
    connection.response_rcvd = asyncio.get_running_loop().create_future()
    places = sorted({0, *(cut % len(data) for cut in cuts), len(data)})
    for start, stop in pairwise(places):
        if not transport.is_closing():
            connection.data_received(data[start:stop])
    connection.eof_received()
    connection.connection_lost(None)
    return connection, transport


async def messages_of(connection: ClientConnection) -> AsyncIterator[bytes]:
    while True:
        if isinstance(connection, WebSocket):
            await connection.wait()
            yield connection.frames.popleft()
        else:
            yield await connection.recv(decode=False)


async def taken(make: type[ClientConnection], sent: bytes, cuts: Sequence[int]) -> tuple[list[bytes], str, bytes]:
    """(messages, how it ended, what the server was answered)."""
    connection, transport = fed(make, sent, cuts)
    messages = []
    try:
        async for message in messages_of(connection):
            messages.append(message)
    except ConnectionClosed as closed:
        return messages, str(closed), heads(bytes(transport.written))
    pytest.fail("it has no end")


def heads(data: bytes) -> bytes:
    """Kinds and lengths of the frames that were written: their masks are random."""
    out = bytearray()
    while data:
        out += data[:2]
        data = data[6 + (data[1] & 0x7F) :]
    return bytes(out)


def serialized(opcode: Opcode, size: int, fin: bool) -> bytes:
    return Frame(opcode, bytes(index % 251 for index in range(size)), fin).serialize(mask=False)


SIZES = st.sampled_from([0, 1, 100, 125, 126, 127, 1000, 65_535, 65_536, MOST_BYTES])
WHOLE = st.builds(serialized, st.sampled_from([Opcode.TEXT, Opcode.BINARY]), SIZES, st.just(True))
CONTROL = st.builds(
    serialized, st.sampled_from([Opcode.PING, Opcode.PONG]), st.sampled_from([0, 4, 125]), st.just(True)
)
PIECES = st.lists(SIZES, min_size=2, max_size=4).map(
    lambda sizes: b"".join(
        serialized(Opcode.CONT if place else Opcode.TEXT, size // 4, place == len(sizes) - 1)
        for place, size in enumerate(sizes)
    )
)
CLOSE = st.just(Frame(Opcode.CLOSE, b"\x03\xe8done").serialize(mask=False))
# What no server may send: masked, reserved bits, an unknown kind, a piece of nothing, too long, and any bytes.
WRONG = st.one_of(
    st.sampled_from([b"\x81\x85abcd12345", b"\xc1\x01x", b"\x83\x01x", b"\x80\x01x", b"\x89\x7e\x00\x7e" + b"x" * 126]),
    st.just(b"\x81\x7f" + (MOST_BYTES + 1).to_bytes(8) + b"x" * 10),
    st.binary(max_size=30),
)
FRAMES = st.lists(st.one_of(WHOLE, WHOLE, CONTROL, PIECES, st.one_of(CLOSE, WRONG)), max_size=8).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(sent=FRAMES, cuts=st.lists(st.integers(0, 400_000), max_size=12))
def test_messages_and_end_are_those_of_the_library(sent: bytes, cuts: list[int]) -> None:
    async def both() -> None:
        assert await taken(WebSocket, sent, cuts) == await taken(ClientConnection, sent, cuts)

    asyncio.run(both())


async def test_one_byte_after_the_other_gives_the_same_frames() -> None:
    sent = b"".join(serialized(Opcode.TEXT, size, True) for size in (0, 1, 125, 126, 300)) * 3
    cuts = range(1000, 3000)
    assert await taken(WebSocket, sent, cuts) == await taken(WebSocket, sent, [])


async def test_whole_frames_do_not_pass_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    handed_over: list[Frame] = []
    monkeypatch.setattr(ClientProtocol, "recv_frame", lambda protocol, frame: handed_over.append(frame))
    length = len(handshake(ClientProtocol(parse_uri("ws://venue"))))
    messages, _, _ = await taken(WebSocket, serialized(Opcode.TEXT, 200, True) * 50, [length])
    assert len(messages) == 50
    assert not handed_over


async def test_one_read_ahead_of_its_reader_the_socket_is_paused() -> None:
    protocol = ClientProtocol(parse_uri("ws://venue"), max_size=MOST_BYTES)
    connection, transport = WebSocket(protocol, ping_interval=None), Transport()
    connection.connection_made(transport)
    connection.response_rcvd = asyncio.get_running_loop().create_future()
    connection.data_received(handshake(protocol))
    reading = asyncio.create_task(connection.wait())
    await asyncio.sleep(0)
    connection.data_received(serialized(Opcode.TEXT, 200, True))
    assert transport.is_reading
    await reading
    connection.data_received(serialized(Opcode.TEXT, 200, True))
    assert not transport.is_reading
    connection.frames.clear()
    reading = asyncio.create_task(connection.wait())
    await asyncio.sleep(0)
    assert transport.is_reading
    reading.cancel()
