"""ClickHouse's own compression, which its drivers ask for by ``compress=1`` and use with ``decompress=1``.

A stream of blocks, each: checksum (16 bytes: CityHash128 of all that follows, as of CityHash 1.0.2), method (1), size
of header and data (4), size unpacked (4), data. clickhouse.com/docs/native-protocol/compression
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import lz4.block
import zstandard
from clickhouse_cityhash.cityhash import CityHash128

from mdplatform.embedded.clickhouse.compression import Codec, Decoder
from mdplatform.embedded.clickhouse.errors import TOO_MANY_BYTES, Refusal

NONE, LZ4, ZSTD = 0x02, 0x82, 0x90
BLOCK_BYTES = 1 << 20  # unpacked, of what is written
# Unpacked or not, of what is read: drivers send a megabyte, or ten. A block lies in memory whole before it is checked.
MOST_BLOCK_BYTES = 64 << 20

_CHECKSUM = struct.Struct("<QQ")
_HEADER = struct.Struct("<BII")


class DamagedBlock(Exception):
    """What was sent is no block."""


class BlockWriter:
    """Packs what is written; ``method`` is LZ4 or ZSTD."""

    def __init__(self, method: int = LZ4) -> None:
        self._method = method

    def write(self, data: bytes) -> bytes:
        pieces = (data[start : start + BLOCK_BYTES] for start in range(0, len(data), BLOCK_BYTES))
        return b"".join(as_block(piece, self._method) for piece in pieces)

    def flush(self) -> bytes:
        return b""


class BlockReader:
    """Unpacks blocks that arrive in pieces of any length, each of at most ``most`` bytes, packed or not.

    Raises DamagedBlock; Refusal for one that is too large; EOFError for one that ends early.
    """

    def __init__(self, most: int = MOST_BLOCK_BYTES) -> None:
        self._held, self._most = bytearray(), most

    def steps(self, data: bytes) -> Iterator[bytes]:
        self._held += data
        while (size := _size(self._held, self._most)) is not None and len(self._held) >= size:
            block = bytes(self._held[:size])
            del self._held[:size]
            yield data_of(block)

    def write(self, data: bytes) -> bytes:
        return b"".join(self.steps(data))

    def flush(self) -> bytes:
        if self._held:
            raise EOFError("the compressed data ends in the middle")
        return b""


class Within:
    """``inner`` within ``outer``: blocks within an HTTP encoding, as a client may ask for both."""

    def __init__(self, inner: Codec, outer: Codec) -> None:
        self._inner, self._outer = inner, outer

    def write(self, data: bytes) -> bytes:
        return self._outer.write(self._inner.write(data))

    def flush(self) -> bytes:
        return self._outer.write(self._inner.flush()) + self._outer.flush()


class BlocksWithin:
    """Reads blocks within an HTTP encoding."""

    def __init__(self, outer: Decoder, most: int = MOST_BLOCK_BYTES) -> None:
        self._outer, self._blocks = outer, BlockReader(min(most, MOST_BLOCK_BYTES))

    def steps(self, data: bytes) -> Iterator[bytes]:
        for piece in self._outer.steps(data):
            yield from self._blocks.steps(piece)

    def write(self, data: bytes) -> bytes:
        return b"".join(self.steps(data))

    def flush(self) -> bytes:
        rest = self._blocks.write(self._outer.flush())
        return rest + self._blocks.flush()


def as_block(data: bytes, method: int = LZ4) -> bytes:
    """``data`` as one block."""
    body = lz4.block.compress(data, store_size=False) if method == LZ4 else zstandard.compress(data, 1)
    framed = _HEADER.pack(method, _HEADER.size + len(body), len(data)) + body
    return checksum(framed) + framed


def data_of(block: bytes) -> bytes:
    """The data of one whole block. Raises DamagedBlock."""
    framed = block[_CHECKSUM.size :]
    if checksum(framed) != block[: _CHECKSUM.size]:
        raise DamagedBlock("the checksum of a compressed block is another one")
    method, _, size = _HEADER.unpack_from(framed)
    data = _body(method, framed[_HEADER.size :], size)
    if len(data) != size:
        raise DamagedBlock(f"a compressed block holds {len(data)} bytes and says {size}")
    return data


def _body(method: int, body: bytes, size: int) -> bytes:
    try:
        if method == LZ4:
            return bytes(lz4.block.decompress(body, uncompressed_size=size))
        if method == ZSTD:
            # The library would trust what the frame itself says of its size.
            if zstandard.get_frame_parameters(body).content_size not in (size, zstandard.CONTENTSIZE_UNKNOWN):
                raise DamagedBlock("a compressed block says two sizes")
            return zstandard.ZstdDecompressor().decompress(body, max_output_size=size)
    except (lz4.block.LZ4BlockError, zstandard.ZstdError) as error:
        raise DamagedBlock(str(error)) from None
    if method == NONE:
        return body
    raise DamagedBlock(f"compressed blocks of method 0x{method:02x} are not known")


def _size(held: bytearray, most: int) -> int | None:
    """Of the block that begins here, checksum and all; None until it is known."""
    if len(held) < _CHECKSUM.size + _HEADER.size:
        return None
    packed_size: int
    _, packed_size, size = _HEADER.unpack_from(held, _CHECKSUM.size)
    if packed_size < _HEADER.size:
        raise DamagedBlock(f"a compressed block of {packed_size} bytes is none")
    if max(packed_size, size) > most:
        raise Refusal(TOO_MANY_BYTES, f"A compressed block of {packed_size} bytes, {size} unpacked: at most {most}")
    return _CHECKSUM.size + packed_size


def checksum(framed: bytes) -> bytes:
    """Of a block's header and data, as it stands before them."""
    number = CityHash128(framed)
    return _CHECKSUM.pack(number >> 64, number & 0xFFFF_FFFF_FFFF_FFFF)
