"""Native blocks at a client's protocol revision: the engine's own bytes, with what that revision adds."""

import pytest

from mdplatform.embedded.clickhouse import ClickHouseNode
from mdplatform_tests.contract.clickhouse.asking import ask

BLOCK_INFO = bytes.fromhex("010002ffffffff00")
REVISION = "54467"
ROWS = 300

EXPRESSIONS = [
    "number::UInt8",
    "toString(number)",
    "repeat('x', number)",
    "toFixedString(toString(number), 7)",
    "if(number % 3 = 0, NULL, toString(number))",
    "arrayMap(x -> toString(x), range(number % 5))",
    "[range(number % 3), range(number % 2)]",
    "map(toString(number), number, 'k', 1)",
    "tuple(number, toString(number), [1.5])",
    "CAST(tuple(1, 'x'), 'Tuple(a UInt8, `b c` String)')",
    "toLowCardinality(toString(number % 7))",
    "CAST(if(number % 3 = 0, NULL, toString(number)), 'LowCardinality(Nullable(String))')",
    "[toLowCardinality(toString(number % 7)), toLowCardinality('x')]",
    "map(toLowCardinality('a'), [toNullable(number)])",
    "toDecimal64(number, 8)",
    "toDecimal256(number, 20)",
    "toDateTime64(number, 9, 'UTC')",
    "toDateTime(number, 'Asia/Tokyo')",
    "toDate32('2026-11-21')",
    "CAST('b', 'Enum8(\\'a\\' = 1, \\'b, (\\' = 2, \\'b\\' = 3)')",
    "toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')",
    "toIPv6('::1')",
    "(1., 2.)::Point",
    "[[(0., 0.), (10., 0.)]]::Polygon",
    "INTERVAL number DAY",
    "NULL",
    "CAST(number, 'SimpleAggregateFunction(sum, UInt64)')",
    "number > 5",
    "CAST([(1, 'x')], 'Nested(a UInt8, b String)')",
]


def native(url: str, columns: str, rows: int, **parameters: str) -> bytes:
    reply = ask(url, f"SELECT {columns} FROM numbers({rows})", {"default_format": "Native", **parameters})
    assert reply.status == 200, reply.body
    return reply.body


def varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def taken_apart(block: bytes) -> tuple[bytes, bytes]:
    """Head and data of a block with one column called x."""
    at = len(varint(1) + varint(ROWS) + b"\x01x")
    size = block[at] if block[at] < 128 else block[at] - 128 + 128 * block[at + 1]
    end = at + (1 if block[at] < 128 else 2) + size
    return block[at:end], block[end:]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_each_column_gets_its_byte_and_each_block_its_info(clickhouse_node: ClickHouseNode, expression: str) -> None:
    kind, data = taken_apart(native(clickhouse_node.url, f"{expression} AS x", ROWS))
    columns = f"{expression} AS x, {expression} AS y, toUInt8(7) AS z"
    block = varint(3) + varint(ROWS)
    block += b"\x01x" + kind + b"\0" + data + b"\x01y" + kind + b"\0" + data + b"\x01z\x05UInt8\0" + b"\x07" * ROWS
    assert native(clickhouse_node.url, columns, ROWS, client_protocol_version=REVISION) == BLOCK_INFO + block


def test_an_older_revision_is_answered_as_revision_0(clickhouse_node: ClickHouseNode) -> None:
    plain = native(clickhouse_node.url, "number AS x", ROWS)
    assert native(clickhouse_node.url, "number AS x", ROWS, client_protocol_version="54405") == plain


def test_many_blocks_keep_every_row(clickhouse_node: ClickHouseNode) -> None:
    answer = native(clickhouse_node.url, "number AS x", 200_000, client_protocol_version=REVISION)
    assert answer.count(BLOCK_INFO + varint(1)) == answer.count(b"\x01x\x06UInt64\0") >= 3
    assert len(answer) > 200_000 * 8


def test_a_type_that_is_not_known_is_refused(clickhouse_node: ClickHouseNode) -> None:
    sql = "SELECT number::Dynamic AS x FROM numbers(3)"
    reply = ask(clickhouse_node.url, sql, {"default_format": "Native", "client_protocol_version": REVISION})
    assert reply.code == "48"
