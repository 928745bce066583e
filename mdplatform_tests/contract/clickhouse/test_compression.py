"""Compressed both ways, with every encoding the client knows."""

import gzip

import clickhouse_connect
import lz4.frame
import pytest
import zstandard

from mdplatform.embedded.clickhouse.blocks import LZ4, ZSTD, BlockReader, BlockWriter
from mdplatform_tests.contract.clickhouse.asking import ask
from mdplatform_tests.contract.clickhouse.conftest import Table

COMPRESS = {"gzip": gzip.compress, "lz4": lz4.frame.compress, "zstd": zstandard.compress}
DECOMPRESS = {
    "gzip": gzip.decompress,
    "lz4": lz4.frame.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}


@pytest.mark.parametrize("encoding", COMPRESS)
def test_an_answer_is_compressed_as_asked(url: str, encoding: str) -> None:
    reply = ask(
        url, "SELECT * FROM numbers(500000)", {"enable_http_compression": "1"}, headers={"Accept-Encoding": encoding}
    )
    assert reply.headers["Content-Encoding"] == encoding
    assert DECOMPRESS[encoding](reply.body) == b"".join(b"%d\n" % n for n in range(500_000))


def test_an_answer_is_plain_unless_compression_is_enabled(url: str) -> None:
    assert ask(url, "SELECT 1", headers={"Accept-Encoding": "gzip"}).body == b"1\n"


@pytest.mark.parametrize("encoding", COMPRESS)
def test_a_compressed_request_is_understood(url: str, table: Table, encoding: str) -> None:
    name = table("n UInt32")
    body = f"INSERT INTO {name} FORMAT CSV\n".encode() + b"".join(b"%d\n" % n for n in range(100_000))
    ask(url, COMPRESS[encoding](body), headers={"Content-Encoding": encoding})
    assert ask(url, f"SELECT count(), sum(n) FROM {name}").body == b"100000\t%d\n" % sum(range(100_000))


@pytest.mark.parametrize("encoding", COMPRESS)
def test_the_client_inserts_and_reads_compressed(url: str, table: Table, encoding: str) -> None:
    name = table("n UInt32")
    with clickhouse_connect.get_client(dsn=url, compress=encoding) as client:
        client.insert(name, [[n] for n in range(1000)], column_names=["n"])
        assert client.query(f"SELECT sum(n) FROM {name}").first_row == (sum(range(1000)),)


def test_damaged_compressed_data_is_refused(url: str) -> None:
    assert ask(url, b"\x1f\x8bnonsense", headers={"Content-Encoding": "gzip"}).code


def test_nothing_is_unpacked_for_who_is_refused(url: str) -> None:
    sent = {"Content-Encoding": "gzip", "X-ClickHouse-User": "default", "X-ClickHouse-Key": "guessed"}
    assert ask(url, b"this is no gzip", headers=sent, credentials=False).code == "516"


def test_an_answer_comes_in_clickhouses_own_blocks(url: str) -> None:
    reply = ask(url, "SELECT * FROM numbers(500000)", {"compress": "1"})
    assert BlockReader().write(reply.body) == b"".join(b"%d\n" % n for n in range(500_000))
    assert len(reply.body) < 2_500_000


@pytest.mark.parametrize("method", [LZ4, ZSTD], ids=["lz4", "zstd"])
def test_a_request_in_clickhouses_own_blocks_is_understood(url: str, table: Table, method: int) -> None:
    name = table("n UInt32")
    rows = BlockWriter(method).write(b"".join(b"%d\n" % n for n in range(500_000)))
    sent = {"query": f"INSERT INTO {name} FORMAT CSV", "decompress": "1"}
    assert ask(url, rows, sent).status == 200
    assert ask(url, f"SELECT count(), sum(n) FROM {name}").body == b"500000\t%d\n" % sum(range(500_000))


def test_blocks_may_stand_within_an_http_encoding(url: str) -> None:
    sent = gzip.compress(BlockWriter().write(b"SELECT 1"))
    settings = {"decompress": "1", "compress": "1", "enable_http_compression": "1"}
    reply = ask(url, sent, settings, headers={"Content-Encoding": "gzip", "Accept-Encoding": "gzip"})
    assert BlockReader().write(gzip.decompress(reply.body)) == b"1\n"


def test_a_block_whose_checksum_is_another_one_is_refused(url: str) -> None:
    block = bytearray(BlockWriter().write(b"SELECT 1"))
    block[0] ^= 1
    assert ask(url, bytes(block), {"decompress": "1"}).code
    assert ask(url, bytes(block[:-1]), {"decompress": "1"}).code
