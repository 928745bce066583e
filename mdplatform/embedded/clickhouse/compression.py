"""HTTP content encodings, both ways and as a stream. ClickHouse's lz4 is the LZ4 frame format, not blocks."""

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import lz4.frame
import zstandard

from mdplatform.embedded.clickhouse.errors import NOT_IMPLEMENTED, Refusal

GZIP = zlib.MAX_WBITS | 16
STEP_BYTES = 4 << 20
ZSTD_INPUT_BYTES = 256
Data = bytes | memoryview


class Codec(Protocol):
    """Takes bytes as they come; `flush` gives what is left at the end."""

    def write(self, data: bytes) -> bytes: ...

    def flush(self) -> bytes: ...


class Plain:
    def write(self, data: bytes) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


class _Deflater:
    def __init__(self, window: int) -> None:
        self._object = zlib.compressobj(level=3, wbits=window)

    def write(self, data: bytes) -> bytes:
        return self._object.compress(data)

    def flush(self) -> bytes:
        return self._object.flush()


class _Lz4Writer:
    def __init__(self) -> None:
        self._object: Any = lz4.frame.LZ4FrameCompressor()
        self._header: bytes = self._object.begin()

    def write(self, data: bytes) -> bytes:
        header, self._header = self._header, b""
        return header + bytes(self._object.compress(data))

    def flush(self) -> bytes:
        header, self._header = self._header, b""
        return header + bytes(self._object.flush())


class _ZstdWriter:
    def __init__(self) -> None:
        self._object = zstandard.ZstdCompressor(level=1).compressobj()

    def write(self, data: bytes) -> bytes:
        return self._object.compress(data)

    def flush(self) -> bytes:
        return self._object.flush()


class Decoder(Codec, Protocol):
    def steps(self, data: bytes) -> Iterator[bytes]:
        """What `write` gives, in pieces of a few megabytes at most: kilobytes may hold gigabytes."""
        ...


class Undecoded(Plain):
    def steps(self, data: bytes) -> Iterator[bytes]:
        yield data


class _Inflater:
    """Decompresses frame after frame, with a new object of `make` for each.

    `step` gives of an object and data: a piece, the data that is left, and whether the object holds back more.
    """

    def __init__(self, make: Callable[[], Any], step: Callable[[Any, Data], tuple[bytes, Data, bool]]) -> None:
        self._make, self._step = make, step
        self._object = make()
        self._fed = False

    def write(self, data: bytes) -> bytes:
        return b"".join(self.steps(data))

    def steps(self, data: bytes) -> Iterator[bytes]:
        left: Data = data
        more = False
        while left or more:
            if self._object.eof:
                self._object = self._make()
            self._fed = True
            piece, left, more = self._step(self._object, left)
            yield piece

    def flush(self) -> bytes:
        if self._fed and not self._object.eof:
            raise EOFError("the compressed data ends in the middle")
        return b""


def _zlib_step(inflater: Any, data: Data) -> tuple[bytes, Data, bool]:
    piece = inflater.decompress(data, STEP_BYTES)
    if inflater.eof:
        return piece, inflater.unused_data, False
    return piece, inflater.unconsumed_tail, len(piece) == STEP_BYTES


def _lz4_step(inflater: Any, data: Data) -> tuple[bytes, Data, bool]:
    piece = inflater.decompress(data, max_length=STEP_BYTES)
    if inflater.eof:
        return piece, inflater.unused_data or b"", False
    return piece, b"", not inflater.needs_input


def _zstd_step(inflater: Any, data: Data) -> tuple[bytes, Data, bool]:
    # It knows no greatest length. A block of at most 128 KiB takes 4 bytes at least.
    view = memoryview(data)
    piece = inflater.decompress(view[:ZSTD_INPUT_BYTES])
    rest = view[ZSTD_INPUT_BYTES:]
    return (piece, inflater.unused_data + bytes(rest), False) if inflater.eof else (piece, rest, False)


ENCODERS: dict[str, Callable[[], Codec]] = {
    "lz4": _Lz4Writer,
    "zstd": _ZstdWriter,
    "gzip": lambda: _Deflater(GZIP),
    "deflate": lambda: _Deflater(zlib.MAX_WBITS),
}
DECODERS: dict[str, Callable[[], Decoder]] = {
    "": Undecoded,
    "identity": Undecoded,
    "lz4": lambda: _Inflater(lz4.frame.LZ4FrameDecompressor, _lz4_step),
    "zstd": lambda: _Inflater(lambda: zstandard.ZstdDecompressor().decompressobj(), _zstd_step),
    "gzip": lambda: _Inflater(lambda: zlib.decompressobj(GZIP), _zlib_step),
    "deflate": lambda: _Inflater(lambda: zlib.decompressobj(zlib.MAX_WBITS), _zlib_step),
}
DAMAGED = (zlib.error, zstandard.ZstdError, RuntimeError, EOFError)


def decoder(encoding: str) -> Decoder:
    """The decoder of a Content-Encoding header. Raises Refusal for one that is unknown."""
    try:
        return DECODERS[encoding.strip().lower()]()
    except KeyError:
        raise Refusal(NOT_IMPLEMENTED, f"Unknown compression method: {encoding}") from None


def choose_encoding(accepted: str) -> str | None:
    """The encoding to answer with, by our preference among those of an Accept-Encoding header; None: plain."""
    offered = {part.split(";")[0].strip().lower() for part in accepted.split(",")}
    return next((name for name in ENCODERS if name in offered), None)
