"""ClickHouse's Native format for clients that decode it at a protocol revision (clickhouse-go, Grafana's plugin).

The engine always writes revision 0. At revision 54454 and later each block begins with a BlockInfo, and each column's
type is followed by a byte that says whether its serialization is a special one. To add these, columns are walked over.
Layout: clickhouse.com/docs/native-protocol/columns, and clickhouse.com/docs/native-protocol/server
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mdplatform.embedded.clickhouse.errors import NOT_IMPLEMENTED, Refusal

BLOCK_INFO_REVISION = 54454
BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"  # is_overflows = 0, bucket_num = -1, end
ORDINARY = b"\x00"


class Transcoder:
    """Turns documents of revision 0 into documents of revision 54454; whole blocks only."""

    def write(self, document: bytes) -> bytes:
        """Raises Refusal (48) for a column type that is not known here."""
        reader, out = Reader(document), bytearray()
        while not reader.at_end:
            _block(reader, out)
        return bytes(out)

    def flush(self) -> bytes:
        return b""


def _block(reader: Reader, out: bytearray) -> None:
    out += BLOCK_INFO
    start = reader.at
    columns, rows = reader.number(), reader.number()
    for _ in range(columns):
        reader.text()
        kind = reader.text()
        out += reader.data[start : reader.at] + ORDINARY
        start = reader.at
        if rows:
            skip_column(reader, parse_type(kind), rows)
    out += reader.data[start : reader.at]


# --- types by name: "Map(String, Array(UInt8))" becomes a small tree


@dataclass(frozen=True, slots=True)
class Type:
    name: str
    arguments: tuple[str, ...] = ()

    @property
    def inner(self) -> tuple[Type, ...]:
        """The arguments as types; of a named Tuple or Nested without the names."""
        return tuple(parse_type(_unnamed(argument)) for argument in self.arguments)


@lru_cache(maxsize=4096)
def parse_type(text: str) -> Type:
    name, bracket, rest = text.strip().partition("(")
    if not bracket:
        return Type(name.strip())
    return Type(name.strip(), tuple(split_types(rest.strip().removesuffix(")"))))


def _unnamed(argument: str) -> str:
    """ "price Decimal(18, 8)" -> "Decimal(18, 8)"; a name may be quoted with backticks."""
    if argument.startswith("`"):
        return argument[1:].partition("`")[2].strip()
    head, space, rest = argument.partition(" ")
    return rest if space and "(" not in head else argument


def split_types(types: str) -> list[str]:
    """Split "UInt8, Tuple(a Int8, b String)" at the commas outside brackets."""
    found, depth, begin = [], 0, 0
    for at, letter in enumerate(types + ","):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            found.append(types[begin:at].strip())
            begin = at + 1
    return [kind for kind in found if kind]


# --- columns at revision 0, walked over to learn where they end

WIDTHS = {
    **dict.fromkeys(("Int8", "UInt8", "Bool", "Enum8", "Nothing"), 1),
    **dict.fromkeys(("Int16", "UInt16", "Enum16", "Date", "BFloat16"), 2),
    **dict.fromkeys(("Int32", "UInt32", "Float32", "Date32", "DateTime", "IPv4", "Decimal32", "Time"), 4),
    **dict.fromkeys(("Int64", "UInt64", "Float64", "DateTime64", "Decimal64", "Time64"), 8),
    **dict.fromkeys(("Int128", "UInt128", "UUID", "IPv6", "Decimal128", "Point"), 16),
    **dict.fromkeys(("Int256", "UInt256", "Decimal256"), 32),
}
INTERVAL = 8
# The first word of a LowCardinality column's data: the index's width as a power of two, and whether keys follow.
INDEX_WIDTH = 0xFF
OWN_KEYS = 1 << 9


class Reader:
    """A position in one Native document."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    @property
    def at_end(self) -> bool:
        return self.at >= len(self.data)

    def number(self) -> int:
        """A variable length number: seven bits a byte, low ones first."""
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def text(self) -> str:
        size = self.number()
        self.at += size
        return self.data[self.at - size : self.at].decode(errors="replace")

    def word(self) -> int:
        self.at += 8
        return int.from_bytes(self.data[self.at - 8 : self.at], "little")

    def words(self, count: int) -> Sequence[int]:
        self.at += 8 * count
        return memoryview(self.data)[self.at - 8 * count : self.at].cast("Q")


def skip_column(reader: Reader, kind: Type, rows: int) -> None:
    """Pass over one column: the prefixes of its whole tree of types stand before all its data."""
    _skip_prefix(reader, kind)
    _skip_data(reader, kind, rows)


def width(kind: Type) -> int | None:
    """Bytes a value, if all values of the type have the same."""
    if kind.name == "FixedString":
        return int(kind.arguments[0])
    if kind.name == "Decimal":
        digits = int(kind.arguments[0])
        return 4 if digits <= 9 else 8 if digits <= 18 else 16 if digits <= 38 else 32
    if kind.name.startswith("Interval"):
        return INTERVAL
    return WIDTHS.get(kind.name)


def _skip_prefix(reader: Reader, kind: Type) -> None:
    if kind.name == "LowCardinality":
        reader.at += 8  # version of the keys' serialization
    elif kind.name in NESTED:
        for inner in _inner(kind):
            _skip_prefix(reader, inner)


def _skip_data(reader: Reader, kind: Type, rows: int) -> None:
    bytes_each = width(kind)
    if bytes_each is not None:
        reader.at += bytes_each * rows
        return
    skip = SKIP.get(kind.name)
    if skip is None:
        raise Refusal(NOT_IMPLEMENTED, f"Type {kind.name} is not served in Native at this protocol revision: use JSON")
    skip(reader, kind, rows)


def _skip_strings(reader: Reader, _: Type, rows: int) -> None:
    data, at = reader.data, reader.at
    for _row in range(rows):
        size = data[at]
        at += 1
        if size >= 0x80:
            reader.at = at - 1
            size = reader.number()
            at = reader.at
        at += size
    reader.at = at


def _skip_nullable(reader: Reader, kind: Type, rows: int) -> None:
    reader.at += rows  # a byte each: whether it is NULL
    _skip_data(reader, kind.inner[0], rows)


def _skip_array(reader: Reader, kind: Type, rows: int) -> None:
    ends = reader.words(rows)
    total = ends[-1] if rows else 0
    for inner in _inner(kind):
        _skip_data(reader, inner, total)


def _skip_tuple(reader: Reader, kind: Type, rows: int) -> None:
    if not kind.arguments:
        reader.at += rows
    for inner in kind.inner:
        _skip_data(reader, inner, rows)


def _skip_simple(reader: Reader, kind: Type, rows: int) -> None:
    _skip_data(reader, _inner(kind)[0], rows)


def _skip_low_cardinality(reader: Reader, kind: Type, rows: int) -> None:
    """Parts of: flags, dictionary (its size, its values), row count, index of each row. Keys hold NULL as a value."""
    if not rows:
        return
    flags = reader.word()
    key = kind.inner[0]
    if flags & OWN_KEYS:
        _skip_data(reader, key.inner[0] if key.name == "Nullable" else key, reader.word())
    count = reader.word()
    reader.at += count << (flags & INDEX_WIDTH)


def _inner(kind: Type) -> tuple[Type, ...]:
    if kind.name == "SimpleAggregateFunction":
        return kind.inner[1:]
    return GEOMETRY.get(kind.name, kind.inner)


POINT = Type("Point")
GEOMETRY = {
    "Ring": (POINT,),
    "LineString": (POINT,),
    "Polygon": (Type("Ring"),),
    "MultiLineString": (Type("LineString"),),
    "MultiPolygon": (Type("Polygon"),),
}
SKIP: dict[str, Callable[[Reader, Type, int], None]] = {
    "String": _skip_strings,
    "Nullable": _skip_nullable,
    "Array": _skip_array,
    "Map": _skip_array,
    "Nested": _skip_array,
    "Tuple": _skip_tuple,
    "SimpleAggregateFunction": _skip_simple,
    "LowCardinality": _skip_low_cardinality,
    **dict.fromkeys(GEOMETRY, _skip_array),
}
NESTED = frozenset(SKIP) - {"String", "LowCardinality"}
