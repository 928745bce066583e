"""The library's WebSocket, with a short way for what a venue sends most: whole frames of data.

The library reads a frame with a generator that is resumed at each part of it, and hands it on through five coroutines:
7 us a frame on recorded ones of 240 bytes, where the short way takes 1. All else is the library's as ever: handshake,
control frames, fragments, whatever breaks the protocol, and the end. It is handed these frame by frame, so that its
parser always stands between two of them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import Event, State

# Of one message. Each that waits for the last one takes some hundred bytes, empty ones too, which no bound of bytes
# counts.
MOST_FRAGMENTS = 4096
# First bytes of a frame: the last of its message, text or binary, no extension (RFC 6455, 5.2).
_WHOLE = (0x81, 0x82)
_MASKED = 0x80  # of the second byte; a server never masks
_END_OF_HANDSHAKE = b"\r\n\r\n"


class WebSocket(ClientConnection):
    """``frames``: what has come and nobody has taken out yet, oldest first. ``most_bytes``: a longer frame ends it."""

    def __init__(self, *args: Any, most_bytes: int | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.frames: deque[bytes] = deque()
        self._most_bytes = most_bytes
        self._fragments: list[bytes] = []  # of the message that is under way
        self._handshake = bytearray()
        self._is_aligned = False  # the library's parser stands between two frames, and all that follows comes here
        self._beginning = bytearray()  # a frame whose end has not come
        self._awaited_bytes = 0  # that it needs before it is worth another look
        self._reader: asyncio.Future[None] | None = None
        self._is_paused = False
        self._is_lost = False

    @property
    def is_overlong(self) -> bool:
        """Whether it was ended for a message of too many fragments."""
        return len(self._fragments) > MOST_FRAGMENTS

    async def wait(self) -> None:
        """Return once ``frames`` holds one; raises ConnectionClosed when none will come any more.

        While nobody waits, what a read of the socket brings is kept, and then no more is read.
        """
        while not self.frames:
            if self._is_lost:
                await self.recv()  # raises it, with what the library knows of the end
            if self._is_paused and not self.transport.is_closing():
                self._is_paused = False
                self.transport.resume_reading()
            self._reader = self.loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None

    def data_received(self, data: bytes) -> None:
        if not self._is_aligned or self.state is not State.OPEN:
            self._hand_over(data)
        elif not self._beginning:
            self._cut(data)
        else:
            self._beginning += data
            if len(self._beginning) < self._awaited_bytes:
                return
            data = bytes(self._beginning)
            self._beginning.clear()
            self._cut(data)
        if self.frames:
            self._wake()

    def process_event(self, event: Event) -> None:
        """What the library has read: of data, that is fragments, and what came with the handshake."""
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            return super().process_event(event)
        self._fragments.append(bytes(event.data))
        if self.is_overlong:
            self.transport.abort()
        elif event.fin:
            self.frames.append(b"".join(self._fragments))
            self._fragments.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._is_lost = True
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _cut(self, data: bytes) -> None:
        at, end, add = 0, len(data), self.frames.append
        while end - at > 1:
            size, begin = data[at + 1], at + 2
            if 125 < size < _MASKED:
                begin += 2 if size == 126 else 8
                if end < begin:
                    self._awaited_bytes = begin - at
                    break
                size = int.from_bytes(data[at + 2 : begin])
            elif size >= _MASKED:
                return self._hand_over(data[at:])
            stop = begin + size
            if stop > end:
                if self._most_bytes is not None and size > self._most_bytes:
                    return self._hand_over(data[at:])
                self._awaited_bytes = stop - at
                break
            if data[at] in _WHOLE and not self._fragments and (self._most_bytes is None or size <= self._most_bytes):
                add(data[begin:stop])
            else:
                self._hand_over(data[at:stop])
                if self.state is not State.OPEN:
                    return self._hand_over(data[stop:])
            at = stop
        else:
            self._awaited_bytes = 2
        self._beginning += data[at:]

    def _hand_over(self, data: bytes) -> None:
        """To the library, behind the beginning that waits here."""
        is_opening = self.state is State.CONNECTING
        if self._beginning:
            data = bytes(self._beginning) + data
            self._beginning.clear()
        super().data_received(data)
        if is_opening:
            self._handshake += data
            if self.state is State.OPEN:
                # Frames that came with the end of the handshake are the library's, and the last one may not be whole.
                self._is_aligned = self._handshake.find(_END_OF_HANDSHAKE) == len(self._handshake) - 4
                self._handshake.clear()

    def _wake(self) -> None:
        """The reader, or let it catch up first."""
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
        elif not self._is_paused and not self.transport.is_closing():
            self._is_paused = True
            self.transport.pause_reading()
