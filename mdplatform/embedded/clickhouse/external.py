"""External tables: how a request may describe the data that it brings along for one query.

Structure and format become part of SQL, so they are read by a grammar that knows columns and types only, no expression
and no DEFAULT, and written again from what was read. Formats are those that a description of columns is enough for:
nothing that evaluates SQL (Values) or opens a schema (Protobuf, Template).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mdplatform.embedded.clickhouse.errors import BAD_ARGUMENTS, Refusal
from mdplatform.embedded.clickhouse.spool import Spool

PART_SUFFIXES = ("_structure", "_types", "_format")
MOST_BYTES = 64 * 1024  # of one description
DEEPEST = 16
TYPES = frozenset(
    {f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64, 128, 256)}
    | {"Float32", "Float64", "BFloat16", "Decimal", "Decimal32", "Decimal64", "Decimal128", "Decimal256", "Bool"}
    | {"String", "FixedString", "UUID", "IPv4", "IPv6", "Enum", "Enum8", "Enum16"}
    | {"Date", "Date32", "DateTime", "DateTime32", "DateTime64", "Time", "Time64"}
    | {"Array", "Tuple", "Map", "Nested", "Nullable", "LowCardinality", "Variant", "Dynamic", "JSON", "Nothing"}
    | {"Point", "Ring", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
)
_WITH_HEADS = ("", "WithNames", "WithNamesAndTypes")
FORMATS = frozenset(
    {
        f"{name}{head}"
        for name in ("TabSeparated", "TSV", "TabSeparatedRaw", "TSVRaw", "CSV", "RowBinary", "JSONCompactEachRow")
        for head in _WITH_HEADS
    }
    | {"JSONEachRow", "JSONLines", "NDJSON", "JSONStringsEachRow", "JSONCompactStringsEachRow", "JSON", "JSONCompact"}
    | {"Native", "Parquet", "Arrow", "ArrowStream", "ORC", "Avro", "MsgPack", "TSKV", "LineAsString", "RawBLOB"}
)
# Settings of the request that say how the data is to be read. The rest hold for the query only.
READING = re.compile(r"(input_format_(?!values_|record_)|format_csv_|date_time_input_)\w+")
TOKEN = re.compile(
    r"""\s*+(?:
      (?P<word>[A-Za-z_][A-Za-z_0-9]*+)
    | (?P<name>`[^`\\]++`|"[^"\\`]++")
    | (?P<number>-?[0-9]++)
    | (?P<string>'(?:[^'\\]++|\\[\\'nrt0])*+')
    | (?P<sign>[(),=])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class External:
    """A table that exists for one query only. `columns` is a column list as in CREATE TABLE, `format` a known name."""

    name: str
    columns: str
    format: str
    data: Spool


def read_external(name: str, data: Spool, given: Mapping[str, str]) -> External:
    """Raises Refusal for a description that is missing, or that is not one of columns alone."""
    structure, types = given.get(f"{name}_structure", ""), given.get(f"{name}_types", "")
    if not structure and not types:
        raise Refusal(BAD_ARGUMENTS, f"External table {name} has neither {name}_structure nor {name}_types")
    form = given.get(f"{name}_format") or "TabSeparated"
    if form not in FORMATS:
        raise Refusal(BAD_ARGUMENTS, f"External table {name}: data cannot come in the format {form[:64]!r}")
    try:
        return External(name, _Columns(structure or types, named=bool(structure)).all(), form, data)
    except ValueError as error:
        raise Refusal(BAD_ARGUMENTS, f"External table {name}: {error}") from None


class _Columns:
    """Reads `name Type, ...`, or `Type, ...` whose columns are then _1, _2 ...; ValueError for anything else."""

    def __init__(self, text: str, named: bool) -> None:
        if len(text) > MOST_BYTES:
            raise ValueError(f"its description has more than {MOST_BYTES} letters")
        self._named = named
        self._tokens = _cut(text)
        self._at = 0

    def all(self) -> str:
        columns: list[str] = []
        while self._at < len(self._tokens):
            if columns:
                self._expect(",")
            name = self._name() if self._named else f"_{len(columns) + 1}"
            columns.append(f"`{name}` {self._type(0)}")
        return ", ".join(columns)

    def _next(self) -> tuple[str, str]:
        if self._at == len(self._tokens):
            raise ValueError("its description ends in the middle")
        self._at += 1
        return self._tokens[self._at - 1]

    def _sees(self, text: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at] == ("sign", text)

    def _expect(self, text: str) -> None:
        if self._next() != ("sign", text):
            raise ValueError(f"{self._tokens[self._at - 1][1]!r} stands where {text!r} is expected")

    def _name(self) -> str:
        kind, text = self._next()
        if kind not in ("word", "name"):
            raise ValueError(f"{text!r} is no column's name")
        return text[1:-1] if kind == "name" else text

    def _type(self, depth: int) -> str:
        kind, text = self._next()
        if kind != "word" or text not in TYPES or depth > DEEPEST:
            raise ValueError(f"{text!r} is no column's type here")
        if not self._sees("("):
            return text
        parts: list[str] = []
        while not parts or self._sees(","):
            self._at += 1
            parts.append(self._argument(depth))
        self._expect(")")
        return f"{text}({', '.join(parts)})"

    def _argument(self, depth: int) -> str:
        """A number, a string, 'name' = number, a type, or a name and a type."""
        kind, text = self._next()
        if kind in ("number", "string"):
            if kind == "number" or not self._sees("="):
                return text
            self._at += 1
            kind, number = self._next()
            if kind != "number":
                raise ValueError(f"{number!r} is no number")
            return f"{text} = {number}"
        follows = self._tokens[self._at][0] if self._at < len(self._tokens) else ""
        self._at -= 1
        if follows == "word":
            return f"`{self._name()}` {self._type(depth + 1)}"
        return self._type(depth + 1)


def _cut(text: str) -> list[tuple[str, str]]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = TOKEN.match(text, at, end)
        if match is None:
            raise ValueError(f"its description is not one of columns at {text[at : at + 16]!r}")
        found.append((match.lastgroup or "", match[match.lastgroup or ""]))
        at = match.end()
    return found
