"""HTTP content encodings, both ways and as a stream. ClickHouse's lz4 is the LZ4 frame format, not blocks."""

import zlib
from collections.abc import Callable
from typing import Any, Protocol

import lz4.frame
import zstandard

from mdplatform.embedded.clickhouse.errors import NOT_IMPLEMENTED, Refusal

GZIP = zlib.MAX_WBITS | 16


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


class _Inflater:
    """Decompresses frame after frame, with a new object of `make` (decompress, eof, unused_data) for each."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._object = make()
        self._fed = False

    def write(self, data: bytes) -> bytes:
        pieces = []
        while data:
            if self._object.eof:
                self._object = self._make()
            pieces.append(self._object.decompress(data))
            self._fed = True
            data = (self._object.unused_data or b"") if self._object.eof else b""
        return b"".join(pieces)

    def flush(self) -> bytes:
        if self._fed and not self._object.eof:
            raise EOFError("the compressed data ends in the middle")
        return b""


ENCODERS: dict[str, Callable[[], Codec]] = {
    "lz4": _Lz4Writer,
    "zstd": _ZstdWriter,
    "gzip": lambda: _Deflater(GZIP),
    "deflate": lambda: _Deflater(zlib.MAX_WBITS),
}
DECODERS: dict[str, Callable[[], Codec]] = {
    "": Plain,
    "identity": Plain,
    "lz4": lambda: _Inflater(lz4.frame.LZ4FrameDecompressor),
    "zstd": lambda: _Inflater(lambda: zstandard.ZstdDecompressor().decompressobj()),
    "gzip": lambda: _Inflater(lambda: zlib.decompressobj(GZIP)),
    "deflate": lambda: _Inflater(lambda: zlib.decompressobj(zlib.MAX_WBITS)),
}
DAMAGED = (zlib.error, zstandard.ZstdError, RuntimeError, EOFError)


def decoder(encoding: str) -> Codec:
    """The decoder of a Content-Encoding header. Raises Refusal for one that is unknown."""
    try:
        return DECODERS[encoding.strip().lower()]()
    except KeyError:
        raise Refusal(NOT_IMPLEMENTED, f"Unknown compression method: {encoding}") from None


def choose_encoding(accepted: str) -> str | None:
    """The encoding to answer with, by our preference among those of an Accept-Encoding header; None: plain."""
    offered = {part.split(";")[0].strip().lower() for part in accepted.split(",")}
    return next((name for name in ENCODERS if name in offered), None)
