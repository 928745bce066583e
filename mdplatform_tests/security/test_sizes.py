"""No request, however long or however small it is packed, holds up the node or fills its memory."""

from __future__ import annotations

import gzip
import socket
import sys
import zlib
from collections.abc import Callable
from urllib.parse import urlsplit

import lz4.frame
import pytest
import zstandard

from mdplatform.embedded.clickhouse.blocks import (
    LZ4,
    MOST_BLOCK_BYTES,
    ZSTD,
    BlockReader,
    BlockWriter,
    DamagedBlock,
    as_block,
    checksum,
)
from mdplatform.embedded.clickhouse.compression import decoder
from mdplatform.embedded.clickhouse.errors import Refusal
from mdplatform.embedded.clickhouse.guard import forbid_outside, forbid_second_statement
from mdplatform.embedded.clickhouse.heads import MOST_HEAD_BYTES
from mdplatform.embedded.clickhouse.request import MOST_FORM_BYTES, MOST_PASSED_BYTES
from mdplatform.embedded.clickhouse.statements import MOST_SQL_BYTES, parse
from mdplatform_tests.contract.clickhouse.asking import ask
from mdplatform_tests.security.host import Host

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.compress,
    "lz4": lz4.frame.compress,
}
MEGABYTE = 1 << 20
EDGE = {"Content-Type": "multipart/form-data; boundary=edge"}


def steps(work: Callable[[], object]) -> int:
    """How many calls, and goings on of generators, `work` takes."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        work()
    except Refusal:
        pass
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "part", [b"a ", b"FORMAT x, ", b"INTO ", b"(", b"a,b ", b"; a", b"$a$ ", b"'", b"/*", b"PARALLEL ", b"INSERT INTO "]
)
@pytest.mark.parametrize("beginning", [b"INSERT INTO t ", b"SELECT ", b"WITH x INSERT INTO t "])
def test_a_statement_takes_time_in_proportion_to_its_length(beginning: bytes, part: bytes) -> None:
    def work(times: int) -> int:
        sql = beginning + part * times
        return steps(lambda: parse(sql)) + steps(lambda: forbid_outside("reader", sql, frozenset({"url"})))

    assert work(2000) < 2.5 * work(1000) + 100


def test_a_search_for_a_second_statement_takes_time_in_proportion_too() -> None:
    few, many = (steps(lambda n=n: forbid_second_statement(b"PARALLEL x " * n)) for n in (1000, 2000))  # type: ignore[misc]
    assert many < 2.5 * few + 100


@pytest.mark.parametrize("as_reader", [False, True], ids=["default", "reader"])
def test_sql_has_a_greatest_length(host: Host, as_reader: bool) -> None:
    url = host.node.reader_url if as_reader else host.node.url
    reply = ask(url, b"SELECT " + b"a " * (MOST_SQL_BYTES // 2))
    assert (reply.status in (400, 413), reply.body.count(b"\n")) == (True, 1)
    assert ask(url, b"INSERT INTO t " + b"a " * 4000).status != 200


def test_the_data_of_an_insert_is_no_sql(host: Host) -> None:
    rows = b"(1)," * MOST_SQL_BYTES
    assert ask(host.node.url, b"INSERT INTO FUNCTION null('n UInt8') VALUES " + rows[:-1]).status == 200
    assert ask(host.node.url, rows[:-1], {"query": "INSERT INTO FUNCTION null('n UInt8') VALUES"}).status == 200


@pytest.mark.parametrize("encoding", PACKED)
def test_what_is_packed_small_is_unpacked_in_small_pieces(encoding: str) -> None:
    packed = PACKED[encoding](bytes(128 * MEGABYTE))
    sizes = [len(piece) for piece in decoder(encoding).steps(packed)]
    assert (sum(sizes), max(sizes) <= 8 * MEGABYTE) == (128 * MEGABYTE, True)


@pytest.mark.parametrize("encoding", PACKED)
def test_what_is_packed_comes_out_whole(encoding: str) -> None:
    plain = b"".join(b"%d," % number for number in range(200_000))
    twice = PACKED[encoding](plain) * 2
    unpacking = decoder(encoding)
    assert b"".join(unpacking.write(twice[at : at + 1000]) for at in range(0, len(twice), 1000)) == plain * 2
    assert unpacking.flush() == b""


@pytest.mark.parametrize("encoding", PACKED)
def test_a_reader_unpacks_no_more_than_sql(host: Host, encoding: str) -> None:
    packed = PACKED[encoding](b"SELECT 1 --" + bytes(64 * MEGABYTE))
    reply = ask(host.node.reader_url, packed, headers={"Content-Encoding": encoding})
    assert (reply.status, reply.code, reply.body.count(b"\n")) == (413, "307", 1)


@pytest.mark.parametrize("method", [LZ4, ZSTD], ids=["lz4", "zstd"])
def test_no_block_is_unpacked_that_is_too_large(host: Host, method: int) -> None:
    """By what it says of itself, before anything is unpacked."""
    block = as_block(b"SELECT 1 --".ljust(2 * MOST_SQL_BYTES), method)
    reply = ask(host.node.reader_url, block, {"decompress": "1"})
    assert (reply.status, reply.code, reply.body.count(b"\n")) == (413, "307", 1)
    claimed = bytearray(as_block(b"SELECT 1", method))
    claimed[21:25] = (MOST_BLOCK_BYTES + 1).to_bytes(4, "little")
    assert ask(host.node.url, bytes(claimed), {"decompress": "1"}).code == "307"


def test_a_zstd_frame_of_another_size_than_its_block_says_is_not_unpacked() -> None:
    frame = zstandard.compress(bytes(128 * MEGABYTE))
    framed = b"\x90" + (9 + len(frame)).to_bytes(4, "little") + (8).to_bytes(4, "little") + frame
    block = checksum(framed) + framed
    with pytest.raises(DamagedBlock, match="two sizes"):
        BlockReader().write(block)


def test_blocks_in_pieces_of_any_length_come_out_whole() -> None:
    plain = b"".join(b"%d," % number for number in range(200_000))
    sent, reader = BlockWriter().write(plain), BlockReader()
    assert b"".join(reader.write(sent[at : at + 1000]) for at in range(0, len(sent), 1000)) == plain
    assert reader.flush() == b""


def test_a_reader_s_form_has_a_greatest_size(host: Host) -> None:
    head = b'--edge\r\nContent-Disposition: form-data; name="x"; filename="x"\r\n\r\n'
    reply = ask(host.node.reader_url, head + bytes(MOST_FORM_BYTES) + b"\r\n--edge--\r\n", headers=EDGE)
    assert (reply.status, reply.code, reply.body.count(b"\n")) == (413, "307", 1)


@pytest.mark.parametrize("kind", [EDGE["Content-Type"], "text/plain"])
def test_who_has_no_password_is_answered_before_all_is_sent(host: Host, kind: str) -> None:
    address = urlsplit(host.node.url)
    head = (
        f"POST /?user=default HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: 200000000\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(head.encode() + b"Content-Length: 200000000\r\n\r\n" + bytes(MOST_PASSED_BYTES + MEGABYTE))
        assert connection.recv(100).startswith(b"HTTP/1.1 403 ")


def test_headers_have_a_greatest_length(host: Host) -> None:
    address = urlsplit(host.node.url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        line = b"x: " + b"y" * 1000 + b"\r\n"
        # As much as may be read before the answer: what is sent behind it could have the answer thrown away.
        for _ in range(MOST_HEAD_BYTES // len(line)):
            connection.sendall(line)
        connection.sendall(line)
        answer = connection.recv(1000)
    assert answer.startswith(b"HTTP/1.1 431 ")


def test_a_query_may_stand_in_a_long_url(host: Host) -> None:
    sql = "SELECT 1 -- " + "x" * 60_000
    assert ask(host.node.url, parameters={"query": sql}, method="GET").body == b"1\n"


def test_a_long_answer_that_is_waited_for_arrives_whole(host: Host) -> None:
    sql = "SELECT repeat('x', 999) FROM numbers(200000)"
    assert len(ask(host.node.reader_url, sql, {"wait_end_of_query": "1"}).body) == 200_000_000
